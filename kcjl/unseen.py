r"""Characters that draw nothing or steer: which they are, and how a text spells them out.

Promises: a text that was spelt out has no control character, escape sequence, override of the
direction or letter without a shape: each stands as its number (`\x1b`, `\u202e`), so texts that
differ look different. JSON that was spelt out is still JSON, and means the same.
Blanks are kept; it judges no letter that merely looks like another one.
Called by whatever shows or files a text that came from outside: the command line, the logs, the
monitor, pages, papers, cells and alerts.
"""

import unicodedata
from functools import lru_cache

__all__ = ["is_unseen", "json_spelt_out", "spelt_out"]

_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks by category that draw nothing."""
_VARIATION_SELECTORS = (
    *range(0x180B, 0x1810),
    *range(0xFE00, 0xFE10),
    *range(0xE0100, 0xE01F0),
)
_UNSEEN_MARKS = _BLANK_LETTERS | frozenset(map(chr, _VARIATION_SELECTORS))
_TWO_DIGITS, _FOUR_DIGITS = 0xFF, 0xFFFF


@lru_cache(maxsize=4096)
def is_unseen(character: str) -> bool:
    """Whether it draws nothing, or does something; the blank is seen."""
    if character == " ":
        return False
    return unicodedata.category(character) in _UNSEEN_CATEGORIES or character in _UNSEEN_MARKS


def spelt_out(text: str) -> str:
    r"""The text on one line, with the number of each character that would not be seen.

    >>> print(spelt_out("SKU\x1b[2J\n"))
    SKU\x1b[2J\x0a
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_number(each) if is_unseen(each) else each for each in text)


def json_spelt_out(text: str) -> str:
    r"""The same for JSON, whose own line ends and escapes stay.

    >>> print(json_spelt_out('{"name":"A\u202eB"}'))
    {"name":"A\u202eB"}
    """
    if text.isascii() and "\x7f" not in text:
        return text
    return "".join(_units(each) if each != "\n" and is_unseen(each) else each for each in text)


def _number(character: str) -> str:
    code = ord(character)
    if code <= _TWO_DIGITS:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= _FOUR_DIGITS else f"\\U{code:08x}"


def _units(character: str) -> str:
    """As JSON writes it: in units of UTF-16."""
    coded = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{coded[at : at + 2].hex()}" for at in range(0, len(coded), 2))
