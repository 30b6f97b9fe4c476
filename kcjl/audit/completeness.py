"""Completeness (law 3): everything is final, waiting, or an open exception; never none of them.

Promises: names what is in none of the three, and what is in none of posted, held, cancelled.
Reads the read models only, a page at a time. Called by the service's watch (daily), by
`kcjl demo`'s summary and by tests.
"""

from collections import Counter
from typing import Literal

import msgspec

from kcjl.dispatch.deadline_events import DEADLINE_KINDS
from kcjl.dispatch.parcel import Parcel, ParcelState
from kcjl.dispatch.projection import DISPATCHES_SHOWN
from kcjl.dispatch.state import Dispatch
from kcjl.exceptions.projection import EXCEPTIONS_SHOWN
from kcjl.orders.decide import SHIPPED_OR_LATER, standing
from kcjl.orders.projection import ORDERS_SHOWN
from kcjl.orders.state import OrderEntry, Posting
from kcjl.projections.store import RowStore, each_row

__all__ = ["LEFT_OUT", "Completeness", "completeness", "left_out"]

LEFT_OUT: Literal["left_out"] = "left_out"
"""The kind of exception that a finding raises: that it was found does not mend it."""


NOT_TOLD = frozenset({*DEADLINE_KINDS, LEFT_OUT})
"""That it is late, or was found left out, is no word about why."""
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
    open_subjects = await _told_of(store)
    orders: Counter[str] = Counter()
    waiting: list[str] = []
    missing: list[str] = []
    async for order_id, row in each_row(store, ORDERS_SHOWN.name):
        where, fault = _order(ORDERS_SHOWN.entry(row), open_subjects)
        orders[where] += 1
        if where == "waiting":
            waiting.append(order_id)
        if fault:
            missing.append(fault)
    parcels: Counter[str] = Counter()
    async for _, row in each_row(store, DISPATCHES_SHOWN.name):
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


async def left_out(store: RowStore) -> dict[str, str]:
    """What is in none of the three: by order, or order/parcel, what is wrong with it."""
    open_subjects = await _told_of(store)
    faults: dict[str, str] = {}
    async for order_id, row in each_row(store, ORDERS_SHOWN.name):
        _, fault = _order(ORDERS_SHOWN.entry(row), open_subjects)
        if fault:
            faults[order_id] = fault
    async for order_id, row in each_row(store, DISPATCHES_SHOWN.name):
        entry = DISPATCHES_SHOWN.entry(row)
        for parcel in entry.parcels:
            _, fault = _parcel(entry, parcel, open_subjects)
            if fault:
                faults[f"{order_id}/{parcel.parcel_key}"] = fault
    return faults


async def _told_of(store: RowStore) -> set[str]:
    """The subjects of what is on the desk, parked or accepted: somebody knows of it."""
    subjects = set()
    async for _, row in each_row(store, EXCEPTIONS_SHOWN.name):
        life = EXCEPTIONS_SHOWN.entry(row)
        if life.cleared_at is None and life.raised.kind not in NOT_TOLD:
            subjects.add(life.raised.subject)
    return subjects


def _order(entry: OrderEntry, open_subjects: set[str]) -> tuple[str, str]:
    """(in which of the groups, what is wrong with it)."""
    where = standing(entry).value
    if entry.posting == Posting.POSTED:
        return "posted", ""
    if where == "held":
        raised = entry.order_id in open_subjects
        return where, "" if raised else f"order {entry.order_id} is held, and nobody told"
    if where in ("cancelled", "passed_over") or entry.posting == Posting.FORGONE:
        return where, ""  # forgone: the ERP lost it, and nobody needs it any more
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
