"""The rooms on a Cloud feed: an order waits for the ERP, and stock for the ERP's word."""

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from kcjl.dispatch.events import ConfirmationIntended
from kcjl.exceptions.events import ExceptionCleared, ExceptionRaised, JobInterrupted
from kcjl.khaos.cloud import CloudFeedAdapter
from kcjl.khaos.cloud_feed import DocumentKind, Endpoint
from kcjl.khaos.cloud_inbound import HeardItem, HeardPackage, HeardShipment, HeardStatus
from kcjl.khaos.cloud_memory import MemoryCloudFeed
from kcjl.orders.decide_posting import wants_work
from kcjl.orders.events import (
    CancelledAfterPosting,
    PostingFetched,
    PostingIntended,
    PostingOverdue,
    PostingQueued,
    PostingRefused,
    SalesOrderPosted,
)
from kcjl.orders.state import Posting
from kcjl.stock.events import LevelRead
from tests.clockwork import MORNING
from tests.cloud.channel import cloud_settings
from tests.cloud.laws import level, product
from tests.outside.marketplace import marketplace_line, marketplace_order
from tests.outside.mishaps import Killed
from tests.rooms import Premises, Process
from tests.trade import SHIPPING

pytestmark = pytest.mark.anyio

POSTINGS = (
    PostingIntended,
    PostingQueued,
    PostingFetched,
    PostingOverdue,
    PostingRefused,
    SalesOrderPosted,
)
REF = "REF-O1"


class Feed(Premises):
    """Premises whose ERP is a Cloud channel; a test plays the ERP on the feed itself."""

    def __init__(self) -> None:
        super().__init__()
        self.feed = MemoryCloudFeed()
        self.erp = CloudFeedAdapter(
            cloud_settings(),
            clock=self.clock,
            feed=self.feed,
            vault=self.vault,
            keep_documents=timedelta(days=90),
        )
        self.warehouse = self.erp  # type: ignore[assignment]
        self.shop.offers_there["A-1"] = 10

    async def push(self, units: str = "10") -> None:
        """The ERP tells its products and a level."""
        now = self.clock.now()
        await self.feed.note_contact(Endpoint.STOCK, at=now)
        await self.feed.hear_products([product("A-1", "1")], [], at=now)
        await self.feed.hear_levels([level("A-1", units)], at=now)

    async def fetch(self) -> None:
        """The ERP takes all that waits."""
        now = self.clock.now()
        rows = await self.feed.waiting(DocumentKind.ORDER, after=0, rows_max=99)
        await self.feed.handed_out(
            DocumentKind.ORDER, [each.reference for each in rows], at=now
        )

    async def tell(self, word: str = "Received", *shipments: HeardShipment) -> None:
        heard = HeardStatus(
            references=(REF,), order_code="SO1", status=word, shipments=shipments
        )
        await self.feed.note_contact(Endpoint.STATUSES, at=self.clock.now())
        await self.feed.hear_statuses([heard], at=self.clock.now())


async def linked(*lines: object) -> Feed:
    """A feed that has pushed, and one order of two A-1."""
    place = Feed()
    await place.push()
    place.shop.place(marketplace_order("O1", *lines, state=SHIPPING))  # type: ignore[arg-type]
    return place


async def post(process: Process) -> None:
    await process.do("offers", "levels", "intake", "new-skus", "posting")


async def test_order_is_posted_when_the_erp_has_said_so() -> None:
    """Queued, fetched, heard of: only then has it the ERP's number; no total is waited for."""
    place = await linked()
    async with place.open() as process:
        await post(process)
        await process.do("posting", "posting")
        waiting = process.orders.orders["O1"]
        place.clock.tick(600)
        await place.fetch()
        await process.do("posting", "posting")
        place.clock.tick(600)
        heard_at = place.clock.now()
        await place.tell()
        place.clock.tick(60)
        await process.do("posting", "write-back", "posting")
        done = process.orders.orders["O1"]

    assert (Posting.QUEUED, MORNING + timedelta(minutes=45)) == (
        waiting.posting,
        waiting.queued_until,
    )
    assert ["PostingIntended", "PostingQueued", "PostingFetched", "SalesOrderPosted"] == (
        await place.story(*POSTINGS)
    )
    (posted,) = await place.said(SalesOrderPosted)
    assert ("SO1", heard_at, False) == (
        posted.erp_order_code,
        posted.taken_by,
        posted.shows_total,
    )
    assert {"O1": "SO1"} == place.shop.references
    assert not wants_work(done)


async def test_order_that_nobody_fetches_is_raised_once_and_goes_on() -> None:
    """Its time is the channel's; what is late is said, and clears by itself."""
    place = await linked()
    async with place.open() as process:
        await post(process)
        place.clock.tick(46 * 60)
        await process.do("posting", "posting", "posting", "judge")
        await place.fetch()
        await process.do("posting")
        place.clock.tick(121 * 60)
        await process.do("posting", "posting", "judge")
        await place.tell()
        await process.do("posting", "judge")

    said = [each.message for each in await place.said(PostingOverdue)]
    assert [
        "REF-O1 waits for the ERP, which has not fetched it",
        "REF-O1 waits for the ERP, which has not said that it has it",
    ] == said
    raised = [e for e in await place.said(ExceptionRaised) if e.kind == "posting_overdue"]
    cleared = [e for e in await place.said(ExceptionCleared) if e.kind == "posting_overdue"]
    assert (2, 2) == (len(raised), len(cleared))
    assert 1 == len(await place.said(PostingIntended))


