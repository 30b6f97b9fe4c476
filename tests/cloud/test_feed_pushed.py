"""What the ERP pushes over HTTP: statuses, levels, products; in every spelling, any number of
times, and read back through the ERP's port.
"""

import json
from datetime import date, timedelta
from decimal import Decimal

import aiohttp
import pytest

from kcjl.calls.port import Asked, CallOutcome
from kcjl.database import Database
from kcjl.errors import Unavailable
from kcjl.khaos.capabilities import Unsupported
from kcjl.khaos.port import CreateOutcome, OrderStatus, Stage
from tests.clockwork import MORNING
from tests.cloud.channel import Channel, channel, level, status
from tests.khaos.samples import order

pytestmark = pytest.mark.anyio

REF = "JL100200300"
SHIPMENT = {
    "ID": "BFDP1",
    "Code": "INV106",
    "Status": "Issue",
    "Items": [
        {
            "OrderItemID": "1",
            "ShipmentItemID": "2",
            "SKU": "LAMP-OAK-01",
            "Quantity": 2.0,
            "ImportRef": f"{REF}-1",
        }
    ],
    "Packages": [
        {
            "ConsignmentRef": "1550099887766",
            "Courier": {"ID": "76", "Code": "DPD24", "Name": "DPD Next Day"},
            "ShipmentDate": "2026-10-02T23:30:00",
        }
    ],
}
XML_STATUS = f"""<?xml version="1.0"?>
<OrderStatuses xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><Statuses>
  <SalesOrderStatus>
    <OrderCode>SO70551</OrderCode><OrderID>2075</OrderID><Status>Complete</Status>
    <AssociatedRef>{REF}</AssociatedRef>
    <Shipments><Shipment><ID>BFDP1</ID><Code>INV106</Code><Status>Issue</Status>
      <Items><ShipmentItem><SKU>LAMP-OAK-01</SKU><Quantity>2.0</Quantity>
        <ImportRef>{REF}-1</ImportRef></ShipmentItem></Items>
      <Packages><ShipmentPackage><ConsignmentRef>1550099887766</ConsignmentRef>
        <Courier Code="DPD24" ID="76">DPD Next Day</Courier>
        <ShipmentDate>2026-10-02T23:30:00</ShipmentDate></ShipmentPackage></Packages>
    </Shipment></Shipments>
  </SalesOrderStatus>
</Statuses></OrderStatuses>""".encode()


async def found(erp: Channel, reference: str = REF) -> OrderStatus:
    there = await erp.adapter.find_order(reference)
    assert there is not None
    return there


async def queued(erp: Channel, reference: str = REF) -> None:
    await erp.adapter.create_order(order(external_ref=reference, ordered_at=MORNING))
    await erp.orders()


async def test_order_is_in_when_a_status_says_so(erp: Channel) -> None:
    """Fetched is not taken: only the ERP's own word is, with its number and its time."""
    await queued(erp)
    erp.clock.tick(300)
    assert 200 == (await erp.say(REF)).status
    there = await found(erp)

    assert there.queued is None
    assert ("SO-JL100200300", MORNING + timedelta(minutes=5), False) == (
        there.erp_order_code,
        there.heard_at,
        there.shows_total,
    )
    created = await erp.adapter.create_order(order(ordered_at=MORNING))
    assert CreateOutcome.ALREADY_EXISTS == created.outcome


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(
            {"Statuses": [status(REF, "Complete", OrderCode="SO70551", Shipments=[SHIPMENT])]}
        ).encode(),
        XML_STATUS,
    ],
    ids=["json", "xml"],
)
async def test_shipment_is_read_with_line_references(erp: Channel, body: bytes) -> None:
    """Which order line, which courier, which number, on which day in London."""
    assert 200 == (await erp.post("/order-status", body)).status
    (there,) = await erp.adapter.order_statuses([REF])

    assert ("SO70551", True, False) == (there.erp_order_code, there.complete, there.cancelled)
    (invoice,) = there.invoices
    assert ("INV106", Stage.SHIPPED, "Issue") == (
        invoice.invoice_code,
        invoice.stage,
        invoice.stage_raw,
    )
    (parcel,) = invoice.parcels
    assert ("BFDP1", True, "DPD Next Day", "DPD24", "1550099887766", date(2026, 10, 2)) == (
        parcel.parcel_key,
        parcel.shipped,
        parcel.courier_name,
        parcel.courier_code,
        parcel.tracking_number,
        parcel.shipped_on,
    )
    assert ((f"{REF}-1", "LAMP-OAK-01", Decimal(2)),) == parcel.line_refs
    assert (("LAMP-OAK-01", Decimal(2)),) == parcel.items


