"""Orders, the rules of posting: when an order is sent to the ERP, and what came of it.

Promises: pure; an order that can't be written as the ERP wants it is said once, and is looked
at again when something of it has changed; nothing is posted while an outcome is open, and an
open outcome is only ended by a look-up (law 2). What was sent and not found is looked for once
more when its order has ended meanwhile: it may have been under way. It does no I/O.
Called by `posting.py`, `actor.py` and `words.py`. Source: design 7; contract khaos b.3, g.2.
"""

from datetime import datetime, timedelta

from kcjl.orders.decide import ENDED_UNSOLD, all_sellable, has_ended, too_late
from kcjl.orders.events import (
    PostingFetched,
    PostingOverdue,
    PostingQueued,
    PostingRefused,
    SalesOrderMissing,
    SalesOrderPosted,
)
from kcjl.orders.state import Catalogued, OrderEntry, Posting, WriteBack
from kcjl.orders.vanished import is_in_question
from kcjl.vocabulary import Event

__all__ = [
    "POSTING_ATTEMPTS_MAX",
    "UNDER_WAY",
    "decide_missing",
    "decide_posted",
    "decide_queued",
    "decide_unsendable",
    "is_last_look_due",
    "may_post_at",
    "wants_last_look",
    "wants_lookup",
    "wants_posting",
    "wants_totals",
    "wants_work",
    "wants_write_back",
]

POSTING_ATTEMPTS_MAX = 6
"""After so many refusals it waits for a person: endless sending is harmful (khaos g.2)."""

POSTING_RETRY_FIRST = timedelta(minutes=10)
"""Pause after the first refusal; doubled each time."""

UNDER_WAY = timedelta(minutes=15)
"""So long after it was sent an order may still arrive at the ERP."""


def wants_lookup(entry: OrderEntry) -> bool:
    """An outcome is open: the ERP must be asked before anything is written."""
    return entry.posting in (Posting.OPEN, Posting.QUEUED)


def wants_last_look(entry: OrderEntry) -> bool:
    """It was sent, not found, and has ended: it is looked for once it can't be under way."""
    if entry.posting != Posting.NONE or not has_ended(entry):
        return False
    sent_at, looked_at = entry.posting_sent_at, entry.posting_tried_at
    return sent_at is not None and looked_at is not None and looked_at < sent_at + UNDER_WAY


def is_last_look_due(entry: OrderEntry, now: datetime) -> bool:
    sent_at = entry.posting_sent_at
    return sent_at is not None and wants_last_look(entry) and now >= sent_at + UNDER_WAY


def decide_posted(
    entry: OrderEntry,
    erp_order_code: str,
    *,
    found: bool,
    now: datetime,
    heard_at: datetime | None = None,
    shows_total: bool = True,
) -> tuple[Event, ...]:
    """The ERP has the sales order; and that nobody wants it, when it ended meanwhile.

    `heard_at`: when the ERP said so of its own accord.
    """
    posted = SalesOrderPosted(
        order_id=entry.order_id,
        reference=entry.reference,
        erp_order_code=erp_order_code,
        found_by_lookup=found,
        taken_by=heard_at or now,
        lines=entry.intended,
        gross_total=entry.gross_total or entry.total_price,
        shows_total=shows_total,
        placed_at=entry.created_at,
        occurred_at=now,
    )
    if entry.state in ENDED_UNSOLD:
        return (posted, too_late(entry, erp_order_code, now))
    return (posted,)


def decide_queued(
    entry: OrderEntry, *, until: datetime, fetched: bool, now: datetime
) -> tuple[Event, ...]:
    """The sales order waits for the ERP: what is news about it, and when it is late."""
    events: list[Event] = []
    if entry.posting != Posting.QUEUED:
        events.append(
            PostingQueued(
                order_id=entry.order_id,
                reference=entry.reference,
                attempt=entry.posting_attempts,
                until=until,
                occurred_at=now,
            )
        )
    was_fetched = entry.posting == Posting.QUEUED and entry.fetched
    if fetched and not was_fetched:
        events.append(
            PostingFetched(
                order_id=entry.order_id,
                reference=entry.reference,
                until=until,
                occurred_at=now,
            )
        )
    said = entry.overdue and not events
    if now >= until and not said:
        step = "has not said that it has it" if fetched else "has not fetched it"
        events.append(
            PostingOverdue(
                order_id=entry.order_id,
                reference=entry.reference,
                message=f"{entry.reference} waits for the ERP, which {step}",
                until=until,
                money=entry.total_price,
                occurred_at=now,
            )
        )
    return tuple(events)


