"""What every keeper of the Cloud feed does, tried on PostgreSQL and on its memory twin."""

from datetime import timedelta
from decimal import Decimal

from kcjl.khaos.cloud_feed import CloudFeed, DocumentKind, Endpoint
from kcjl.khaos.cloud_inbound import HeardLevel, HeardShipment, HeardStatus
from kcjl.khaos.stock_port import Product
from tests.clockwork import MORNING

ORDER, RETURN = DocumentKind.ORDER, DocumentKind.RETURN
LATER = MORNING + timedelta(minutes=5)
LAST = MORNING + timedelta(minutes=9)


def heard(
    *references: str, word: str = "Received", shipments: tuple[str, ...] = ()
) -> HeardStatus:
    return HeardStatus(
        references=references,
        order_code=f"SO-{references[0]}",
        status=word,
        shipments=tuple(shipment(each, word) for each in shipments),
    )


def shipment(key: str, word: str) -> HeardShipment:
    return HeardShipment(shipment_id=key, code=key, status=word, items=(), packages=())


def level(code: str, available: str, site: str = "1") -> HeardLevel:
    return HeardLevel(
        stock_code=code,
        stock_id="",
        site_id=site,
        available=Decimal(available),
        on_order=None,
        buildable=None,
    )


def product(code: str, stock_id: str | None = None) -> Product:
    return Product(
        stock_code=code,
        description="A lamp",
        discontinued=False,
        run_to_zero=False,
        stock_controlled=True,
        stock_id=stock_id,
    )


async def references(feed: CloudFeed, after: int = 0, rows_max: int = 10) -> list[str]:
    rows = await feed.waiting(ORDER, after=after, rows_max=rows_max)
    return [each.reference for each in rows]


