"""Orders, the fold: what an order's events have made of it.

Promises: pure; the same events give the same entry. It decides nothing.
Invariant: `posting` and `acceptance` are OPEN from the intention until an outcome is known;
a posting is QUEUED while it waits for an ERP that fetches its orders itself.
Called by `decide.py`, `actor.py` and `projection.py`.
Over 400 lines, because what every event does to an order is one table.
"""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias, TypeVar

import msgspec

from kcjl.dispatch.events import ParcelShipped, SalesOrderCancelled, SalesOrderNotShown
from kcjl.fold import Fold
from kcjl.money import Money
from kcjl.orders.acceptance_events import AcceptanceRetried, PostingRetried
from kcjl.orders.events import (
    AcceptanceConfirmed,
    AcceptanceIntended,
    AcceptanceRefused,
    AcceptanceUnknown,
    DeliveryAddressSealed,
    LineOrdered,
    LineStanding,
    OrderChanged,
    OrderEvent,
    OrderHeld,
    OrderPassedOver,
    OrderReceived,
    OrderReleased,
    PostedLine,
    PostingApproved,
    PostingFetched,
    PostingIntended,
    PostingOverdue,
    PostingQueued,
    PostingRefused,
    PostingUnknown,
    ReferenceWriteFailed,
    ReferenceWriteIntended,
    ReferenceWritten,
    SalesOrderForgone,
    SalesOrderFoundAgain,
    SalesOrderMissing,
    SalesOrderPosted,
    SalesOrderVanished,
)
from kcjl.orders.events_changes import LineWithdrawn
from kcjl.orders.posting_events import ReferenceTaken, TotalsCompared
from kcjl.stock.events import SkuConfirmed, SkuUnmatched, stock_key
from kcjl.vocabulary import Event, held_once

__all__ = [
    "CATALOGUE",
    "ORDERS",
    "Acceptance",
    "Catalogued",
    "OrderEntry",
    "Posting",
    "Standing",
    "WriteBack",
    "lines_to_post",
]


class Acceptance(StrEnum):
    NONE = "none"
    OPEN = "open"
    """Intended, and no outcome yet."""
    CONFIRMED = "confirmed"
    REFUSED = "refused"


class Posting(StrEnum):
    NONE = "none"
    OPEN = "open"
    """Intended or unknown: look the reference up before anything else."""
    QUEUED = "queued"
    """It waits for the ERP to fetch it, and then to say that it has it."""
    REFUSED = "refused"
    POSTED = "posted"
    VANISHED = "vanished"
    """It was posted, and the ERP has lost it: a person says what is to be done."""
    FORGONE = "forgone"
    """It had vanished, and the marketplace order is ended: nobody needs it any more."""


class WriteBack(StrEnum):
    NONE = "none"
    OPEN = "open"
    WRITTEN = "written"
    FAILED = "failed"


class Standing(StrEnum):
    """Where an order is, in one word."""

    RECEIVED = "received"
    HELD = "held"
    ACCEPTED = "accepted"
    READY = "ready"
    POSTING = "posting"
    POSTED = "posted"
    SHIPPED = "shipped"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    PASSED_OVER = "passed_over"


class OrderEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An order as we know it."""

    order_id: str
    reference: str
    """The customer order number: the sales order's reference in the ERP."""
    state: str
    lines: tuple[LineOrdered, ...]
    lines_now: tuple[LineStanding, ...]
    shipping_price: Money
    total_price: Money
    created_at: datetime
    updated_at: datetime
    ship_by: datetime | None
    accept_by: datetime | None
    shipping_type: str = ""
    """The marketplace's code of how the customer wants it sent."""
    passed_over: str = ""
    held: OrderHeld | None = None
    acceptance: Acceptance = Acceptance.NONE
    vault_ref: str = ""
    posting: Posting = Posting.NONE
    refused_because: str = ""
    """What was last said to an acceptance or a posting that was refused."""
    posting_attempts: int = 0
    posting_tried_at: datetime | None = None
    posting_sent_at: datetime | None = None
    intended: tuple[PostedLine, ...] = ()
    delivery_gross: Money | None = None
    gross_total: Money | None = None
    """As posted, or about to be."""
    unsendable: bool = False
    """It can't be written as the ERP wants it, as far as was known when that was looked at."""
    reference_taken: bool = False
    """The ERP has its reference on somebody else's order."""
    queued_until: datetime | None = None
    """While it is queued: by when the ERP should have done the next step."""
    fetched: bool = False
    overdue: bool = False
    """That it has not done it in time has been said."""
    erp_order_code: str = ""
    shows_total: bool = True
    totals: TotalsCompared | None = None
    write_back: WriteBack = WriteBack.NONE
    not_shown_at: datetime | None = None
    """A clean answer of the ERP left it out at this time, and no look has settled it yet."""
    last_seen_at: datetime | None = None
    left_warehouse: bool = False
    """A parcel of it has been sent."""
    cancelled_in_erp: bool = False
    """The ERP shows its sales order as cancelled."""
    country: str = ""
    """Where it goes; empty: not told yet."""
    country_told_late: bool = False
    """It was told after the acceptance only."""
    withdrawn: tuple[LineWithdrawn, ...] = ()
    """What was taken off its lines before the posting."""


