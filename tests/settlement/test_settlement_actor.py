"""Settlement, the shell: one journal a payout, and once-a-day calls that keep their hour."""

from datetime import datetime

import anyio
import msgspec
import pytest

from kcjl.errors import Refused, Unavailable
from kcjl.johnlewis.port import BillingCycle, TransactionLine
from kcjl.settlement.events import (
    AccountMapSet,
    BillingCycleSeen,
    CyclesRead,
    JournalIntended,
    JournalPrepared,
    LateLineFound,
    PayoutClosed,
    PayoutHeld,
    SettlementLineSeen,
    SettlementLineTied,
    TransactionsRead,
)
from tests.outside.marketplace import marketplace_order
from tests.outside.mishaps import Killed
from tests.rooms import Premises, Process
from tests.trade import SHIPPING, at, gbp

pytestmark = pytest.mark.anyio

PAYOUT = (PayoutHeld, PayoutClosed, JournalIntended, JournalPrepared)
DAY_S = 86_400


def transaction(
    line_id: str, amount: int, kind: str = "ORDER_AMOUNT", *, order_id: str | None = "O1"
) -> TransactionLine:
    return TransactionLine(
        line_id=line_id,
        kind=kind,
        amount=gbp(amount),
        created_at=at(1),
        updated_at=at(1),
        payment_state="PAYABLE",
        cycle_id="CY1",
        order_id=order_id,
        order_line_id=None if order_id is None else f"{order_id}-1",
        customer_order_number=None if order_id is None else f"REF-{order_id}",
    )


def cycle(amount: int, *, made: datetime, state: str = "PAID") -> BillingCycle:
    return BillingCycle(
        cycle_id="CY1",
        created_at=made,
        currency="GBP",
        amount_to_seller=gbp(amount),
        amount_to_operator=gbp(0),
        payout_state=state,
        payout_reference="BACS 1",
        paid_at=made if state == "PAID" else None,
    )


def premises(stated: int = 1_640) -> Premises:
    """One order, posted; its sale, its commission and the VAT on it; and a payout."""
    place = Premises()
    place.warehouse.put("A-1", 10)
    place.shop.offers_there["A-1"] = 10
    place.shop.place(marketplace_order(state=SHIPPING))
    place.shop.lines = [
        transaction("L1", 2_000),
        transaction("L2", -300, "COMMISSION_FEE"),
        transaction("L3", -60, "COMMISSION_VAT"),
        transaction("L4", -1_640, "PAYMENT", order_id=None),
    ]
    place.shop.cycles = [cycle(stated, made=at(2))]
    return place


async def post_all(process: Process) -> None:
    await process.do("offers", "levels", "intake", "new-skus", "posting")


async def a_day_later(place: Premises, process: Process) -> None:
    """The next morning both are read."""
    place.clock.tick(DAY_S)
    await process.do("transactions", "cycles")


async def test_payout_that_adds_up_is_closed_and_journalled() -> None:
    """Every penny tied, the journal prepared: done."""
    place = premises()
    async with place.open() as process:
        await post_all(process)
        await a_day_later(place, process)
        await process.do("payouts", "payouts")

    assert ["PayoutClosed", "JournalIntended", "JournalPrepared"] == await place.story(*PAYOUT)
    assert 3 == len(await place.said(SettlementLineTied))
    (journal,) = place.books.journals.values()
    assert gbp(0) == sum((each.debit - each.credit for each in journal.entries), gbp(0))


async def test_payout_with_a_residue_is_held_until_the_line_comes() -> None:
    """A line too few: held with the pence; the line comes, and it closes by itself."""
    place = premises(stated=1_700)
    async with place.open() as process:
        await post_all(process)
        await a_day_later(place, process)
        await process.do("payouts", "payouts", "judge")
        assert {"payout_open:CY1"} == set(process.desk.open)
        late = transaction("L5", 60, "NEW_FEE", order_id=None)
        place.shop.lines = [
            TransactionLine(
                **{name: getattr(late, name) for name in late.__struct_fields__}
                | {"updated_at": place.clock.now()}
            )
        ]
        await process.do("transactions", "payouts", "judge")

        assert {"unknown_line_type:NEW_FEE"} == set(process.desk.open)
        await process.settlement.set_accounts({"NEW_FEE": "7905"}, by="jo")
        await process.do("judge")
        assert set() == set(process.desk.open)
        place.shop.lines.append(transaction("L6", 5, "NEW_FEE", order_id=None))
        await process.do("transactions", "judge")
        assert set() == set(process.desk.open)
    assert [gbp(60)] == [each.residue for each in await place.said(PayoutHeld)]
    assert 1 == len(await place.said(PayoutClosed))


