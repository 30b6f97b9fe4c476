"""Reversals, the fold and the rules: what is given back, what of it is open, what comes next.

Promises: pure. Never more than what was paid less what went back already; one line a call, and
one reversal of an order at a time; nothing whose outcome is open is sent again before a look.
Invariant: each item is planned, open, unclear or over; `Step` names what is due for it.
Called by `reversing.py`. Source: design 7; contract johnlewis b.3 (OR28–OR30), d.5.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from kcjl.fold import Fold
from kcjl.money import Money
from kcjl.orders.reversal_events import (
    ReversalEvent,
    ReversalHeldBack,
    ReversalIntended,
    ReversalItem,
    ReversalLineEvent,
    ReversalMissing,
    ReversalOrdered,
    ReversalRefused,
    ReversalTaken,
    ReversalUnclear,
    ReversalUnknown,
    ReversalWithdrawn,
)
from kcjl.vocabulary import Event

__all__ = [
    "ATTEMPTS_MAX",
    "RETRY_BALANCE",
    "REVERSALS",
    "ItemEntry",
    "ItemStanding",
    "Reversal",
    "Step",
    "due",
    "given_up",
    "is_low_balance",
    "is_open",
    "money_of",
    "next_step",
    "plan_id",
    "why_not_withdraw",
]

ATTEMPTS_MAX = 6
"""So often it is sent when it certainly never arrived; then a person has to look."""
RETRY_BALANCE = timedelta(hours=6)
"""A balance grows as parcels arrive and cycles run: a few looks a day are enough."""
RESEND_AFTER = timedelta(minutes=5)
"""Between two sendings of what did not arrive."""


class ItemStanding(StrEnum):
    PLANNED = "planned"
    OPEN = "open"
    """Intended, and no outcome yet: the order is looked at before anything is sent."""
    TAKEN = "taken"
    REFUSED = "refused"
    UNCLEAR = "unclear"
    WITHDRAWN = "withdrawn"


class ItemEntry(msgspec.Struct, frozen=True, kw_only=True):
    item: ReversalItem
    standing: ItemStanding = ItemStanding.PLANNED
    attempts: int = 0
    intended_at: datetime | None = None
    there_before: tuple[str, ...] = ()
    not_before: datetime | None = None
    """It is not sent (again) before this time."""
    marketplace_id: str = ""
    as_asked: bool = True
    message: str = ""


class Reversal(msgspec.Struct, frozen=True, kw_only=True):
    """A refund or a cancelation that a person has said yes to."""

    order_id: str
    reversal_id: str
    kind: str
    reason_code: str
    tax_mode: str
    not_to_ship: bool
    items: tuple[ItemEntry, ...]


class Step(StrEnum):
    """What is due for an item now."""

    SEND = "send"
    LOOK = "look"
    WAIT = "wait"


# ── the fold ────────────────────────────────────────────────────────────────────────────────


def _keys(event: Event) -> tuple[str, ...]:
    return (event.reversal_id,) if isinstance(event, ReversalEvent) else ()


def _evolve(entry: Reversal | None, event: Event, _key: str) -> Reversal | None:
    if isinstance(event, ReversalOrdered):
        return Reversal(
            order_id=event.order_id,
            reversal_id=event.reversal_id,
            kind=event.kind,
            reason_code=event.reason_code,
            tax_mode=event.tax_mode,
            not_to_ship=event.not_to_ship,
            items=tuple(ItemEntry(item=item) for item in event.items),
        )
    if entry is None:
        return None
    if isinstance(event, ReversalWithdrawn):
        return msgspec.structs.replace(entry, items=tuple(map(_withdrawn, entry.items)))
    if not isinstance(event, ReversalLineEvent):
        return entry
    items = tuple(
        _changed(each, event) if each.item.line_id == event.line_id else each
        for each in entry.items
    )
    return msgspec.structs.replace(entry, items=items)


def _withdrawn(each: ItemEntry) -> ItemEntry:
    if each.standing == ItemStanding.OPEN or _is_done(each):
        return each
    return msgspec.structs.replace(each, standing=ItemStanding.WITHDRAWN)


def _changed(each: ItemEntry, event: ReversalLineEvent) -> ItemEntry:
    match event:
        case ReversalIntended():
            return msgspec.structs.replace(
                each,
                standing=ItemStanding.OPEN,
                attempts=event.attempt,
                intended_at=event.occurred_at,
                there_before=event.there_before,
                not_before=None,
                message="",
            )
        case ReversalTaken():
            return msgspec.structs.replace(
                each,
                standing=ItemStanding.TAKEN,
                marketplace_id=event.marketplace_id,
                as_asked=event.as_asked,
            )
        case ReversalRefused():
            return msgspec.structs.replace(
                each, standing=ItemStanding.REFUSED, message=event.message
            )
        case ReversalUnclear():
            return msgspec.structs.replace(
                each, standing=ItemStanding.UNCLEAR, message=event.message
            )
        case ReversalHeldBack():
            return msgspec.structs.replace(
                each,
                standing=ItemStanding.PLANNED,
                not_before=event.retry_at,
                message=event.message,
            )
        case ReversalMissing():
            return msgspec.structs.replace(
                each,
                standing=ItemStanding.PLANNED,
                attempts=event.attempt,
                not_before=event.occurred_at + RESEND_AFTER,
            )
        case ReversalUnknown():
            return msgspec.structs.replace(each, message=event.message)
        case _:
            return each


REVERSALS: Fold[Reversal] = Fold(_keys, _evolve, Reversal, hears=(ReversalEvent,))
"""Every reversal, by its id."""


# ── the rules ───────────────────────────────────────────────────────────────────────────────


def plan_id(
    order_id: str, kind: str, items: Iterable[ReversalItem], *, there: Iterable[str], said: int
) -> str:
    """The id of a plan: the same plan on the same order has the same one.

    `there`: reversals that the order has already; `said`: how many were ordered before. So the
    same refund, wanted a second time, is another one.
    """
    told = [
        f"{each.line_id}|{each.quantity}|{each.amount}|{each.shipping_amount}" for each in items
    ]
    words = "\n".join((order_id, kind, str(said), *sorted(there), *told))
    return f"R-{hashlib.sha256(words.encode()).hexdigest()[:12]}"


def is_open(reversal: Reversal) -> bool:
    """Something may still be sent or looked for; what is unclear waits for a person."""
    waits = (ItemStanding.PLANNED, ItemStanding.OPEN, ItemStanding.UNCLEAR)
    return any(each.standing in waits for each in reversal.items)


def next_step(each: ItemEntry, now: datetime) -> Step | None:
    """What is due for an item; None when there is nothing more to do."""
    if each.standing == ItemStanding.OPEN:
        return Step.LOOK
    if each.standing != ItemStanding.PLANNED:
        return None
    return Step.WAIT if each.not_before is not None and now < each.not_before else Step.SEND


def due(reversal: Reversal, now: datetime) -> tuple[ItemEntry, Step] | None:
    """The first item that is not over, and its step: no item overtakes another.

    A line that is unclear keeps the lines after it back: a person looks first.
    """
    for each in reversal.items:
        if each.standing == ItemStanding.UNCLEAR:
            return None
        step = next_step(each, now)
        if step is not None:
            return each, step
    return None


def is_low_balance(message: str) -> bool:
    """They said no because the shop's payable balance is too low: no code is documented."""
    return "balance" in message.casefold()


def given_up(each: ItemEntry) -> bool:
    """It was sent often enough."""
    return each.attempts >= ATTEMPTS_MAX


def money_of(item: ReversalItem) -> Money:
    return item.amount + item.shipping_amount


def why_not_withdraw(reversal: Reversal) -> str:
    """Why a reversal can't be withdrawn now; empty when it can."""
    named = f"reversal {reversal.reversal_id} of order {reversal.order_id}"
    if any(each.standing == ItemStanding.OPEN for each in reversal.items):
        return (
            f"{named} is under way: its answer is looked up within minutes, wait for it; "
            "what is taken can't be taken back"
        )
    if all(map(_is_done, reversal.items)):
        return f"{named} is over: the marketplace has all of it"
    return ""


def _is_done(each: ItemEntry) -> bool:
    return each.standing == ItemStanding.TAKEN and each.as_asked
