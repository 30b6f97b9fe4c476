"""Stock, the shell: what is read, what is sent, and what a lost answer leads to."""

from decimal import Decimal

import msgspec
import pytest

from kcjl.errors import Refused, Unavailable
from kcjl.johnlewis.port import StockImport, StockImportError, StockImportStatus
from kcjl.stock.events import (
    BufferSet,
    LevelRead,
    OffersRead,
    SkuConfirmed,
    SkuUnmatched,
    StockImportFailed,
    StockImportFinished,
    StockImportIntended,
    StockImportSent,
    StockImportUnknown,
    StockRead,
    stock_key,
)
from kcjl.stock.gate import ASKED_TOGETHER
from kcjl.stock.policy_book import buffer_policy
from kcjl.stock.policy_events import StockPolicyApproved
from kcjl.stock.sweeps import SWEPT_TOGETHER
from tests.outside.marketplace import marketplace_order
from tests.outside.mishaps import LOST, Killed
from tests.rooms import Premises
from tests.trade import SHIPPING, at

pytestmark = pytest.mark.anyio

IMPORTS = (
    StockImportIntended,
    StockImportSent,
    StockImportUnknown,
    StockImportFinished,
    StockImportFailed,
)
READ = ("offers", "levels", "intake")


def premises() -> Premises:
    """One product with ten on the shelf, shown with three."""
    place = Premises()
    place.warehouse.put("A-1", 10)
    place.shop.offers_there["A-1"] = 3
    return place


async def test_publish_sends_what_differs_once_and_follows_it() -> None:
    """Read stock, then orders, then publish: sent once, followed to its end."""
    place = premises()
    async with place.open() as process:
        await process.do(*READ, "publish", "publish", "publish")

    assert ["StockImportIntended", "StockImportSent", "StockImportFinished"] == (
        await place.story(*IMPORTS)
    )
    assert 10 == place.shop.offers_there["A-1"]
    (finished,) = await place.said(StockImportFinished)
    assert () == finished.refused


async def test_publish_before_the_orders_were_read_sends_nothing() -> None:
    """Without orders read after the stock there is no figure."""
    place = premises()
    async with place.open() as process:
        await process.do("intake")
        place.clock.tick(1)
        await process.do("offers", "levels", "publish")
        assert 0 == place.shop.mishaps.times("publish_stock")
        await process.do("intake", "publish")

    assert 1 == place.shop.mishaps.times("publish_stock")


async def test_publish_without_a_policy_sends_nothing() -> None:
    """Before a buffer was said nothing is offered."""
    place = premises()
    async with place.open() as process:
        await process.do("publish")

    assert 0 == place.shop.mishaps.times("publish_stock")


async def test_publish_takes_off_what_is_on_its_way() -> None:
    """An order that the ERP has not taken yet is not offered again."""
    place = premises()
    place.shop.place(marketplace_order(state=SHIPPING))
    async with place.open() as process:
        await process.do(*READ, "publish")

    assert 8 == place.shop.offers_there["A-1"]


async def test_publish_counts_no_unit_twice_after_posting() -> None:
    """Taken by the ERP and not yet read again: still in flight; read again: gone from both."""
    place = premises()
    place.shop.place(marketplace_order(state=SHIPPING))
    async with place.open() as process:
        await process.do(*READ, "new-skus", "posting")
        assert 2 == process.stock.products["a-1"].units_in_flight
        place.clock.tick(300)
        await process.do("levels", "intake", "publish")
        assert 0 == process.stock.products["a-1"].units_in_flight

    assert Decimal(8) == place.warehouse.shelf["A-1"]
    assert 8 == place.shop.offers_there["A-1"]


async def test_publish_whose_answer_was_lost_is_sent_with_fresh_figures() -> None:
    """Figures are absolute: after a lost answer fresh ones are computed and sent."""
    place = premises()
    place.shop.mishaps.after("publish_stock", LOST)
    async with place.open() as process:
        await process.do(*READ, "publish")
        place.warehouse.put("A-1", 6)
        place.clock.tick(300)
        await process.do("levels", "intake", "publish")

    assert [
        "StockImportIntended",
        "StockImportUnknown",
        "StockImportIntended",
        "StockImportSent",
    ] == await place.story(*IMPORTS)
    assert 6 == place.shop.offers_there["A-1"]


