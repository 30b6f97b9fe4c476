"""Foreign text made safe and honest to show: what can't be seen is spelt out.

Promises: the result holds no control character, escape sequence, direction override or
invisible character; each is shown as a picture (␛) or by its code point (‹U+202E›), so codes
that differ look different. It reads no markup: widgets must take the result as plain text.
Invariant: every character of the result is visible, a space, or (in a block) a line feed.
Called by every view model, for every text that comes from a read model.
"""

import unicodedata
from functools import lru_cache

from kcjl.unseen import is_unseen

__all__ = ["CELL_CHARACTERS_MAX", "cells_of", "plain", "plain_block"]

CELL_CHARACTERS_MAX = 400
"""Characters of one text in a list: more than a terminal shows; the rest is in the detail."""

_PICTURES = {**{chr(code): chr(0x2400 + code) for code in range(0x20)}, "\x7f": "␡"}
"""Unicode's control pictures."""


def plain(text: str, *, characters_max: int = CELL_CHARACTERS_MAX) -> str:
    r"""One line of it, cut with a visible … when it is longer than `characters_max`.

    >>> plain("SKU\x1b[31m\n")
    'SKU␛[31m␊'
    """
    cut = text if len(text) <= characters_max else text[: characters_max - 1] + "…"
    if cut.isascii() and cut.isprintable():
        return cut
    return "".join(map(_seen, cut))


def plain_block(text: str) -> str:
    """The same for text of several lines: line feeds stay what they are."""
    return "\n".join(plain(line, characters_max=len(line) + 1) for line in text.split("\n"))


def cells_of(text: str) -> int:
    """How many cells of a terminal a text takes: wide letters take two, marks none.

    >>> cells_of("SKU 商品")
    8
    """
    if text.isascii():
        return len(text)
    return sum(_cells(character) for character in text)


@lru_cache(maxsize=4096)
def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


@lru_cache(maxsize=4096)
def _seen(character: str) -> str:
    if character in _PICTURES:
        return _PICTURES[character]
    if is_unseen(character):
        return f"‹U+{ord(character):04X}›"
    return character
