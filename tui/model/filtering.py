"""The filter language of the lists: words, fields, measures, and their inverse.

    sku-77              any text of the row holds it        kind:sku    that field holds it
    "two words"         the phrase                          kind=sku    that field is it
    !owner:khaos        the inverse                         age>2h  money>=50  left<30m

Promises: terms are all required; case does not matter; a field that does not exist is searched
as text, and the filter says so. It is pure: the moment is handed in.
Called by the exceptions and log view models.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Generic, TypeVar

import msgspec

__all__ = ["Filter", "FilterFields"]

T = TypeVar("T")

_TERM = re.compile(r'(!?)(?:([A-Za-z_]+)(:|>=|<=|=|>|<))?("[^"]*"?|[^\s"]+)?')
_SPAN = re.compile(r"^(\d+(?:\.\d+)?)(s|m|h|d)$")
_SPAN_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class FilterFields(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """What can be asked of one kind of row."""

    texts: Mapping[str, Callable[[T], str]]
    measures: Mapping[str, Callable[[T, datetime], Decimal | None]]
    """Figures: seconds for spans, major units for money."""
    aliases: Mapping[str, str]

    def named(self, name: str) -> str:
        low = name.lower()
        return self.aliases.get(low, low)

    def names(self) -> str:
        return " ".join((*self.texts, *self.measures))


class _Term(msgspec.Struct, frozen=True, kw_only=True):
    inverse: bool
    name: str
    """Empty: any text."""
    sign: str
    word: str
    figure: Decimal | None = None


class Filter(Generic[T]):
    """A parsed filter; an empty one lets everything through."""

    def __init__(self, raw: str, fields: FilterFields[T], *, operator: str = "") -> None:
        self.raw = raw.strip()
        self.notes: tuple[str, ...] = ()
        """What was not understood, in words."""
        self._fields = fields
        self._operator = operator
        terms = (self._term(match) for match in _TERM.finditer(self.raw))
        self._terms = tuple(term for term in terms if term is not None)

    def __bool__(self) -> bool:
        return bool(self.raw)

    @property
    def find(self) -> str:
        """The first plain word: the source looks for it beyond what is loaded."""
        plain = (term.word for term in self._terms if not term.name and not term.inverse)
        return next(plain, "")

    def matches(self, row: T, now: datetime) -> bool:
        return all(self._holds(term, row, now) is not term.inverse for term in self._terms)

    def _term(self, match: re.Match[str]) -> _Term | None:
        inverse, name, sign, word = match.groups(default="")
        word = word.strip('"').lower()
        if not word:
            return None  # still being typed
        known = self._fields.named(name)
        if name and known in self._fields.measures:
            return self._measure_term(match[0], known, sign, word, inverse=bool(inverse))
        if name and known in self._fields.texts and sign in {":", "="}:
            if word == "me" and known == "owner":
                word = self._me()
            return _Term(inverse=bool(inverse), name=known, sign=sign, word=word)
        if name:
            self._note(f"{name}{sign} is no field here (fields: {self._fields.names()})")
        whole = f"{name}{sign}{word}".lower()
        return _Term(inverse=bool(inverse), name="", sign=":", word=whole)

    def _measure_term(
        self, raw: str, name: str, sign: str, word: str, *, inverse: bool
    ) -> _Term | None:
        figure = _figure(word)
        if figure is None:
            self._note(f"{raw} has no figure (write 50, 1.5, 30m, 2h or 3d)")
            return None
        return _Term(inverse=inverse, name=name, sign=sign, word=word, figure=figure)

    def _me(self) -> str:
        if not self._operator:
            self._note("owner:me: who you are was not said, so the word itself is looked for")
        return self._operator.lower() or "me"

    def _note(self, note: str) -> None:
        self.notes = (*self.notes, note)

    def _holds(self, term: _Term, row: T, now: datetime) -> bool:
        if term.figure is not None:
            value = self._fields.measures[term.name](row, now)
            return value is not None and _compared(value, term.sign, term.figure)
        if not term.name:
            return any(term.word in text(row).lower() for text in self._fields.texts.values())
        found = self._fields.texts[term.name](row).lower()
        return found == term.word if term.sign == "=" else term.word in found


def _figure(word: str) -> Decimal | None:
    span = _SPAN.match(word)
    if span is not None:
        return Decimal(span[1]) * _SPAN_S[span[2]]
    try:
        figure = Decimal(word.replace(",", ""))
    except InvalidOperation:
        return None
    return figure if figure.is_finite() else None


def _compared(value: Decimal, sign: str, figure: Decimal) -> bool:
    match sign:
        case ">":
            return value > figure
        case ">=":
            return value >= figure
        case "<":
            return value < figure
        case "<=":
            return value <= figure
        case _:
            return value == figure
