"""Publishing, the shell: pace, guards, switch, imports without end, refusals, drift."""

from datetime import UTC, datetime

import pytest

from kcjl.errors import Misuse
from kcjl.johnlewis.port import OfferChange, StockImport, StockImportError, StockImportStatus
from kcjl.stock.events import (
    LevelRead,
    OfferActive,
    OfferDrifted,
    OfferGone,
    OfferInactive,
    OfferListed,
    OfferMended,
    OffersRead,
    PublishHeld,
    PublishHoldEnded,
    PublishReleased,
    StockFeedFresh,
    StockFeedStale,
    StockImportEndedLate,
    StockImportFinished,
    StockImportGivenUp,
    StockImportIntended,
)
from tests.outside.marketplace import marketplace_line, marketplace_order
from tests.rooms import Premises, Process
from tests.trade import SHIPPING, at

pytestmark = pytest.mark.anyio

READ = ("offers", "levels", "intake")
SKUS = [f"S-{number:02}" for number in range(20)]


def premises(*skus: str, units: int = 10) -> Premises:
    place = Premises()
    for sku in skus or ("A-1",):
        place.warehouse.put(sku, units)
        place.shop.offers_there[sku] = units
    return place


async def published(place: Premises, process: Process, *more: str) -> None:
    """Read both sides and publish, then follow the import to its end."""
    place.clock.tick(300)
    await process.do("levels", "intake", "publish", "publish", *more)


def running(import_id: str = "1") -> StockImport:
    return StockImport(import_id=import_id, status=StockImportStatus.RUNNING)


# ── the pace ────────────────────────────────────────────────────────────────────────────────


async def test_imports_go_once_a_minute_and_what_changed_meanwhile_goes_together() -> None:
    """Two changes within the minute are one import at its end."""
    place = premises("A-1", "B-2")
    async with place.open() as process:
        await process.do("offers")
        await published(place, process)
        for sku, units in (("A-1", 7), ("B-2", 6)):
            place.warehouse.put(sku, units)
            place.clock.tick(20)
            await process.do("levels", "intake", "publish")
        assert 1 == place.shop.mishaps.times("publish_stock")
        place.clock.tick(20)
        await process.do("publish")

    assert 2 == place.shop.mishaps.times("publish_stock")
    assert {"A-1": 7, "B-2": 6} == place.shop.offers_there


async def test_the_minute_is_kept_over_a_restart() -> None:
    """The pace is in the log: a new process does not begin it anew."""
    place = premises()
    async with place.open() as process:
        await process.do("offers")
        await published(place, process)
        place.warehouse.put("A-1", 7)
        place.clock.tick(30)
        await process.do("levels", "intake")
    async with place.open() as process:
        await process.do("publish")

    assert 1 == place.shop.mishaps.times("publish_stock")


# ── the guards ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("units", "guard"), [(0, "to_zero"), (100, "moved")])
async def test_mistaken_erp_publishes_nothing_until_a_person_says_so(
    units: int, guard: str
) -> None:
    """All levels 0, or all ten times as many: held, said once, and let go by a name."""
    place = premises(*SKUS)
    async with place.open() as process:
        await process.do("offers")
        await published(place, process)
        for sku in SKUS:
            place.warehouse.put(sku, units)
        await published(place, process, "judge")
        await published(place, process, "judge")

        assert {10} == set(place.shop.offers_there.values())
        (held,) = await place.said(PublishHeld)
        assert guard in {each.guard for each in held.findings}
        assert {"publish_held:stock"} == set(process.desk.open)

        answer = await process.stock.release(held.hold_id, by="jo")
        again = await process.stock.release(held.hold_id, by="jo")
        await published(place, process, "judge")

        assert "20 SKUs may " in answer
        assert (
            f"figures of 20 SKUs go out next, if no guard objects: S-00 from 10 to {units};"
            in answer
        )
        assert answer.endswith("and 17 more")
        assert "was let through before: nothing was changed" in again
        assert {units} == set(place.shop.offers_there.values())
        assert set() == set(process.desk.open)
    said = [each for each in await place.recorded() if isinstance(each.event, PublishReleased)]
    assert ["jo"] == [each.by for each in said]


