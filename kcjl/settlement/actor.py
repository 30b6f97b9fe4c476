"""Settlement, the shell: reads lines and cycles, ties, closes payouts, prepares journals.

Promises: a journal is an intention, then a file; the file is derived from the payout, so that a
repeat is the same file. Once-a-day calls keep their hour across restarts. It holds no rule.
Called by `service.py`. Source: design 9; contract johnlewis b.6, d.1, e.
"""

from collections.abc import Mapping
from datetime import timedelta

from kcjl.actors import Job, Room
from kcjl.clock import Clock, Ids
from kcjl.johnlewis.port import BillingCycle, MarketplacePort, TransactionLine
from kcjl.ledger.port import Entry, Journal, LedgerPort
from kcjl.log.port import Log
from kcjl.orders.events import SalesOrderPosted
from kcjl.settings import SettlementSettings
from kcjl.settlement.decide import (
    cycles_due_at,
    decide_accounts,
    decide_cycle,
    decide_journal,
    decide_line,
    decide_payout,
    decide_tie,
)
from kcjl.settlement.events import (
    AccountMapSet,
    BillingCycleSeen,
    CyclesRead,
    JournalFile,
    JournalIntended,
    JournalPrepared,
    SettlementLineSeen,
    TransactionsRead,
)
from kcjl.settlement.state import (
    ACCOUNTS,
    CYCLES,
    LINES,
    READS,
    SALES_ORDERS,
    Cycle,
    CycleState,
)
from kcjl.vocabulary import Event

__all__ = ["Settlement"]

OVERLAP = timedelta(hours=1)
FIRST_BACK = timedelta(days=90)
CYCLES_BACK = timedelta(days=60)


