"""TOML that people write, read in bounded time.

Promises: what `tomllib` reads, or ValueError. Of a name of thousands of parts it makes minutes,
and a file of megabytes is none that a person wrote: both are refused before.
Called by the settings and by the rooms that read policies. It opens no file.
"""

import tomllib
from collections.abc import Callable
from typing import Any

__all__ = ["read_toml"]

CHARACTERS_MAX = 4_000_000
"""Settings of several thousand merchants."""
DOTS_MAX = 200
"""In one line: a name of so many parts is nobody's."""


def read_toml(text: str, *, parse_float: Callable[[str], Any] = float) -> dict[str, Any]:
    """The document.

    >>> read_toml("share = 0.10", parse_float=str)
    {'share': '0.10'}
    """
    if len(text) > CHARACTERS_MAX:
        raise ValueError(f"it has {len(text):,} characters, and at most {CHARACTERS_MAX:,}")
    for number, line in enumerate(text.splitlines(), 1):
        if line.count(".") > DOTS_MAX:
            raise ValueError(f"line {number} has more than {DOTS_MAX} dots")
    try:
        return tomllib.loads(text, parse_float=parse_float)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