async def test_hold_ends_by_itself_when_the_figures_are_sane_again() -> None:
    """The ERP was mended: what is right goes out without a hand."""
    place = premises(*SKUS)
    async with place.open() as process:
        await process.do("offers")
        await published(place, process)
        for units in (0, 9):
            for sku in SKUS:
                place.warehouse.put(sku, units)
            await published(place, process)

    assert 1 == len(await place.said(PublishHoldEnded))
    assert {9} == set(place.shop.offers_there.values())


async def test_first_publish_that_empties_the_window_is_held() -> None:
    """Before anything of ours was acknowledged, what is found there counts."""
    place = premises(*SKUS)
    for sku in SKUS:
        place.warehouse.put(sku, 0)
    async with place.open() as process:
        await process.do("offers")
        await published(place, process)

    assert 1 == len(await place.said(PublishHeld))
    assert {10} == set(place.shop.offers_there.values())


async def test_hold_and_its_release_stand_over_a_restart() -> None:
    """What was held stays held, and what was let go stays let go."""
    place = premises(*SKUS)
    async with place.open() as process:
        await process.do("offers")
        await published(place, process)
        for sku in SKUS:
            place.warehouse.put(sku, 0)
        await published(place, process)
    async with place.open() as process:
        await published(place, process)
        assert {10} == set(place.shop.offers_there.values())
        (held,) = await place.said(PublishHeld)
        await process.stock.release(held.hold_id, by="jo")
    async with place.open() as process:
        await published(place, process)

    assert {0} == set(place.shop.offers_there.values())


async def test_hold_stays_while_nobody_can_tell_what_the_figures_are() -> None:
    """Stock read and its orders not yet, or a process that has read neither: that is no word
    about the figures, and a person's release of this hold still fits.
    """
    place = premises(*SKUS)
    async with place.open() as process:
        await process.do("offers")
        await published(place, process)
        for sku in SKUS:
            place.warehouse.put(sku, 0)
        await published(place, process)
        place.clock.tick(300)
        await process.do("levels", "publish")
    async with place.open() as process:
        await process.do("publish")
        await published(place, process)

    assert 1 == len(await place.said(PublishHeld))
    assert () == tuple(await place.said(PublishHoldEnded))


async def test_what_has_run_out_goes_to_0_while_no_orders_can_be_read() -> None:
    """OR11 is silent for hours (seed 274): what the ERP has no more of is not sold on; what has
    merely fallen waits, and follows with the next orders.
    """
    place = premises("A-1", "B-2", "C-3")
    async with place.open() as process:
        await process.do("offers")
        await published(place, process)
        for sku, units in (("A-1", 0), ("B-2", 4), ("C-3", 15)):
            place.warehouse.put(sku, units)
        place.clock.tick(300)
        await process.do("levels", "publish")
        assert {"A-1": 10, "B-2": 10, "C-3": 10} == place.shop.offers_there
        place.clock.tick(300)
        await process.do("levels", "publish", "publish")
        assert {"A-1": 0, "B-2": 10, "C-3": 10} == place.shop.offers_there
    async with place.open() as process:
        place.warehouse.put("C-3", 0)
        place.clock.tick(590)
        await process.do("levels", "publish")
        assert {"A-1": 0, "B-2": 10, "C-3": 10} == place.shop.offers_there
        place.clock.tick(10)
        await process.do("publish", "publish")
        assert {"A-1": 0, "B-2": 10, "C-3": 0} == place.shop.offers_there
        await published(place, process)

    assert {"A-1": 0, "B-2": 4, "C-3": 0} == place.shop.offers_there


async def test_release_of_a_hold_that_is_not_open_is_refused() -> None:
    """A word for yesterday's hold lets nothing of today's go."""
    place = premises()
    async with place.open() as process:
        with pytest.raises(Misuse, match="none is open"):
            await process.stock.release("H1", by="jo")


