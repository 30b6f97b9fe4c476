"""Gaps that end after their payout was closed: goods that come late, a fee given back late.

Promises: pure; a gap is found once, when its payout is closed, and what was reported of it
stays; here it is said to be gone, and why, with the gaps that still stand. Only what came is
looked at: no expectation is worked out again, so that terms of today judge no payout of March.
Invariant: a gap ends once. Called by `receiving.py`. Source: design 9, law 10.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from kcjl.fold import Fold
from kcjl.money import Money
from kcjl.orders.events_changes import LineWithdrawn, ReturnOpened, ReturnReceived
from kcjl.settlement.events import SettlementLineSeen
from kcjl.settlement.gap_events import GapEnded, GapFound, GapTotal
from kcjl.settlement.state import CLOSED_STATES, CYCLES, Cycle
from kcjl.vocabulary import Event

__all__ = ["GAPS_SINCE", "OrderSince", "decide_gaps_ended"]

MAY_END = ("refund_without_return", "refund_commission_kept")
GIVEN_BACK = {"REFUND_COMMISSION_FEE": "fee", "REFUND_COMMISSION_VAT": "vat"}


class FeeBack(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A line that gives commission back."""

    line_id: str
    refund_id: str
    order_line_id: str
    component: str
    amount: Money


class OrderSince(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an order's refunds, and the gaps that may end by it."""

    returns: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(return id, its lines) of goods that are to come back."""
    back: tuple[str, ...] = ()
    """Lines of which nothing is to come back any more: it has, or they were given up."""
    fees: tuple[FeeBack, ...] = ()
    gaps: tuple[GapFound, ...] = ()
    """That stand."""

    @property
    def over(self) -> tuple[GapFound, ...]:
        """Gaps that stand, and need not any more."""
        return tuple(gap for gap in self.gaps if self.why_over(gap))

    def why_over(self, gap: GapFound) -> str:
        """Why the gap is gone; empty: it is not."""
        if gap.kind == "refund_without_return":
            return "the goods came back" if gap.order_line_id in self.back else ""
        given = [
            each.amount
            for each in self.fees
            if (each.refund_id, each.order_line_id, each.component)
            == (gap.subject, gap.order_line_id, gap.component)
            and each.amount.currency == gap.expected.currency
        ]
        total = sum(given, Money(0, gap.expected.currency))
        if not given or total.amount_minor < gap.expected.amount_minor:
            return ""
        return f"{total} was given back"


def decide_gaps_ended(
    since: OrderSince, cycles: Iterable[Cycle], now: datetime
) -> tuple[Event, ...]:
    """Say which gaps of closed payouts are gone. `cycles`: those of the gaps."""
    known = {each.cycle_id: each for each in cycles}
    events: list[Event] = []
    for gap in since.over:
        cycle = known.get(gap.cycle_id)
        if cycle is None or cycle.state not in CLOSED_STATES or cycle.reconciled is None:
            continue
        ended = GapEnded(
            cycle_id=gap.cycle_id,
            kind=gap.kind,
            subject=gap.subject,
            component=gap.component,
            amount=gap.amount,
            order_id=gap.order_id,
            order_line_id=gap.order_line_id,
            reason=since.why_over(gap),
            still=_still(cycle, gap),
            occurred_at=now,
        )
        events.append(ended)
        known[gap.cycle_id] = CYCLES.evolve(cycle, ended, gap.cycle_id) or cycle
    return tuple(events)


def _still(cycle: Cycle, gone: GapFound) -> tuple[GapTotal, ...]:
    """What stood before, less this gap."""
    found = cycle.reconciled.gaps if cycle.reconciled is not None else ()
    before = cycle.gaps_ended[-1].still if cycle.gaps_ended else found
    after = [
        each
        if each.kind != gone.kind
        else GapTotal(kind=each.kind, gaps=each.gaps - 1, amount=each.amount - gone.amount)
        for each in before
    ]
    return tuple(each for each in after if each.gaps > 0)


# ── the fold ────────────────────────────────────────────────────────────────────────────────

HEARS = (ReturnOpened, ReturnReceived, LineWithdrawn, SettlementLineSeen, GapFound, GapEnded)


def _keys(event: Event) -> tuple[str, ...]:
    match event:
        case ReturnOpened() | ReturnReceived() | LineWithdrawn():
            return (event.order_id,)
        case SettlementLineSeen() if event.kind in GIVEN_BACK and event.order_id:
            return (event.order_id,)
        case GapFound() | GapEnded() if event.kind in MAY_END and event.order_id:
            return (event.order_id,)
        case _:
            return ()


def _evolve(entry: OrderSince | None, event: Event, _key: str) -> OrderSince | None:
    known, replace = entry or OrderSince(), msgspec.structs.replace
    match event:
        case ReturnOpened():
            lines = tuple(each.line_id for each in event.lines)
            others = tuple(each for each in known.returns if each[0] != event.return_id)
            return replace(known, returns=(*others, (event.return_id, lines)))
        case ReturnReceived():
            came = dict(known.returns).get(event.return_id, ())
            return replace(
                known,
                returns=tuple(each for each in known.returns if each[0] != event.return_id),
                back=tuple(dict.fromkeys((*known.back, *came))),
            )
        case LineWithdrawn():
            return replace(known, back=tuple(dict.fromkeys((*known.back, event.line_id))))
        case SettlementLineSeen():
            return replace(known, fees=_fees(known.fees, event))
        case GapFound():
            return replace(known, gaps=(*_others(known.gaps, event), event))
        case GapEnded():
            return replace(known, gaps=_others(known.gaps, event))
        case _:
            return entry


def _fees(known: tuple[FeeBack, ...], seen: SettlementLineSeen) -> tuple[FeeBack, ...]:
    back = FeeBack(
        line_id=seen.line_id,
        refund_id=seen.refund_id or "",
        order_line_id=seen.order_line_id or "",
        component=GIVEN_BACK.get(seen.kind, ""),
        amount=seen.amount,
    )
    return (*(each for each in known if each.line_id != seen.line_id), back)


def _others(gaps: tuple[GapFound, ...], gone: GapFound | GapEnded) -> tuple[GapFound, ...]:
    return tuple(each for each in gaps if _named(each) != _named(gone))


def _named(gap: GapFound | GapEnded) -> tuple[object, ...]:
    return gap.cycle_id, gap.kind, gap.subject, gap.order_line_id, gap.component


GAPS_SINCE: Fold[OrderSince] = Fold(_keys, _evolve, OrderSince, hears=HEARS)
