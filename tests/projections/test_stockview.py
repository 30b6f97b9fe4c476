"""Stock for the monitor, from PostgreSQL: in order of need, found beyond the cut, explained."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from kcjl.database import AUDITOR, Database
from kcjl.events import vocabulary
from kcjl.projections.asofdatabase import AsOfDatabase
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.projections.reading import PostgresReadModels
from kcjl.readmodels_stock import ProductRow, StockReading
from kcjl.stock.events import (
    Figure,
    GuardFinding,
    HeldFigure,
    ImportLineRefused,
    OfferDrifted,
    PublishHeld,
    SkuAliasApproved,
    SkuConfirmed,
    StockImportFinished,
    StockImportIntended,
    StockPublishingSwitched,
)
from kcjl.stock.policy import PolicyDocument, Rule
from kcjl.stock.policy_events import StockPolicyApproved
from tests.audit.handmade import MERCHANT, Handmade, handmade
from tests.trade import at, confirmed, level, listed, ordered, received, stock_read, unmatched

pytestmark = pytest.mark.anyio

POLICY = StockPolicyApproved(
    version=1,
    document=PolicyDocument(rules=(Rule(name="house", buffer=2),)),
    valid_from=at(0),
    occurred_at=at(0),
)


@pytest.fixture
async def made(anyio_backend: str, database_dsn: str) -> AsyncIterator[Handmade]:
    async with handmade(database_dsn) as made:
        yield made


@pytest.fixture
async def stock(made: Handmade, database_dsn: str) -> AsyncIterator[StockReading]:
    async with Database(database_dsn, role=AUDITOR) as database:
        yield PostgresReadModels(database, MERCHANT, made.clock).stock


async def the_trade(made: Handmade) -> None:
    """One SKU matched, one refused, one without a code, one not asked, one that drifted."""
    skus = ("M-1", "R-1", "D-1")
    intended = StockImportIntended(
        publish_id="p1",
        figures=tuple(
            Figure(
                sku=sku,
                quantity=8,
                level=Decimal(10),
                in_flight=0,
                buffer=2,
                level_read_at=at(1),
                orders_read_at=at(1),
                before=5,
            )
            for sku in skus
        ),
        policy_version=1,
        lag_s=300,
        occurred_at=at(2),
    )
    finished = StockImportFinished(
        publish_id="p1",
        import_id="77",
        skus=skus,
        refused=(ImportLineRefused(sku="R-1", message="the offer is closed"),),
        occurred_at=at(3),
    )
    await made.says(
        POLICY,
        *(listed(sku) for sku in ("Q-1", "U-1", *skus)),
        *(confirmed(sku) for sku in skus),
        unmatched("U-1", "U-2"),
        *(level(10, sku) for sku in skus),
        stock_read(1),
        intended,
        finished,
        by="stock",
    )
    await made.says(
        OfferDrifted(
            sku="D-1",
            found=3,
            acknowledged=8,
            cause="foreign_writer",
            occurred_at=at(4),
        ),
        by="stock",
    )


def standings(rows: tuple[ProductRow, ...]) -> list[tuple[str, str]]:
    return [(row.sku, row.state) for row in rows]


async def test_skus_are_listed_in_order_of_need_with_their_sum(
    made: Handmade, stock: StockReading
) -> None:
    """What was refused first, then what drifted, what has no code, what was not asked; last
    what is well. What can be sold is the sum's figure.
    """
    await the_trade(made)
    cut = await stock.products()

    assert [
        ("R-1", "refused"),
        ("D-1", "confirmed"),
        ("U-1", "unmatched"),
        ("Q-1", "unasked"),
        ("M-1", "confirmed"),
    ] == standings(cut.rows)
    refused, drifted, unknown, unasked, well = cut.rows
    assert (8, 8, Decimal(10), 2, 0) == (
        well.can_be_sold,
        well.shown,
        well.level,
        well.held_back,
        well.in_flight,
    )
    assert (8, at(3)) == (well.acknowledged, well.acknowledged_at)
    assert ("R-1",) == refused.refused
    assert drifted.drifted
    assert (0, ("U-2",)) == (unknown.can_be_sold, unknown.nearest)
    assert (0, "the ERP has not been asked yet") == (unasked.can_be_sold, unasked.reason)
    assert (5, "", True, None, 1) == (
        cut.total,
        cut.stopped,
        cut.publishing,
        cut.held,
        cut.policy_version,
    )


async def test_list_that_is_cut_says_how_long_it_is_and_finds_what_is_beyond(
    made: Handmade, stock: StockReading
) -> None:
    """A part of the SKU, or the whole stock code, brings it among the rows; others follow."""
    await the_trade(made)
    cut = await stock.products(limit=2)
    by_sku = await stock.products(find="m-", limit=2)
    by_code = await stock.products(find="m-1", limit=1)

    assert (["R-1", "D-1"], 5) == ([row.sku for row in cut.rows], cut.total)
    assert ["M-1", "R-1"] == [row.sku for row in by_sku.rows]
    assert ["M-1"] == [row.sku for row in by_code.rows]


async def test_skus_of_one_stock_code_share_one_figure_also_beyond_the_cut(
    made: Handmade, stock: StockReading
) -> None:
    """An order of the one takes from the other's figure, though only one of them is shown."""
    await the_trade(made)
    alias = SkuAliasApproved(sku="Q-1", stock_code="M-1", occurred_at=at(5))
    said = SkuConfirmed(
        sku="Q-1",
        stock_code="M-1",
        discontinued=False,
        run_to_zero=False,
        stock_controlled=True,
        sales_multiple=None,
        display_cap=None,
        occurred_at=at(5),
    )
    await made.says(
        alias, said, level(10, "Q-1"), received("O9", ordered("O9-1", "Q-1", 1), minutes=6)
    )
    (only,) = (await stock.products(find="M-1", limit=1)).rows

    assert ("M-1", 0) == (only.sku, only.in_flight)
    assert 7 == only.can_be_sold
    story = await stock.story("m-1")
    assert story is not None
    assert ("Q-1",) == story.sum.shares_with