async def test_switch_stops_publishing_and_nothing_else() -> None:
    """Off: reading goes on, nothing is sent; on: what changed goes out."""
    place = premises()
    async with place.open() as process:
        await process.do("offers")
        off = await process.stock.switch_publishing(on=False, reason="stocktaking", by="jo")
        twice = await process.stock.switch_publishing(on=False, reason="again", by="jo")
        place.warehouse.put("A-1", 4)
        await published(place, process, "judge")
        assert {"publishing_off:stock"} == set(process.desk.open)
        assert 0 == place.shop.mishaps.times("publish_stock")
        on = await process.stock.switch_publishing(on=True, reason="counted", by="jo")
        await published(place, process, "judge")

        assert set() == set(process.desk.open)
    assert 1 == len(await place.said(LevelRead))
    assert "is off, it was on: the figures of 1 SKU on offer stay" in off
    assert "publishing of stock is off already (stocktaking): nothing was changed" in twice
    assert "it was off (stocktaking). Now the figures of 1 SKU" in on
    assert "A-1 from 10 to 4" in on
    assert 4 == place.shop.offers_there["A-1"]


# ── imports ─────────────────────────────────────────────────────────────────────────────────


async def test_import_that_never_ends_is_given_up_raised_and_followed_by_fresh_figures() -> (
    None
):
    """An hour without an end: it is not waited for any more, and somebody is told."""
    place = premises()
    place.warehouse.put("A-1", 7)
    async with place.open() as process:
        await process.do(*READ, "publish")
        place.shop.imports["1"] = running()
        place.clock.tick(3_599)
        await process.do("publish")
        assert [] == await place.said(StockImportGivenUp)
        place.clock.tick(1)
        await process.do("publish", "judge")

        assert {"stock_import_stuck:stock"} == set(process.desk.open)
        assert 2 == place.shop.mishaps.times("publish_stock")
        await process.do("publish", "judge")
        assert set() == set(process.desk.open)


async def test_given_up_import_that_ends_after_all_has_its_figures_said_again() -> None:
    """It may have overwritten newer figures with older ones."""
    place = premises()
    async with place.open() as process:
        await process.do(*READ, "publish")
        place.shop.imports["1"] = running()
        place.clock.tick(3_600)
        await process.do("publish", "publish", "late")
        assert [] == await place.said(StockImportEndedLate)
        place.shop.imports["1"] = StockImport(import_id="1", status=StockImportStatus.COMPLETE)
        place.shop.offers_there["A-1"] = 99
        place.clock.tick(3_600)
        await process.do("late", "publish")

    assert [("A-1",)] == [each.skus for each in await place.said(StockImportEndedLate)]
    assert 10 == place.shop.offers_there["A-1"]


async def test_acknowledged_is_what_an_import_ended_with_not_what_was_sent() -> None:
    """Between sending and the end of the import the former figure stands."""
    place = premises()
    async with place.open() as process:
        await process.do("offers")
        await published(place, process)
        place.warehouse.put("A-1", 7)
        place.clock.tick(300)
        await process.do("levels", "intake", "publish")
        (shown,) = process.stock.products["a-1"].shown
        assert (10, 7) == (shown.acknowledged, shown.sent)
        place.clock.tick(20)
        await process.do("publish")
        (shown,) = process.stock.products["a-1"].shown

    assert (7, None, (10,), 20.0) == (
        shown.acknowledged,
        shown.sent,
        shown.former,
        shown.lag_s,
    )


async def test_lag_is_measured_from_the_stock_read_to_the_end_of_the_import() -> None:
    """What the speed buffer reckons with: nineteen of twenty imports took no longer."""
    place = premises()
    async with place.open() as process:
        await process.do(*READ, "publish")
        place.clock.tick(45)
        await process.do("publish")

        assert (45.0,) == process.stock.publishing.lags_s
        assert 45.0 == process.stock.publishing.lag_p95_s


