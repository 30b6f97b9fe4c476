"""Settlement, the shell: reads lines and cycles, ties, closes payouts, prepares journals.

Promises: a journal is an intention, then a file; the file is derived from the payout, so that a
repeat is the same file. Once-a-day calls keep their hour across restarts. It holds no rule.
Called by `service.py`. Source: design 9; contract johnlewis b.6, d.1, e.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Protocol

from kcjl.actors import Job, Room
from kcjl.clock import Clock, Ids
from kcjl.errors import ProtocolSurprise, Refused
from kcjl.exceptions.events import WritesSwitched
from kcjl.johnlewis.account_port import InvoicePort
from kcjl.johnlewis.port import MarketplacePort
from kcjl.ledger.port import DocumentShelf, Entry, Journal, LedgerPort
from kcjl.log.port import Log
from kcjl.money import Money
from kcjl.orders.events import OrderPassedOver, SalesOrderPosted
from kcjl.settings import SettlementSettings
from kcjl.settlement.accounts import decide_accounts, decide_terms
from kcjl.settlement.closing import MONTHS, MONTHS_KEY, MonthClosing, decide_close
from kcjl.settlement.decide import carried_balance, decide_acceptance, decide_payout
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
from kcjl.settlement.intake import (
    cycles_due_at,
    cycles_since,
    decide_cycle,
    decide_document,
    decide_invoice,
    decide_late,
    decide_line,
    decide_overdue,
    lines_plan,
)
from kcjl.settlement.intake_events import (
    InvoiceDocumentKept,
    InvoiceDocumentMissing,
    InvoicesRead,
)
from kcjl.settlement.journal import decide_acknowledged, decide_correction, decide_journals
from kcjl.settlement.matching import decide_tie
from kcjl.settlement.reading import cycle_seen, invoice_seen, line_seen
from kcjl.settlement.receiving import Receiving
from kcjl.settlement.sold import ORDER_MONEY, SOLD
from kcjl.settlement.state import (
    ACCOUNTS,
    CYCLES,
    INVOICES,
    LINES,
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

NO_CYCLE = ""
"""The group of lines that no cycle has yet."""
INVOICES_BACK = timedelta(days=60)


class SettlementMarketplace(MarketplacePort, InvoicePort, Protocol):
    """What of the marketplace settlement is made of."""


class Settlement(Room):
    """The settlement actor."""

    name = "settlement"

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
    ) -> None:
        super().__init__(log, clock, ids)
        self._marketplace = marketplace
        self._ledger = ledger
        self._documents = documents
        self._settings = settings
        self._opening_accounts = dict(opening_accounts)
        self._started_at = clock.now()
        self.lines = self.table(
            LINES,
            watch=lambda line: line.wants_tie,
            group=lambda line: line.seen.cycle_id or NO_CYCLE,
        )
        self.order_money = self.table(ORDER_MONEY)
        self.cycles = self.table(CYCLES, watch=lambda each: each.state != CycleState.DONE)
        self.invoices = self.table(INVOICES, watch=lambda each: each.document is None)
        self.sold = self.table(SOLD)
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
            self.lines.grouped(cycle_id),
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
        accounts = self.accounts.get("accounts")
        events: list[Event] = []
        for line in lines:
            own = accounts is not None and accounts.named(line.kind) is not None
            seen = line_seen(line, own_account=own)
            before = self.lines.get(line.line_id)
            if news := decide_line(before, seen):
                events.extend(
                    (*news, *decide_late(before, seen, self._cycles_of(before, seen)))
                )
        await self.commit(events)
        done = TransactionsRead(
            cursor=began, read=len(lines), swept=plan.swept, occurred_at=began
        )
        await self.commit((done,))

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
        now = self.clock.now()
        waiting = [each.seen.occurred_at for _, each in self.invoices.watched()]
        since = min((*waiting, now - INVOICES_BACK))
        invoices = await self._marketplace.invoices(since)
        events: list[Event] = []
        for invoice in invoices:
            known = self.invoices.get(str(invoice.invoice_id))
            events.extend(decide_invoice(known, invoice_seen(invoice)))
        await self.commit(events)
        for _, each in self.invoices.watched():
            outcome = await self._fetch_document(each.seen.invoice_id)
            await self.commit(decide_document(each, outcome))
        await self.commit((InvoicesRead(read=len(invoices), occurred_at=now),))
        return 0.0

    async def _fetch_document(
        self, invoice_id: int
    ) -> InvoiceDocumentKept | InvoiceDocumentMissing:
        try:
            content = await self._marketplace.invoice_document(invoice_id)
        except (Refused, ProtocolSurprise) as error:
            return InvoiceDocumentMissing(
                invoice_id=invoice_id, message=error.message, occurred_at=self.clock.now()
            )
        kept = await self._documents.keep(f"invoice-{invoice_id}.pdf", content)
        return InvoiceDocumentKept(
            invoice_id=invoice_id,
            name=kept.name,
            sha256=kept.sha256,
            size_bytes=len(content),
            occurred_at=self.clock.now(),
        )

    async def _close_payouts(self) -> None:
        known = self.accounts.get("accounts")
        named = self._opening_accounts if known is None else {}
        opening = decide_accounts(known, named, self.clock.now())
        await self.commit(opening, by="opening policy")
        now = self.clock.now()
        ties: list[Event] = []
        for _, line in self.lines.watched():
            if line.seen.order_id is not None:
                ties.extend(decide_tie(line, self.sold.get(line.seen.order_id), now))
        await self.commit(ties)
        for cycle_id, _ in self.cycles.watched():
            await self._advance(cycle_id)
        await self.receiving.look_again()

    async def _advance(self, cycle_id: str) -> None:
        reads = self.reads.get("reads")
        now = self.clock.now()
        cycle, lines = self.cycles[cycle_id], self.lines.grouped(cycle_id)
        closing = decide_payout(
            cycle,
            lines,
            self._known(lines),
            lines_read_at=reads.transactions_cursor if reads else None,
            close_on=self._settings.close_on,
            carried=self._carried(cycle),
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
        await self.commit((*closing, *journals), correlation_id=cycle_id)
        cycle = self.cycles[cycle_id]
        if cycle.state != CycleState.JOURNAL_OPEN or not self.writes_allowed:
            return
        for each in cycle.journals:
            if each.prepared is None:
                await self._prepare(cycle, each.intended)

    def _carried(self, cycle: Cycle) -> Money | None:
        return carried_balance(self.cycles.values(), cycle.seen.currency)

    def _known(self, lines: Sequence[Line]) -> Known:
        reads = self.reads.get("reads")
        order_ids = {line.seen.order_id for line in lines} - {None}
        sold = {each: self.sold.get(each) for each in order_ids if each is not None}
        return Known(
            sold={each: entry for each, entry in sold.items() if entry is not None},
            lines={each: self._lines_of(each) for each in order_ids if each is not None},
            terms=self.terms.get(TERMS_KEY),
            returns_are_told=reads.returns_read if reads else False,
        )

    def _lines_of(self, order_id: str) -> Sequence[Line]:
        return [self.lines[each] for each in self.order_money[order_id].line_ids]

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
