"""Settlement and a live ledger: entered once whatever happens, and what people do there."""

from datetime import timedelta

import pytest

from kcjl.errors import CredentialsRefused, OutcomeUnknown, Refused, Unavailable
from kcjl.settlement.events import JournalAcknowledged, JournalIntended
from kcjl.settlement.ledger_events import (
    JournalEntryIntended,
    JournalEntryRefused,
    JournalSeenInLedger,
    LedgerRead,
)
from tests.outside.live_books import LiveBooks
from tests.outside.mishaps import LOST, Killed
from tests.rooms import Premises, Process
from tests.settlement.test_settlement_actor import premises as without_books
from tests.settlement.test_settlement_people import say
from tests.settlement.test_settlement_people import settle as settle_payout
from tests.trade import gbp

pytestmark = pytest.mark.anyio

ENTRY = (JournalEntryIntended, JournalEntryRefused, JournalAcknowledged, JournalSeenInLedger)
HOUR_S = 3_600


def premises() -> tuple[Premises, LiveBooks]:
    place = without_books()
    books = LiveBooks(place.clock.now)
    place.live_books = books
    return place, books


async def settle(place: Premises, process: Process) -> None:
    """The ledger is there from the beginning; the payout is closed, its journal prepared."""
    await process.do("ledger")
    await settle_payout(place, process)


async def an_hour_later(place: Premises, process: Process) -> None:
    place.clock.tick(HOUR_S + 1)
    await process.do("ledger", "judge")


async def own_journal(place: Premises) -> JournalIntended:
    return (await place.said(JournalIntended))[0]


# ── entered ─────────────────────────────────────────────────────────────────────────────────


async def test_payout_s_journal_is_entered_once() -> None:
    """Intended, entered, acknowledged with the ledger's number; a second run does nothing."""
    place, books = premises()
    async with place.open() as process:
        await settle(place, process)
        await process.do("ledger", "ledger", "judge")

        assert set() == set(process.desk.open)
    journal = await own_journal(place)
    assert ["N1"] == books.numbers_of(journal.reference)
    assert [
        "JournalEntryIntended",
        "JournalAcknowledged",
        "JournalSeenInLedger",
    ] == await place.story(*ENTRY)
    (seen,) = await place.said(JournalSeenInLedger)
    assert ("N1", "draft", ()) == (seen.ledger_number, seen.state, seen.differences)


async def test_entry_whose_answer_is_lost_is_looked_for() -> None:
    """It was entered: found by its reference, and not entered again."""
    place, books = premises()
    books.mishaps.after("enter", LOST)
    async with place.open() as process:
        await settle(place, process)
        with pytest.raises(OutcomeUnknown):
            await process.do("ledger")
        await process.do("ledger")

    assert 1 == len(books.journals) == books.mishaps.times("enter")
    assert 1 == len(await place.said(JournalEntryIntended))
    assert 1 == len(await place.said(JournalAcknowledged))


async def test_entry_that_never_arrived_is_entered_after_a_look() -> None:
    """The same attempt again: its key is the same, should it arrive after all."""
    place, books = premises()
    books.mishaps.before("enter", LOST)
    async with place.open() as process:
        await settle(place, process)
        with pytest.raises(OutcomeUnknown):
            await process.do("ledger")
        await process.do("ledger")

    assert ["changed", "enter"] * 2 == books.mishaps.calls[:4]
    assert [1] == [each.attempt for each in await place.said(JournalEntryIntended)]
    assert 1 == len(books.journals)


@pytest.mark.parametrize("before", [True, False], ids=["before the effect", "after it"])
async def test_process_that_dies_between_intention_and_outcome_enters_one(
    *, before: bool
) -> None:
    """The next process looks first, and there is one journal."""
    place, books = premises()
    (books.mishaps.before if before else books.mishaps.after)("enter", Killed())
    async with place.open() as process:
        await settle(place, process)
        with pytest.raises(Killed):
            await process.do("ledger")
    async with place.open() as process:
        await process.do("ledger")

    assert 1 == len(books.journals)
    assert 1 == len(await place.said(JournalAcknowledged))


