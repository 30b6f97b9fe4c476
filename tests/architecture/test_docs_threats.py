"""The threat model names tests: each of them is there."""

import ast
import re

from tests.architecture.tree import ROOT, parsed

NAMED = re.compile(r"`(tests/[a-z_/]+\.py)::(test_\w+)`")


def test_each_test_that_the_threat_model_names_is_there() -> None:
    """A promise whose test was renamed or removed is none."""
    page = (ROOT / "docs" / "threats.md").read_text(encoding="utf-8")
    named = NAMED.findall(page)
    missing = [f"{path}::{name}" for path, name in named if name not in functions(path)]

    assert 20 < len(named)
    assert [] == missing


def functions(path: str) -> set[str]:
    return {
        node.name
        for node in ast.walk(parsed(ROOT / path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
