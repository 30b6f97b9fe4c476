"""The source tree, parsed: what the architecture tests look at."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

__all__ = ["ROOT", "head", "imported", "modules", "name_of", "parsed"]

ROOT = Path(__file__).parents[2]


def modules(*folders: str) -> list[Path]:
    """Every module below these folders of the tree."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def name_of(path: Path) -> str:
    """Where a module stands, for people: kcjl/stock/decide.py."""
    return path.relative_to(ROOT).as_posix()


def head(path: Path) -> str:
    """The docstring at the head of a module."""
    return ast.get_docstring(parsed(path)) or ""


def imported(path: Path) -> Iterator[tuple[str, str]]:
    """What a module imports: (module, name in it), the name empty for `import module`."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, ""
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield node.module or "", alias.name
