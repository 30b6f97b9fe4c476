"""A list in the order of one of its columns, or in the order in which it came.

Promises: figures are compared as figures, whatever stands around them; rows without one come
last, either way; rows that are alike keep their order. Called by the list screens.
"""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeVar

import msgspec

from tui.model.shapes import Column, Row

__all__ = ["Sorting"]

T = TypeVar("T")

_FIGURE = re.compile(r"^[^\w-]*(-?[\d,]+(?:\.\d+)?)")


class Sorting(msgspec.Struct, frozen=True, kw_only=True):
    """`column` counts from 0; None: as it came."""

    column: int | None = None
    downwards: bool = False

    def next(self, columns: int) -> "Sorting":
        """By the next column; after the last, as it came."""
        column = 0 if self.column is None else self.column + 1
        return Sorting(column=column if column < columns else None, downwards=self.downwards)

    def turned(self) -> "Sorting":
        return msgspec.structs.replace(self, downwards=not self.downwards)

    def caption(self, columns: Sequence[Column]) -> str:
        if self.column is None:
            return ""
        return f" · by {columns[self.column].title} {'↓' if self.downwards else '↑'}"

    def sorted(self, items: Sequence[T], row_of: Callable[[T], Row]) -> Sequence[T]:
        if self.column is None:
            return items
        place = self.column
        keyed = [(_key(row_of(item).cells[place].text), item) for item in items]
        with_value = [pair for pair in keyed if pair[0] is not None]
        without = [item for key, item in keyed if key is None]
        with_value.sort(key=lambda pair: pair[0] or _NOTHING, reverse=self.downwards)
        return (*(item for _, item in with_value), *without)


_NOTHING = (False, Decimal(0), "")


def _key(text: str) -> tuple[bool, Decimal, str] | None:
    bare = text.strip()
    if bare in {"", "-", "—", "?"}:
        return None
    figure = _FIGURE.match(bare)
    if figure is not None and figure[1].strip("-,"):
        return False, Decimal(figure[1].replace(",", "")), bare.casefold()
    return True, Decimal(0), bare.casefold()
