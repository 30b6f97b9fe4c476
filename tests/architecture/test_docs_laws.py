"""The table of laws and tests in docs/proof.md: what it names is there, none is left out."""

import re

from tests.architecture.test_docs_threats import NAMED, functions
from tests.architecture.tree import ROOT

PAGE = (ROOT / "docs" / "proof.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (\d+) \| (.+) \|$", re.MULTILINE)
CHECKER = re.compile(r"^`(tests/simulation/laws/\w+\.py)`$")
WAYS = ("example", "property", "simulation", "crash")


def _table() -> dict[int, dict[str, str]]:
    """Cell by law and by way."""
    section = PAGE.partition("## The laws and their tests")[2].partition("\n## ")[0]
    return {
        int(number): dict(zip(WAYS, cells.split(" | "), strict=True))
        for number, cells in ROW.findall(section)
    }


def test_each_law_has_a_test_of_each_way_or_a_reason() -> None:
    """A law that nothing would show to be broken is a hope."""
    table = _table()
    empty = [
        f"law {law}, {way}: {cell}"
        for law, ways in table.items()
        for way, cell in ways.items()
        if not (NAMED.search(cell) or CHECKER.match(cell) or cell.startswith("none: "))
    ]

    assert [*range(1, 11)] == sorted(table)
    assert [] == empty


def test_each_test_that_the_table_of_laws_names_is_there() -> None:
    """A test that was renamed or removed shows nothing."""
    named = {
        pair
        for ways in _table().values()
        for cell in ways.values()
        for pair in NAMED.findall(cell)
    }
    missing = [f"{path}::{name}" for path, name in named if name not in functions(path)]

    assert [] == missing


def test_each_checker_that_the_table_of_laws_names_is_of_that_law() -> None:
    """The simulation's module says itself which law it judges."""
    wrong = []
    for law, ways in _table().items():
        found = CHECKER.match(ways["simulation"])
        assert found is not None
        if not (ROOT / found[1]).read_text(encoding="utf-8").startswith(f'"""Law {law}: '):
            wrong.append(f"law {law}: {found[1]}")

    assert [] == wrong
