"""docs/marketplace.md, compared with the client, the sandbox, the settings and the tests."""

import ast
import json
import re

import msgspec

from kcjl.johnlewis.budget import OPERATIONS
from kcjl.johnlewis.frequencies import FREQUENCIES
from kcjl.johnlewis.seller_api import SellerApi
from kcjl.sandbox.johnlewis.http import ROUTES
from kcjl.sandbox.marketplace import MarketplaceSettings
from kcjl.settings import MerchantSettings
from tests.architecture.tree import ROOT, modules, parsed

PAGE = (ROOT / "docs" / "marketplace.md").read_text(encoding="utf-8")
CODE = re.compile(r"[A-Z]{1,3}[0-9]{2}")
SETTING = re.compile(r"`([\w.]+)` = `([^`]*)`")
PATHS = {code: path for code, _, path, _ in ROUTES}
WORDS_LEAST = 3
"""Of a reason; less says nothing."""


def _rows(first: re.Pattern[str]) -> dict[str, list[str]]:
    """The other cells of each row whose first cell has this form."""
    found: dict[str, list[str]] = {}
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        name = cells[0].strip("` ")
        if line.startswith("|") and first.fullmatch(cells[0].strip()):
            assert name not in found, f"{name} is there twice"
            found[name] = cells[1:]
    return found


OPERATION_ROWS = _rows(re.compile(r"`[A-Z]{1,3}[0-9]{2}`"))
OPEN_POINTS = _rows(re.compile(r"U\d+"))


def _called() -> set[str]:
    """The operations that stand as a word of their own in the client's code."""
    return {
        node.value
        for path in modules("kcjl/johnlewis")
        if path.name not in ("frequencies.py", "budget.py")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and CODE.fullmatch(node.value)
    }


def test_every_operation_of_both_sides_has_its_line_and_no_other() -> None:
    """Who looks for an operation finds it, whichever side knows it."""
    assert set(FREQUENCIES) == OPERATIONS
    assert OPERATIONS | set(PATHS) == set(OPERATION_ROWS)
    assert all(len(cells) == 5 and all(cells) for cells in OPERATION_ROWS.values())


def test_operations_are_called_by_the_methods_that_the_page_names() -> None:
    """A line says a method that is there, or that nothing calls the operation."""
    by_method = {
        code: cells[1].removeprefix("`SellerApi.").rstrip("`")
        for code, cells in OPERATION_ROWS.items()
        if cells[1] != "not called"
    }

    assert _called() == set(by_method)
    assert _called() <= OPERATIONS
    assert [] == [name for name in by_method.values() if not callable(getattr(SellerApi, name))]


def test_operations_are_served_where_the_page_says_so() -> None:
    """The sandbox's table of routes decides."""
    assert {code: "served" if code in PATHS else "not served" for code in OPERATION_ROWS} == {
        code: cells[2] for code, cells in OPERATION_ROWS.items()
    }


def test_modules_of_tests_speak_of_their_operations() -> None:
    """A test that is named is there, and names the operation or asks its path."""
    for code, (_, method, served, named, _) in OPERATION_ROWS.items():
        paths = re.findall(r"`([^`]+)`", named)
        if method == "not called" and served == "not served":
            assert named == "none: neither called nor served", code
            continue
        assert paths, f"{code}: no test is named"
        if method != "not called":
            assert any(path.startswith("tests/johnlewis/conversations/") for path in paths), (
                code
            )
        for path in paths:
            text = (ROOT / path).read_text(encoding="utf-8")
            asked = PATHS[code].partition("{")[0].rstrip("/").removeprefix("/api")
            assert re.search(rf"\b{code}\b", text) or asked in text, f"{code}: not in {path}"


def test_open_points_and_operations_name_each_other() -> None:
    """A point that no operation has is said to be every one's."""
    told = {point: set(CODE.findall(cells[1])) for point, cells in OPEN_POINTS.items()}
    by_operation = {
        point: {code for code, cells in OPERATION_ROWS.items() if point in cells[4].split(", ")}
        for point in OPEN_POINTS
    }
    referred = {
        point
        for cells in OPERATION_ROWS.values()
        for point in cells[4].split(", ")
        if cells[4] != "–"
    }

    assert told == by_operation
    assert referred <= set(OPEN_POINTS)
    assert all(told[point] or OPEN_POINTS[point][1] == "every one" for point in told)


def test_open_points_name_settings_that_are_there_with_their_defaults() -> None:
    """Or say in words why none is needed."""
    for point, (_, _, _, ours, theirs) in OPEN_POINTS.items():
        for cell, default_of in ((ours, _our_default), (theirs, _switch_default)):
            if cell.startswith("none: "):
                assert len(cell.split()) > WORDS_LEAST, f"{point}: {cell}"
                continue
            settings = SETTING.findall(cell)
            assert settings, f"{point}: {cell} names no setting"
            for name, value in settings:
                assert default_of(name) == value, f"{point}: {name}"


def _our_default(name: str) -> str:
    """As it would stand in kcjl.toml."""
    section, key = name.split(".")
    (outer,) = (f for f in msgspec.structs.fields(MerchantSettings) if f.name == section)
    (field,) = (f for f in msgspec.structs.fields(outer.type) if f.name == key)
    value = field.default
    return json.dumps(list(value) if isinstance(value, tuple) else value).removesuffix(".0")


def _switch_default(name: str) -> str:
    value = getattr(MarketplaceSettings(), name)
    return value if isinstance(value, str) else json.dumps(value).removesuffix(".0")