async def test_order_killed_while_it_is_queued_is_found_in_the_outbox() -> None:
    """After a restart the outbox is looked up: nothing is queued twice."""
    place = await linked()
    create = place.erp.create_order

    async def kill(order: object) -> object:
        await create(order)  # type: ignore[arg-type]
        raise Killed

    place.erp.create_order = kill  # type: ignore[assignment]
    with pytest.raises(Killed):
        async with place.open() as process:
            await post(process)
    place.erp.create_order = create  # type: ignore[method-assign]
    async with place.open() as process:
        await process.do("posting", "posting")

    assert ["PostingIntended", "PostingQueued"] == await place.story(*POSTINGS)
    assert 1 == len(await place.feed.waiting(DocumentKind.ORDER, after=0, rows_max=9))


async def test_units_are_in_flight_until_stock_is_heard_after_the_erps_word() -> None:
    """A level pushed before the ERP said that it has the order proves nothing."""
    place = await linked()
    async with place.open() as process:
        await post(process)
        place.clock.tick(60)
        await place.fetch()
        await place.push("8")
        await process.do("levels", "posting", "levels")
        unsaid = process.stock.products["a-1"].units_in_flight
        place.clock.tick(60)
        await place.tell()
        await process.do("posting", "levels", "levels")
        unpushed = process.stock.products["a-1"].units_in_flight
        place.clock.tick(60)
        await place.push("8")
        pushed_at = place.clock.now()
        place.clock.tick(60)
        await process.do("levels")
        product_now = process.stock.products["a-1"]

    assert (2, 2, 0) == (unsaid, unpushed, product_now.units_in_flight)
    assert (pushed_at, Decimal(8)) == (product_now.level_read_at, product_now.level)


async def test_stock_pushed_between_word_and_lookup_ends_the_flight() -> None:
    """What counts is when the ERP said it, not when our room looked."""
    place = await linked()
    async with place.open() as process:
        await post(process)
        await place.fetch()
        place.clock.tick(60)
        await place.tell()
        place.clock.tick(60)
        await place.push("8")
        place.clock.tick(60)
        await process.do("levels", "posting", "levels")

        assert 0 == process.stock.products["a-1"].units_in_flight


async def test_silent_feed_interrupts_the_reading_and_records_no_level() -> None:
    """Nothing stale is taken for news."""
    place = await linked()
    async with place.open() as process:
        await process.do("offers", "levels")
        before = len(await place.said(LevelRead))
        place.clock.tick(2 * 3_600)
        with pytest.raises(Exception, match="not called us since"):
            await process.do("levels")

    assert before == len(await place.said(LevelRead))
    assert [] == await place.said(JobInterrupted)  # the room's own loop says it


async def test_order_cancelled_while_it_waits_is_said_when_the_erp_has_it() -> None:
    """No call takes it out of the ERP: a person cancels it there."""
    place = await linked()
    async with place.open() as process:
        await post(process)
        place.clock.tick(60)
        place.shop.place(marketplace_order(state="CANCELED", minutes=90))
        await process.do("intake", "posting")
        early = await place.said(CancelledAfterPosting)
        await place.fetch()
        await place.tell()
        await process.do("posting")

    assert [] == early
    assert 1 == len(await place.said(CancelledAfterPosting))


async def test_order_too_old_for_the_channel_is_refused_and_raised() -> None:
    """It would wait for ever: a person enters it."""
    place = Feed()
    await place.push()
    old = marketplace_order(state=SHIPPING, minutes=-100 * 24 * 60)
    place.shop.place(replace(old, updated_at=MORNING))
    async with place.open() as process:
        await post(process)

    (refused,) = await place.said(PostingRefused)
    assert "3 months" in refused.message


async def test_parcel_goes_to_the_lines_that_the_erp_names() -> None:
    """Two lines of one product: the second is shipped, and the second is confirmed."""
    lines = (
        marketplace_line("O1-1", quantity=1, state=SHIPPING),
        marketplace_line("O1-2", quantity=1, state=SHIPPING),
    )
    place = await linked(*lines)
    shipment = HeardShipment(
        shipment_id="S1",
        code="INV1",
        status="Issue",
        items=(HeardItem(line_ref="O1-2", stock_code="A-1", units=Decimal(1)),),
        packages=(
            HeardPackage(
                tracking_number="15500000000001",
                courier_name="DPD",
                courier_code=None,
                shipped_on=None,
            ),
        ),
    )
    async with place.open() as process:
        await process.do("carriers")
        await post(process)
        await place.fetch()
        await place.tell("PartialShip", shipment)
        await process.do("posting", "shipments", "confirm")

    (intended,) = await place.said(ConfirmationIntended)
    assert [("O1-2", 1)] == [(each.line_id, each.quantity) for each in intended.lines]