@pytest.mark.parametrize(
    "told",
    [
        {"Statuses": [{"OrderStatus": "Received", "AssociatedRef": REF}]},
        {"Statuses": {"Status": "Received", "AssociatedRef": REF}},
        {"statuses": [{"status": "Received", "associatedref": REF.lower(), "OrderCode": None}]},
        {"Statuses": [{"Status": "Received", "CustomData": REF, "AssociatedRef": "KCC-9"}]},
        {"Statuses": [status(REF, Shipments=None, Unheard={"Of": [1, {"a": None}]})]},
        {"ApiVersion": 10000, "Statuses": [status(REF)]},
    ],
)
async def test_every_spelling_of_a_status_is_read(erp: Channel, told: object) -> None:
    """The vendor's document contradicts itself; whichever it means is understood."""
    await queued(erp)

    assert 200 == (await erp.post("/order-status", told)).status
    assert (await found(erp)).queued is None


@pytest.mark.parametrize(
    ("form", "said"),
    [("KCC{0}", f"KCC{REF}"), ("{0}SPY", f"{REF}spy"), ("KCC{0}", REF), ("{0}", REF)],
)
async def test_reference_in_the_channels_format_is_ours(
    database: Database, form: str, said: str
) -> None:
    """What the channel adds to a reference is taken off again, and may be missing."""
    async with (
        aiohttp.ClientSession() as session,
        channel(database, session, order_ref_format=form) as erp,
    ):
        await queued(erp)
        await erp.say(said)

        assert (await found(erp)).queued is None


@pytest.mark.parametrize(
    ("stage", "dated", "shipped"),
    [
        ("Staging", True, False),
        ("Shipping", False, False),
        ("Shipping", True, True),
        ("Invoicing", True, True),
        ("Issue", False, True),
        ("Archived", False, True),
        ("ManualHold", False, False),
        ("SomethingNew", True, False),
    ],
)
async def test_parcel_is_shipped_by_its_stage_or_its_date(
    erp: Channel,
    stage: str,
    *,
    dated: bool,
    shipped: bool,
) -> None:
    """A date at an early stage is a plan; a customer is told of facts."""
    package = {"ShipmentDate": "2026-10-02T08:00:00"} if dated else {"ConsignmentRef": ""}
    await erp.say(REF, Shipments=[SHIPMENT | {"Status": stage, "Packages": [package]}])

    assert shipped == (await found(erp)).invoices[0].parcels[0].shipped


async def test_cancelled_order_is_shown_so(erp: Channel) -> None:
    """And it is in: the ERP had it."""
    await queued(erp)
    await erp.say(REF, "Cancelled")
    there = await found(erp)

    assert (True, None) == (there.cancelled, there.queued)


async def test_push_repeated_after_any_answer_changes_nothing(erp: Channel) -> None:
    """Any non-200 makes the ERP send again, and so may a lost answer."""
    await queued(erp)
    body = {"Statuses": [status(REF, "Complete", Shipments=[SHIPMENT])]}
    await erp.post("/order-status", body)
    before = await found(erp)
    erp.clock.tick(3_600)
    for _ in range(3):
        assert 200 == (await erp.post("/order-status", body)).status

    assert before == await found(erp)


