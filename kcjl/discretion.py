"""What must not be shown: secrets, and words that name a buyer.

Promises: a `Secret` and `Hidden` bytes work as what they are and never show in a `repr`, so
that neither a record, nor a traceback with its locals tells them; `without_words` takes
somebody's words out of a text. It does not encrypt, and does not know what is secret.
Invariant: only on purpose (`str`, formatting, sending) does a secret come out.
Called by the settings and by both adapters.
"""

import re
from collections.abc import Container, Iterable

__all__ = ["HIDDEN", "Hidden", "HiddenBuffer", "Secret", "whole_words", "without_words"]

HIDDEN = "[…]"

NAMELESS_CHARS = 3
"""Words up to this length name nobody by themselves ("the", "of", "1a")."""


class Secret(str):
    """A key or a password."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


class Hidden(bytes):
    """Bytes that hold a secret, or somebody's address."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"


class HiddenBuffer(bytearray):
    """The same, as they come in: a long answer is never there twice."""

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"


def without_words(text: str, fields: Iterable[str], *, keep: Container[str] = ()) -> str:
    """A text without these fields, and without each word of them that can name somebody.

    Words to `keep`, in folded case, stay where they stand alone.

    >>> without_words("Not to Ada, 17 Larkspur Road", ["Ada", "17 Larkspur Road"])
    'Not to […], […]'
    """
    whole = [field for field in fields if field]
    words = {word for field in whole for word in field.split() if len(word) > NAMELESS_CHARS}
    personal = {each for each in {*whole, *words} if each.casefold() not in keep}
    return whole_words(text, personal)


def whole_words(text: str, personal: Iterable[str]) -> str:
    """A text without these, the longest first, where they stand as words of their own."""
    for each in sorted({one for one in personal if len(one) > 1}, key=len, reverse=True):
        alone = rf"(?<!\w){re.escape(each)}(?!\w)"
        text = re.sub(alone, HIDDEN, text, flags=re.IGNORECASE)
    return text