async def test_restart_in_the_middle_of_a_publish_sends_fresh_figures() -> None:
    """Killed before the number of the import came: it is unknown, and said again."""
    place = premises()
    place.shop.mishaps.after("publish_stock", Killed())
    async with place.open() as process:
        await process.do(*READ)
        with pytest.raises(Killed):
            await process.do("publish")
    place.clock.tick(60)
    async with place.open() as process:
        await process.do("publish")
        await process.do("intake", "publish")

    assert [
        "StockImportIntended",
        "StockImportUnknown",
        "StockImportIntended",
        "StockImportSent",
    ] == await place.story(*IMPORTS)


async def test_restart_publishes_nothing_before_it_has_read_orders() -> None:
    """Orders that were placed while nothing ran are in no read that an earlier process made:
    our figure would offer their units again.
    """
    place = premises()
    async with place.open() as process:
        await process.do(*READ, "publish", "publish")
    place.clock.tick(3 * 86_400)
    place.shop.place(marketplace_order(state=SHIPPING))
    async with place.open() as process:
        await process.stock.set_buffer(3, by="jo")
        await process.do("publish")
        before = place.shop.offers_there["A-1"]
        await process.do(*READ[1:], "publish")

    there = place.shop.orders_there.values()
    units = sum(line.quantity for each in there for line in each.lines)
    assert (10, 7 - units) == (before, place.shop.offers_there["A-1"])


async def test_restart_after_a_publish_follows_it_and_sends_nothing() -> None:
    """The number of the import is in the log: it is followed, not sent again."""
    place = premises()
    async with place.open() as process:
        await process.do(*READ, "publish")
    async with place.open() as process:
        await process.do("publish")

    assert 1 == place.shop.mishaps.times("publish_stock")
    assert 1 == len(await place.said(StockImportFinished))


async def test_publish_that_is_running_is_waited_for() -> None:
    """One import at a time: the next one waits for the end of this."""
    place = premises()
    async with place.open() as process:
        await process.do(*READ, "publish")
        waiting = StockImport(import_id="1", status=StockImportStatus.RUNNING)
        place.shop.imports["1"] = waiting
        place.warehouse.put("A-1", 4)
        place.clock.tick(300)
        await process.do("levels", "intake", "publish")
        assert 1 == place.shop.mishaps.times("publish_stock")
        done = msgspec.structs.replace(waiting, status=StockImportStatus.COMPLETE)
        place.shop.imports["1"] = done
        await process.do("publish")

    assert 4 == place.shop.offers_there["A-1"]


async def test_publish_with_refused_lines_names_them() -> None:
    """The error lines of an import become exceptions."""
    place = premises()
    async with place.open() as process:
        await process.do(*READ, "publish")
        place.shop.imports["1"] = StockImport(
            import_id="1",
            status=StockImportStatus.COMPLETE,
            lines_in_error=1,
            has_error_report=True,
        )
        place.shop.import_errors["1"] = (
            StockImportError(line_number=1, sku="A-1", message="offer is closed"),
        )
        await process.do("publish", "judge")

        assert {"stock_line_refused:A-1"} == set(process.desk.open)


@pytest.mark.parametrize("end", ["failed", "gone"])
async def test_publish_that_failed_there_is_said_and_sent_again(end: str) -> None:
    """An import that the marketplace gave up, or has lost, is followed by a new one."""
    place = premises()
    async with place.open() as process:
        await process.do(*READ, "publish")
        if end == "gone":
            del place.shop.imports["1"]
        else:
            failed = StockImport(import_id="1", status=StockImportStatus.FAILED)
            place.shop.imports["1"] = failed
        place.clock.tick(60)
        await process.do("publish", "judge")

        assert {"stock_import_failed:stock"} == set(process.desk.open)
    assert 2 == place.shop.mishaps.times("publish_stock")


async def test_publish_that_is_refused_is_said_and_tried_again() -> None:
    """A no to the whole import is a failure of it, and an interruption of the job."""
    place = premises()
    place.shop.mishaps.before("publish_stock", Refused("shop is suspended"))
    async with place.open() as process:
        await process.do(*READ)
        with pytest.raises(Refused):
            await process.do("publish")
        place.clock.tick(60)
        await process.do("publish")

    assert ["StockImportFailed", "StockImportSent"] == await place.story(
        StockImportFailed, StockImportSent
    )


