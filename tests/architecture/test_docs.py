"""The documents, compared with the code: what is there is written down, and nothing else is.

Tables are read by their first column, in back-quotes. A name that the code has and the page
lacks fails as much as one that the page kept after the code had dropped it.
"""

import ast
import importlib
import json
import pkgutil
import re
import types
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pytest
import typer
from typer.main import get_command

import kcjl
from kcjl.cli.main import app
from kcjl.errors import KcjlError
from kcjl.events import EVENT_CLASSES
from kcjl.exceptions.catalogue import KINDS
from kcjl.exceptions.kind import LANES, Kind
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.settings import Settings, read_settings
from tests.architecture.tree import ROOT, modules, parsed

DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = [README, ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
DECISION_HEADINGS = [
    "Context",
    "Decision",
    "What we give up",
    "How we would know that we were wrong",
]
DECISION_LINES_MAX = 60
CODE = re.compile(r"KCJL-\d{4}")


def rows(page: Path) -> Iterator[tuple[str, list[str]]]:
    """(the heading above, the cells) of each row of each table, heads of tables left out."""
    heading = ""
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = line.lstrip("#").strip()
        elif line.startswith("|") and not line.startswith("|--"):
            yield heading, [cell.strip() for cell in line.strip("|").split("|")]


def named(page: Path) -> Iterator[tuple[str, str, list[str]]]:
    """(the heading, the name in back-quotes, the other cells) of each row that has one."""
    for heading, cells in rows(page):
        if cells[0].startswith("`"):
            yield heading, cells[0].strip("`"), cells[1:]


# ── events, settings, errors ────────────────────────────────────────────────────────────────


def test_every_event_is_in_the_docs_under_its_room() -> None:
    """Who reads the log finds each event's meaning, where it belongs."""
    documented = sorted((heading, name) for heading, name, _ in named(DOCS / "events.md"))
    there = sorted((cls.__module__.split(".")[1], cls.__name__) for cls in EVENT_CLASSES)

    assert there == documented


def test_every_event_has_its_stream_and_a_line_in_the_docs() -> None:
    """A name without a sentence is no documentation; the stream is the code's."""
    thin = [
        name
        for _, name, cells in named(DOCS / "events.md")
        if len(cells) != 2 or len(cells[1].split()) < 4 or not cells[1].endswith(".")
    ]
    documented = {
        name: re.sub(r"<[^>]*>", "", cells[0].strip("`"))
        for _, name, cells in named(DOCS / "events.md")
    }
    there = {cls.__name__: _stream_form(cls) for cls in EVENT_CLASSES}

    assert not thin, "\n".join(thin)
    assert there == documented


def _stream_form(cls: type[msgspec.Struct]) -> str:
    """The stream's name with whatever is filled in left out: product-, exception--."""
    event = types.SimpleNamespace(**dict.fromkeys(cls.__struct_fields__, ""))
    form = cls.stream.fget(event)  # type: ignore[attr-defined]
    assert isinstance(form, str)
    return form


def test_every_setting_is_in_the_docs_with_its_default() -> None:
    """Who writes a kcjl.toml finds each key, and what happens without it."""
    documented = {
        (heading.strip("`"), name): cells[0].strip("`")
        for heading, name, cells in named(DOCS / "settings.md")
    }
    there = dict(_settings(Settings, ""))

    assert there == documented


def _settings(
    section: type[msgspec.Struct], place: str
) -> Iterator[tuple[tuple[str, str], str]]:
    """((table, key), default as it would stand in the file) of a section and those in it."""
    for field in msgspec.structs.fields(section):
        inner = _section(field.type)
        name = "merchants.NAME" if field.name == "merchants" else field.name
        path = f"{place}.{name}" if place else name
        if inner is None or field.required:
            yield (f"[{place}]" if place else "Top", field.name), _default(field)
        if inner is not None:
            yield from _settings(inner, path)


def _section(kind: object) -> type[msgspec.Struct] | None:
    """The section that a field holds, itself or by name; None for a plain value."""
    for each in (kind, *getattr(kind, "__args__", ())):
        if isinstance(each, type) and issubclass(each, msgspec.Struct):
            return each
    return None


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    value = field.default
    if value is msgspec.NODEFAULT:
        assert field.default_factory is not msgspec.NODEFAULT
        value = field.default_factory()
    return "none" if value is None else json.dumps(value).removesuffix(".0")


def test_every_error_is_in_the_docs_with_its_code() -> None:
    """Who gets a code finds what it means, and support can search for it."""
    for module in pkgutil.walk_packages(kcjl.__path__, "kcjl."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    documented = {
        (code, cells[0].strip("`"))
        for heading, code, cells in named(DOCS / "errors.md")
        if heading == "Codes" and cells[0].startswith("`")
    }
    there = {(each.code, each.__name__) for each in _tree(KcjlError) if _ours(each)}

    assert sorted(there) == sorted(documented)


def _tree(error: type[KcjlError]) -> Iterator[type[KcjlError]]:
    yield error
    for below in error.__subclasses__():
        yield from _tree(below)


def _ours(error: type[KcjlError]) -> bool:
    """Not a test's, and not one that lives and dies inside the simulated ERP."""
    module = error.__module__
    return module.startswith("kcjl.") and not module.startswith("kcjl.sandbox.")


def test_every_code_in_the_source_is_in_the_docs() -> None:
    """A code that is written without a class of its own is documented all the same."""
    source = "\n".join(path.read_text(encoding="utf-8") for path in modules("kcjl", "tui"))
    page = (DOCS / "errors.md").read_text(encoding="utf-8")

    assert set(CODE.findall(source)) == set(CODE.findall(page))


def test_every_exit_code_is_in_the_docs() -> None:
    """A script that calls kcjl knows what each number means."""
    documented = {
        int(cells[0])
        for heading, cells in rows(DOCS / "errors.md")
        if heading == "Exit codes" and cells[0].isdigit()
    }
    there = {0} | {
        code
        for path in modules("kcjl/cli")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("sys.exit", "typer.Exit")
        for each in (*node.args, *(keyword.value for keyword in node.keywords))
        for code in _numbers(each)
    }

    assert there == documented


def _numbers(node: ast.expr) -> Iterator[int]:
    """The numbers that an expression can be: both ends of a choice, not its condition."""
    if isinstance(node, ast.IfExp):
        yield from _numbers(node.body)
        yield from _numbers(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield node.value


# ── the README and the architecture ─────────────────────────────────────────────────────────


def test_every_verb_is_in_the_readme_and_no_other() -> None:
    """The README promises what there is."""
    documented = sorted(name for heading, name, _ in named(README) if heading == "Commands")

    assert sorted(_verbs(app, "kcjl")) == documented


def _verbs(group: typer.Typer, before: str) -> Iterator[str]:
    yield from _below(get_command(group).commands, before)  # type: ignore[attr-defined]


def _below(commands: Mapping[str, object], before: str) -> Iterator[str]:
    """Groups in groups, too."""
    for name, command in commands.items():
        below = getattr(command, "commands", None)
        if below is None or getattr(command, "invoke_without_command", False):
            yield f"{before} {name}"
        if below is not None:
            yield from _below(below, f"{before} {name}")


def test_the_readme_example_is_a_configuration_that_can_be_read(tmp_path: Path) -> None:
    """What a newcomer copies works as it stands, and is the least that is needed."""
    (example,) = re.findall(r"```toml\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    path = tmp_path / "kcjl.toml"
    path.write_text(example, encoding="utf-8")
    settings = read_settings(path)

    assert settings.live
    assert list(settings.merchants) == ["mybrand"]


def test_the_readme_test_command_is_what_ci_runs() -> None:
    """What is shown to a newcomer is what is checked."""
    readme = README.read_text(encoding="utf-8")
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    assert "-c constraints.txt -e '.[dev]' && .venv/bin/python -m pytest -n 2\n" in readme
    assert "pip install -q -c constraints.txt -e '.[dev]'\n" in ci
    assert "python -m pytest -n 2\n" in ci


def test_every_projection_is_in_the_architecture() -> None:
    """Who queries the read models finds their names and states in one table."""
    documented = [
        name for heading, name, _ in named(DOCS / "architecture.md") if heading == "Projections"
    ]

    assert [projection.name for projection in PROJECTIONS] == documented


def test_every_exception_kind_has_an_owner_and_a_next_step() -> None:
    """Nobody is told that something is wrong without being told what to do."""
    severities = {"critical", "high", "medium", "low"}
    thin = [
        name
        for name, kind in KINDS.items()
        if kind.severity not in severities or not kind.owner or len(kind.next_step) < 10
    ]

    assert not thin, "\n".join(thin)


def test_every_exception_kind_is_in_the_docs_as_the_catalogue_has_it() -> None:
    """Who gets an exception finds whose it is, what closes it, and what may be done."""
    documented = {
        name: [heading, *cells]
        for heading, name, cells in named(DOCS / "exceptions.md")
        if heading in LANES
    }
    there = {
        kind.name: [kind.lane, kind.severity, kind.owner, kind.clears, _may(kind)]
        for kind in KINDS.values()
    }

    assert there == documented


def _may(kind: Kind) -> str:
    words = (*(("tried again",) if kind.retry else ()), *(() if kind.stays else ("accepted",)))
    return ", ".join(words) or "neither"


# ── every page ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_are_there(page: Path) -> None:
    """A path in a document leads somewhere: links from the page, code from the tree's top."""
    text = page.read_text(encoding="utf-8")
    links = [
        target
        for target in re.findall(r"\]\(([^)#\s]+)", text)
        if "://" not in target and not (page.parent / target).exists()
    ]
    paths = [
        path
        for path in re.findall(r"`((?:kcjl|tui|sql|tests|docs|\.ci)/[\w./-]*)`", text)
        if not (ROOT / path).exists()
    ]

    assert not links, "\n".join(links)
    assert not paths, "\n".join(paths)


@pytest.mark.parametrize(
    "page", sorted((DOCS / "decisions").glob("*.md")), ids=lambda p: p.stem
)
def test_decisions_say_what_was_given_up(page: Path) -> None:
    """A decision without a price, or without a way to be wrong, is an opinion."""
    text = page.read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)

    assert text.startswith(f"# {page.name[:4]}: ")
    assert headings == DECISION_HEADINGS
    assert len(text.splitlines()) <= DECISION_LINES_MAX


def test_pins_name_no_host() -> None:
    """constraints.txt serves everybody's registry: versions, and nothing else."""
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    odd = [pin for pin in pins if not re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; .+)?", pin)]

    assert not odd, "\n".join(odd)
