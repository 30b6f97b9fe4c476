"""A shop's account for benchmark `settlement`: cycle after cycle, each to the penny.

Two lines an order, 15 % commission and 20 % VAT on it, each rounded half up; one order in
twenty is refunded a unit of one line in the next cycle; one order's commission in a thousand is
a penny off. It keeps the newest cycle only, as what it answers. Called by settling.py.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from kcjl.clock import Clock
from kcjl.johnlewis.account_port import Invoice
from kcjl.johnlewis.port import BillingCycle, TransactionLine
from kcjl.money import Money
from kcjl.orders.events import LineOrdered, OrderReceived, PostedLine, SalesOrderPosted
from kcjl.orders.events_changes import LineRefunded
from kcjl.vocabulary import Event
from tests.outside.marketplace import Shop

__all__ = ["AccountOfCycles"]

LINES_AN_ORDER = 8
REFUNDED_EVERY = 20
OFF_EVERY = 1_000
ZERO = Money(0, "GBP")


class AccountOfCycles(Shop):
    """The marketplace, as far as its account goes."""

    def __init__(self, clock: Clock, *, lines_a_cycle: int) -> None:
        super().__init__(clock)
        self._orders_a_cycle = lines_a_cycle // LINES_AN_ORDER
        self._first = 0
        self._refunded: range = range(0)
        self._lines_made = 0
        self._cycle = 0

    def sell(self) -> list[Event]:
        """The orders of a cycle, received and posted; and the refunds of the one before."""
        now = self._clock.now()
        events: list[Event] = [_refund(number, now) for number in self._refunded]
        for number in range(self._first, self._first + self._orders_a_cycle):
            events += [_received(number, now), _posted(number, now)]
        return events

    def run(self) -> int:
        """The cycle run: how many lines it has, without its payment."""
        now = self._clock.now()
        self._cycle += 1
        cycle_id = f"cycle-{self._cycle:04}"
        self.lines = []
        for number in range(self._first, self._first + self._orders_a_cycle):
            for line in (0, 1):
                price = _price(number, line)
                self._add("ORDER_AMOUNT", price, cycle_id, now, number, line)
                self._add(
                    "ORDER_SHIPPING_AMOUNT", 395 * (1 - line), cycle_id, now, number, line
                )
                fee = _commission(number, line) + (number % OFF_EVERY == 0)
                self._add("COMMISSION_FEE", -fee, cycle_id, now, number, line)
                self._add("COMMISSION_VAT", -_part(fee, 20), cycle_id, now, number, line)
        for number in self._refunded:
            back = _price(number, 0) // 2
            fee = _part(back, 15)
            self._add("REFUND_ORDER_AMOUNT", -back, cycle_id, now, number, 0)
            self._add("REFUND_COMMISSION_FEE", fee, cycle_id, now, number, 0)
            self._add("REFUND_COMMISSION_VAT", _part(fee, 20), cycle_id, now, number, 0)
        self._add("SUBSCRIPTION_FEE", -1_000, cycle_id, now)
        self._add("SUBSCRIPTION_VAT", -200, cycle_id, now)
        total = sum((line.amount for line in self.lines), ZERO)
        lines = len(self.lines)
        self._add("PAYMENT", -total.amount_minor, cycle_id, now)
        self.cycles = [_cycle(cycle_id, total, now)]
        last = self._first + self._orders_a_cycle
        self._refunded = range(self._first, last, REFUNDED_EVERY)
        self._first = last
        return lines

    def _add(
        self,
        kind: str,
        pence: int,
        cycle_id: str,
        now: datetime,
        number: int | None = None,
        line: int = 0,
    ) -> None:
        self._lines_made += 1
        order_id = None if number is None else _order_id(number)
        self.lines.append(
            TransactionLine(
                line_id=f"0a5b1f4e-9f0c-4b7f-8f2e-{self._lines_made:012}",
                kind=kind,
                amount=Money(pence, "GBP"),
                created_at=now,
                updated_at=now,
                payment_state="PAID",
                cycle_id=cycle_id,
                voucher=f"{self._cycle:06}",
                document_number=f"INV-JL-{self._cycle:06}",
                order_id=order_id,
                order_line_id=None if order_id is None else f"{order_id}-{line + 1}",
                refund_id=f"R{number}" if kind.startswith("REFUND") else None,
                customer_order_number=None if number is None else f"JL{number:010}",
            )
        )

    async def transaction_lines(self, updated_since: datetime) -> Sequence[TransactionLine]:
        del updated_since  # the newest cycle is all that there is
        return self.lines

    async def invoices(
        self, since: datetime | None = None, *, cycle_ids: Sequence[str] = ()
    ) -> Sequence[Invoice]:
        del since, cycle_ids
        return ()


def _order_id(number: int) -> str:
    return f"7{number:08}-A"


def _price(number: int, line: int) -> int:
    return 1_000 + (number * 7 + line * 131) % 9_000


def _part(pence: int, percent: int) -> int:
    """Half up."""
    return (pence * percent * 2 + 100) // 200


def _commission(number: int, line: int) -> int:
    return _part(_price(number, line) + 395 * (1 - line), 15)


def _received(number: int, now: datetime) -> OrderReceived:
    order_id = _order_id(number)
    lines = tuple(
        LineOrdered(
            line_id=f"{order_id}-{line + 1}",
            sku=f"SKU-{(number + line) % 5_000}",
            title="A lamp",
            category_code="lamps",
            quantity=2,
            unit_price=Money(_price(number, line), "GBP"),
            price=Money(_price(number, line), "GBP"),
            shipping_price=Money(395 * (1 - line), "GBP"),
            commission=Money(_commission(number, line), "GBP"),
            commission_tax=Money(_part(_commission(number, line), 20), "GBP"),
        )
        for line in (0, 1)
    )
    total = sum((each.price for each in lines), Money(395, "GBP"))
    return OrderReceived(
        order_id=order_id,
        commercial_id=order_id[:-2],
        customer_order_number=f"JL{number:010}",
        state="SHIPPING",
        accept_by=None,
        ship_by=now + timedelta(days=2),
        currency="GBP",
        price=total - Money(395, "GBP"),
        shipping_price=Money(395, "GBP"),
        total_price=total,
        tax_mode="TAX_INCLUDED",
        shipping_type_code="STD",
        fulfilled_by_us=True,
        updated_at=now,
        lines=lines,
        occurred_at=now,
    )


def _posted(number: int, now: datetime) -> SalesOrderPosted:
    order_id = _order_id(number)
    prices = [_price(number, line) for line in (0, 1)]
    return SalesOrderPosted(
        order_id=order_id,
        reference=f"JL{number:010}",
        erp_order_code=f"SO{number}",
        found_by_lookup=False,
        taken_by=now,
        lines=tuple(
            PostedLine(
                line_id=f"{order_id}-{line + 1}",
                sku=f"SKU-{(number + line) % 5_000}",
                stock_code=f"SKU-{(number + line) % 5_000}",
                quantity=2,
                unit_gross=Money(price, "GBP"),
            )
            for line, price in enumerate(prices)
        ),
        gross_total=Money(sum(prices) + 395, "GBP"),
        occurred_at=now,
    )


def _refund(number: int, now: datetime) -> LineRefunded:
    order_id = _order_id(number)
    return LineRefunded(
        order_id=order_id,
        line_id=f"{order_id}-1",
        refund_id=f"R{number}",
        sku=f"SKU-{number % 5_000}",
        amount=Money(_price(number, 0) // 2, "GBP"),
        shipping_amount=ZERO,
        reason_code="14",
        units=1,
        state="REFUNDED",
        whole=False,
        occurred_at=now,
    )


def _cycle(cycle_id: str, total: Money, now: datetime) -> BillingCycle:
    return BillingCycle(
        cycle_id=cycle_id,
        created_at=now,
        currency="GBP",
        amount_to_seller=total,
        amount_to_operator=ZERO,
        payout_state="PAID",
        payout_reference=f"BACS-{cycle_id}",
        paid_at=now + timedelta(hours=12),
    )