async def test_order_seen_while_an_import_is_on_its_way_leaves_its_figure_in_doubt() -> None:
    """The marketplace lowers its own figure; which came first nobody can tell."""
    place = premises()
    async with place.open() as process:
        await process.do(*READ, "publish")
        place.shop.place(marketplace_order(state=SHIPPING))
        await process.do("intake", "publish")
        (shown,) = process.stock.products["a-1"].shown

    assert shown.quantity is None


@pytest.mark.parametrize(
    ("message", "tries"), [("does not exist", 1), ("busy, please come again", 2)]
)
async def test_refused_line_is_parked_or_tried_again_by_its_message(
    message: str, tries: int
) -> None:
    """What only a change of the offer mends waits for it; what passes is tried again."""
    place = premises()
    async with place.open() as process:
        await process.do(*READ, "publish")
        refuse(place, message)
        await process.do("publish")
        place.clock.tick(14 * 60)
        await process.do("publish")
        assert 1 == place.shop.mishaps.times("publish_stock")
        place.clock.tick(60)
        await process.do("publish")

    assert tries == place.shop.mishaps.times("publish_stock")


def refuse(place: Premises, message: str) -> None:
    place.shop.imports["1"] = StockImport(
        import_id="1",
        status=StockImportStatus.COMPLETE,
        lines_in_error=1,
        has_error_report=True,
    )
    place.shop.import_errors["1"] = (
        StockImportError(line_number=2, sku="A-1", message=message),
    )


async def test_parked_offer_is_sent_again_on_a_persons_word() -> None:
    """The offer was mended there: the word sends the figure, and clears the exception."""
    place = premises()
    async with place.open() as process:
        await process.do(*READ, "publish")
        refuse(place, "does not exist")
        await process.do("publish", "judge")
        assert {"stock_line_refused:A-1"} == set(process.desk.open)
        answer = await process.stock.retry("A-1", by="jo")
        place.clock.tick(60)
        await process.do("publish", "judge")

        assert set() == set(process.desk.open)
        assert (
            "A-1 was refused (does not exist) and is tried again: the figures of 1 SKU"
            in answer
        )
        with pytest.raises(Misuse, match="not refused"):
            await process.stock.retry("A-1", by="jo")
    assert 2 == place.shop.mishaps.times("publish_stock")


# ── the feed ────────────────────────────────────────────────────────────────────────────────


async def test_stale_feed_is_said_soft_then_hard_then_fresh_by_the_clock_alone() -> None:
    """Three polls without a read, then two hours; the first read after it ends both."""
    place = premises()
    async with place.open() as process:
        await process.do("levels", "freshness")
        for seconds in (899, 1, 6_299, 1):
            place.clock.tick(seconds)
            await process.do("freshness", "judge")
        assert {"stock_feed_stale:stock"} == set(process.desk.open)
        await process.do("levels", "freshness", "freshness", "judge")
        assert set() == set(process.desk.open)

    assert ["soft", "hard"] == [each.grade for each in await place.said(StockFeedStale)]
    assert 1 == len(await place.said(StockFeedFresh))


# ── read-back ───────────────────────────────────────────────────────────────────────────────


async def night(place: Premises, process: Process) -> None:
    """Past three in the morning, London."""
    now = place.clock.now()
    three = datetime(now.year, now.month, now.day + 1, 2, 0, 1, tzinfo=UTC)
    place.clock.tick((three - now).total_seconds())
    await process.do("offers", "intake", "drift", "publish", "publish", "judge")


async def test_foreign_writer_is_found_at_night_said_and_mended() -> None:
    """Somebody else wrote 99: raised, ours is said again, and in order the night after."""
    place = premises("A-1", "B-2")
    async with place.open() as process:
        await process.do("offers")
        await published(place, process)
        place.shop.offers_there["A-1"] = 99
        await night(place, process)
        assert {"offer_drifted:A-1"} == set(process.desk.open)
        assert 10 == place.shop.offers_there["A-1"]
        await night(place, process)

        assert set() == set(process.desk.open)
    (drifted,) = await place.said(OfferDrifted)
    assert (10, 99, "foreign_writer") == (drifted.acknowledged, drifted.found, drifted.cause)
    assert ["A-1"] == [each.sku for each in await place.said(OfferMended)]


