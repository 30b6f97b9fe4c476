"""Orders, the rules of the count: orders and sales orders against each other, both ways.

Promises: pure; every order that needs a sales order is counted with one, on its way, told of
by an exception, or as a gap; every sales order of ours stands for an order, or is a gap; what
is neither final, nor waiting, nor excepted is named (law 3). It asks nobody.
Invariant: a gap is open from the count that found it to the count that does not, or to the
posting. Called by `counting.py` (the shell). Source: design 2 (law 3), 7.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from kcjl.dispatch.deadline_events import DEADLINE_KINDS
from kcjl.dispatch.events import LineNotShown, SalesOrderNotShown
from kcjl.exceptions.events import ExceptionCleared, ExceptionRaised
from kcjl.fold import Fold
from kcjl.money import Money
from kcjl.orders.decide import live_lines, may_be_held
from kcjl.orders.events import SalesOrderFoundAgain, SalesOrderPosted
from kcjl.orders.events_intake import (
    GAP_KINDS,
    NO_MARKETPLACE_ORDER,
    NO_SALES_ORDER,
    UNACCOUNTED,
    OrderGapClosed,
    OrderGapFound,
    OrdersCounted,
    SideCounted,
)
from kcjl.orders.state import OrderEntry, Posting
from kcjl.vocabulary import Event

__all__ = [
    "COUNTS",
    "GAPS",
    "TOLD",
    "Foreigner",
    "Sides",
    "decide_count",
    "decide_doubts",
    "needs_sales_order",
    "unaccounted",
]

NEEDING = frozenset({"SHIPPING", "SHIPPED", "TO_COLLECT", "RECEIVED", "CLOSED"})
DECIDED_ELSEWHERE = frozenset({"WAITING_DEBIT", "WAITING_DEBIT_PAYMENT", "STAGING"})


class Foreigner(msgspec.Struct, frozen=True, kw_only=True):
    """A sales order in the ERP that no marketplace order stands for."""

    reference: str
    erp_order_code: str
    money: Money | None
    order_id: str = ""
    """Of ours, where we posted it, and the marketplace knows the order no more."""


class Sides(msgspec.Struct, frozen=True, kw_only=True):
    """What both sides showed."""

    since: datetime
    began: datetime
    at_marketplace: int
    missed: int
    entries: Sequence[OrderEntry]
    """Every order that is counted, as we know it."""
    in_erp: frozenset[str]
    """References that the ERP has, of those that were asked for."""
    listed: int | None
    foreign: int
    unsourced: int
    strangers: Sequence[Foreigner]
    told: frozenset[str]
    """Subjects of open exceptions, gaps apart."""
    grace: timedelta
    currency: str
    by: str
    not_asked: int = 0
    """Orders that the marketplace did not name, and that it was not asked for."""


# ── state ───────────────────────────────────────────────────────────────────────────────────


def _gap_keys(event: Event) -> tuple[str, ...]:
    if isinstance(event, OrderGapFound | OrderGapClosed):
        return (f"{event.kind}:{event.subject}",)
    if isinstance(event, SalesOrderPosted | SalesOrderFoundAgain):
        return (f"{NO_SALES_ORDER}:{event.order_id}",)
    return ()


def _evolve_gap(_entry: OrderGapFound | None, event: Event, _key: str) -> OrderGapFound | None:
    return event if isinstance(event, OrderGapFound) else None


GAPS: Fold[OrderGapFound] = Fold(
    _gap_keys,
    _evolve_gap,
    OrderGapFound,
    hears=(OrderGapFound, OrderGapClosed, SalesOrderPosted, SalesOrderFoundAgain),
)
"""The gaps that are open."""


NOT_TOLD = frozenset({*GAP_KINDS, *DEADLINE_KINDS})
"""That an order is late does not say that it lacks its sales order."""


def _told_keys(event: Event) -> tuple[str, ...]:
    if isinstance(event, ExceptionRaised | ExceptionCleared) and event.kind not in NOT_TOLD:
        return (event.exception_id,)
    return ()


def _evolve_told(_entry: str | None, event: Event, _key: str) -> str | None:
    return event.subject if isinstance(event, ExceptionRaised) else None


TOLD: Fold[str] = Fold(_told_keys, _evolve_told, str, hears=(ExceptionRaised, ExceptionCleared))
"""The subjects of open exceptions; gaps and deadlines are not among them."""


def _count_keys(event: Event) -> tuple[str, ...]:
    return ("count",) if isinstance(event, OrdersCounted) else ()


def _evolve_count(entry: OrdersCounted | None, event: Event, _key: str) -> OrdersCounted | None:
    return event if isinstance(event, OrdersCounted) else entry


COUNTS: Fold[OrdersCounted] = Fold(
    _count_keys, _evolve_count, OrdersCounted, hears=(OrdersCounted,)
)
"""The last count."""


# ── decide ──────────────────────────────────────────────────────────────────────────────────


def needs_sales_order(entry: OrderEntry) -> bool:
    """The customer has paid, or is about to: the ERP has to have it."""
    if entry.passed_over or entry.posting == Posting.FORGONE or entry.state not in NEEDING:
        return False
    return entry.posting == Posting.POSTED or bool(live_lines(entry))


def unaccounted(
    entry: OrderEntry, told: frozenset[str], *, now: datetime, grace: timedelta
) -> str:
    """Why an order is neither final, nor waiting, nor excepted; empty when it is one of them.

    Orders that need a sales order are judged by what the ERP has.
    """
    if entry.order_id in told or entry.passed_over or needs_sales_order(entry):
        return ""
    if entry.held is not None and may_be_held(entry):
        return f"order {entry.order_id} is held, and nobody was told"
    if entry.state != "WAITING_ACCEPTANCE" and entry.state not in DECIDED_ELSEWHERE:
        return ""  # ended, or a state in which nothing is asked of us
    due = entry.accept_by if entry.state == "WAITING_ACCEPTANCE" else entry.ship_by
    if due is None or now <= due + grace:
        return ""
    return (
        f"order {entry.order_id} is {entry.state} since its time was up at "
        f"{due:%Y-%m-%d %H:%M} UTC, and nobody was told"
    )


def decide_doubts(sides: Sides) -> tuple[Event, ...]:
    """Posted, and the ERP does not show it: it is looked for until that is settled."""
    return tuple(
        SalesOrderNotShown(
            order_id=entry.order_id,
            reference=entry.reference,
            last_seen_at=entry.last_seen_at or entry.created_at,
            lines=tuple(
                LineNotShown(line_id=line.line_id, sku=line.sku, quantity=line.quantity)
                for line in live_lines(entry)
            ),
            occurred_at=sides.began,
        )
        for entry in sides.entries
        if entry.posting == Posting.POSTED
        and entry.not_shown_at is None
        and needs_sales_order(entry)
        and entry.reference not in sides.in_erp
    )


def decide_count(
    sides: Sides, open_gaps: Mapping[str, OrderGapFound], now: datetime
) -> tuple[Event, ...]:
    """The figures, the gaps that are new, and those that are gone."""
    needing = [entry for entry in sides.entries if needs_sales_order(entry)]
    without = [entry for entry in needing if not _has_sales_order(entry, sides)]
    told = [entry for entry in without if _is_told(entry, sides)]
    rest = [entry for entry in without if not _is_told(entry, sides)]
    waiting = [entry for entry in rest if _is_waiting(entry, sides)]
    missing = [entry for entry in rest if not _is_waiting(entry, sides)]
    lost = {
        entry.order_id: (entry, why)
        for entry in sides.entries
        if (why := unaccounted(entry, sides.told, now=sides.began, grace=sides.grace))
    }
    found = [
        *(_without(entry, now) for entry in missing),
        *(_stranger(each, now) for each in sides.strangers),
        *(_lost(entry, why, now) for entry, why in lost.values()),
    ]
    keyed = {f"{each.kind}:{each.subject}": each for each in found}
    events: list[Event] = [
        each
        for key, each in keyed.items()
        if key not in open_gaps or open_gaps[key].money != each.money
    ]
    events.extend(
        OrderGapClosed(
            kind=gap.kind,
            subject=gap.subject,
            reason="the count does not find it any more",
            occurred_at=now,
        )
        for key, gap in open_gaps.items()
        if key not in keyed
    )
    groups = _Groups(needing=needing, waiting=waiting, told=told, without=missing)
    return (*events, _counted(sides, groups, [entry for entry, _ in lost.values()]))


class _Groups(msgspec.Struct, frozen=True, kw_only=True):
    """Orders that need a sales order, and those of them that have none."""

    needing: Sequence[OrderEntry]
    waiting: Sequence[OrderEntry]
    told: Sequence[OrderEntry]
    without: Sequence[OrderEntry]


def _counted(sides: Sides, groups: _Groups, lost: Sequence[OrderEntry]) -> OrdersCounted:
    return OrdersCounted(
        since=sides.since,
        at_marketplace=sides.at_marketplace,
        missed=sides.missed,
        needing=_side(groups.needing, sides.currency),
        with_sales_order=_side(
            [entry for entry in groups.needing if _has_sales_order(entry, sides)],
            sides.currency,
        ),
        waiting=_side(groups.waiting, sides.currency),
        told=_side(groups.told, sides.currency),
        without=_side(groups.without, sides.currency),
        sales_orders_listed=sides.listed,
        foreign=sides.foreign,
        unsourced=sides.unsourced,
        without_order=SideCounted(
            orders=len(sides.strangers),
            money=sum(
                (each.money for each in sides.strangers if each.money is not None),
                Money(0, sides.currency),
            ),
        ),
        unaccounted=_side(lost, sides.currency),
        by=sides.by,
        not_asked=sides.not_asked,
        occurred_at=sides.began,
    )


def _has_sales_order(entry: OrderEntry, sides: Sides) -> bool:
    return entry.reference in sides.in_erp and not entry.reference_taken


def _is_told(entry: OrderEntry, sides: Sides) -> bool:
    return entry.order_id in sides.told


def _is_waiting(entry: OrderEntry, sides: Sides) -> bool:
    if entry.posting == Posting.POSTED:
        return True  # doubted: two looks settle it, and then it is told
    if entry.posting == Posting.QUEUED and entry.queued_until is not None:
        return sides.began <= entry.queued_until + sides.grace
    return sides.began <= entry.updated_at + sides.grace


def _side(entries: Sequence[OrderEntry], currency: str) -> SideCounted:
    money = sum((entry.total_price for entry in entries), Money(0, currency))
    return SideCounted(orders=len(entries), money=money)


def _without(entry: OrderEntry, now: datetime) -> OrderGapFound:
    return OrderGapFound(
        kind=NO_SALES_ORDER,
        subject=entry.order_id,
        reference=entry.reference,
        message=f"the marketplace shows it as {entry.state}, and the ERP has no sales order "
        f"{entry.reference} (its posting: {entry.posting.value})",
        money=entry.total_price,
        deadline=entry.ship_by if entry.state == "SHIPPING" else None,
        occurred_at=now,
    )


def _stranger(each: Foreigner, now: datetime) -> OrderGapFound:
    which = (
        f"order {each.order_id}, for which it was posted, is not there any more"
        if each.order_id
        else "no order with this reference is known"
    )
    return OrderGapFound(
        kind=NO_MARKETPLACE_ORDER,
        subject=each.reference,
        reference=each.reference,
        message=f"the ERP has sales order {each.erp_order_code} ({each.reference}) of our "
        f"source; at the marketplace {which}",
        money=each.money,
        occurred_at=now,
    )


def _lost(entry: OrderEntry, why: str, now: datetime) -> OrderGapFound:
    return OrderGapFound(
        kind=UNACCOUNTED,
        subject=entry.order_id,
        reference=entry.reference,
        message=why,
        money=entry.total_price,
        deadline=entry.accept_by or entry.ship_by,
        occurred_at=now,
    )
