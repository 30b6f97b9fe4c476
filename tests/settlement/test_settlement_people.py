"""Settlement, the shell: what people say, what comes late, invoices, and the kill switch."""

import hashlib
from datetime import datetime

import msgspec
import pytest

from kcjl.errors import Refused
from kcjl.johnlewis.account_port import Invoice
from kcjl.johnlewis.port import TransactionLine
from kcjl.settlement.asked import settlement_words
from kcjl.settlement.events import (
    JournalAcknowledged,
    JournalIntended,
    JournalPrepared,
    LateLineFound,
    PayoutClosed,
    PayoutHeld,
    SettlementLineTied,
    TransactionsRead,
)
from kcjl.settlement.gap_events import GapFound, PayoutReconciled
from kcjl.settlement.intake_events import (
    BillingCycleCame,
    BillingCycleOverdue,
    InvoiceDocumentKept,
    InvoiceDocumentMissing,
    InvoiceSeen,
    InvoicesRead,
)
from kcjl.settlement.journal import booked
from kcjl.settlement.terms_events import CommissionTermsSet
from tests.rooms import Premises, Process
from tests.settlement.test_settlement_actor import (
    DAY_S,
    a_day_later,
    cycle,
    post_all,
    premises,
    transaction,
)
from tests.trade import at, gbp

pytestmark = pytest.mark.anyio

replace = msgspec.structs.replace


async def say(process: Process, verb: str, **arguments: str) -> str | None:
    """A person's command, as the queue brings it."""
    answer = await settlement_words(process.settlement)[verb](arguments, "jo")
    for each in process.rooms:
        await each.catch_up()
    return answer


async def settle(place: Premises, process: Process) -> None:
    """The payout is read, closed, and its journal prepared."""
    await post_all(process)
    await a_day_later(place, process)
    await process.do("payouts", "payouts", "judge")


def put(place: Premises, *lines: TransactionLine) -> None:
    """The marketplace shows these, too, as updated now."""
    now: datetime = place.clock.now()
    place.shop.lines += [replace(line, updated_at=now, created_at=now) for line in lines]


# ── gaps and terms ──────────────────────────────────────────────────────────────────────────


async def test_terms_that_a_person_sets_find_the_gap_of_the_next_payout() -> None:
    """Agreed were ten percent, charged were fifteen: named, raised, and booked as charged."""
    place = premises()
    async with place.open() as process:
        document = "[[rates]]\npercent = 10"
        await say(process, "commission-terms-set", document=document, reason="as signed")
        await settle(place, process)

        assert "payout_gaps:CY1" in process.desk.open
    (terms,) = await place.said(CommissionTermsSet)
    (found,) = await place.said(PayoutReconciled)
    gaps = await place.said(GapFound)
    assert (1, 1) == (terms.version, found.terms_version)
    assert [("commission_rate", gbp(-100))] == [(each.kind, each.amount) for each in gaps]
    assert gbp(1_640) == found.transferred == found.lines_total
    assert gbp(1_740) == found.expected
    (journal,) = place.books.journals.values()
    assert gbp(300) in {each.debit for each in journal.entries}


# ── a person's word ─────────────────────────────────────────────────────────────────────────


async def test_payout_that_is_accepted_closes_and_books_the_residue_to_suspense() -> None:
    """Ten pence too much, agreed: closed, named, and in an account of its own."""
    place = premises(stated=1_650)
    async with place.open() as process:
        await settle(place, process)
        assert "payout_open:CY1" in process.desk.open
        await say(process, "payout-accept", cycle_id="CY1", reason="case 88")
        await process.do("payouts", "judge")

        assert "payout_open:CY1" not in process.desk.open
    assert 1 == len(await place.said(PayoutHeld))
    (closed,) = await place.said(PayoutClosed)
    assert gbp(10) == closed.residue
    (intended,) = await place.said(JournalIntended)
    assert 10 == booked((intended,))["John Lewis Suspense", ""]


async def test_journal_is_undone_made_anew_and_acknowledged() -> None:
    """Three files in the end; each has its number, and the clearing account is as it was."""
    place = premises()
    async with place.open() as process:
        await settle(place, process)
        await say(process, "set-accounts", commission="7105")
        await say(process, "payout-reverse", cycle_id="CY1", reason="wrong account")
        await process.do("payouts")
        for number, reference in enumerate(place.books.journals):
            await say(process, "payout-ack", reference=reference, ledger_number=f"J{number}")

        with pytest.raises(Refused, match="would book the same"):
            await say(process, "payout-reverse", cycle_id="CY1", reason="again")
    journals = await place.said(JournalIntended)
    assert ["payout", "reversal", "correction"] == [each.kind for each in journals]
    assert {} == booked(journals[:2])
    assert 3 == len(place.books.journals) == len(await place.said(JournalPrepared))
    assert ["J0", "J1", "J2"] == [
        e.ledger_number for e in await place.said(JournalAcknowledged)
    ]


async def test_journal_waits_while_writes_are_stopped() -> None:
    """Intended, and not brought: the kill switch holds for the books, too."""
    place = premises()
    async with place.open() as process:
        await post_all(process)
        await process.desk.switch_writes(allowed=False, reason="audit", by="jo")
        await a_day_later(place, process)
        await process.do("payouts")
        assert {} == place.books.journals
        assert 1 == len(await place.said(JournalIntended))
        await process.desk.switch_writes(allowed=True, reason="done", by="jo")
        await process.do("payouts")

    assert 1 == len(place.books.journals)