async def test_bad_thing_spoils_no_other(erp: Channel) -> None:
    """400 with the reason, and what can be read is kept."""
    told = {"Statuses": [{"Status": "Received"}, status(REF), {"AssociatedRef": "JL2"}]}
    answer = await erp.post("/order-status", told)

    assert 400 == answer.status
    assert b"number 1: neither AssociatedRef nor CustomData" in answer.body
    assert b"number 3: neither Status nor OrderStatus" in answer.body
    assert "SO-JL100200300" == (await found(erp)).erp_order_code


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"3",
        b"{}",
        b"<a",
        b"<a/>",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Statuses>&e;</Statuses>',
    ],
    ids=lambda body: repr(body[:12]),
)
@pytest.mark.parametrize("path", ["/order-status", "/stock-status", "/stock"])
async def test_body_that_cannot_be_read_is_400(erp: Channel, path: str, body: bytes) -> None:
    """Never a 500: the ERP is told what was wrong, once and for all."""
    assert 400 == (await erp.post(path, body)).status


async def test_body_without_bound_is_400(database: Database) -> None:
    """Nobody fills our memory."""
    async with (
        aiohttp.ClientSession() as session,
        channel(database, session, body_bytes_max=1_000) as erp,
    ):
        answer = await erp.post("/stock", b" " * 2_000)

    assert 400 == answer.status
    assert b"more than 1,000 bytes" in answer.body


async def test_database_that_is_away_is_500_and_sent_again(
    database: Database, erp: Channel
) -> None:
    """Nothing is answered with 200 that is not kept."""
    await database.close()
    away = await erp.say(REF)
    await database.open()
    again = await erp.say(REF)

    assert [500, 200] == [away.status, again.status]
    assert "SO-JL100200300" == (await found(erp)).erp_order_code


async def test_unknown_fields_are_counted_by_name_and_passed_over(erp: Channel) -> None:
    """What the ERP says beyond the contract is noticed, and breaks nothing."""
    await erp.say(REF, Mood="sunny", Shipments=[SHIPMENT | {"Colour": {"Of": "box"}}])
    await erp.sync_log.flush()

    assert {"Statuses.Mood", "Statuses.Shipments.Colour"} == {
        each.field for each in await erp.calls.surprises()
    }


async def test_price_lists_and_provided_stock_are_answered(erp: Channel) -> None:
    """We set no prices and have no stock master; the ERP is not left without an answer."""
    posted = await erp.post("/price-lists", {"UploadPriceLists": []})
    got = await erp.get("/provided-stock")

    assert [200, 200] == [posted.status, got.status]
    assert {} == got.tree()


async def test_call_that_was_refused_is_noted_as_refused(erp: Channel) -> None:
    """The sync log tells a body that could not be read from one that could."""
    await erp.post("/order-status", b"{")
    await erp.sync_log.flush()

    (kept,) = await erp.calls.newest(Asked(), 9)
    assert (CallOutcome.REFUSED, "BAD_BODY", 1) == (
        kept.call.outcome,
        kept.call.reason_code,
        kept.call.bytes_received,
    )


# ── stock ───────────────────────────────────────────────────────────────────────────────────


async def test_levels_carry_the_time_at_which_they_were_heard(erp: Channel) -> None:
    """By site; what is not stock-controlled has no quantity."""
    await erp.levels(level("A-1", 7.5), level("a-1", 3, site=2))
    erp.clock.tick(60)
    await erp.levels({"StockCode": "SVC", "StockID": "9", "SiteID": "1"})
    levels = await erp.adapter.stock_levels(["a-1", "svc", "none"], ["1"])

    assert [
        ("A-1", Decimal("7.5"), None, MORNING),
        ("SVC", Decimal(0), 5, MORNING + timedelta(minutes=1)),
    ] == [(e.stock_code, e.available, e.status, e.read_at) for e in levels]


