"""The exceptions desk, the rules: which event raises what, and which clears it.

Promises: pure; the same condition again is the same exception; what clears, closes by itself.
Invariant: an exception is keyed by kind and subject; the desk keeps which are open by subject.
Called by `actor.py` and `projection.py`. Source: design 10.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from kcjl.dispatch.events import ShipmentsRead
from kcjl.exceptions import (
    acceptance_conditions,
    deadline_conditions,
    dispatch_conditions,
    order_conditions,
    posting_conditions,
    reversal_conditions,
    settlement_conditions,
    stock_conditions,
    tenant_conditions,
)
from kcjl.exceptions.acceptance_conditions import TIME_KINDS
from kcjl.exceptions.catalogue import KINDS
from kcjl.exceptions.conditions import Clear, Condition, Raise, clear
from kcjl.exceptions.events import (
    ExceptionCleared,
    ExceptionRaised,
    JobInterrupted,
    JobResumed,
    WritesSwitched,
)
from kcjl.fold import Fold
from kcjl.orders import events as orders
from kcjl.orders import events_changes as changes
from kcjl.settlement import events as settlement
from kcjl.settlement import gap_events as settlement_gaps
from kcjl.settlement import intake_events as settlement_intake
from kcjl.stock import events as stock
from kcjl.vocabulary import Event

__all__ = [
    "OPEN",
    "SAYS_NOTHING",
    "Clear",
    "OpenException",
    "Raise",
    "conditions",
    "decide_desk",
    "decide_switch",
]


class OpenException(msgspec.Struct, frozen=True, kw_only=True):
    raised: ExceptionRaised


def _open_keys(event: Event) -> tuple[str, ...]:
    return (
        (event.exception_id,) if isinstance(event, ExceptionRaised | ExceptionCleared) else ()
    )


def _evolve_open(_entry: OpenException | None, event: Event, _key: str) -> OpenException | None:
    return OpenException(raised=event) if isinstance(event, ExceptionRaised) else None


OPEN: Fold[OpenException] = Fold(
    _open_keys, _evolve_open, OpenException, hears=(ExceptionRaised, ExceptionCleared)
)
"""The open exceptions, by exception id."""


SAYS_NOTHING: tuple[type[Event], ...] = (
    ShipmentsRead,
    ExceptionCleared,
    ExceptionRaised,
    changes.ReturnsRead,
    orders.OrdersRead,
    settlement.CyclesRead,
    settlement_gaps.GapFound,
    settlement_intake.InvoicesRead,
    settlement.SettlementLineTied,
    settlement.TransactionsRead,
    stock.LevelRead,
    stock.OffersRead,
    stock.StockImportIntended,
    stock.StockImportSent,
    stock.StockRead,
)
"""Most of all events: looks at the outside, and the desk's own. No condition comes of them."""


def decide_desk(
    event: Event, open_on: Callable[[str], Sequence[OpenException]]
) -> tuple[Event, ...]:
    """What the desk says to an event. `open_on`: what is open on a subject now."""
    said: list[Event] = []
    if isinstance(event, SAYS_NOTHING):
        return ()
    for condition in conditions(event):
        still = open_on(condition.subject)
        if isinstance(condition, Raise):
            said.extend(_raise(condition, still, event.occurred_at))
        else:
            said.extend(
                ExceptionCleared(
                    kind=each.raised.kind,
                    subject=condition.subject,
                    reason=condition.reason,
                    occurred_at=event.occurred_at,
                )
                for each in still
                if not condition.kinds or each.raised.kind in condition.kinds
            )
    return tuple(said)


def _raise(condition: Raise, still: Sequence[OpenException], at: datetime) -> tuple[Event, ...]:
    kind = KINDS[condition.kind]
    for each in still:
        if each.raised.kind == condition.kind and each.raised.message == condition.message:
            return ()  # the same condition again, and nothing new about it
    return (
        ExceptionRaised(
            kind=condition.kind,
            subject=condition.subject,
            severity=kind.severity,
            message=condition.message,
            next_step=kind.next_step,
            owner=kind.owner,
            money_at_risk=condition.money,
            deadline=condition.deadline,
            occurred_at=at,
        ),
    )


def decide_switch(
    *, allowed_now: bool, allowed: bool, reason: str, now: datetime
) -> tuple[Event, ...]:
    """The kill switch; switching to what is already so is nothing new."""
    if allowed == allowed_now:
        return ()
    return (WritesSwitched(allowed=allowed, reason=reason, occurred_at=now),)


def conditions(event: Event) -> tuple[Condition, ...]:
    """What an event says about conditions: the whole table, room by room."""
    found = (
        acceptance_conditions.conditions(event)
        or posting_conditions.conditions(event)
        or reversal_conditions.conditions(event)
        or _orders(event)
        or order_conditions.conditions(event)
        or _stock(event)
        or dispatch_conditions.conditions(event)
        or deadline_conditions.conditions(event)
        or settlement_conditions.conditions(event)
        or tenant_conditions.conditions(event)
        or _jobs(event)
    )
    return (*found, *order_conditions.also(event), *deadline_conditions.also(event))


