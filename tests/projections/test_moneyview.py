"""The monitor's money out of PostgreSQL: the payout of the contract's example, to the penny."""

from collections.abc import AsyncIterator

import pytest

from kcjl.database import AUDITOR, Database
from kcjl.errors import NotFound
from kcjl.money import Money
from kcjl.projections.reading import PostgresReadModels
from kcjl.readmodels_money import MoneyModels
from kcjl.settlement.received_events import PayoutReceived
from tests.audit.handmade import MERCHANT, Handmade
from tests.cli.test_payouts import shop
from tests.trade import at, gbp, money_line

__all__ = ["shop"]

pytestmark = pytest.mark.anyio


@pytest.fixture
async def money(shop: Handmade, database_dsn: str) -> AsyncIterator[MoneyModels]:
    """As the monitor has it: with the auditor's rights."""
    async with Database(database_dsn, role=AUDITOR) as database:
        yield PostgresReadModels(database, MERCHANT, shop.clock).money


async def test_payouts_have_the_held_one_first_and_each_its_figures(money: MoneyModels) -> None:
    """What needs a person stands first; what was not added up yet has no figure."""
    found = await money.payouts()
    held, booked = found.payouts

    assert (2, ["CY2", "CY1"]) == (found.total, [each.payout for each in found.payouts])
    assert ("held", gbp(500), None, gbp(500)) == (
        held.state,
        held.stated,
        held.expected,
        held.residue,
    )
    assert "differ by 5.00 GBP" in held.note
    assert ("done", gbp(2_102), gbp(0)) == (booked.state, booked.stated, booked.residue)
    assert booked.expected is not None
    assert booked.banked is None
    assert booked.journals == booked.to_enter
    assert booked.gaps > 0


async def test_payouts_are_found_by_part_of_a_journals_reference(money: MoneyModels) -> None:
    """Beyond the rows that a screen holds, too: the search is the database's."""
    (_, booked) = (await money.payouts()).payouts
    (reference,) = booked.journals
    found = await money.payouts(find=reference[3:9].lower())
    cut = await money.payouts(limit=1)

    assert [booked.payout] == [each.payout for each in found.payouts]
    assert (1, 2) == (len(cut.payouts), cut.total)
    assert (await money.payouts(find="no such")).payouts == ()


async def test_story_adds_up_to_what_is_stated_and_names_its_events(
    shop: Handmade, money: MoneyModels
) -> None:
    """The sum of the terms is the payout; gaps and journals have their place in the log."""
    story = await money.story("CY1")
    (journal,) = story.journals

    assert gbp(2_102) == sum((each.amount for each in story.terms), gbp(0))
    assert {None} != {each.position for each in story.terms}
    assert story.gaps_total == len(story.gaps) == story.payout.gaps
    assert sum((line.debit - line.credit for line in journal.entries), gbp(0)) == gbp(0)
    assert "to enter" == journal.place
    places = {each.position: each.type for each in story.moments}
    assert "JournalIntended" == places[journal.position or 0]
    assert "PayoutReconciled" == places[story.terms[0].position or 0]
    said = [each.position for each in story.gaps]
    types = {
        row["type"]
        for row in await shop.database.fetch(
            "select type from event where position = any($1::bigint[])", said
        )
    }
    assert {"GapFound"} == types


async def test_story_of_a_held_payout_adds_up_with_a_residue_that_has_no_name(
    money: MoneyModels,
) -> None:
    """No line says what it is of: that is the term which is left."""
    story = await money.story("CY2")

    assert [("residue", gbp(500))] == [(each.name, each.amount) for each in story.terms]
    assert ((), ()) == (story.journals, story.gaps)


async def test_story_of_a_payout_that_is_not_there_says_so(money: MoneyModels) -> None:
    """With what to do."""
    with pytest.raises(NotFound, match="kcjl payouts list"):
        await money.story("CY9")


async def test_money_that_has_come_is_banked_and_what_is_off_is_said(
    shop: Handmade, money: MoneyModels
) -> None:
    """The bank's word beside the marketplace's."""
    await shop.says(
        PayoutReceived(
            cycle_id="CY1",
            receipt=1,
            amount=gbp(2_100),
            received_on=at(0).date(),
            transferred=gbp(2_102),
            received=gbp(2_100),
            occurred_at=at(300),
        )
    )
    booked = (await money.payouts(find="CY1")).payouts[0]
    (receipt,) = (await money.story("CY1")).receipts

    assert gbp(2_100) == booked.banked
    assert "-0.02 GBP of a difference" in booked.note
    assert (1, gbp(2_100), "said by hand") == (receipt.number, receipt.amount, receipt.said)


async def test_what_no_payout_has_is_summed_by_day_and_by_order(
    shop: Handmade, money: MoneyModels
) -> None:
    """The build-up of the next payout: all of it, the oldest order first."""
    await shop.says(
        money_line("M1", 1_000, cycle=None, order_id="O2", minutes=2_000),
        money_line("M2", -150, "COMMISSION_FEE", cycle=None, order_id="O2", minutes=2_000),
    )
    built = await money.build_up()

    assert (gbp(1_550),) == built.amounts == built.payable
    assert 3 == built.lines
    assert [gbp(700), gbp(850)] == [each.amount for each in built.days]
    assert [("O1", 1, gbp(700)), ("O2", 2, gbp(850))] == [
        (each.order_id, each.lines, each.amount) for each in built.waiting
    ]
    assert 2 == built.waiting_total
    assert built.oldest_at == built.waiting[0].since


async def test_pennies_go_from_the_payout_to_the_journal(money: MoneyModels) -> None:
    """Each line with its stations, those that hold a word, and no more than are asked for."""
    ways = await money.ways("CY1")
    (first,) = await money.ways("CY1", limit=1)
    sold = await money.ways("CY1", find="o1-1")

    assert 14 == len(ways)
    assert ways[0] == first
    assert 0 < len(sold) < len(ways)
    assert {"payout", "line", "journal line"} <= {step.at for step in sold[0].steps}
    assert Money(2_102) == sum((each.amount for each in ways), gbp(0))