async def test_levels_in_xml_are_read(erp: Channel) -> None:
    """As the vendor's example writes them."""
    body = b"""<?xml version="1.0"?><StockStatuses><Statuses>
      <StockStatus><StockCode>A-1</StockCode><StockID>39681</StockID><SiteID>1</SiteID>
        <Levels><Available>4</Available><OnOrder>2</OnOrder></Levels></StockStatus>
      <StockStatus><StockCode>B-1</StockCode><StockID>39682</StockID><SiteID>1</SiteID>
        <RelationshipPotential><FromChildren>6</FromChildren></RelationshipPotential>
      </StockStatus></Statuses></StockStatuses>"""
    assert 200 == (await erp.post("/stock-status", body)).status
    levels = await erp.adapter.stock_levels(["A-1", "B-1"], ["1"])

    assert [(Decimal(4), Decimal(2), None, None), (Decimal(0), None, Decimal(6), 5)] == [
        (each.available, each.on_order, each.build_potential, each.status) for each in levels
    ]


async def test_buildable_counts_only_by_setting_and_without_levels(
    database: Database,
) -> None:
    """With Levels, Available alone holds; without, what can be built (vendor's text)."""
    potential = {"RelationshipPotential": {"FromChildren": 6, "FromParents": 0}}
    async with (
        aiohttp.ClientSession() as session,
        channel(database, session, add_buildable=True) as erp,
    ):
        await erp.levels(level("A", 1) | potential, {"StockCode": "B", "SiteID": 1} | potential)
        levels = await erp.adapter.stock_levels(["A", "B"], ["1"])

    assert [Decimal(1), Decimal(6)] == [each.available for each in levels]


async def test_products_are_those_that_were_pushed(erp: Channel) -> None:
    """In both spellings of the description; deleted ones are off sale."""
    options = {"Discontinued": False, "RunToZero": True, "StockControlled": "True"}
    items = [
        {
            "StockID": "1",
            "StockCode": "LAMP",
            "ShortDescription": "A lamp",
            "Options": options,
            "SalesMultiple": 2.0,
            "SellPrice": {"Gross": 9.99},
            "Barcodes": [{"Barcode": "501"}],
            "WebProperties": {"MetaDisplayQty": 20},
        },
        {"StockID": "2", "StockCode": "SOFA", "StockDescription": "A sofa"},
        {"StockID": "3", "StockCode": "GONE"},
    ]
    await erp.post("/stock", {"Items": items, "Deleted": []})
    erp.clock.tick(60)
    await erp.post("/stock", {"Items": [], "Deleted": [{"StockID": "3"}, "404"]})
    there = await erp.adapter.products(["lamp", "SOFA", "GONE", "NEVER"])

    assert {"lamp": "A lamp", "SOFA": "A sofa", "GONE": ""} == {
        code: each.description for code, each in there.items()
    }
    lamp = there["lamp"]
    assert ("LAMP", True, 2, 20, Decimal("9.99"), ("501",)) == (
        lamp.stock_code,
        lamp.run_to_zero,
        lamp.sales_multiple,
        lamp.display_cap,
        lamp.sell_price,
        lamp.barcodes,
    )
    assert there["GONE"].discontinued
    since = MORNING + timedelta(seconds=30)
    assert ["GONE"] == [e.stock_code for e in await erp.adapter.edited_products(since)]
    assert ["GONE"] == [e.stock_code for e in await erp.adapter.deleted_products(since)]
    launched = await erp.adapter.launched_products(MORNING)
    assert ["LAMP", "SOFA"] == [each.stock_code for each in launched]


@pytest.mark.parametrize(
    "body",
    [
        b"<S><Items/><Deleted><StockID>1</StockID><StockID>2</StockID></Deleted></S>",
        b"<S><Deleted><Thing><StockID>1</StockID></Thing><string>2</string></Deleted></S>",
        b'{"Deleted": [1, {"ID": "2"}]}',
    ],
)
async def test_deleted_ids_are_read_in_any_form(erp: Channel, body: bytes) -> None:
    """The vendor's document does not say how they stand in XML."""
    items = [{"StockID": each, "StockCode": f"P{each}"} for each in "123"]
    await erp.post("/stock", {"Items": items, "Deleted": []})

    assert 200 == (await erp.post("/stock", body)).status
    there = await erp.adapter.products(["P1", "P2", "P3"])
    assert [True, True, False] == [each.discontinued for each in there.values()]