async def test_process_that_dies_before_the_look_enters_one() -> None:
    """The intention stands alone in the log: nothing is taken for done."""
    place, books = premises()
    books.mishaps.before("changed", Killed())
    async with place.open() as process:
        await settle(place, process)
        with pytest.raises(Killed):
            await process.do("ledger")
    async with place.open() as process:
        await process.do("ledger")

    assert 1 == len(books.journals)
    assert 1 == len(await place.said(JournalEntryIntended))


async def test_journal_is_not_entered_while_writes_are_stopped() -> None:
    """The kill switch holds for the live ledger."""
    place, books = premises()
    async with place.open() as process:
        await settle(place, process)
        await process.desk.switch_writes(allowed=False, reason="audit", by="jo")
        await process.do("ledger")
        assert {} == books.journals
        await process.desk.switch_writes(allowed=True, reason="done", by="jo")
        await process.do("ledger")

    assert 1 == len(books.journals)


async def test_journal_that_a_person_has_entered_is_not_entered_again() -> None:
    """`kcjl payouts ack` says that it is there."""
    place, books = premises()
    async with place.open() as process:
        await settle(place, process)
        reference = (await own_journal(place)).reference
        await say(process, "payout-ack", reference=reference, ledger_number="by hand")
        await process.do("ledger")

    assert {} == books.journals


async def test_journal_of_before_the_live_ledger_is_a_person_s() -> None:
    """It may have been keyed from its file: kcjl enters nothing that it had not begun with."""
    place, books = premises()
    place.live_books = None
    async with place.open() as process:
        await settle_payout(place, process)
    place.live_books = books
    async with place.open() as process:
        await process.do("ledger", "ledger")

    assert {} == books.journals
    assert 1 == len(await place.said(JournalIntended))


# ── refused ─────────────────────────────────────────────────────────────────────────────────


async def test_refused_journal_is_raised_and_clears_when_it_is_taken() -> None:
    """With the ledger's words; tried again later, as an attempt of its own."""
    place, books = premises()
    books.mishaps.before("enter", Refused("the period is locked"))
    async with place.open() as process:
        await settle(place, process)
        await process.do("ledger", "ledger", "judge")
        reference = (await own_journal(place)).reference
        assert {f"journal_refused:{reference}"} == set(process.desk.open)
        assert 1 == books.mishaps.times("enter")
        await an_hour_later(place, process)

        assert set() == set(process.desk.open)
    (refused,) = await place.said(JournalEntryRefused)
    assert "the period is locked" == refused.message
    assert [1, 2] == [each.attempt for each in await place.said(JournalEntryIntended)]


async def test_credentials_that_are_refused_are_no_refusal_of_the_journal() -> None:
    """The job is interrupted, and goes on when they are right."""
    place, books = premises()
    books.mishaps.before("enter", CredentialsRefused("no such client"))
    async with place.open() as process:
        await settle(place, process)
        with pytest.raises(CredentialsRefused):
            await process.do("ledger")
        await process.do("ledger")

    assert [] == await place.said(JournalEntryRefused)
    assert 1 == len(books.journals)


async def test_refused_journal_that_is_made_anew_is_never_entered() -> None:
    """Neither it nor its reversal: only what stands instead; nothing stays open."""
    place, books = premises()
    books.mishaps.before("enter", Refused("no such account"))
    async with place.open() as process:
        await settle(place, process)
        await process.do("ledger")
        await say(process, "set-accounts", commission="7105")
        await say(process, "payout-reverse", cycle_id="CY1", reason="right account")
        await process.do("payouts", "ledger")
        await an_hour_later(place, process)

        assert set() == set(process.desk.open)
    corrected = (await place.said(JournalIntended))[-1]
    assert [corrected.reference] == [each.reference for each in books.journals.values()]


async def test_journal_whose_entry_is_unclear_is_found_and_then_undone() -> None:
    """An attempt whose end nobody knows is looked for first, then its reversal is entered."""
    place, books = premises()
    books.mishaps.after("enter", LOST)
    async with place.open() as process:
        await settle(place, process)
        with pytest.raises(OutcomeUnknown):
            await process.do("ledger")
        await say(process, "set-accounts", commission="7105")
        await say(process, "payout-reverse", cycle_id="CY1", reason="right account")
        await process.do("payouts", "ledger")

    journals = await place.said(JournalIntended)
    assert [each.reference for each in journals] == [
        each.reference for each in books.journals.values()
    ]