def lines_to_post(entry: OrderEntry) -> tuple[LineOrdered, ...]:
    """The lines as ordered, less what was withdrawn; one of which nothing is left is gone."""
    if not entry.withdrawn:
        return entry.lines
    left = {line.line_id: line for line in entry.lines}
    for each in entry.withdrawn:
        line = left.get(each.line_id)
        if line is not None:
            left[each.line_id] = msgspec.structs.replace(
                line,
                quantity=line.quantity - each.units,
                price=line.price - each.amount,
                shipping_price=line.shipping_price - each.shipping_amount,
            )
    return tuple(line for line in left.values() if line.quantity > 0)


class Catalogued(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the ERP said about a SKU."""

    stock_code: str = ""
    """Empty: it does not know it."""
    discontinued: bool = False
    nearest: tuple[str, ...] = ()


# ── evolve ──────────────────────────────────────────────────────────────────────────────────


_SAID = (PostingRetried, AcceptanceRetried)
_ORDER_EVENTS = (OrderEvent, SalesOrderNotShown, SalesOrderCancelled, ParcelShipped, *_SAID)


def _order_keys(event: Event) -> tuple[str, ...]:
    if isinstance(event, _ORDER_EVENTS):
        return (event.order_id,)
    return ()


def _evolve_order(entry: OrderEntry | None, event: Event, _key: str) -> OrderEntry | None:
    if isinstance(event, OrderReceived):
        return _received(event)
    if entry is None:
        return None
    if isinstance(event, OrderChanged):
        return msgspec.structs.replace(
            entry,
            state=event.state,
            ship_by=event.ship_by or entry.ship_by,
            total_price=event.total_price,
            lines_now=event.lines,
            updated_at=max(entry.updated_at, event.occurred_at),
        )
    if isinstance(event, DeliveryAddressSealed):
        return _sealed(entry, event)
    if isinstance(event, LineWithdrawn):
        return msgspec.structs.replace(entry, withdrawn=(*entry.withdrawn, event))
    if isinstance(event, ReferenceTaken):
        return msgspec.structs.replace(entry, **_reference_taken(entry, event))
    if isinstance(event, AcceptanceUnknown) and entry.acceptance != Acceptance.OPEN:
        return entry  # what the marketplace showed meanwhile has settled it
    change = _CHANGES.get(type(event))
    return entry if change is None else msgspec.structs.replace(entry, **change(event))


def _received(event: OrderReceived) -> OrderEntry:
    zero = Money(0, event.currency)
    return OrderEntry(
        order_id=event.order_id,
        reference=event.customer_order_number,
        state=event.state,
        lines=event.lines,
        lines_now=tuple(
            LineStanding(
                line_id=line.line_id,
                sku=line.sku,
                state=event.state,
                price=line.price,
                refunded=zero,
            )
            for line in event.lines
        ),
        shipping_price=event.shipping_price,
        total_price=event.total_price,
        created_at=event.occurred_at,
        updated_at=event.updated_at or event.occurred_at,
        ship_by=event.ship_by,
        accept_by=event.accept_by,
        shipping_type=event.shipping_type_code,
        country=event.country,
    )


def _sealed(entry: OrderEntry, event: DeliveryAddressSealed) -> OrderEntry:
    late = bool(event.country) and not entry.country
    return msgspec.structs.replace(
        entry,
        vault_ref=event.vault_ref,
        country=entry.country or event.country,
        country_told_late=entry.country_told_late or late,
    )


Change: TypeAlias = dict[str, object]
"""Fields of an entry, and what they become."""
E = TypeVar("E", bound=Event)


def _when(
    kind: type[E], change: Callable[[E], Change]
) -> tuple[type[Event], Callable[[Any], Change]]:
    return kind, change


def _acceptance(standing: Acceptance) -> Change:
    return {"acceptance": standing}


def _posting(standing: Posting, tried_at: datetime) -> Change:
    return {"posting": standing, "posting_tried_at": tried_at}


def _posting_refused(event: OrderEvent, why: str) -> Change:
    return {**_posting(Posting.REFUSED, event.occurred_at), "refused_because": why}


def _reference_taken(entry: OrderEntry, event: ReferenceTaken) -> Change:
    """One that was posted stays what it is: posted, and lost when it is not found."""
    if entry.posting in (Posting.POSTED, Posting.VANISHED):
        return {"reference_taken": True}
    why = f"{event.erp_order_code} has our reference: {event.because}"
    return {**_posting_refused(event, why), "reference_taken": True}


def _posting_intended(event: PostingIntended) -> Change:
    return {
        **_posting(Posting.OPEN, event.occurred_at),
        "posting_sent_at": event.occurred_at,
        "posting_attempts": event.attempt,
        "unsendable": False,
        "intended": event.lines,
        "delivery_gross": event.delivery_gross,
        "gross_total": event.gross_total,
    }


def _started_again(event: PostingApproved | PostingRetried) -> Change:
    """A person's word: looked up first, and then sent again."""
    return {
        **_posting(Posting.OPEN, event.occurred_at),
        "posting_attempts": 0,
        "unsendable": False,
        "reference_taken": False,
    }


def _queued(event: PostingQueued | PostingFetched) -> Change:
    return {
        "posting": Posting.QUEUED,
        "queued_until": event.until,
        "fetched": isinstance(event, PostingFetched),
        "overdue": False,
    }


def _found_again(event: SalesOrderFoundAgain) -> Change:
    shown: Change = {
        "not_shown_at": None,
        "last_seen_at": event.taken_by,
        "reference_taken": False,
    }
    if not event.was_vanished:
        return shown
    return {
        **shown,
        "posting": Posting.POSTED,
        "erp_order_code": event.erp_order_code,
        "write_back": WriteBack.NONE,
    }


# Looked up by class: a match of so many arms takes longer than all the rest of a fold.
_CHANGES = dict(
    (
        _when(OrderPassedOver, lambda event: {"passed_over": event.reason}),
        _when(OrderHeld, lambda event: {"held": event}),
        _when(OrderReleased, lambda _: {"held": None}),
        _when(AcceptanceIntended, lambda _: _acceptance(Acceptance.OPEN)),
        _when(AcceptanceUnknown, lambda _: _acceptance(Acceptance.OPEN)),
        _when(AcceptanceConfirmed, lambda _: _acceptance(Acceptance.CONFIRMED)),
        _when(
            AcceptanceRefused,
            lambda event: {
                **_acceptance(Acceptance.NONE if event.retry else Acceptance.REFUSED),
                "refused_because": event.message,
            },
        ),
        _when(AcceptanceRetried, lambda _: _acceptance(Acceptance.NONE)),
        _when(PostingIntended, _posting_intended),
        _when(PostingUnknown, lambda event: _posting(Posting.OPEN, event.occurred_at)),
        _when(
            PostingRefused,
            lambda event: {
                **_posting_refused(event, event.message),
                "unsendable": event.unsendable,
            },
        ),
        _when(SalesOrderMissing, lambda event: _posting(Posting.NONE, event.occurred_at)),
        _when(PostingQueued, _queued),
        _when(PostingFetched, _queued),
        _when(PostingOverdue, lambda _: {"overdue": True}),
        _when(
            SalesOrderPosted,
            lambda event: {
                "posting": Posting.POSTED,
                "erp_order_code": event.erp_order_code,
                "shows_total": event.shows_total,
                "write_back": WriteBack.NONE,
                "not_shown_at": None,
                "last_seen_at": event.taken_by,
                "cancelled_in_erp": False,
            },
        ),
        _when(SalesOrderCancelled, lambda _: {"cancelled_in_erp": True}),
        _when(
            SalesOrderNotShown,
            lambda event: {
                "not_shown_at": event.occurred_at,
                "last_seen_at": event.last_seen_at,
            },
        ),
        _when(ParcelShipped, lambda _: {"left_warehouse": True}),
        _when(
            SalesOrderVanished,
            lambda _: {
                "posting": Posting.VANISHED,
                "write_back": WriteBack.NONE,
                "totals": None,
                "not_shown_at": None,
            },
        ),
        _when(SalesOrderFoundAgain, _found_again),
        _when(SalesOrderForgone, lambda _: {"posting": Posting.FORGONE}),
        _when(PostingApproved, _started_again),
        _when(PostingRetried, _started_again),
        _when(TotalsCompared, lambda event: {"totals": event}),
        _when(ReferenceWriteIntended, lambda _: {"write_back": WriteBack.OPEN}),
        _when(ReferenceWritten, lambda _: {"write_back": WriteBack.WRITTEN}),
        _when(ReferenceWriteFailed, lambda _: {"write_back": WriteBack.FAILED}),
    )
)


ORDERS: Fold[OrderEntry] = Fold(_order_keys, _evolve_order, OrderEntry, hears=_ORDER_EVENTS)


def _catalogue_keys(event: Event) -> tuple[str, ...]:
    return (stock_key(event.sku),) if isinstance(event, SkuConfirmed | SkuUnmatched) else ()


def _evolve_catalogue(entry: Catalogued | None, event: Event, _key: str) -> Catalogued | None:
    match event:
        case SkuConfirmed():
            return Catalogued(
                stock_code=held_once(event.stock_code), discontinued=event.discontinued
            )
        case SkuUnmatched():
            return Catalogued(nearest=event.nearest)
        case _:
            return entry


CATALOGUE: Fold[Catalogued] = Fold(
    _catalogue_keys, _evolve_catalogue, Catalogued, hears=(SkuConfirmed, SkuUnmatched)
)
