"""Where text leaves the program: to a terminal spelt out, to a database as SQL of ours.

Promises: both are read from the source itself, so a new verb or a new query can't forget it.
"""

import ast
import re
from collections.abc import Iterator

from tests.architecture.tree import modules, name_of, parsed

SPELT_OUT = {"printable", "printable_block", "json_line", "json_spelt_out", "_json"}
"""What makes a text safe to show; `_json` of the log is a `json_line`."""
SHOWS = {"typer.echo", "sys.stdout.write"}
MADE_SAFE_BEFORE = {"kcjl/cli/exceptions.py: line", "kcjl/cli/payouts.py: line"} | {
    "kcjl/cli/payouts_bank.py: each"
}
"""Loops over lines of JSON or a table, each spelt out where it is made."""

SQL = re.compile(
    r"\b(select\b.+\bfrom|insert into|update \S+ set|delete from|create table|alter table|"
    r"drop table|set role )",
    re.DOTALL,
)
ASKS = {"execute", "executemany", "fetch", "fetchrow", "fetchval", "cursor"}
CONSTANT = re.compile(r"_*[A-Z][A-Z0-9_]*")
QUOTED = "quoted by the server: quote_ident, quote_literal"
OURS = "one of texts in the same module; what was asked for travels as arguments"
OF_OURS = {
    "kcjl/database.py: self.role": "a role of ours",
    "kcjl/log/queries.py: ' and '.join(conditions)": OURS,
    "kcjl/log/queries.py: column": OURS,
    "kcjl/log/queries.py: columns": OURS,
    "kcjl/log/queries.py: order": OURS,
    "kcjl/projections/asofdatabase.py: schema": QUOTED,
    "kcjl/projections/deskreading.py: len(arguments)": "the number of an argument",
    "kcjl/projections/deskreading.py: where": OURS,
    "kcjl/projections/keyframes.py: table": OURS,
    "kcjl/projections/overlay.py: self._schema": QUOTED,
    "kcjl/projections/overlay.py: views(self._schema, merchant, names, "
    "version=self._version, keyframe=self._keyframe)": "pastviews.py, below",
    "kcjl/projections/pastviews.py: each": "names of projections of ours",
    "kcjl/projections/pastviews.py: kept": "made in the same module of numbers and names",
    "kcjl/projections/pastviews.py: merchant": QUOTED,
    "kcjl/projections/pastviews.py: moment": OURS,
    "kcjl/projections/pastviews.py: now": OURS,
    "kcjl/projections/pastviews.py: schema": QUOTED,
    "kcjl/projections/pastviews.py: states": "made in the same module of numbers and names",
    "kcjl/projections/reading.py: order": OURS,
    "kcjl/projections/reading.py: where": OURS,
}
"""What is put into SQL and is no constant: where, and why nobody outside says it."""


def test_command_line_shows_nothing_that_is_not_spelt_out() -> None:
    """`typer.echo(name)` would let a product's name steer the terminal."""
    found = {
        f"{name_of(path)}: {ast.unparse(shown)}"
        for path in modules("kcjl/cli")
        for call in calls(path.read_text(encoding="utf-8"))
        if ast.unparse(call.func) in SHOWS and call.args
        for shown in not_spelt_out(call.args[0])
    }

    assert MADE_SAFE_BEFORE == found


def not_spelt_out(shown: ast.expr) -> Iterator[ast.expr]:
    if isinstance(shown, ast.IfExp):
        yield from not_spelt_out(shown.body)
        yield from not_spelt_out(shown.orelse)
    elif isinstance(shown, ast.BinOp):
        yield from not_spelt_out(shown.left)
        yield from not_spelt_out(shown.right)
    elif isinstance(shown, ast.Call) and ast.unparse(shown.func) in SPELT_OUT:
        return
    elif not isinstance(shown, ast.Constant) and ast.unparse(shown) != "__version__":
        yield shown


def test_sql_is_made_of_constants_and_what_is_asked_for_travels_beside_it() -> None:
    """No value is ever written into a statement: what is put into one is a text of ours."""
    found = {
        f"{name_of(path)}: {ast.unparse(part)}"
        for path in modules("kcjl")
        for part in put_into_sql(parsed(path))
    }

    assert set(OF_OURS) == found


def put_into_sql(tree: ast.AST) -> Iterator[ast.AST]:
    """Each expression within a statement that is no constant by its name."""
    asked = {
        id(call.args[0])
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in ASKS
        and call.args
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) and (id(node) in asked or is_sql(node)):
            for part in node.values:
                if isinstance(part, ast.FormattedValue) and not is_constant(part.value):
                    yield part.value
        elif (id(node) in asked and isinstance(node, ast.BinOp | ast.Call)) or is_formatting(
            node
        ):
            yield node


def is_sql(node: ast.JoinedStr) -> bool:
    said = "".join(
        str(part.value) if isinstance(part, ast.Constant) else "?" for part in node.values
    )
    return SQL.search(said) is not None


def is_formatting(node: ast.AST) -> bool:
    """`"select …" % name`, `"select …" + name` and `"select …".format(name)`."""
    texts: list[ast.expr] = []
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod | ast.Add):
        texts = [node.left, node.right]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        texts = [node.func.value] if node.func.attr in {"format", "replace"} else []
    return any(
        isinstance(text, ast.Constant)
        and isinstance(text.value, str)
        and SQL.search(text.value)
        for text in texts
    )


def is_constant(value: ast.expr) -> bool:
    name = value.attr if isinstance(value, ast.Attribute) else ast.unparse(value)
    return CONSTANT.fullmatch(name) is not None


def calls(source: str) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))


def test_statement_with_a_value_in_it_is_found() -> None:
    """Each way of writing one: the rule above can see."""
    for source in (
        'db.fetch(f"select * from event where stream = {stream}")',
        'db.fetch("select * from event where stream = " + stream)',
        'db.fetch("select * from event where stream = %s" % stream)',
        'db.fetch("select * from event where stream = {}".format(stream))',
        'query = f"delete from event where stream = {stream}"',
        'db.execute(f"vacuum {table}")',
    ):
        assert [*put_into_sql(ast.parse(source))], source
    assert [] == [*put_into_sql(ast.parse('db.fetch(f"select {COLUMNS} from event", stream)'))]
