"""Any event whatsoever, for hypothesis: fields out of small pools, so that events meet.

Built from the classes themselves, so that a new event or field is in it at once.
"""

import types
import typing
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal, Union, get_args, get_origin

import msgspec
from hypothesis import strategies as st

from kcjl.events import EVENT_CLASSES
from kcjl.vocabulary import Event
from tests.clockwork import MORNING

__all__ = ["any_events", "any_of"]

STATES = (
    "WAITING_ACCEPTANCE",
    "WAITING_DEBIT_PAYMENT",
    "SHIPPING",
    "SHIPPED",
    "RECEIVED",
    "CLOSED",
    "CANCELED",
    "REFUSED",
)
POOLS: dict[str, Sequence[str]] = {
    "order_id": ("O1", "O2"),
    "line_id": ("O1-1", "O1-2", "O2-1"),
    "order_line_id": ("O1-1", "O2-1"),
    "sku": ("A-1", "a-1", "B-2"),
    "skus": ("A-1", "a-1", "B-2"),
    "stock_code": ("A-1", "B-2"),
    "state": STATES,
    "parcel_key": ("INV1/1", "INV1/2"),
    "courier": ("DPD", "Evri"),
    "courier_name": ("DPD", "Evri"),
    "carrier_code": ("dpd", "evri"),
    "tracking_number": ("", "TRK1", "TRK2"),
    "cycle_id": ("CY1", "CY2"),
    "payout_state": ("TO_PAY", "PAID", "FAILED"),
    "kind": ("ORDER_AMOUNT", "COMMISSION_FEE", "PAYMENT", "NEW_FEE"),
    "currency": ("GBP",),
    "publish_id": ("P1", "P2"),
    "role": ("bank", "clearing", "commission"),
    "room": ("orders", "stock"),
    "job": ("posting", "levels"),
}
WORDS = ("", "one", "two")
MINUTES = st.integers(0, 40).map(lambda minutes: MORNING + timedelta(minutes=minutes))
BY_TYPE: dict[object, st.SearchStrategy[object]] = {
    datetime: MINUTES,
    date: st.sampled_from((date(2026, 10, 1), date(2026, 10, 2))),
    int: st.integers(0, 5),
    bool: st.booleans(),
    Decimal: st.integers(-20, 80).map(lambda quarters: Decimal(quarters) / 4),
}


def any_of(kind: object, name: str = "") -> st.SearchStrategy[object]:
    """Any value of a field's type."""
    if kind is str:
        return st.sampled_from(POOLS.get(name, WORDS))
    if kind in BY_TYPE:
        return BY_TYPE[kind]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _any_struct(kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, types.UnionType):
        return st.one_of(
            *(st.none() if each is type(None) else any_of(each, name) for each in arguments)
        )
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(any_of(arguments[0], name), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*(any_of(each, name) for each in arguments))
    raise TypeError(f"no way to make any {kind} for field {name}")


def _any_struct(kind: type[msgspec.Struct]) -> st.SearchStrategy[object]:
    hints = typing.get_type_hints(kind)
    if kind.__name__ == "Money":  # one currency: two are never added, which is another law
        return st.integers(-500, 5_000).map(lambda pence: kind(pence, "GBP"))
    return st.builds(
        kind, **{name: any_of(hints[name], name) for name in kind.__struct_fields__}
    )


def any_events(*classes: type[Event], max_size: int = 25) -> st.SearchStrategy[list[Event]]:
    """Any number of any events (of these classes), in any order."""
    each = st.one_of(*(_any_struct(cls) for cls in classes or EVENT_CLASSES))
    return typing.cast("st.SearchStrategy[list[Event]]", st.lists(each, max_size=max_size))