async def test_level_of_what_moved_is_read_although_the_first_try_failed() -> None:
    """A read that broke off in the middle is made good by the next one."""
    place = premises()
    async with place.open() as process:
        await process.do(*READ)
        place.clock.tick(300)
        place.warehouse.put("A-1", 4)
        place.clock.tick(300)
        place.warehouse.mishaps.before("stock_levels", Unavailable())
        with pytest.raises(Unavailable):
            await process.do("levels")
        await process.do("levels")

        assert Decimal(4) == process.stock.products["a-1"].level


async def test_level_whose_row_comes_twice_counts_once() -> None:
    """A doubled row is no doubled stock: found by the simulation, seed 11 (issue 6)."""
    place = premises()
    place.warehouse.rows_come = 2
    async with place.open() as process:
        await process.do(*READ, "publish", "publish")

        assert Decimal(10) == process.stock.products["a-1"].level
    assert 10 == place.shop.offers_there["A-1"]


async def test_catalogue_larger_than_a_step_is_read_whole() -> None:
    """Offers, answers and levels are in the log a thousand at a time, and none is missed."""
    place = Premises()
    codes = [f"L-{number:04}" for number in range(ASKED_TOGETHER + 500)]
    for code in codes:
        place.warehouse.put(code, 10)
        place.shop.offers_there[code] = 3
    async with place.open() as process:
        await process.do(*READ)
        products = list(process.stock.products.values())

    assert codes == [each.stock_code for each in products]
    assert {Decimal(10)} == {each.level for each in products}
    assert [ASKED_TOGETHER, 500] == [len(each) for each in place.warehouse.asked_levels]
    assert [len(codes)] == [each.products for each in await place.said(StockRead)]
    assert [len(codes)] == [each.offers for each in await place.said(OffersRead)]


async def test_large_catalogue_is_swept_in_parts_and_a_restart_goes_on_there() -> None:
    """An ERP that was set back says of nothing that it is otherwise: all is read again in time,
    and no poll waits for all of it.
    """
    place = Premises()
    codes = [f"L-{number:04}" for number in range(SWEPT_TOGETHER + 500)]
    for code in codes:
        place.warehouse.put(code, 10)
        place.shop.offers_there[code] = 3
    async with place.open() as process:
        await process.do(*READ)
        place.clock.tick(3 * 3_600)
        await process.do("levels")
    asked = place.warehouse.asked_levels
    place.clock.tick(3 * 3_600 - 300)
    asked.clear()
    async with place.open() as process:
        await process.do("levels")
    first = {code for each in asked for code in each}
    place.clock.tick(300)
    asked.clear()
    async with place.open() as process:
        await process.do("levels", "levels")
    rest = {code for each in asked for code in each}

    assert set(codes[:SWEPT_TOGETHER]) == first
    assert set(codes[SWEPT_TOGETHER:]) == rest
    halfway = stock_key(codes[SWEPT_TOGETHER - 1])
    reads = [(each.swept, each.swept_to) for each in await place.said(StockRead)]
    assert [(True, ""), (False, ""), (False, halfway), (True, ""), (False, "")] == reads


async def test_level_that_did_not_move_is_not_asked_for_again() -> None:
    """Only what moved, is new, or is in flight is asked for."""
    place = premises()
    async with place.open() as process:
        await process.do(*READ)
        place.clock.tick(300)
        await process.do("levels")
        place.clock.tick(300)
        await process.do("levels")

    assert [("A-1",), ("A-1",)] == place.warehouse.asked_levels
    assert 1 == len(await place.said(LevelRead))
    assert 3 == len(await place.said(StockRead))


async def test_level_that_moved_twice_under_one_stamp_is_read_twice() -> None:
    """The ERP's stamps are coarse: a second move right after the first is not overlooked."""
    place = premises()
    async with place.open() as process:
        await process.do(*READ)
        place.warehouse.put("A-1", 4)  # at the very stamp that was read
        place.clock.tick(300)
        await process.do("levels")

        assert Decimal(4) == process.stock.products["a-1"].level