def _orders(event: Event) -> tuple[Condition, ...]:
    match event:
        case orders.ReferenceWriteFailed():
            return (
                Raise(
                    kind="reference_not_written", subject=event.order_id, message=event.message
                ),
            )
        case orders.ReferenceWritten():
            return (clear(event.order_id, "reference_not_written", "written"),)
        case orders.CancelledAfterPosting():
            return (_stranded(event),)
        case orders.OrderChanged() if event.state in ("REFUSED", "CANCELED"):
            return (_order_ended(event),)
        case orders.OrderChanged() if event.state != "WAITING_ACCEPTANCE":
            gone_on = ("order_held",) if event.state in GONE_ON else ()
            said = f"the marketplace shows the order as {event.state}"
            return (Clear(subject=event.order_id, kinds=(*TIME_KINDS, *gone_on), reason=said),)
        case _:
            return _postings(event)


def _postings(event: Event) -> tuple[Condition, ...]:
    match event:
        case orders.PostingRefused():
            return (
                Raise(
                    kind="posting_refused",
                    subject=event.order_id,
                    message=event.message,
                    money=event.money,
                ),
            )
        case orders.PostingOverdue():
            return (
                Raise(
                    kind="posting_overdue",
                    subject=event.order_id,
                    message=event.message,
                    money=event.money,
                    deadline=event.until,
                ),
            )
        case orders.PostingFetched():
            return (clear(event.order_id, "posting_overdue", "the ERP fetched it"),)
        case orders.SalesOrderPosted():
            kinds = (
                "posting_refused",
                "posting_overdue",
                "reference_taken",
                "sales_order_vanished",
            )
            return (Clear(subject=event.order_id, kinds=kinds, reason="posted"),)
        case orders.SalesOrderVanished():
            return _vanished(event)
        case orders.SalesOrderFoundAgain():
            shown = "the ERP shows it again"
            return (Clear(subject=event.order_id, kinds=LOST_KINDS, reason=shown),)
        case orders.SalesOrderForgone():
            return (Clear(subject=event.order_id, kinds=LOST_KINDS, reason=event.reason),)
        case _:
            return ()


LOST_KINDS = ("sales_order_vanished", "reference_taken")
"""What is told of a sales order that the ERP had, and has no more."""


def _vanished(event: orders.SalesOrderVanished) -> tuple[Condition, ...]:
    """Nobody can mend what is wrong with a sales order that is not there."""
    kinds = (
        "total_differs",
        "reference_not_written",
        "cancelled_after_posting",
        "cancelled_in_erp",
    )
    gone = Clear(subject=event.order_id, kinds=kinds, reason="the ERP has lost the sales order")
    if not event.still_wanted:
        return (gone,)
    sent = (
        "; parcels of it were sent, and what is confirmed of them stays confirmed: it can't be "
        "posted again, enter it by hand"
        if event.left_warehouse
        else ""
    )
    lost = Raise(
        kind="sales_order_vanished",
        subject=event.order_id,
        message=f"the ERP no longer shows {event.reference}, which was {event.erp_order_code} "
        f"and was last seen {event.last_seen_at:%Y-%m-%d %H:%M} UTC: it may have been set back "
        f"to a backup{sent}",
        money=event.money,
        deadline=event.ship_by,
    )
    return (gone, lost)


def _stranded(event: orders.CancelledAfterPosting) -> Condition:
    return Raise(
        kind="cancelled_after_posting",
        subject=event.order_id,
        message=f"the marketplace ended it; the ERP still has {event.erp_order_code} "
        f"({event.reference})",
        money=event.money,
    )


GONE_ON = ("SHIPPED", "TO_COLLECT", "RECEIVED", "CLOSED")
"""States in which nothing of an order can be held any more, whoever sent it or gave it up."""


def _order_ended(event: orders.OrderChanged) -> Condition:
    return Clear(
        subject=event.order_id,
        kinds=(
            "order_held",
            "acceptance_refused",
            *TIME_KINDS,
            "posting_refused",
            "reference_taken",
            "reference_not_written",
            "sales_order_vanished",
        ),
        reason=f"the marketplace shows the order as {event.state}",
    )


def _stock(event: Event) -> tuple[Condition, ...]:
    return _codes(event) or stock_conditions.conditions(event)


def _codes(event: Event) -> tuple[Condition, ...]:
    match event:
        case stock.SkuUnmatched():
            nearest = ", ".join(event.nearest) or "none"
            because = f": {event.because}" if event.because else ""
            return (
                Raise(
                    kind="sku_unmatched",
                    subject=stock.stock_key(event.sku),
                    message=f"the ERP does not know {event.sku!r}{because}; nearest codes: "
                    f"{nearest}",
                ),
            )
        case stock.SkuConfirmed():
            return (clear(stock.stock_key(event.sku), "sku_unmatched", "the ERP knows it now"),)
        case _:
            return ()


def _jobs(event: Event) -> tuple[Condition, ...]:
    match event:
        case JobInterrupted():
            return (
                Raise(
                    kind="job_interrupted",
                    subject=f"{event.room}/{event.job}",
                    message=event.message,
                ),
            )
        case WritesSwitched() if not event.allowed:
            message = f"all writes to the outside are stopped: {event.reason}"
            return (Raise(kind="writes_off", subject="service", message=message),)
        case WritesSwitched():
            return (clear("service", "writes_off", event.reason),)
        case JobResumed():
            return (clear(f"{event.room}/{event.job}", "job_interrupted", "it works again"),)
        case _:
            return ()