class FeedLaws:
    """Ask for `feed` in a subclass."""

    async def test_reference_is_queued_once_in_any_case(self, feed: CloudFeed) -> None:
        """The ERP compares without case: one order, however its reference is written."""
        assert await feed.queue(ORDER, "JL1", at=MORNING)
        assert not await feed.queue(ORDER, "jl1", at=LATER)

        row = await feed.queued(ORDER, "jL1")
        assert row is not None
        assert ("JL1", MORNING, None, None) == (
            row.reference,
            row.queued_at,
            row.fetched_at,
            row.heard_at,
        )

    async def test_outbox_is_handed_out_in_order_and_bounded(self, feed: CloudFeed) -> None:
        """First queued, first fetched; kinds are apart."""
        for each in ("B", "A", "C"):
            await feed.queue(ORDER, each, at=MORNING)
        await feed.queue(RETURN, "R", at=MORNING)

        assert ["B", "A"] == await references(feed, rows_max=2)
        assert ["R"] == [r.reference for r in await feed.waiting(RETURN, after=0, rows_max=9)]

    async def test_what_was_fetched_comes_again_only_from_before(self, feed: CloudFeed) -> None:
        """A repeated continuation brings the same orders; a later one brings the rest."""
        await feed.queue(ORDER, "A", at=MORNING)
        await feed.queue(ORDER, "B", at=MORNING)
        (first, second) = await feed.waiting(ORDER, after=0, rows_max=10)
        await feed.handed_out(ORDER, ["a"], at=LATER)

        assert ["A", "B"] == await references(feed, after=0)
        assert ["B"] == await references(feed, after=first.sequence)
        assert ["B"] == await references(feed, after=second.sequence)  # never handed out

    async def test_first_fetch_counts(self, feed: CloudFeed) -> None:
        """How long the ERP has had it is told from the first time."""
        await feed.queue(ORDER, "A", at=MORNING)
        await feed.handed_out(ORDER, ["A"], at=LATER)
        await feed.handed_out(ORDER, ["A"], at=LAST)

        row = await feed.queued(ORDER, "A")
        assert row is not None
        assert LATER == row.fetched_at

    async def test_status_confirms_and_takes_out_of_the_queue(self, feed: CloudFeed) -> None:
        """What the ERP has told of is not handed out any more, but can be asked for."""
        await feed.queue(ORDER, "A", at=MORNING)
        await feed.hear_statuses([heard("a")], at=LATER)

        assert [] == await references(feed)
        assert ["A"] == [e.reference for e in await feed.asked_for(ORDER, ["A", "nobody's"])]
        (known,) = await feed.statuses(["A", "nobody's"])
        assert ("SO-a", LATER, LATER) == (
            known.order_code,
            known.first_heard_at,
            known.heard_at,
        )

    async def test_status_before_the_queue_counts(self, feed: CloudFeed) -> None:
        """An order that the ERP has from elsewhere is not handed out."""
        await feed.hear_statuses([heard("A")], at=MORNING)
        await feed.queue(ORDER, "A", at=LATER)

        assert [] == await references(feed)

    async def test_reference_that_we_know_goes_before_the_surest(self, feed: CloudFeed) -> None:
        """Of what the ERP may have meant, the one in the outbox is meant."""
        await feed.queue(ORDER, "JL1", at=MORNING)
        await feed.hear_statuses([heard("other", "JL1")], at=LATER)

        assert 1 == len(await feed.statuses(["JL1"]))
        assert [] == list(await feed.statuses(["other"]))

    async def test_pushes_lay_upon_each_other(self, feed: CloudFeed) -> None:
        """A push that names one shipment leaves the others known; the order's word is new."""
        await feed.hear_statuses([heard("A", word="PartialShip", shipments=("1",))], at=MORNING)
        await feed.hear_statuses([heard("A", word="Complete", shipments=("2",))], at=LATER)
        await feed.hear_statuses([heard("A", word="Complete", shipments=("2",))], at=LATER)

        (known,) = await feed.statuses(["A"])
        assert "Complete" == known.status
        assert [("1", "PartialShip"), ("2", "Complete")] == [
            (each.shipment_id, each.status) for each in known.shipments
        ]
        assert (MORNING, LATER) == (known.first_heard_at, known.heard_at)

    async def test_last_level_of_a_code_and_site_holds(self, feed: CloudFeed) -> None:
        """By code without case, and by site; within a push too, and not from before."""
        pushed = [level("A-1", "5"), level("a-1", "4"), level("A-1", "9", site="2")]
        await feed.hear_levels(pushed, at=LATER)
        await feed.hear_levels([level("A-1", "7")], at=MORNING)

        found = await feed.levels(["a-1"])
        assert [("1", Decimal(4), LATER), ("2", Decimal(9), LATER)] == [
            (each.level.site_id, each.level.available, each.heard_at) for each in found
        ]
        assert ["1", "2"] == list(await feed.site_ids())

    async def test_levels_and_products_since_are_those_heard_since(
        self, feed: CloudFeed
    ) -> None:
        """What has not been pushed again has not moved."""
        await feed.hear_levels([level("A", "1")], at=MORNING)
        await feed.hear_levels([level("B", "1")], at=LATER)
        await feed.hear_products([product("A")], [], at=MORNING)
        await feed.hear_products([product("B")], [], at=LATER)

        assert ["B"] == [e.level.stock_code for e in await feed.levels_since(LATER)]
        assert ["B"] == [e.product.stock_code for e in await feed.products_since(LATER)]

    async def test_deleted_and_renamed_products_are_off(self, feed: CloudFeed) -> None:
        """An id names one product: under a new code, the old one is gone."""
        await feed.hear_products([product("A", "1"), product("B", "2")], [], at=MORNING)
        await feed.hear_products([product("A2", "1")], ["2", "404"], at=LATER)

        found = await feed.products(["A", "a2", "B", "C"])
        assert [("A", True), ("A2", False), ("B", True)] == [
            (each.product.stock_code, each.deleted) for each in found
        ]

        await feed.hear_products([product("B", "2")], [], at=LAST)
        (back,) = await feed.products(["B"])
        assert (False, MORNING, LAST) == (back.deleted, back.first_heard_at, back.heard_at)

    async def test_contacts_are_the_last(self, feed: CloudFeed) -> None:
        """When the ERP called, by endpoint; time does not run back."""
        await feed.note_contact(Endpoint.ORDERS, at=LATER)
        await feed.note_contact(Endpoint.ORDERS, at=MORNING)
        await feed.note_contact(Endpoint.STOCK, at=MORNING)

        assert {Endpoint.ORDERS: LATER, Endpoint.STOCK: MORNING} == await feed.contacts()

    async def test_what_waits_is_never_forgotten(self, feed: CloudFeed) -> None:
        """Confirmed long ago is forgotten; an order that nobody fetched is not."""
        for each in ("waits", "fetched", "confirmed", "lately"):
            await feed.queue(ORDER, each, at=MORNING)
        await feed.queue(RETURN, "R-waits", at=MORNING)
        await feed.queue(RETURN, "R-fetched", at=MORNING)
        await feed.handed_out(ORDER, ["fetched"], at=MORNING)
        await feed.handed_out(RETURN, ["R-fetched"], at=MORNING)
        await feed.hear_statuses([heard("confirmed"), heard("lately")], at=MORNING)
        await feed.hear_statuses([heard("lately", word="Complete")], at=LAST)

        assert 3 == await feed.expire(LATER, rows_max=10)
        asked = ["waits", "fetched", "confirmed", "lately"]
        left = [each.reference for each in await feed.asked_for(ORDER, asked)]
        assert ["waits", "fetched", "lately"] == left
        assert ["lately"] == [each.reference for each in await feed.statuses(asked)]
        assert ["R-waits"] == [
            each.reference for each in await feed.asked_for(RETURN, ["R-waits", "R-fetched"])
        ]
