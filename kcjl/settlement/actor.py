"""Settlement, the shell: reads lines and cycles, ties, closes payouts, prepares journals.

Promises: a journal is an intention, then a file; the file is derived from the payout, so that a
repeat is the same file. Once-a-day calls keep their hour across restarts. It holds no rule.
Called by `service.py`. Source: design 9; contract johnlewis b.6, d.1, e.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Protocol

import anyio

from kcjl.actors import Job, Room
from kcjl.clock import Clock, Ids
from kcjl.exceptions.events import WritesSwitched
from kcjl.johnlewis.account_port import InvoicePort
from kcjl.johnlewis.port import MarketplacePort, TransactionLine
from kcjl.ledger.port import DocumentShelf, LedgerPort, LiveLedger
from kcjl.log.port import Log
from kcjl.orders.events import OrderPassedOver, SalesOrderPosted
from kcjl.settings import SettlementSettings
from kcjl.settlement.accounts import decide_accounts, decide_terms
from kcjl.settlement.bookkeeping import Bookkeeping, journal_of
from kcjl.settlement.closing import MONTHS, MONTHS_KEY, MonthClosing, decide_close
from kcjl.settlement.decide import (
    Weighed,
    carried_balance,
    decide_acceptance,
    decide_payout,
    is_ripe,
)
from kcjl.settlement.events import (
    AccountMapSet,
    CyclesRead,
    JournalFile,
    JournalIntended,
    JournalPrepared,
    PayoutAccepted,
    SettlementLineSeen,
    TransactionsRead,
)
from kcjl.settlement.expectation import Known
from kcjl.settlement.filing import Filing
from kcjl.settlement.gap_events import GapFound
from kcjl.settlement.intake import (
    cycles_due_at,
    cycles_since,
    decide_cycle,
    decide_late,
    decide_line,
    decide_overdue,
    lines_plan,
)
from kcjl.settlement.journal import decide_acknowledged, decide_correction, decide_journals
from kcjl.settlement.matching import decide_tie
from kcjl.settlement.open_money import LETS_GO_ON, NO_CYCLE, OpenMoney
from kcjl.settlement.reading import cycle_seen, line_seen
from kcjl.settlement.receiving import Receiving
from kcjl.settlement.state import (
    ACCOUNTS,
    CYCLES,
    READS,
    TERMS,
    TERMS_KEY,
    Cycle,
    CycleState,
    Line,
)
from kcjl.settlement.terms import read_terms
from kcjl.vocabulary import Event

__all__ = ["Settlement", "SettlementMarketplace"]

LINES_A_TURN = 2_000
"""A page of theirs; then a payout that waits may have its turn."""


class SettlementMarketplace(MarketplacePort, InvoicePort, Protocol):
    """What of the marketplace settlement is made of."""


class Settlement(Room):
    """The settlement actor."""

    name = "settlement"
    lets_go_on: tuple[type[Event], ...] = LETS_GO_ON

    def __init__(
        self,
        log: Log,
        clock: Clock,
        ids: Ids,
        *,
        marketplace: SettlementMarketplace,
        ledger: LedgerPort,
        documents: DocumentShelf,
        settings: SettlementSettings,
        opening_accounts: Mapping[str, str],
        is_working_day: Callable[[date], bool],
        books: LiveLedger | None = None,
        books_every: timedelta = timedelta(hours=1),
    ) -> None:
        super().__init__(log, clock, ids)
        self._marketplace = marketplace
        self._ledger = ledger
        self._settings = settings
        self._opening_accounts = dict(opening_accounts)
        self._started_at = clock.now()
        self._turns = anyio.Lock()
        """Lines are judged and written, or a payout is: never both at once."""
        self._weighed: dict[str, Weighed] = {}
        self.money = OpenMoney(self)
        self.lines, self.cycles = self.money.lines, self.money.cycles
        self._filing = Filing(self, marketplace, documents)
        self.accounts = self.table(ACCOUNTS)
        self.terms = self.table(TERMS)
        self.reads = self.table(READS)
        self.receiving = Receiving(
            self,
            within_days=settings.bank.received_within_days,
            is_working_day=is_working_day,
        )
        self.months = self.table(MONTHS)
        every = timedelta(seconds=settings.transactions_poll_s)
        closing = (
            TransactionsRead,
            CyclesRead,
            SalesOrderPosted,
            OrderPassedOver,
            AccountMapSet,
            PayoutAccepted,
            JournalIntended,
            WritesSwitched,
        )
        self.jobs = (
            Job("transactions", self._read_transactions, every=every),
            Job("cycles", self._read_cycles, every=timedelta(days=1)),
            Job("invoices", self._read_invoices, every=timedelta(days=1)),
            Job("payouts", self._close_payouts, every=every, wakes_on=closing),
        )
        if books is not None:
            keeping = Bookkeeping(self, books, self.cycles, self.reads, every=books_every)
            wakes_on = (JournalPrepared, WritesSwitched)
            self.jobs += (Job("ledger", keeping.keep, every=books_every, wakes_on=wakes_on),)

    def let_go(self, event: Event) -> None:
        self.money.let_go(event)

    async def set_accounts(self, named: Mapping[str, str], *, by: str) -> None:
        """The operator's command."""
        events = decide_accounts(self.accounts.get("accounts"), named, self.clock.now())
        await self.commit(events, by=by)

    async def set_terms(self, document: str, reason: str, *, by: str) -> str:
        """The operator's command: the commission terms, as TOML."""
        known = self.terms.get(TERMS_KEY)
        events = decide_terms(known, read_terms(document), reason, self.clock.now())
        await self.commit(events, by=by)
        return f"commission terms {self.terms[TERMS_KEY].version} are looked at from now on"

    async def accept(self, cycle_id: str, reason: str, *, by: str) -> str:
        """The operator's command: what holds a payout is as it should be."""
        lines, cycle = self.lines.grouped(cycle_id), self.cycles.get(cycle_id)
        events = decide_acceptance(cycle, cycle_id, lines, reason, self.clock.now())
        await self.commit(events, by=by, correlation_id=cycle_id)
        return f"payout {cycle_id} is closed with what you accepted, when it is paid"

    async def reverse(self, cycle_id: str, reason: str, *, by: str) -> str:
        """The operator's command: undo the payout's journals, and make one anew."""
        events = decide_correction(
            self.cycles.get(cycle_id),
            cycle_id,
            self.accounts["accounts"],
            reason=reason,
            now=self.clock.now(),
            open_from=self._open_from,
        )
        await self.commit(events, by=by, correlation_id=cycle_id)
        made = [each.reference for each in events if isinstance(each, JournalIntended)]
        return f"journals {', '.join(made)} are made; enter them in this order"

    async def acknowledge(self, reference: str, ledger_number: str, *, by: str) -> str:
        """The operator's command: the journal is in the ledger, under this number."""
        cycles = (each for _, each in self.cycles.items())
        cycle = next(
            (
                each
                for each in cycles
                if any(one.intended.reference == reference for one in each.journals)
            ),
            None,
        )
        now = self.clock.now()
        await self.commit(decide_acknowledged(cycle, reference, ledger_number, now), by=by)
        return f"journal {reference} is {ledger_number} in the ledger"

    async def close_month(self, asked: MonthClosing, *, by: str) -> str:
        """The operator's command: the month is over, and was this."""
        reads = self.reads.get("reads")
        events = decide_close(
            self.months.get(MONTHS_KEY),
            self.cycles.values(),
            asked,
            lines_read_at=reads.transactions_cursor if reads else None,
            now=self.clock.now(),
        )
        await self.commit(events, by=by)
        return f"{asked.month:%B %Y} is closed; what comes late goes to the open month"

    @property
    def _open_from(self) -> date:
        closed = self.months.get(MONTHS_KEY)
        return date.min if closed is None else closed.open_from

    async def _read_transactions(self) -> None:
        began = self.clock.now()
        sweep_back = timedelta(days=self._settings.sweep_days)
        plan = lines_plan(self.reads.get("reads"), began, sweep_back=sweep_back)
        lines = await self._marketplace.transaction_lines(plan.since)
        for start in range(0, len(lines), LINES_A_TURN):
            async with self._turns:
                await self._take_in(lines[start : start + LINES_A_TURN])
        done = TransactionsRead(
            cursor=began, read=len(lines), swept=plan.swept, occurred_at=began
        )
        await self.commit((done,))

    async def _take_in(self, lines: Sequence[TransactionLine]) -> None:
        accounts = self.accounts.get("accounts")
        own = {each.role for each in accounts.accounts} if accounts is not None else set()
        came = [line_seen(line, own_account=line.kind in own) for line in lines]
        again = await self.money.before(came)
        events: list[Event] = []
        for seen in came:
            before = self.lines.get(seen.line_id) or again.lines.get(seen.line_id)
            if news := decide_line(before, seen):
                cycles = self._cycles_of(before, seen)
                events.extend((*news, *decide_late(before, seen, cycles)))
                for cycle_id in cycles:
                    self._weighed.pop(cycle_id, None)
        await self.commit(events, read_again=again.revisions)

    def _cycles_of(self, before: Line | None, seen: SettlementLineSeen) -> dict[str, Cycle]:
        ids = (before.seen.cycle_id if before is not None else None, seen.cycle_id)
        found = ((each, self.cycles.get(each)) for each in ids if each is not None)
        return {cycle_id: cycle for cycle_id, cycle in found if cycle is not None}

    def _due_s(self, last: datetime | None) -> float:
        """Seconds until what is read at London's hours is due again."""
        due = cycles_due_at(last or self._started_at, self._settings.cycles_read_at)
        return (due - self.clock.now()).total_seconds()

    async def _read_cycles(self) -> float | None:
        reads = self.reads.get("reads")
        if (due_s := self._due_s(reads.cycles_at if reads else None)) > 0:
            return due_s
        now = self.clock.now()
        open_cycles = [cycle for _, cycle in self.cycles.watched()]
        cycles = await self._marketplace.billing_cycles(cycles_since(open_cycles, now))
        events: list[Event] = []
        for cycle in cycles:
            events.extend(decide_cycle(self.cycles.get(cycle.cycle_id), cycle_seen(cycle)))
        await self.commit(events)
        overdue = decide_overdue(
            self.lines.grouped(NO_CYCLE),
            self.cycles.values(),
            said=reads.cycle_overdue if reads else False,
            cycle_days=self._settings.cycle_days,
            now=now,
        )
        await self.commit((*overdue, CyclesRead(read=len(cycles), occurred_at=now)))
        return 0.0

    async def _read_invoices(self) -> float | None:
        reads = self.reads.get("reads")
        if (due_s := self._due_s(reads.invoices_at if reads else None)) > 0:
            return due_s
        await self._filing.read()
        return 0.0

    async def _close_payouts(self) -> None:
        known = self.accounts.get("accounts")
        named = self._opening_accounts if known is None else {}
        opening = decide_accounts(known, named, self.clock.now())
        await self.commit(opening, by="opening policy")
        async with self._turns:
            await self._tie()
        for cycle_id, _ in self.cycles.watched():
            await self._advance(cycle_id)
        await self.receiving.look_again()

    async def _tie(self) -> None:
        untied = [line for _, line in self.lines.watched()]
        sold = await self.money.sold_of(line.seen.order_id or "" for line in untied)
        now = self.clock.now()
        ties: list[Event] = []
        for line in untied:
            if made := decide_tie(line, sold.get(line.seen.order_id or ""), now):
                ties.extend(made)
                self._weighed.pop(line.seen.cycle_id or NO_CYCLE, None)
        await self.commit(ties)

    async def _advance(self, cycle_id: str) -> None:
        async with self._turns:
            weighed = self._weigh(cycle_id)
            if self._weighed.get(cycle_id) != weighed:
                await self._close(cycle_id, weighed)
                self._weighed[cycle_id] = weighed
        cycle = self.cycles[cycle_id]
        if cycle.state != CycleState.JOURNAL_OPEN or not self.writes_allowed:
            return
        for each in cycle.journals:
            if each.prepared is None:
                await self._prepare(cycle, each.intended)

    def _weigh(self, cycle_id: str) -> Weighed:
        cycle, reads = self.cycles[cycle_id], self.reads.get("reads")
        return Weighed(
            cycle=cycle,
            lines_read_at=reads.transactions_cursor if reads else None,
            carried=carried_balance(self.cycles.values(), cycle.seen.currency),
            close_on=self._settings.close_on,
        )

    async def _close(self, cycle_id: str, weighed: Weighed) -> None:
        """The payout's closing and its journals, if it is time; or why it is held."""
        cycle, lines, now = weighed.cycle, self.lines.grouped(cycle_id), self.clock.now()
        known = await self._known(lines if is_ripe(weighed, lines) else ())
        closing = decide_payout(
            cycle,
            lines,
            known,
            lines_read_at=weighed.lines_read_at,
            close_on=weighed.close_on,
            carried=weighed.carried,
            now=now,
        )
        for event in closing:
            cycle = CYCLES.evolve(cycle, event, cycle_id) or cycle
        # With the closing, and so of the very lines that it was closed on.
        journals = decide_journals(
            cycle,
            lines,
            self.accounts["accounts"],
            now,
            cycle_days=self._settings.cycle_days,
            open_from=self._open_from,
        )
        gaps = [event for event in closing if isinstance(event, GapFound)]
        rest = [event for event in closing if not isinstance(event, GapFound)]
        await self.commit(gaps, correlation_id=cycle_id)
        # In one piece: a payout is never closed with a part of its journals.
        await self.commit((*rest, *journals), correlation_id=cycle_id)

    async def _known(self, lines: Sequence[Line]) -> Known:
        reads = self.reads.get("reads")
        order_ids = [*dict.fromkeys(each.seen.order_id for each in lines if each.seen.order_id)]
        return Known(
            sold=await self.money.sold_of(order_ids),
            lines=await self.money.lines_of(order_ids),
            terms=self.terms.get(TERMS_KEY),
            returns_are_told=reads.returns_read if reads else False,
        )

    async def _prepare(self, cycle: Cycle, intended: JournalIntended) -> None:
        documents = await self._ledger.prepare(journal_of(intended))
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
