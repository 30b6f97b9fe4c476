"""Orders, the rules of reading: from when on, whether it sweeps or catches up, what is unread.

Promises: pure; a read reaches back behind the cursor by the overlap, once a day by five days,
and after a long outage the orders come as one export first (contract johnlewis b.3: OR13 to
OR15 for large volumes). It reads nothing.
Invariant: what an export leaves out, because it changed meanwhile, is in the read after it.
Called by `reading.py` (the shell). Source: design 7; contract johnlewis b.3, d.1.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from kcjl.fold import Fold
from kcjl.orders.events import OrdersRead
from kcjl.orders.events_intake import (
    OrderNotRead,
    OrderReadAgain,
    OrdersCaughtUp,
    OrdersExportAsked,
    OrdersNotExported,
)
from kcjl.vocabulary import Event

__all__ = [
    "EXPORTING",
    "EXPORT_KEY",
    "FIRST_BACK",
    "INTAKE",
    "SWEEP_BACK",
    "SWEEP_EVERY",
    "UNREAD",
    "Intake",
    "ReadPlan",
    "decide_unread",
    "plan_read",
]

SWEEP_EVERY = timedelta(days=1)
SWEEP_BACK = timedelta(days=5)
FIRST_BACK = timedelta(days=30)


class Intake(msgspec.Struct, frozen=True, kw_only=True):
    """How far orders have been read."""

    cursor: datetime
    swept_at: datetime | None


def _intake_keys(event: Event) -> tuple[str, ...]:
    return ("intake",) if isinstance(event, OrdersRead | OrdersCaughtUp) else ()


def _evolve_intake(entry: Intake | None, event: Event, _key: str) -> Intake | None:
    if isinstance(event, OrdersCaughtUp):
        return Intake(cursor=event.until, swept_at=entry.swept_at if entry else None)
    if not isinstance(event, OrdersRead):
        return entry
    swept_at = event.occurred_at if event.swept or entry is None else entry.swept_at
    return Intake(cursor=event.cursor, swept_at=swept_at)


INTAKE: Fold[Intake] = Fold(
    _intake_keys, _evolve_intake, Intake, hears=(OrdersRead, OrdersCaughtUp)
)


# ── an export under way ─────────────────────────────────────────────────────────────────────

EXPORT_KEY = "export"


def _export_keys(event: Event) -> tuple[str, ...]:
    heard = isinstance(event, OrdersExportAsked | OrdersCaughtUp | OrdersNotExported)
    return (EXPORT_KEY,) if heard else ()


def _evolve_export(
    entry: OrdersExportAsked | None, event: Event, _key: str
) -> OrdersExportAsked | None:
    match event:
        case OrdersExportAsked():
            return event
        case OrdersCaughtUp() | OrdersNotExported() if entry and entry.since == event.since:
            return None
        case _:
            return entry


EXPORTING: Fold[OrdersExportAsked] = Fold(
    _export_keys,
    _evolve_export,
    OrdersExportAsked,
    hears=(OrdersExportAsked, OrdersCaughtUp, OrdersNotExported),
)
"""The export that was asked for to catch up with, until it was read or came to nothing."""


# ── orders that can't be read ───────────────────────────────────────────────────────────────


def _unread_keys(event: Event) -> tuple[str, ...]:
    return (event.order_id,) if isinstance(event, OrderNotRead | OrderReadAgain) else ()


def _evolve_unread(_entry: OrderNotRead | None, event: Event, _key: str) -> OrderNotRead | None:
    return event if isinstance(event, OrderNotRead) else None


UNREAD: Fold[OrderNotRead] = Fold(
    _unread_keys, _evolve_unread, OrderNotRead, hears=(OrderNotRead, OrderReadAgain)
)
"""Orders that the marketplace shows, and that could not be read the last time."""


def decide_unread(
    known: Mapping[str, OrderNotRead],
    *,
    read: set[str],
    not_read: Sequence[OrderNotRead],
    now: datetime,
) -> tuple[Event, ...]:
    """What is news about orders that can't be read. `read`: those that can, or are gone."""
    fresh = [
        each
        for each in not_read
        if each.order_id not in known or _said(known[each.order_id]) != _said(each)
    ]
    back = [
        OrderReadAgain(order_id=order_id, occurred_at=now)
        for order_id in known
        if order_id in read
    ]
    return (*fresh, *back)


def _said(event: OrderNotRead) -> tuple[object, ...]:
    return event.skus, event.message


class ReadPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What the next read asks for."""

    since: datetime
    until: datetime
    """The beginning of the read; of an export that is gone on with, that of the former one."""
    swept: bool
    in_bulk: bool
    """Nothing was read for so long that an export is asked for first."""


def plan_read(
    intake: Intake | None,
    exporting: OrdersExportAsked | None = None,
    *,
    now: datetime,
    start_at: datetime | None,
    overlap: timedelta,
    catch_up_after: timedelta,
) -> ReadPlan:
    """The next read by update date. The first one of all reaches back to the start date.

    `exporting`: an export that was asked for and not read: it is gone on with, if it is not so
    old that another one would be due after it.
    """
    swept = intake is None or intake.swept_at is None or now - intake.swept_at >= SWEEP_EVERY
    if intake is None:
        since = min(start_at or now - FIRST_BACK, now - overlap)
        in_bulk = now - since > catch_up_after
    else:
        since = intake.cursor - overlap
        in_bulk = now - intake.cursor > catch_up_after
        if swept and intake.swept_at is not None:
            since = min(since, now - SWEEP_BACK)
    if in_bulk and exporting is not None and now - exporting.until <= catch_up_after:
        since, until = exporting.since, exporting.until
    else:
        until = now
    return ReadPlan(since=since, until=until, swept=swept, in_bulk=in_bulk)