def decide_missing(entry: OrderEntry, *, refused: str, now: datetime) -> tuple[Event, ...]:
    """The ERP does not have the reference: it said no (`refused`), or our order never arrived.

    The last attempt that never arrived is a refusal too: nothing gives up without saying so.
    """
    attempts = entry.posting_attempts
    if not refused and attempts >= POSTING_ATTEMPTS_MAX and not has_ended(entry):
        refused = f"sent {attempts} times, and the ERP still does not have {entry.reference}"
    if not refused:
        return (
            SalesOrderMissing(
                order_id=entry.order_id,
                reference=entry.reference,
                attempt=attempts,
                occurred_at=now,
            ),
        )
    return (
        PostingRefused(
            order_id=entry.order_id,
            message=refused,
            attempt=attempts,
            money=entry.total_price,
            skus=tuple(line.sku for line in entry.intended),
            occurred_at=now,
        ),
    )


def decide_unsendable(
    entry: OrderEntry, because: str, *, skus: tuple[str, ...], now: datetime
) -> tuple[Event, ...]:
    """It can't be written as the ERP wants it: said once, with what can be done about it."""
    message = (
        f"{because}. Nothing was sent. Have the marketplace's operator put the order right, or "
        "change the settings that it goes by (khaos) and start the service again: it is then "
        "sent by itself. Or enter it in Khaos Control by hand, with the associated ref "
        f"{entry.reference}, and say kcjl orders retry {entry.order_id} --reason WHY: it is "
        "looked for there"
    )
    if entry.unsendable and entry.refused_because == message:
        return ()
    return (
        PostingRefused(
            order_id=entry.order_id,
            message=message,
            attempt=entry.posting_attempts,
            money=entry.total_price,
            skus=skus,
            unsendable=True,
            occurred_at=now,
        ),
    )


def may_post_at(entry: OrderEntry) -> datetime | None:
    """When the next posting may be tried; None when only a person can start it again."""
    if entry.unsendable:
        return entry.posting_tried_at  # as soon as it can be written
    if entry.posting_attempts >= POSTING_ATTEMPTS_MAX or entry.reference_taken:
        return None
    if entry.posting_tried_at is None:
        return entry.created_at
    pause = POSTING_RETRY_FIRST * (1 << max(entry.posting_attempts - 1, 0))
    if entry.posting == Posting.NONE:  # looked up and missing: no reason to wait long
        pause = timedelta(minutes=1)
    return entry.posting_tried_at + pause


def wants_posting(
    entry: OrderEntry, known: dict[str, Catalogued | None], now: datetime
) -> bool:
    if has_ended(entry) or entry.state != "SHIPPING" or not entry.vault_ref:
        return False
    if entry.posting not in (Posting.NONE, Posting.REFUSED) or entry.held is not None:
        return False
    when = may_post_at(entry)
    return when is not None and when <= now and all_sellable(entry, known)


def wants_work(entry: OrderEntry) -> bool:
    """Something may still be due: such orders are looked at when a job runs."""
    if is_in_question(entry):
        return True
    if entry.posting == Posting.POSTED:
        right = entry.totals is not None and entry.totals.agree
        return (entry.shows_total and not right) or entry.write_back != WriteBack.WRITTEN
    if entry.posting == Posting.FORGONE:
        return False
    return wants_lookup(entry) or wants_last_look(entry) or not has_ended(entry)


def wants_totals(entry: OrderEntry) -> bool:
    """Its total in the ERP is still to be compared with ours."""
    posted = entry.posting == Posting.POSTED
    return posted and entry.shows_total and entry.totals is None


def wants_write_back(entry: OrderEntry) -> bool:
    return entry.posting == Posting.POSTED and entry.write_back != WriteBack.WRITTEN
