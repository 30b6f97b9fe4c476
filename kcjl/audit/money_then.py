"""Settlement's tables as they were at each payout's closing, for who decides it again.

Promises: the room's own folds, and its own way of letting go: memory is bounded by the money
that is open. What the room reads again from the log is read again here, where the history can
be asked for streams; of an exported file it can't, and `known_of` answers None: not checkable.
Called by `what_if_payouts.py` and `shadow_payouts.py`.
"""

from collections.abc import Sequence
from typing import cast

from kcjl.actors import Room
from kcjl.clock import Clock, Ids
from kcjl.errors import Unavailable
from kcjl.log.port import Log, LogReader, Recorded
from kcjl.settlement.events import PAYMENT
from kcjl.settlement.expectation import Known
from kcjl.settlement.open_money import LETS_GO_ON, OpenMoney
from kcjl.settlement.sold import SoldOrder
from kcjl.settlement.state import ACCOUNTS, READS, TERMS, TERMS_KEY, Line, Reads, TermsInForce
from kcjl.vocabulary import Event

__all__ = ["MoneyThen"]


class MoneyThen(Room):
    """The settlement room's tables, without the room's ports and jobs."""

    name = "settlement"
    lets_go_on: tuple[type[Event], ...] = LETS_GO_ON

    def __init__(self, history: LogReader, clock: Clock, ids: Ids) -> None:
        """`clock` and `ids` are never asked."""
        super().__init__(cast("Log", history), clock, ids)
        self.money = OpenMoney(self)
        self.accounts = self.table(ACCOUNTS)
        self.terms = self.table(TERMS)
        self.reads = self.table(READS)

    def let_go(self, event: Event) -> None:
        self.money.let_go(event)

    async def hear(self, recorded: Recorded) -> None:
        """The next event."""
        await self.fold((recorded,))

    @property
    def terms_in_force(self) -> TermsInForce | None:
        return self.terms.get(TERMS_KEY)

    @property
    def last_reads(self) -> Reads | None:
        return self.reads.get("reads")

    def lines_of(self, cycle_id: str) -> Sequence[Line]:
        """The lines of a payout that count."""
        lines = self.money.lines.grouped(cycle_id)
        return [line for line in lines if line.seen.kind != PAYMENT]

    async def sold_of(self, order_id: str) -> SoldOrder | None:
        """None where the history can't be asked for it."""
        try:
            return (await self.money.sold_of((order_id,))).get(order_id)
        except Unavailable:
            return None

    async def known_of(self, lines: Sequence[Line], terms: TermsInForce | None) -> Known | None:
        """What a payout is held against; None where the history can't be asked for it."""
        order_ids = [*dict.fromkeys(each.seen.order_id for each in lines if each.seen.order_id)]
        reads = self.last_reads
        try:
            return Known(
                sold=await self.money.sold_of(order_ids),
                lines=await self.money.lines_of(order_ids),
                terms=terms,
                returns_are_told=reads.returns_read if reads else False,
            )
        except Unavailable:
            return None