class Settlement(Room):
    """The settlement actor."""

    name = "settlement"

    def __init__(
        self,
        log: Log,
        clock: Clock,
        ids: Ids,
        *,
        marketplace: MarketplacePort,
        ledger: LedgerPort,
        settings: SettlementSettings,
        opening_accounts: Mapping[str, str],
    ) -> None:
        super().__init__(log, clock, ids)
        self._marketplace = marketplace
        self._ledger = ledger
        self._settings = settings
        self._opening_accounts = dict(opening_accounts)
        self._started_at = clock.now()
        self.lines = self.table(
            LINES, watch=lambda line: line.wants_tie, group=lambda line: line.seen.cycle_id
        )
        self.cycles = self.table(CYCLES, watch=lambda each: each.state != CycleState.DONE)
        self.sales_orders = self.table(SALES_ORDERS)
        self.accounts = self.table(ACCOUNTS)
        self.reads = self.table(READS)
        every = timedelta(seconds=settings.transactions_poll_s)
        closing = (TransactionsRead, CyclesRead, SalesOrderPosted, AccountMapSet)
        self.jobs = (
            Job("transactions", self._read_transactions, every=every),
            Job("cycles", self._read_cycles, every=timedelta(days=1)),
            Job("payouts", self._close_payouts, every=every, wakes_on=closing),
        )

    async def set_accounts(self, named: Mapping[str, str], *, by: str) -> None:
        """The operator's command."""
        events = decide_accounts(self.accounts.get("accounts"), named, self.clock.now())
        await self.commit(events, by=by)

    async def _read_transactions(self) -> None:
        began = self.clock.now()
        reads = self.reads.get("reads")
        cursor = reads.transactions_cursor if reads else None
        since = cursor - OVERLAP if cursor else began - FIRST_BACK
        lines = await self._marketplace.transaction_lines(since)
        accounts = self.accounts.get("accounts")
        events: list[Event] = []
        for line in lines:
            own = accounts is not None and accounts.named(line.kind) is not None
            seen = _line_seen(line, own_account=own)
            events.extend(decide_line(self.lines.get(line.line_id), seen))
        await self.commit(events)
        await self.commit((TransactionsRead(cursor=began, read=len(lines), occurred_at=began),))

    async def _read_cycles(self) -> float | None:
        reads = self.reads.get("reads")
        last = reads.cycles_at if reads and reads.cycles_at else self._started_at
        now = self.clock.now()
        due = cycles_due_at(last, self._settings.cycles_read_at)
        if now < due:
            return (due - now).total_seconds()
        cycles = await self._marketplace.billing_cycles(now - CYCLES_BACK)
        events: list[Event] = []
        for cycle in cycles:
            seen = _cycle_seen(cycle)
            events.extend(decide_cycle(self.cycles.get(cycle.cycle_id), seen))
        await self.commit(events)
        await self.commit((CyclesRead(read=len(cycles), occurred_at=now),))
        return 0.0

    async def _close_payouts(self) -> None:
        if "accounts" not in self.accounts:
            await self.set_accounts(self._opening_accounts, by="opening policy")
        now = self.clock.now()
        ties: list[Event] = []
        for _, line in self.lines.watched():
            if line.seen.order_id is not None:
                ties.extend(decide_tie(line, self.sales_orders.get(line.seen.order_id), now))
        await self.commit(ties)
        for cycle_id, _ in self.cycles.watched():
            await self._advance(cycle_id)

    async def _advance(self, cycle_id: str) -> None:
        reads = self.reads.get("reads")
        now = self.clock.now()
        cycle, lines = self.cycles[cycle_id], self.lines.grouped(cycle_id)
        closing = decide_payout(
            cycle,
            lines,
            lines_read_at=reads.transactions_cursor if reads else None,
            close_on=self._settings.close_on,
            now=now,
        )
        for event in closing:
            cycle = CYCLES.evolve(cycle, event, cycle_id) or cycle
        # With the closing, and so of the very lines that it was closed on.
        journal = decide_journal(cycle, lines, self.accounts["accounts"], now)
        await self.commit((*closing, *journal), correlation_id=cycle_id)
        cycle = self.cycles[cycle_id]
        if cycle.state == CycleState.JOURNAL_OPEN and cycle.journal is not None:
            await self._prepare(cycle, cycle.journal)

    async def _prepare(self, cycle: Cycle, intended: JournalIntended) -> None:
        documents = await self._ledger.prepare(
            Journal(
                reference=intended.reference,
                posting_date=intended.posting_date,
                narrative=intended.narrative,
                entries=tuple(
                    Entry(
                        account=line.account,
                        tax_code=line.tax_code,
                        debit=line.debit,
                        credit=line.credit,
                        memo=line.memo,
                    )
                    for line in intended.lines
                ),
            )
        )
        await self.commit(
            (
                JournalPrepared(
                    cycle_id=cycle.cycle_id,
                    reference=intended.reference,
                    total=cycle.seen.amount_to_seller,
                    files=tuple(
                        JournalFile(name=each.name, sha256=each.sha256) for each in documents
                    ),
                    occurred_at=self.clock.now(),
                ),
            ),
            correlation_id=cycle.cycle_id,
        )


def _line_seen(line: TransactionLine, *, own_account: bool) -> SettlementLineSeen:
    return SettlementLineSeen(
        line_id=line.line_id,
        kind=line.kind,
        amount=line.amount,
        payment_state=line.payment_state,
        cycle_id=line.cycle_id,
        voucher=line.voucher,
        document_number=line.document_number,
        order_id=line.order_id,
        order_line_id=line.order_line_id,
        refund_id=line.refund_id,
        customer_order_number=line.customer_order_number,
        own_account=own_account,
        occurred_at=line.updated_at,
    )


def _cycle_seen(cycle: BillingCycle) -> BillingCycleSeen:
    return BillingCycleSeen(
        cycle_id=cycle.cycle_id,
        currency=cycle.currency,
        amount_to_seller=cycle.amount_to_seller,
        amount_to_operator=cycle.amount_to_operator,
        payout_state=cycle.payout_state,
        payout_reference=cycle.payout_reference,
        paid_at=cycle.paid_at,
        failure_reason=cycle.failure_reason,
        voucher=cycle.voucher,
        occurred_at=cycle.created_at,
    )
