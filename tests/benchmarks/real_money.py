"""A retailer's real trade, its money: what each order should have brought, and what came.

Promises: the one side is the marketplace's orders, their refunds and the contract's rate,
worked out here; the other is the log's payouts, lines and gaps. By the month in which money
moved, in London, to the penny. The contract says a point less than the marketplace charges, so
that each order has a gap. Cycles are those of life: on the 1st, 11th and 21st, paid after two
days.
Called by moneying.py (`python -m … FIRST_DAY DAYS` is one of its children) and by
tests/settlement/test_real_money.py (a slice).
"""

import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from unittest.mock import patch
from zoneinfo import ZoneInfo

import msgspec

import tests.simulation.run as running
from kcjl.sandbox.marketplace.records import Charge, Order, OrderLine
from kcjl.sandbox.world_settings import WorldSettings
from kcjl.settlement.events import PAYMENT, PayoutClosed
from kcjl.settlement.gap_events import GapFound
from kcjl.settlement.state import CYCLES, LINES
from tests.benchmarks.real_trade import RealTrade, of_days
from tests.simulation.asks import Asks
from tests.simulation.laws import Broken, Evidence, judge

__all__ = ["Money", "Paid", "money_of", "of_month"]

LONDON = ZoneInfo("Europe/London")
AGREED_PERCENT = Decimal(19)
TERMS = f"""
note = "a point less than is charged"
[[rates]]
percent = {AGREED_PERCENT}
"""


class CyclesOfLife(RealTrade, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Billing cycles three times a month, read once a day."""

    @property
    def world_settings(self) -> WorldSettings:
        settings = super().world_settings
        marketplace = msgspec.structs.replace(
            settings.marketplace,
            cycle_every_days=None,
            cycle_time="01:00",
            payout_paid_after_hours=48.0,
        )
        return msgspec.structs.replace(settings, marketplace=marketplace)


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """Of one month, in pence."""

    sold: int = 0
    fees: int = 0
    """With VAT, less those of refunds: by contract of what is paid out, else as charged."""
    refunds: int = 0
    payouts: int = 0
    """The lines of payouts that are closed."""
    unpaid: int = 0
    gaps: int = 0
    """What was charged less what was expected."""

    @property
    def off(self) -> int:
        """Σ payouts + unpaid − gaps, less Σ orders − fees − refunds: nothing."""
        came = self.payouts + self.unpaid - self.gaps
        return came - (self.sold - self.fees - self.refunds)


class Paid(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the money of a world."""

    months: Mapping[str, Money]
    orders: int
    payouts: int
    transferred: int
    """What the bank had, in pence, by the marketplace."""
    lines: int
    gaps: int
    broken: tuple[str, ...]
    at_rest: bool
    processor_s: float


def of_month(first: date, days: int, *, share: float = 60.0) -> CyclesOfLife:
    calm = of_days(first, days)
    return CyclesOfLife(
        seed=calm.seed,
        first=first,
        days=days,
        share=share,
        merchant=calm.merchant,
        asks=Asks(terms=TERMS),
    )


def money_of(trade: RealTrade) -> Paid:
    """Run it, and add both sides up."""
    began_s = time.process_time()
    kept: list[Evidence] = []

    def keep(evidence: Evidence) -> Sequence[Broken]:
        kept.append(evidence)
        return judge(evidence)

    with patch.object(running, "judge", keep):
        run = running.run_scenario(trade)
    (evidence,) = kept
    market = evidence.world.marketplace
    sums: defaultdict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for when, name, pence in (*_should(evidence), *_came(evidence)):
        sums[f"{when.astimezone(LONDON):%Y-%m}"][name] += pence
    return Paid(
        months={month: Money(**each) for month, each in sorted(sums.items())},
        orders=len(market.orders),
        payouts=len(list(evidence.said(PayoutClosed))),
        transferred=market.ledger.paid_out.amount_minor,
        lines=len(market.transactions),
        gaps=len(list(evidence.said(GapFound))),
        broken=tuple(map(str, run.broken)),
        at_rest=evidence.at_rest,
        processor_s=time.process_time() - began_s,
    )


Moved = tuple[datetime, str, int]
"""When, what, and by how many pence."""


def _should(evidence: Evidence) -> Iterator[Moved]:
    """By the orders there, and by the contract."""
    closed = {event.cycle_id for _, event in evidence.said(PayoutClosed)}
    paid = {
        (line.order_line_id, line.refund_id)
        for line in evidence.world.marketplace.transactions.values()
        if line.cycle_id in closed and line.kind.endswith("COMMISSION_FEE")
    }
    for order in evidence.world.marketplace.orders.values():
        for line in order.lines:
            if line.debited_at is not None:
                yield from _line_should(order, line, paid)


def _line_should(
    order: Order, line: OrderLine, paid: set[tuple[str | None, str | None]]
) -> Iterator[Moved]:
    debited_at = line.debited_at or order.created_at
    amount = line.price.amount_minor + line.shipping_price.amount_minor
    fee, vat = line.commission_fee.amount_minor, line.commission_vat.amount_minor
    agreed = _agreed(amount) if (line.line_id, None) in paid else fee
    yield debited_at, "sold", amount
    yield debited_at, "fees", agreed + vat
    for cancelation in line.cancelations:
        if cancelation.created_at >= debited_at:  # paid for, and given back
            back, fee, vat = _pence(cancelation.charge)
            yield debited_at, "sold", back
            yield debited_at, "fees", fee + vat
            yield cancelation.created_at, "refunds", back
            yield cancelation.created_at, "fees", -fee - vat
    for refund in line.refunds:
        back, fee, vat = _pence(refund.charge)
        agreed = _agreed(back) if (line.line_id, refund.refund_id) in paid else fee
        yield refund.created_at, "refunds", back
        yield refund.created_at, "fees", -agreed - vat


def _pence(charge: Charge) -> tuple[int, int, int]:
    """What goes back to the customer, and to us: commission, VAT."""
    back = charge.amount.amount_minor + charge.shipping_amount.amount_minor
    return back, charge.commission_fee.amount_minor, charge.commission_vat.amount_minor


def _agreed(pence: int) -> int:
    part = Decimal(pence) * AGREED_PERCENT / 100
    return int(part.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _came(evidence: Evidence) -> Iterator[Moved]:
    """By the log."""
    lines, cycles = evidence.folded(LINES), evidence.folded(CYCLES)
    for line in lines.values():
        seen = line.seen
        if seen.kind != PAYMENT and seen.created_at is not None:
            cycle = cycles.get(seen.cycle_id or "")
            is_paid = cycle is not None and cycle.closed is not None
            yield seen.created_at, "payouts" if is_paid else "unpaid", seen.amount.amount_minor
    for _, gap in evidence.said(GapFound):
        moved_at = lines[gap.line_ids[0]].seen.created_at if gap.line_ids else None
        yield moved_at or gap.occurred_at, "gaps", gap.amount.amount_minor


if __name__ == "__main__":
    asked = of_month(date.fromisoformat(sys.argv[1]), int(sys.argv[2]))
    sys.stdout.write(msgspec.json.encode(money_of(asked)).decode() + "\n")