async def test_level_of_a_move_without_a_stamp_is_always_read() -> None:
    """Where the ERP does not say when, every mention counts."""
    place = premises()
    place.warehouse.stamps = False
    async with place.open() as process:
        for units in (10, 4, 3):
            place.warehouse.put("A-1", units)
            await process.do(*READ)
            place.clock.tick(600)

        assert Decimal(3) == process.stock.products["a-1"].level


async def test_level_says_when_its_read_began_and_when_it_had_ended() -> None:
    """Both ends of the reading are known, for what is combined with it."""
    place = premises()
    async with place.open() as process:
        await process.do("offers", "levels")

    (read,) = await place.said(LevelRead)
    assert (at(0), at(0)) == (read.occurred_at, read.finished_at)


async def test_product_discontinued_while_we_were_away_is_noticed() -> None:
    """An edit between two processes is asked about by the second."""
    place = premises()
    async with place.open() as process:
        await process.do(*READ)
    place.clock.tick(6 * 3_600)
    place.warehouse.edit("A-1", discontinued=True)
    place.clock.tick(6 * 3_600)

    async with place.open() as process:
        await process.do("levels", "intake", "publish")

    assert [False, True] == [each.discontinued for each in await place.said(SkuConfirmed)]
    assert 0 == place.shop.offers_there["A-1"]


async def test_product_that_is_sold_again_is_offered_again_though_no_stock_moved() -> None:
    """Its level's status still said discontinued: the simulation, seed 2 (issue 6)."""
    place = premises()
    async with place.open() as process:
        await process.do(*READ, "publish", "publish")
        for discontinued, units in ((True, 9), (False, None)):
            place.clock.tick(600)
            place.warehouse.edit("A-1", discontinued=discontinued)
            if units is not None:
                place.warehouse.put("A-1", units)
            await process.do(*READ, "publish", "publish")

    assert 9 == place.shop.offers_there["A-1"]


async def test_product_edited_while_the_erp_was_away_is_noticed() -> None:
    """A read that broke off after the list of edits reads the list again."""
    place = premises()
    async with place.open() as process:
        await process.do(*READ)
        place.clock.tick(3_600)
        place.warehouse.edit("A-1", discontinued=True)
        place.clock.tick(4 * 3_600)
        place.warehouse.mishaps.before("products", Unavailable())
        with pytest.raises(Unavailable):
            await process.do("levels")
        await process.do("levels")

        assert process.stock.products["a-1"].discontinued


async def test_sku_that_the_erp_does_not_know_is_offered_at_nothing() -> None:
    """The gate: an offer without a stock code goes to 0, with the nearest codes."""
    place = premises()
    place.shop.offers_there["A1"] = 9
    async with place.open() as process:
        await process.do(*READ, "publish")

    assert {"A-1": 10, "A1": 0} == place.shop.offers_there
    (unmatched,) = await place.said(SkuUnmatched)
    assert ("A1", ("A-1",)) == (unmatched.sku, unmatched.nearest)


async def test_sku_of_an_order_is_asked_about_at_once() -> None:
    """A code that an order names first is asked about before the next round."""
    place = premises()
    async with place.open() as process:
        await process.do("levels")
        place.shop.place(marketplace_order(state=SHIPPING))
        await process.do("intake", "new-skus")

    assert ["A-1"] == [each.sku for each in await place.said(SkuConfirmed)]


async def test_opening_buffer_is_recorded_once() -> None:
    """The opening policy is the first word, also over restarts."""
    place = premises()
    place.opening_policy = buffer_policy(2)
    for _ in range(2):
        async with place.open() as process:
            await process.do(*READ, "publish")

    (opening,) = await place.said(StockPolicyApproved)
    assert (1, buffer_policy(2)) == (opening.version, opening.document)
    assert 8 == place.shop.offers_there["A-1"]


async def test_buffer_that_a_person_sets_carries_the_name() -> None:
    """Policy is history: who, when, from when."""
    place = premises()
    async with place.open() as process:
        await process.do(*READ)
        await process.stock.set_buffer(4, by="jo")
        await process.stock.set_buffer(4, by="jo")
        await process.do("publish")

    policies = (StockPolicyApproved, BufferSet)
    said = [each for each in await place.recorded() if isinstance(each.event, policies)]
    assert ["opening policy", "jo"] == [each.by for each in said]
    assert 6 == place.shop.offers_there["A-1"]