async def test_nothing_pushed_yet_is_unavailable_and_no_emptiness(erp: Channel) -> None:
    """A feed that has just been linked knows nothing; that is no reason to hold an order."""
    with pytest.raises(Unavailable, match="not called us yet"):
        await erp.adapter.stock_levels(["A"], ["1"])
    with pytest.raises(Unavailable, match="not pushed its products"):
        await erp.adapter.products(["A"])


async def test_silent_feed_tells_no_levels(erp: Channel) -> None:
    """Old figures are not told as the ERP's; when it calls again, all is well."""
    await erp.levels(level("A", 1))
    erp.clock.tick(91 * 60)
    with pytest.raises(Unavailable, match="not called us since 2026-10-01 08:00Z"):
        await erp.adapter.stock_levels(["A"], ["1"])
    with pytest.raises(Unavailable):
        await erp.adapter.ping()
    await erp.orders()

    assert 1 == len(await erp.adapter.stock_levels(["A"], ["1"]))
    assert "2026-10-01 09:31:00Z" in await erp.adapter.ping()


async def test_moved_products_are_those_pushed_since(erp: Channel) -> None:
    """On any site; with the time of the last push."""
    await erp.levels(level("A", 1), level("B", 1))
    erp.clock.tick(60)
    await erp.levels(level("B", 1, site=2))
    moved = await erp.adapter.moved_products(MORNING + timedelta(seconds=1))

    assert [("B", MORNING + timedelta(minutes=1))] == [
        (each.stock_code, each.changed_at) for each in moved
    ]
    assert [("1", True), ("2", False)] == [
        (each.site_id, each.is_default) for each in await erp.adapter.sites()
    ]


async def test_swept_levels_come_in_parts(erp: Channel) -> None:
    """Any number of codes."""
    await erp.levels(level("A", 1), level("B", 2))
    codes = ["A", *(f"N{number}" for number in range(600)), "B"]
    parts = [part async for part in erp.adapter.swept_levels(codes, ["1"])]

    assert [["A"], ["B"]] == [[each.stock_code for each in part] for part in parts]


async def test_what_the_feed_cannot_do_is_said(erp: Channel) -> None:
    """A flag that is off, and a command that is refused, are the same statement."""
    can = erp.adapter.capabilities

    assert (False, True, False, False, True, True, 15) == (
        can.pull_stock,
        can.push_stock,
        can.lookup_order,
        can.sync_order_result,
        can.line_refs_in_shipments,
        can.returns,
        can.max_external_ref,
    )
    for flag, ask in (
        (can.stock_potential, lambda: erp.adapter.stock_potential(["A"])),
        (can.exported_orders, lambda: erp.adapter.exported_orders(external_refs=[REF])),
        (can.orders_in_progress, erp.adapter.orders_in_progress),
    ):
        assert not flag
        with pytest.raises(Unsupported):
            await ask()


async def test_restart_keeps_what_was_queued_and_heard(erp: Channel) -> None:
    """Another process on the same database goes on where this one stood."""
    await erp.adapter.create_order(order(external_ref="JL1", ordered_at=MORNING))
    await erp.levels(level("A", 1))
    await erp.say("JL2")
    async with (
        aiohttp.ClientSession() as session,
        channel(erp.database, session) as restarted,
    ):
        answer = await restarted.orders()

        assert ["JL1"] == answer.references()
        assert 1 == len(await restarted.adapter.stock_levels(["A"], ["1"]))
        assert "SO-JL2" == (await found(restarted, "JL2")).erp_order_code


async def test_more_wrong_statuses_than_are_told_are_counted(erp: Channel) -> None:
    """Ten are told with their reasons, and how many others there are."""
    wrong = [{"Status": "Received"} for _ in range(13)]
    answer = await erp.post("/order-status", {"Statuses": wrong})

    assert 400 == answer.status
    assert b"and 3 more" in answer.body