async def test_payout_with_a_line_of_an_unposted_order_is_held_until_it_is_posted() -> None:
    """A line whose order has no sales order keeps the payout open; posting it closes it."""
    place = premises()
    async with place.open() as process:
        await a_day_later(place, process)
        await process.do("payouts")
        (held,) = await place.said(PayoutHeld)
        await post_all(process)
        await process.do("payouts")

    assert ("L1", "L2", "L3") == held.untied
    assert 1 == len(await place.said(PayoutClosed))


@pytest.mark.parametrize("when", ["before", "after"])
async def test_restart_in_the_middle_of_a_journal_makes_no_second_one(when: str) -> None:
    """Killed while preparing: the same journal is prepared again, under the same reference."""
    place = premises()
    getattr(place.books.mishaps, when)("prepare", Killed())
    async with place.open() as process:
        await post_all(process)
        await a_day_later(place, process)
        with pytest.raises(Killed):
            await process.do("payouts")
    async with place.open() as process:
        await process.do("payouts", "payouts")

    assert 1 == len(place.books.journals)
    assert ["PayoutClosed", "JournalIntended", "JournalPrepared"] == await place.story(*PAYOUT)


async def test_journal_that_can_not_be_written_now_is_prepared_later() -> None:
    """A full disk, a wrong file: the intention stays, and nothing is posted twice."""
    place = premises()
    place.books.mishaps.before("prepare", Unavailable(), Refused())
    async with place.open() as process:
        await post_all(process)
        await a_day_later(place, process)
        with pytest.raises(Unavailable):
            await process.do("payouts")
        with pytest.raises(Refused):
            await process.do("payouts")
        await process.do("payouts")

    assert 1 == len(await place.said(JournalIntended))
    assert 1 == len(await place.said(JournalPrepared))


async def test_closing_and_journal_are_of_the_same_lines() -> None:
    """A payout is never closed without its journal: both are in the log, or neither."""
    place = premises()
    async with place.open() as process:
        await post_all(process)
        await a_day_later(place, process)
        await process.do("payouts")

    positions = [
        recorded.position
        for recorded in await place.recorded()
        if isinstance(recorded.event, PayoutClosed | JournalIntended)
    ]
    assert positions[0] + 1 == positions[1]


async def test_lines_that_come_again_are_nothing_new() -> None:
    """The overlap of two reads writes nothing twice."""
    place = premises()
    async with place.open() as process:
        await process.do("transactions", "transactions")
    async with place.open() as process:
        await process.do("transactions")

    assert 4 == len(await place.said(SettlementLineSeen))
    assert 3 == len(await place.said(TransactionsRead))


async def test_cycles_are_read_once_a_day_also_over_restarts() -> None:
    """At half past six in London, once: a restart in between reads nothing."""
    place = premises()
    async with place.open() as process:
        await process.do("cycles")
        assert 0 == place.shop.mishaps.times("billing_cycles")
        place.clock.tick(DAY_S)
        await process.do("cycles", "cycles")
    async with place.open() as process:
        await process.do("cycles")

    assert 1 == len(await place.said(CyclesRead))
    assert 1 == len(await place.said(BillingCycleSeen))


async def test_cycles_job_says_when_it_is_due() -> None:
    """It sleeps until the hour, not for a day from now."""
    place = premises()
    async with place.open() as process:
        job = next(job for job in process.settlement.jobs if job.name == "cycles")

        due_s = await job.run()

    assert 21.5 * 3_600 == due_s  # from nine in London's summer to half past six


async def test_accounts_that_a_person_names_are_used_from_then_on() -> None:
    """The map is policy: its version is in the journal's reference, the name on the event."""
    place = premises()
    async with place.open() as process:
        await post_all(process)
        await process.do("payouts")
        await process.settlement.set_accounts({"bank": "1200"}, by="jo")
        await a_day_later(place, process)
        await process.do("payouts")

    said = [each for each in await place.recorded() if isinstance(each.event, AccountMapSet)]
    assert ["opening policy", "jo"] == [each.by for each in said]
    (journal,) = place.books.journals.values()
    assert "1200" in {each.account for each in journal.entries}
    (intended,) = await place.said(JournalIntended)
    assert 2 == intended.policy_version


async def test_line_that_is_being_written_while_a_payout_closes_is_none_that_nobody_saw() -> (
    None
):
    """They take turns: it is one of the lines that the payout is closed on, or a late one."""
    place = premises()
    async with place.open() as process:
        await post_all(process)
        await a_day_later(place, process)
        late = transaction("L9", -25, "COMMISSION_FEE")
        late = msgspec.structs.replace(late, updated_at=place.clock.now())
        place.shop.lines.append(late)
        async with anyio.create_task_group() as group:
            group.start_soon(process.do, "payouts")
            group.start_soon(process.do, "transactions")
        await process.do("payouts")

    closed = await place.said(PayoutClosed)
    held = await place.said(PayoutHeld)
    assert bool(held) != bool(closed)
    assert len(closed) == len(await place.said(LateLineFound))