# ── what comes late ─────────────────────────────────────────────────────────────────────────


async def test_line_that_comes_late_is_raised_and_booked_by_a_correction() -> None:
    """The closed payout stays as it was; the correction is dated when it is made."""
    place = premises()
    async with place.open() as process:
        await settle(place, process)
        place.clock.tick(40 * DAY_S)
        put(place, transaction("L9", -25, "COMMISSION_FEE"))
        await process.do("transactions", "payouts", "judge")
        assert "late_line:CY1" in process.desk.open
        await say(process, "payout-reverse", cycle_id="CY1", reason="a late fee")
        await process.do("payouts", "judge")

        assert "late_line:CY1" not in process.desk.open
    assert [gbp(-25)] == [each.amount for each in await place.said(LateLineFound)]
    assert 1 == len(await place.said(PayoutClosed))
    first, _, corrected = await place.said(JournalIntended)
    assert (corrected.posting_date - first.posting_date).days >= 40
    assert 25 == booked((corrected,))["John Lewis Suspense", ""]


async def test_penalty_of_an_order_that_was_never_posted_is_tied_to_the_order() -> None:
    """There is no sale to tie it to, and there never will be."""
    place = premises()
    place.shop.lines = [transaction("L1", -500, "SELLER_PENALTY_FEE")]
    place.shop.cycles = [cycle(-500, made=at(2), state="TO_PAY")]
    async with place.open() as process:
        await process.do("offers", "intake")
        await a_day_later(place, process)
        await process.do("payouts")

    assert ["order"] == [each.to for each in await place.said(SettlementLineTied)]
    assert 1 == len(await place.said(PayoutClosed))


async def test_lines_are_swept_once_a_day() -> None:
    """The first read, and one a day after: they look back further."""
    place = premises()
    async with place.open() as process:
        await process.do("transactions", "transactions")
        place.clock.tick(DAY_S)
        await process.do("transactions", "transactions")

    swept = [each.swept for each in await place.said(TransactionsRead)]
    assert [True, False, True, False] == swept


# ── invoices, and cycles that do not come ───────────────────────────────────────────────────


def invoice(invoice_id: int = 981) -> Invoice:
    return Invoice(
        invoice_id=invoice_id,
        document_id="5f0a",
        kind="AUTO_INVOICE",
        state="COMPLETE",
        created_at=at(2),
        currency="GBP",
        total_including_tax=gbp(360),
        cycle_id="CY1",
    )


async def test_invoice_and_its_document_are_filed_once() -> None:
    """Seen and filed; the next day nothing is new, and nothing is fetched again."""
    place = premises()
    place.shop.invoices_there = [invoice()]
    place.shop.documents[981] = b"%PDF-1.7 an invoice"
    async with place.open() as process:
        for _ in range(2):
            place.clock.tick(DAY_S)
            await process.do("invoices", "invoices")

    assert 1 == len(await place.said(InvoiceSeen))
    (kept,) = await place.said(InvoiceDocumentKept)
    content = place.books.documents[kept.name]
    assert (hashlib.sha256(content).hexdigest(), len(content)) == (kept.sha256, kept.size_bytes)
    assert 1 == place.shop.mishaps.times("invoice_document")
    assert 2 == len(await place.said(InvoicesRead))


async def test_document_that_is_missing_is_raised_and_asked_for_every_day() -> None:
    """One that is missing keeps no other one waiting; it clears when it is there."""
    place = premises()
    place.shop.invoices_there = [invoice(), invoice(982)]
    place.shop.documents[982] = b"%PDF-1.7 another"
    async with place.open() as process:
        place.clock.tick(DAY_S)
        await process.do("invoices", "judge")
        assert {"invoice_document_missing:invoice 981"} == set(process.desk.open)
        place.clock.tick(DAY_S)
        await process.do("invoices")
        place.shop.documents[981] = b"%PDF-1.7 an invoice"
        place.clock.tick(DAY_S)
        await process.do("invoices", "judge")

        assert set() == set(process.desk.open)
    assert 1 == len(await place.said(InvoiceDocumentMissing))
    assert 2 == len(await place.said(InvoiceDocumentKept))


async def test_cycle_that_does_not_come_is_raised_and_clears_when_it_does() -> None:
    """Two weeks payable, and no cycle; then it comes."""
    place = premises()
    place.shop.cycles = []
    place.shop.lines = [replace(each, cycle_id=None) for each in place.shop.lines[:3]]
    async with place.open() as process:
        await process.do("transactions")
        place.clock.tick(14 * DAY_S)
        await process.do("cycles", "judge")
        assert "billing_cycle_overdue:billing cycles" in process.desk.open
        now = place.clock.now()
        place.shop.cycles = [cycle(1_640, made=now)]
        place.shop.lines = [
            replace(each, cycle_id="CY1", updated_at=now) for each in place.shop.lines
        ]
        await process.do("transactions")
        place.clock.tick(DAY_S)
        await process.do("cycles", "judge")

        assert "billing_cycle_overdue:billing cycles" not in process.desk.open
    assert 1 == len(await place.said(BillingCycleOverdue))
    assert 1 == len(await place.said(BillingCycleCame))
