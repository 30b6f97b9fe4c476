"""Completeness (law 3): everything is final, waiting, or an open exception; never none of them.

Promises: names what is in none of the three, and what is in none of posted, held, cancelled.
Reads the read models only. Called by `kcjl demo`'s summary and by tests.
"""

from collections import Counter

import msgspec

from kcjl.dispatch.deadline_events import DEADLINE_KINDS
from kcjl.dispatch.parcel import Parcel, ParcelState
from kcjl.dispatch.projection import DISPATCHES_SHOWN
from kcjl.dispatch.state import Dispatch
from kcjl.exceptions.projection import EXCEPTIONS_SHOWN
from kcjl.orders.decide import SHIPPED_OR_LATER, standing
from kcjl.orders.projection import ORDERS_SHOWN
from kcjl.orders.state import OrderEntry, Posting
from kcjl.projections.store import RowStore

__all__ = ["Completeness", "completeness"]


WAITING = (ParcelState.SHIPPED, ParcelState.OPEN, ParcelState.UNANSWERED)


class Completeness(msgspec.Struct, frozen=True, kw_only=True):
    orders: dict[str, int]
    """Orders by posted, held, cancelled, passed_over, waiting."""
    waiting: tuple[str, ...]
    """Orders that are neither posted nor held nor ended: on their way."""
    parcels_confirmed: int
    parcels_excepted: int
    parcels_waiting: int
    parcels_left: int
    """Shipped, and need no confirmation any more: their order was ended on both sides."""
    missing: tuple[str, ...]
    """What is in none of the three: the law is broken."""


async def completeness(store: RowStore) -> Completeness:
    """Look at every order and parcel once."""
    open_subjects = set()
    for _, row in await store.rows(EXCEPTIONS_SHOWN.name):
        life = EXCEPTIONS_SHOWN.entry(row)
        if life.cleared_at is None and life.raised.kind not in DEADLINE_KINDS:
            open_subjects.add(life.raised.subject)
    orders: Counter[str] = Counter()
    waiting: list[str] = []
    missing: list[str] = []
    for order_id, row in await store.rows(ORDERS_SHOWN.name):
        where, fault = _order(ORDERS_SHOWN.entry(row), open_subjects)
        orders[where] += 1
        if where == "waiting":
            waiting.append(order_id)
        if fault:
            missing.append(fault)
    parcels: Counter[str] = Counter()
    for _, row in await store.rows(DISPATCHES_SHOWN.name):
        entry = DISPATCHES_SHOWN.entry(row)
        for parcel in entry.parcels:
            where, fault = _parcel(entry, parcel, open_subjects)
            parcels[where] += 1
            if fault:
                missing.append(fault)
    return Completeness(
        orders=dict(sorted(orders.items())),
        waiting=tuple(waiting),
        parcels_confirmed=parcels["confirmed"],
        parcels_excepted=parcels["excepted"],
        parcels_waiting=parcels["waiting"],
        parcels_left=parcels["left"],
        missing=tuple(missing),
    )


def _order(entry: OrderEntry, open_subjects: set[str]) -> tuple[str, str]:
    """(in which of the groups, what is wrong with it)."""
    where = standing(entry).value
    if entry.posting == Posting.POSTED:
        return "posted", ""
    if where == "held":
        raised = entry.order_id in open_subjects
        return where, "" if raised else f"order {entry.order_id} is held, and nobody told"
    if where in ("cancelled", "passed_over"):
        return where, ""
    asked = (Posting.OPEN, Posting.QUEUED)
    if entry.state in SHIPPED_OR_LATER and entry.posting not in asked:
        there = f"order {entry.order_id} is {entry.state} at the marketplace"
        return "waiting", f"{there}, was never posted, and nobody told"
    return "waiting", ""


def _parcel(entry: Dispatch, parcel: Parcel, open_subjects: set[str]) -> tuple[str, str]:
    if parcel.state == ParcelState.CONFIRMED:
        return "confirmed", ""
    if entry.closed or parcel.state == ParcelState.LEFT:
        return "left", ""
    if parcel.state in WAITING:
        return "waiting", ""
    subjects = {f"{entry.order_id}/{parcel.parcel_key}", parcel.courier_name.casefold()}
    if subjects & open_subjects:
        return "excepted", ""
    name = f"parcel {parcel.parcel_key} of order {entry.order_id}"
    return parcel.state.value, f"{name} is {parcel.state.value}, and nobody told"