async def test_story_of_a_sku_has_its_terms_with_their_events_and_its_history(
    made: Handmade, stock: StockReading
) -> None:
    """The terms add up, each names a position of the log, and the events are told in order."""
    await the_trade(made)
    story = await stock.story("m-1")
    nobody = await stock.story("X-9")

    assert nobody is None
    assert story is not None
    assert story.sum.quantity == sum(term.units for term in story.sum.terms) == 8
    assert all(term.origins for term in story.sum.terms)
    buffer = next(term for term in story.sum.terms if term.name == "buffer")
    assert ("house", 1) == (buffer.rule, buffer.origins[0].position)
    assert "stock import 77 ended: the marketplace shows it" in [e.said for e in story.steps]
    positions = [each.origin.position for each in story.steps]
    assert positions == sorted(positions)


async def test_what_stops_the_figures_is_told_with_the_list(
    made: Handmade, stock: StockReading
) -> None:
    """A guard's hold with its findings; publishing that people have switched off."""
    await the_trade(made)
    finding = GuardFinding(
        guard="to_zero",
        skus=3,
        offered=5,
        examples=(HeldFigure(sku="M-1", before=8, after=0),),
    )
    await made.says(PublishHeld(hold_id="h1", findings=(finding,), occurred_at=at(7)))
    holding = await stock.products()
    await made.says(StockPublishingSwitched(on=False, reason="counting", occurred_at=at(8)))
    off = await stock.products()

    assert holding.held is not None
    assert ("h1", at(7), (finding,)) == (
        holding.held.hold_id,
        holding.held.since,
        holding.held.findings,
    )
    assert holding.publishing
    assert not off.publishing
    assert off.stopped.startswith("publishing is off (counting)")


async def test_stock_of_the_past_is_told_by_the_same_reading(
    made: Handmade, database_dsn: str
) -> None:
    """As of a position before the import: nothing was refused, nothing was acknowledged."""
    await the_trade(made)
    async with AsOfDatabase(database_dsn, MERCHANT, vocabulary(), PROJECTIONS) as past:
        await past.move(13)
        models = PostgresReadModels(past, MERCHANT, await past.clock())
        cut = await models.stock.products(find="m-1")
        story = await models.stock.story("m-1")

    assert {"unmatched", "unasked", "confirmed"} == {row.state for row in cut.rows}
    assert cut.rows[0].acknowledged is None
    assert story is not None
    assert 8 == story.sum.quantity
    assert 13 == story.sum.position