async def test_order_that_we_had_not_seen_explains_a_fall() -> None:
    """The marketplace lowered its figure for an order: nobody else wrote, nothing is raised."""
    place = premises()
    async with place.open() as process:
        await process.do("offers")
        await published(place, process)
        place.shop.offers_there["A-1"] = 8
        place.clock.tick(18 * 3_600)
        place.shop.place(
            marketplace_order(
                "O1", marketplace_line(state=SHIPPING), state=SHIPPING, minutes=18 * 60 + 4
            )
        )
        await night(place, process)

        assert set() == {each for each in process.desk.open if "drifted" in each}
    assert ["order_not_yet_seen"] == [each.cause for each in await place.said(OfferDrifted)]


@pytest.mark.parametrize(
    ("lost", "cause"), [(("A-1", "B-2"), "lost_import"), (("A-1",), "half_applied")]
)
async def test_import_that_was_acknowledged_and_not_applied_is_told_from_a_foreign_writer(
    lost: tuple[str, ...], cause: str
) -> None:
    """The offers show what they had before: all of them, or some."""
    place = premises("A-1", "B-2")
    async with place.open() as process:
        await process.do("offers")
        await published(place, process)
        for sku in ("A-1", "B-2"):
            place.warehouse.put(sku, 7)
        await published(place, process)
        place.shop.offers_there.update(dict.fromkeys(lost, 10))
        await night(place, process)

    assert dict.fromkeys(lost, cause) == {
        each.sku: each.cause for each in await place.said(OfferDrifted)
    }
    assert {7} == set(place.shop.offers_there.values())


async def test_offers_are_listed_whole_at_the_start_and_at_night_only() -> None:
    """A list is a call for each hundred offers; what changed is one file an hour."""
    place = premises()
    async with place.open() as process:
        await process.do("offers")
        for _ in range(17):
            place.clock.tick(3_600)
            await process.do("offers")
        assert (1, 17) == (
            place.shop.mishaps.times("offers"),
            place.shop.mishaps.times("offer_changes"),
        )
        place.clock.tick(2 * 3_600)
        await process.do("offers")

    assert 2 == place.shop.mishaps.times("offers")
    assert [True, *[False] * 17, True] == [e.whole for e in await place.said(OffersRead)]


async def test_change_of_an_offer_that_we_do_not_know_has_the_list_read() -> None:
    """A file of changes names no SKU: a new offer is found in the list."""
    place = premises()
    async with place.open() as process:
        await process.do("offers")
        place.shop.offers_there["B-2"] = 3
        place.shop.changes_there = [OfferChange(offer_id=1, deleted=False, active=True)]
        place.clock.tick(3_600)
        await process.do("offers")

    assert ["A-1", "B-2"] == [each.sku for each in await place.said(OfferListed)]


async def test_inactive_and_gone_offers_are_said_and_get_no_figure_when_gone() -> None:
    """An inactive offer is raised with its reasons; one that is gone is left alone."""
    place = premises("A-1", "B-2")
    async with place.open() as process:
        await process.do("offers")
        await published(place, process)
        place.shop.inactive["A-1"] = ("NO_PRICE", "ZERO_QUANTITY")
        del place.shop.offers_there["B-2"]
        await night(place, process)
        assert {"offer_inactive:A-1"} == set(process.desk.open)
        place.shop.inactive.clear()
        place.warehouse.put("B-2", 3)
        await published(place, process)
        await night(place, process)
        assert set() == set(process.desk.open)

    assert [("NO_PRICE",)] == [each.reasons for each in await place.said(OfferInactive)]
    assert ["A-1"] == [each.sku for each in await place.said(OfferActive)]
    assert ["B-2"] == [each.sku for each in await place.said(OfferGone)]
    assert 1 == len(await place.said(StockImportIntended, StockImportFinished)) // 2
    assert "B-2" not in place.shop.offers_there
    assert at(0) < place.clock.now()