# ── what people do there ────────────────────────────────────────────────────────────────────


async def test_draft_that_a_person_posts_is_noted() -> None:
    """No trouble: an event, and nothing is raised."""
    place, books = premises()
    async with place.open() as process:
        await settle(place, process)
        await process.do("ledger")
        books.mark("N1", "posted")
        await an_hour_later(place, process)

        assert set() == set(process.desk.open)
    assert ["draft", "posted"] == [e.state for e in await place.said(JournalSeenInLedger)]


async def test_journal_that_is_redated_is_raised_until_it_is_put_back() -> None:
    """Which date it has, and which it should have."""
    place, books = premises()
    async with place.open() as process:
        await settle(place, process)
        await process.do("ledger")
        journal = await own_journal(place)
        books.redate("N1", journal.posting_date + timedelta(days=40))
        await an_hour_later(place, process)
        assert {f"journal_differs:{journal.reference}"} == set(process.desk.open)
        books.redate("N1", journal.posting_date)
        await an_hour_later(place, process)

        assert set() == set(process.desk.open)
    seen = (await place.said(JournalSeenInLedger))[1]
    assert f"instead of {journal.posting_date:%d/%m/%Y}" in seen.differences[0]


async def test_journal_that_is_voided_is_raised_and_made_anew_without_a_reversal() -> None:
    """What is void is not undone once more."""
    place, books = premises()
    async with place.open() as process:
        await settle(place, process)
        await process.do("ledger")
        journal = await own_journal(place)
        books.mark("N1", "voided")
        await an_hour_later(place, process)
        assert {f"journal_differs:{journal.reference}"} == set(process.desk.open)
        await say(process, "payout-reverse", cycle_id="CY1", reason="voided by mistake")
        await process.do("payouts", "ledger", "judge")

        assert set() == set(process.desk.open)
    in_force = [each for each in books.journals.values() if each.state == "draft"]
    corrected = (await place.said(JournalIntended))[-1]
    assert [corrected.reference] == [each.reference for each in in_force]
    lines = [each for journal in in_force for each in journal.lines]
    assert gbp(0) == sum((each.amount for each in lines), gbp(0))


async def test_copy_of_a_journal_is_raised_until_it_is_gone() -> None:
    """The payout would be booked twice."""
    place, books = premises()
    async with place.open() as process:
        await settle(place, process)
        await process.do("ledger")
        place.clock.tick(60)
        copy = books.copy("N1")
        await an_hour_later(place, process)
        reference = (await own_journal(place)).reference
        assert {f"journal_differs:{reference}"} == set(process.desk.open)
        books.mark(copy, "deleted")
        await an_hour_later(place, process)

        assert set() == set(process.desk.open)


async def test_ledger_is_looked_at_once_an_hour_and_from_the_last_look_on() -> None:
    """A run that something else woke does not look; each look has its cursor."""
    place, books = premises()
    async with place.open() as process:
        await settle(place, process)
        await process.do("ledger", "ledger", "ledger")
        first = books.mishaps.times("changed")
        await an_hour_later(place, process)

    assert (2, 3) == (first, books.mishaps.times("changed"))
    reads = await place.said(LedgerRead)
    assert 3 == len(reads)
    assert reads[0].cursor < reads[1].cursor < reads[2].cursor


async def test_look_that_fails_concludes_nothing() -> None:
    """No cursor moves: the next look sees what this one has missed."""
    place, books = premises()
    async with place.open() as process:
        await settle(place, process)
        await process.do("ledger")
        books.mark("N1", "voided")
        place.clock.tick(HOUR_S + 1)
        books.mishaps.before("look", Unavailable("away"))
        with pytest.raises(Unavailable):
            await process.do("ledger")
        await process.do("ledger")

    assert "voided" == (await place.said(JournalSeenInLedger))[-1].state
