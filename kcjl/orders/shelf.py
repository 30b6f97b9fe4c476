"""What there is for an order, the fold: per SKU the ERP's level and the orders in front.

Promises: pure; counted as the stock room counts: the level as it was last read, less the units
of older orders that are in flight (`in_flight.py`).
Invariant: an order never stands in front of itself, nor of an older one.
Called by `acceptance.py` and the orders room. Source: design 6, 7.
"""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from kcjl import in_flight
from kcjl.fold import Fold, Table
from kcjl.in_flight import IN_FLIGHT_EVENTS, InFlight
from kcjl.orders.events import LineOrdered
from kcjl.orders.state import OrderEntry
from kcjl.stock.events import (
    LevelRead,
    SkuAliasWithdrawn,
    SkuConfirmed,
    SkuUnmatched,
    StockRead,
    stock_key,
)
from kcjl.vocabulary import Event

__all__ = ["SHELVES", "STOCK_LOOK", "Shelf", "Shelves", "Short", "StockLook"]

STATUS_NON_CONTROLLED = 5
"""Of a level (contract khaos b.2)."""
OLDEST = datetime.min.replace(tzinfo=UTC)


class Shelf(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One SKU, in all its spellings."""

    code_key: str = ""
    """The stock key of its stock code; empty: the ERP does not know it."""
    counted: bool = True
    """False: not stock-controlled in the ERP, so it is always there."""
    level: Decimal | None = None
    confirmed_at: datetime = OLDEST
    in_flight: tuple[InFlight, ...] = ()


class Short(msgspec.Struct, frozen=True, kw_only=True):
    """A SKU of which there is not enough for an order."""

    sku: str
    wanted: int
    level: int | None
    """None: the ERP gives none."""
    in_front: int
    """Units of older orders."""

    def __str__(self) -> str:
        has = "gives no level" if self.level is None else f"has {self.level}"
        older = f", {self.in_front} of them for older orders" if self.in_front else ""
        return f"{self.wanted} of {self.sku!r} are wanted, the ERP {has}{older}"


class StockLook(msgspec.Struct, frozen=True, kw_only=True):
    """When levels were last read: when that began."""

    began_at: datetime


def _keys(event: Event) -> tuple[str, ...]:
    if isinstance(event, SkuConfirmed | SkuUnmatched | SkuAliasWithdrawn | LevelRead):
        return (stock_key(event.sku),)
    return tuple(dict.fromkeys(map(stock_key, in_flight.skus_of(event))))


def _evolve(entry: Shelf | None, event: Event, key: str) -> Shelf:
    shelf = entry or Shelf()
    replace = msgspec.structs.replace
    match event:
        case SkuConfirmed():
            return replace(
                shelf,
                code_key=stock_key(event.stock_code),
                counted=event.stock_controlled,
                confirmed_at=event.occurred_at if not shelf.code_key else shelf.confirmed_at,
            )
        case SkuUnmatched() | SkuAliasWithdrawn():
            return replace(shelf, code_key="", level=None)
        case _:
            flying = in_flight.after(shelf.in_flight, event, key)
            shelf = replace(shelf, in_flight=flying)
    if not isinstance(event, LevelRead):
        return shelf
    return replace(
        shelf,
        level=_of_all(event.levels),
        counted=shelf.counted and event.status != STATUS_NON_CONTROLLED,
    )


def _of_all(levels: tuple[tuple[str, Decimal], ...]) -> Decimal:
    """Of one site the figure itself: the stock room holds it too."""
    return levels[0][1] if len(levels) == 1 else sum((each for _, each in levels), Decimal(0))


SHELVES: Fold[Shelf] = Fold(
    _keys,
    _evolve,
    Shelf,
    hears=(
        SkuConfirmed,
        SkuUnmatched,
        SkuAliasWithdrawn,
        *IN_FLIGHT_EVENTS,
    ),
)


def _look_keys(event: Event) -> tuple[str, ...]:
    return ("stock",) if isinstance(event, StockRead) else ()


def _evolve_look(entry: StockLook | None, event: Event, _key: str) -> StockLook | None:
    return StockLook(began_at=event.occurred_at) if isinstance(event, StockRead) else entry


STOCK_LOOK: Fold[StockLook] = Fold(_look_keys, _evolve_look, StockLook, hears=(StockRead,))


class Shelves:
    """What there is for an order, asked of the tables of these folds.

    The table of shelves is grouped by `code_key`: SKUs of one stock code share its level. Which
    order is the older one the orders themselves say, also of one that the ERP has forgotten.
    """

    def __init__(
        self, shelves: Table[Shelf], looks: Table[StockLook], orders: Table[OrderEntry]
    ) -> None:
        self._shelves = shelves
        self._looks = looks
        self._orders = orders
        self._in_front: dict[str, tuple[list[Shelf], dict[str, int]]] = {}

    def short_of(self, order_id: str, lines: Sequence[LineOrdered]) -> tuple[Short, ...] | None:
        """What is not there for these lines of an order; None while that can't be known."""
        wanted: dict[str, tuple[str, int]] = {}
        for line in lines:
            shelf = self._shelves.get(stock_key(line.sku))
            if shelf is None or not shelf.code_key:
                return None
            if shelf.counted:
                sku, units = wanted.get(shelf.code_key, (line.sku, 0))
                wanted[shelf.code_key] = (sku, units + line.quantity)
        short: list[Short] = []
        for code_key, (sku, units) in wanted.items():
            sharing = self._shelves.grouped(code_key)
            level = self._level(sharing)
            if level is None and not self._was_looked_for(sharing):
                return None
            in_front = self._before(code_key, sharing).get(order_id, 0)
            if level is None or math.floor(level) - in_front < units:
                floor = None if level is None else math.floor(level)
                short.append(Short(sku=sku, wanted=units, level=floor, in_front=in_front))
        return tuple(short)

    def _level(self, sharing: Sequence[Shelf]) -> Decimal | None:
        """They share one stock, so each was told the same; a new spelling was told none yet."""
        told = [each.level for each in sharing if each.level is not None]
        return min(told, default=None)

    def _was_looked_for(self, sharing: Sequence[Shelf]) -> bool:
        """Levels were read since the ERP confirmed the code, and none was told of it."""
        look = self._looks.get("stock")
        return look is not None and any(each.confirmed_at <= look.began_at for each in sharing)

    def _before(self, code_key: str, sharing: list[Shelf]) -> dict[str, int]:
        """By order, the units of orders older than it; worked out once a change."""
        known = self._in_front.get(code_key)
        if known is not None and _same(known[0], sharing):
            return known[1]
        before: dict[str, int] = {}
        units = 0
        flying = [each for shelf in sharing for each in shelf.in_flight]
        for each in sorted(flying, key=lambda one: self._age(one.order_id)):
            before.setdefault(each.order_id, units)
            units += each.units
        self._in_front[code_key] = (sharing, before)
        return before

    def _age(self, order_id: str) -> tuple[datetime, str]:
        order = self._orders.get(order_id)
        return (OLDEST if order is None else order.created_at, order_id)


def _same(one: Sequence[Shelf], other: Sequence[Shelf]) -> bool:
    """Shelves are frozen: one that changed is another."""
    return len(one) == len(other) and all(
        mine is theirs for mine, theirs in zip(one, other, strict=True)
    )
