"""A shop's account at the marketplace, drawn at random: what a settlement room may hear.

Some orders that are sold, settled over several billing cycles and refunded later; lines that
come late, leave a closed payout, change, or are sent again; a subscription; cycles below
nothing, and payouts that are off by pennies until a person accepts them.
Called by test_letting_go.py.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from random import Random

import msgspec

from kcjl.clock import SeededIds
from kcjl.errors import Refused
from kcjl.events import vocabulary
from kcjl.johnlewis.port import BillingCycle, TransactionLine
from kcjl.log.memory import MemoryLog, MemoryStore
from kcjl.log.port import Draft, Recorded
from kcjl.money import Money
from kcjl.orders.events_changes import LineRefunded
from kcjl.settings import SettlementSettings
from kcjl.settlement.actor import Settlement
from kcjl.settlement.state import CycleState
from kcjl.vocabulary import Event
from tests.clockwork import Clockwork
from tests.outside.erp import Books
from tests.outside.marketplace import Shop
from tests.trade import at, changed, gbp, posted, received

__all__ = ["ShopAccount"]

MERCHANT = "acme"
DAY_S = 86_400
ORDERS_A_CYCLE = 3
replace = msgspec.structs.replace


class ShopAccount:
    """The same chance is the same account, whatever the room makes of it."""

    def __init__(self, chance: Random, room: type[Settlement]) -> None:
        self.clock = Clockwork(at(18 * 24 * 60))  # so that a month ends on the way
        self.shop = Shop(self.clock)
        self.books = Books()
        self.store = MemoryStore()
        self._chance = chance
        self._room = room
        self._orders = 0
        self._sold: list[str] = []

    @asynccontextmanager
    async def room(self) -> AsyncIterator[Settlement]:
        """A process of its own: all that it knows is from the log."""
        epoch = self.store.take_over(MERCHANT)
        async with MemoryLog.open(self.store, MERCHANT, vocabulary(), self.clock, epoch) as log:
            settlement = self._room(
                log,
                self.clock,
                SeededIds(epoch),
                marketplace=self.shop,
                ledger=self.books,
                documents=self.books,
                settings=SettlementSettings(),
                opening_accounts={},
                is_working_day=lambda _: True,
            )
            await settlement.catch_up()
            yield settlement

    @property
    def recorded(self) -> Sequence[Recorded]:
        return self.store.shelf(MERCHANT).events

    async def live(self, cycles: int) -> None:
        """So many cycles of it, some in a process of their own."""
        for number in range(1, cycles + 1):
            async with self.room() as settlement:
                await self._say(settlement, self._sales())
                await self._day(settlement)
                self._bill(f"CY{number}")
                self._disturb()
                for _ in range(self._chance.randint(1, 3)):
                    await self._day(settlement)
                await self._people(settlement)
                await self._day(settlement)

    async def _say(self, settlement: Settlement, events: Sequence[Event]) -> None:
        drafts = [Draft(event=each, by="orders", correlation_id="day") for each in events]
        await settlement.log.append(drafts)

    def _sales(self) -> list[Event]:
        """Orders of a day, their lines, and refunds of orders of any day before."""
        events: list[Event] = []
        for _ in range(ORDERS_A_CYCLE):
            self._orders += 1
            order = received(f"O{self._orders}")
            events.append(order)
            lot = self._chance.random()
            if lot < 0.1:
                events.append(changed(order, "CANCELED"))
                self._put("SELLER_PENALTY_FEE", -100, order.order_id)
                continue
            if lot < 0.9:
                events.append(posted(order))
            self._sold.append(order.order_id)
            fee = self._chance.choice((-300, -300, -310))
            for kind, amount in (("ORDER_AMOUNT", 2_000), ("COMMISSION_FEE", fee)):
                self._put(kind, amount, order.order_id)
            self._put("COMMISSION_VAT", -60, order.order_id)
        if self._sold and self._chance.random() < 0.7:
            events += self._refund(self._chance.choice(self._sold))
        self._put("SUBSCRIPTION_FEE", -self._chance.choice((1_000, 8_000)), None)
        return events

    def _refund(self, order_id: str) -> list[Event]:
        refund = f"R{len(self.shop.lines)}"
        self._put("REFUND_ORDER_AMOUNT", -500, order_id, refund)
        if self._chance.random() < 0.7:
            self._put("REFUND_COMMISSION_FEE", 75, order_id, refund)
            self._put("REFUND_COMMISSION_VAT", 15, order_id, refund)
        said = LineRefunded(
            order_id=order_id,
            line_id=f"{order_id}-1",
            refund_id=refund,
            sku="A-1",
            amount=gbp(500),
            shipping_amount=gbp(0),
            reason_code="14",
            units=0,
            state="REFUNDED",
            whole=False,
            occurred_at=self.clock.now(),
        )
        return [said]

    def _put(
        self,
        kind: str,
        amount: int,
        order_id: str | None,
        refund: str | None = None,
        cycle: str | None = None,
    ) -> None:
        now = self.clock.now()
        self.shop.lines.append(
            TransactionLine(
                line_id=f"L{len(self.shop.lines):03}",
                kind=kind,
                amount=gbp(amount),
                created_at=now,
                updated_at=now,
                payment_state="PAYABLE",
                cycle_id=cycle,
                order_id=order_id,
                order_line_id=None if order_id is None else f"{order_id}-1",
                refund_id=refund,
                customer_order_number=None if order_id is None else f"REF-{order_id}",
            )
        )

    def _bill(self, cycle_id: str) -> None:
        """A cycle takes what is payable, or most of it; what it pays may be off by pennies."""
        now = self.clock.now()
        open_before = sum((each.amount_to_seller for each in self.shop.cycles[-1:]), gbp(0))
        total = min(open_before, gbp(0))  # a balance below nothing is carried over
        lines: list[TransactionLine] = []
        for line in self.shop.lines:
            if line.cycle_id is None and self._chance.random() < 0.9:
                line = replace(  # noqa: PLW2901 - as the marketplace does
                    line, cycle_id=cycle_id, updated_at=now, payment_state="PAID"
                )
                total += line.amount
            lines.append(line)
        self.shop.lines = lines
        self._put("PAYMENT", -total.amount_minor, None, cycle=cycle_id)
        off = self._chance.choice((0, 0, 0, 7))
        self.shop.cycles.append(_cycle(cycle_id, total + gbp(off), now))

    def _disturb(self) -> None:
        """What happens to lines of payouts that may be closed."""
        now, lot = self.clock.now(), self._chance.random()
        if lot < 0.3 and self._sold:
            cycle = self._chance.choice(self.shop.cycles).cycle_id
            self._put("COMMISSION_FEE", -25, self._chance.choice(self._sold), cycle=cycle)
        if 0.2 < lot < 0.7:
            place = self._chance.randrange(len(self.shop.lines))
            line = self.shop.lines[place]
            other = self._chance.choice(
                (
                    replace(line, amount=line.amount + gbp(3)),
                    replace(line, cycle_id=self._chance.choice(self.shop.cycles).cycle_id),
                    replace(line, voucher="000118"),
                    line,
                )
            )
            if line.kind != "PAYMENT":
                self.shop.lines[place] = replace(other, updated_at=now)

    async def _day(self, settlement: Settlement) -> None:
        """What the room does in a day; the reads sweep."""
        self.clock.tick(DAY_S)
        for name in ("transactions", "cycles", "payouts", "payouts"):
            await settlement.catch_up()
            (job,) = (job for job in settlement.jobs if job.name == name)
            await job.run()

    async def _people(self, settlement: Settlement) -> None:
        """They accept what is held, now and then undo a journal, and post what was not."""
        for cycle_id, cycle in list(settlement.cycles.items()):
            if cycle.state == CycleState.HELD and self._chance.random() < 0.7:
                await settlement.accept(cycle_id, "agreed", by="jo")
            elif cycle.state == CycleState.DONE and self._chance.random() < 0.3:
                account = {"commission": str(self._chance.randrange(3))}
                await settlement.set_accounts(account, by="jo")
                try:
                    await settlement.reverse(cycle_id, "as agreed", by="jo")
                except Refused:
                    continue  # it would book the same
        if self._chance.random() < 0.5:
            unposted = f"O{self._chance.randint(1, self._orders)}"
            await self._say(settlement, [posted(received(unposted))])


def _cycle(cycle_id: str, amount: Money, made: datetime) -> BillingCycle:
    return BillingCycle(
        cycle_id=cycle_id,
        created_at=made,
        currency="GBP",
        amount_to_seller=amount,
        amount_to_operator=gbp(0),
        payout_state="PAID" if amount.amount_minor > 0 else "TO_PAY",
        payout_reference="BACS 1",
        paid_at=made + timedelta(hours=2),
    )
