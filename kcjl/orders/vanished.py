"""Orders, the rules: a sales order that the ERP had and shows no more.

Promises: pure; it is taken for gone only when two clean looks, a while apart, did not find it
(one answer may come from a replica that lags); it is never posted again by itself.
Invariant: whatever has vanished and is still wanted waits for a person, and is looked for.
Called by `decide.py` and `actor.py`. Source: design 6, 7; an ERP set back to a backup.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from kcjl.orders.events import (
    LineStanding,
    OrderChanged,
    PostingApproved,
    SalesOrderForgone,
    SalesOrderFoundAgain,
    SalesOrderVanished,
)
from kcjl.orders.state import OrderEntry, Posting
from kcjl.vocabulary import Event

__all__ = [
    "decide_forgone",
    "decide_found_again",
    "decide_not_found",
    "decide_post_again",
    "is_doubted",
    "is_in_question",
    "look_again_at",
    "why_not_post_again",
]

ENDED_UNSOLD = frozenset({"REFUSED", "CANCELED"})


def is_doubted(entry: OrderEntry) -> bool:
    """An answer of the ERP left it out, and no look has settled it."""
    return entry.posting == Posting.POSTED and entry.not_shown_at is not None


def is_in_question(entry: OrderEntry) -> bool:
    """It is doubted, or has vanished: it is looked for."""
    return is_doubted(entry) or entry.posting == Posting.VANISHED


def look_again_at(entry: OrderEntry, *, apart: timedelta) -> datetime | None:
    """When the look that settles a doubt is due; None where nothing is doubted."""
    if not is_doubted(entry) or entry.not_shown_at is None:
        return None
    return entry.not_shown_at + apart


def decide_not_found(
    entry: OrderEntry, *, apart: timedelta, now: datetime
) -> tuple[Event, ...]:
    """A clean look did not find it: it has vanished, when the first miss is long ago."""
    due = look_again_at(entry, apart=apart)
    if due is None or now < due:
        return ()
    return (
        SalesOrderVanished(
            order_id=entry.order_id,
            reference=entry.reference,
            erp_order_code=entry.erp_order_code,
            last_seen_at=entry.last_seen_at or entry.created_at,
            money=entry.total_price,
            ship_by=entry.ship_by,
            still_wanted=entry.state not in ENDED_UNSOLD,
            left_warehouse=entry.left_warehouse,
            occurred_at=now,
        ),
        *_forgone(entry, entry.state, entry.lines_now, now),
    )


def decide_found_again(
    entry: OrderEntry, erp_order_code: str, *, now: datetime, heard_at: datetime | None = None
) -> tuple[Event, ...]:
    """A look found it. `heard_at`: when the ERP said so of its own accord."""
    if not is_in_question(entry):
        return ()
    return (
        SalesOrderFoundAgain(
            order_id=entry.order_id,
            reference=entry.reference,
            erp_order_code=erp_order_code,
            taken_by=heard_at or now,
            lines=entry.intended,
            was_vanished=entry.posting == Posting.VANISHED,
            occurred_at=now,
        ),
    )


def decide_forgone(entry: OrderEntry, changed: OrderChanged) -> tuple[Event, ...]:
    """The marketplace has ended an order whose sales order had vanished."""
    if entry.posting != Posting.VANISHED:
        return ()
    return _forgone(entry, changed.state, changed.lines, changed.occurred_at)


def _forgone(
    entry: OrderEntry, state: str, lines: Sequence[LineStanding], at: datetime
) -> tuple[Event, ...]:
    wanted = [line for line in lines if line.state not in ENDED_UNSOLD]
    if state in ENDED_UNSOLD or not wanted:
        reason = f"the marketplace shows the order as {state}"
    elif _is_refunded_in_whole(entry, wanted):
        reason = "the order is refunded in whole"
    else:
        return ()
    return (
        SalesOrderForgone(
            order_id=entry.order_id,
            reference=entry.reference,
            reason=reason,
            lines=entry.intended,
            occurred_at=at,
        ),
    )


def _is_refunded_in_whole(entry: OrderEntry, wanted: Sequence[LineStanding]) -> bool:
    """Delivery charges too: what the merchant keeps of an order has to be in the ERP."""
    delivery = {line.line_id: line.shipping_price.amount_minor for line in entry.lines}
    return all(
        line.refunded.amount_minor >= line.price.amount_minor + delivery.get(line.line_id, 0)
        for line in wanted
    )


def why_not_post_again(entry: OrderEntry) -> str:
    """Why a person's word is not enough to post it again; empty when it is."""
    if entry.posting != Posting.VANISHED:
        return (
            f"order {entry.order_id} is not one that the ERP has lost "
            f"(its posting is {entry.posting.value}): there is nothing to post again"
        )
    if entry.left_warehouse or entry.state != "SHIPPING":
        return (
            f"parcels of order {entry.order_id} have been sent: posted again, its goods would "
            f"go a second time. Enter it in Khaos Control by hand under the reference "
            f"{entry.reference}; it is found there by itself"
        )
    return ""


def decide_post_again(entry: OrderEntry, *, reason: str, now: datetime) -> tuple[Event, ...]:
    """A person wants it posted again; given a second time it is nothing new."""
    if why_not_post_again(entry):
        return ()
    return (
        PostingApproved(
            order_id=entry.order_id, reference=entry.reference, reason=reason, occurred_at=now
        ),
    )
