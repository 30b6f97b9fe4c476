"""Orders, the rules of reading: from when on, whether it sweeps, and when to catch up in bulk.

Promises: pure; a read reaches back behind the cursor by the overlap, once a day by five days,
and after a long outage the orders come as one export first (contract johnlewis b.3: OR13 to
OR15 for large volumes). It reads nothing.
Invariant: what an export leaves out, because it changed meanwhile, is in the read after it.
Called by `reading.py` (the shell). Source: design 7; contract johnlewis b.3, d.1.
"""

from datetime import datetime, timedelta

import msgspec

from kcjl.fold import Fold
from kcjl.orders.events import OrdersRead
from kcjl.orders.events_intake import OrdersCaughtUp
from kcjl.vocabulary import Event

__all__ = [
    "FIRST_BACK",
    "INTAKE",
    "SWEEP_BACK",
    "SWEEP_EVERY",
    "Intake",
    "ReadPlan",
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


class ReadPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What the next read asks for."""

    since: datetime
    swept: bool
    in_bulk: bool
    """Nothing was read for so long that an export is asked for first."""


def plan_read(
    intake: Intake | None,
    *,
    now: datetime,
    start_at: datetime | None,
    overlap: timedelta,
    catch_up_after: timedelta,
) -> ReadPlan:
    """The next read by update date. The first one of all reaches back to the start date."""
    if intake is None:
        since = min(start_at or now - FIRST_BACK, now - overlap)
        return ReadPlan(since=since, swept=True, in_bulk=now - since > catch_up_after)
    since = intake.cursor - overlap
    in_bulk = now - intake.cursor > catch_up_after
    swept = intake.swept_at is None or now - intake.swept_at >= SWEEP_EVERY
    if swept and intake.swept_at is not None:
        since = min(since, now - SWEEP_BACK)
    return ReadPlan(since=since, swept=swept, in_bulk=in_bulk)
