"""The ERP's web service over real HTTP, read by a client that goes by the WSDL."""

import bz2
import io
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import zeep
from lxml import etree

from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.warehouse import Warehouse
from kcjl.sandbox.warehouse.settings import Site, WarehouseSettings
from tests.sandbox.khaos_server import NO_DATE, Erp, plain, served
from tests.sandbox.warehouse_orders import DAY, document, live, warehouse_of

pytestmark = pytest.mark.anyio

SUMMER = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
async def erp() -> AsyncIterator[Erp]:
    async with served(warehouse_of()) as running:
        yield running


# ── a client that reads the WSDL ──


async def test_zeep_reads_version_sites_and_couriers(erp: Erp) -> None:
    """System data: the version, the sites, the couriers with and without a code."""
    assert await erp.zeep("GetVersion") == "8.173"
    sites = await erp.zeep("GetSiteList")
    couriers = await erp.document("GetSOPData", True, *[False] * 7)
    nothing = await erp.document("GetSOPData", *[False] * 8)

    assert plain(sites) == {
        "List": [{"SiteID": 1, "SiteName": "Main Site"}], "CurrentSiteID": 1,
    }  # fmt: skip
    assert [(c.get("CODE"), c.text) for c in couriers.iter("COURIER")] == [
        ("DPD24", "DPD Next Day"), ("RM24", "Royal Mail Tracked 24"), ("EVRI", "Evri"),
        (None, "Van"),
    ]  # fmt: skip
    assert (nothing.tag, len(nothing)) == ("SOPDATA", 0)


@pytest.mark.parametrize("multi_reference", [False, True])
async def test_zeep_imports_an_order_once(*, multi_reference: bool) -> None:
    """The answer names the sales order; the second answer names why it was skipped."""
    warehouse = warehouse_of(multi_reference=multi_reference)
    async with served(warehouse) as erp:
        first, second = [plain(await erp.zeep("ImportOrders", document())) for _ in range(2)]

    assert first["ImportedCount"] == 1
    assert first["OrderImport"][0]["SalesOrderCode"] == next(iter(warehouse.sales_orders))
    assert first["OrderImport"][0]["URN"] == "JLMKT"
    assert (second["ImportedCount"], second["OrderImport"]) == (0, [])
    assert second["OrderSkipped"][0]["OrderRef"] == "JL100200300"
    assert [("khaos", "import_orders", {"document": document()})] * 2 == erp.gate.changes
    assert ("khaos", "ImportOrders") in erp.gate.entered


async def test_zeep_sees_a_refusal_as_a_fault(erp: Erp) -> None:
    """A fault has the vendor's shape; its code is Client even where the ERP is to blame."""
    order = document(lines=[("NO <&> SUCH", 1, "1.00")])

    with pytest.raises(zeep.exceptions.Fault) as fault:
        await erp.zeep("ImportOrders", order)

    assert "NO <&> SUCH" in fault.value.message
    assert fault.value.code == "SOAP-ENV:Client"
    assert fault.value.actor == "Exception"
    assert fault.value.detail is not None
    assert fault.value.detail.findtext("{*}EWebServiceError/ExceptionClassName") == "Exception"


async def test_zeep_reads_levels_by_code_and_by_other_ref(erp: Erp) -> None:
    """Codes in any case, unknown ones absent; only the level is shown."""
    await erp.zeep("ImportOrders", document())
    by_code = await erp.document(
        "ExportStockStatus", "lamp-oak-01,NOPE, vase ", 1, NO_DATE, 1, False
    )
    by_ref = await erp.document("ExportStockStatus", "5012345678900", 2, NO_DATE, 1, False)

    assert [(i.get("CODE"), i.findtext("LEVEL")) for i in by_code] == [
        ("LAMP-OAK-01", "18"), ("VASE", "5"),
    ]  # fmt: skip
    assert by_code.get("SITE") == "Main Site"
    assert [item.get("CODE") for item in by_ref] == ["LAMP-OAK-01"]
    assert [item.findtext("STATUS") for item in by_code] == ["0", "0"]


async def test_zeep_reads_all_sites_in_one_document() -> None:
    """SiteID -1: each item says its site; negative and fractional levels are written plain."""
    sites = (Site(site_id=1, name="Main Site"), Site(site_id=4, name="Leeds & York"))
    warehouse = Warehouse(Agenda(SUMMER, 1), WarehouseSettings(sites=sites))
    warehouse.add_product("A", description="A", sell_price="1", physical={1: 7, 4: 100})
    warehouse.adjust("A", "-9.50", "count")
    async with served(warehouse) as erp:
        both = await erp.document("ExportStockStatus", "A", 1, NO_DATE, -1, False)

    assert [(i.findtext("SITE"), i.findtext("LEVEL")) for i in both] == [
        ("Main Site", "-2.5"), ("Leeds & York", "100"),
    ]  # fmt: skip


async def test_zeep_reads_changes_since_in_london_time() -> None:
    """In summer London is an hour ahead, and the Z of an answer is decoration."""
    warehouse = Warehouse(Agenda(SUMMER, 1), WarehouseSettings())
    warehouse.add_product("A", description="A", sell_price="1", physical=1)
    warehouse.add_product("B", description="B", sell_price="1", physical=1, parent="A")
    warehouse.agenda.advance(SUMMER + timedelta(minutes=30))
    warehouse.adjust("B", 1, "count")
    async with served(warehouse) as erp:

        async def codes(kind: int, since: str, which: int = 0) -> list[str]:
            found = await erp.zeep("GetStockList", kind, since, which)
            rows = plain(found)
            assert len(rows["List"]) == rows["Count"]
            return [row["StockCode"] for row in rows["List"]]

        assert await codes(2, "2026-07-01T10:30:00") == ["B"]
        assert await codes(2, "2026-07-01T10:30:01") == []
        assert await codes(0, "2026-07-01T10:00:00") == ["A", "B"]
        assert await codes(1, "1899-12-30T00:00:00", 1) == ["A"]
        assert await codes(-1, "2026-07-01T10:00:00Z", 2) == ["B"]
        (row,) = (
            await erp.post(
                "<GetStockList><DateType>2</DateType>"
                "<DateValue>2026-07-01T10:30:00</DateValue></GetStockList>"
            )
        )[1].iter("LastUpdated")

    assert row.text == "2026-07-01T10:30:00.000Z"


async def test_zeep_unpacks_the_compressed_twins(erp: Erp) -> None:
    """A ZIP holds one file, BZip2 is the file; both are the plain answer."""
    exported = await erp.zeep("ExportStock", "VASE", 1, NO_DATE)
    packed = plain(await erp.zeep("ExportStockCompressed", "VASE", 1, NO_DATE, 0))
    squeezed = plain(await erp.zeep("ExportStockCompressed", "VASE", 1, NO_DATE, 1))
    listed = plain(await erp.zeep("GetStockListCompressed", 2, NO_DATE, 0, 0))
    archive = zipfile.ZipFile(io.BytesIO(packed["Data"]))

    assert archive.read(packed["FileName"]).decode() == exported
    assert bz2.decompress(squeezed["Data"]).decode() == exported
    assert (packed["Method"], squeezed["Method"]) == ("ZIP", "BZIP2")
    assert packed["CompressedSize"] == len(packed["Data"])
    assert b"GIFT-SET" in zipfile.ZipFile(io.BytesIO(listed["Data"])).read("StockList.xml")


async def test_zeep_reads_what_an_item_is(erp: Erp) -> None:
    """-1/0 flags, a VAT percentage, pack children; a code that is not there is absent."""
    erp.warehouse.edit_product("VASE", discontinued=True)
    items = await erp.document("ExportStock", "vase,GIFT-SET,NOPE", 1, NO_DATE)
    vase, pack = items

    assert (vase.findtext("STOCK_CODE"), vase.findtext("DELETED")) == ("VASE", "-1")
    assert (vase.findtext("VAT_RATE"), vase.findtext("RUN_TO_ZERO")) == ("20", "0")
    assert [link.findtext("STOCK_CODE") for link in pack.iter("LINK_ITEM")] == [
        "LAMP-OAK-01", "VASE",
    ]  # fmt: skip


async def test_zeep_reads_the_potential(erp: Erp) -> None:
    """Potential = Available + OnOrder − BackOrder."""
    erp.warehouse.purchase("VASE", 2, "2026-03-09")
    await erp.zeep("ImportOrders", document(lines=[("VASE", 9, "10")]))
    (row,) = plain(await erp.zeep("GetStockPotential", "vase", 1))

    assert (row["Available"], row["OnOrder"], row["BackOrder"], row["Potential"]) == (
        0.0, 2.0, 4.0, -2.0,
    )  # fmt: skip


# ── the status of orders ──


async def test_order_status_shows_a_shipped_part_and_a_waiting_rest(erp: Erp) -> None:
    """Two invoices; the shipped one has its box, the courier's name, and British dates."""
    await erp.zeep("ImportOrders", document(lines=[("VASE", 7, "10.00")]))
    live(erp.warehouse)
    (order,) = await erp.document(
        "ExportOrderStatusEx", "JL100200300,UNKNOWN", 4,
        False, False, False, True, NO_DATE, NO_DATE, "", True,
    )  # fmt: skip
    issued, waiting = order.iter("INVOICE")
    (box,) = issued.iter("BOX")

    assert (order.findtext("COMPLETE"), order.findtext("QTY_ASSIGNED")) == ("0", "5")
    assert order.findtext("ITEMS_TOTAL") == "70.00"
    assert order.find("ITEMS_TOTAL").get("NET_VALUE") == "58.33"  # type: ignore[union-attr]
    assert order.findtext("DATE_CREATED") == "02/03/2026"
    assert (issued.get("INVOICE_STAGE_ID"), waiting.get("INVOICE_STAGE_ID")) == ("70", "18")
    assert (issued.get("QTY_SENT"), waiting.get("QTY_SENT")) == ("5.00", "0.00")
    assert (box.get("SHIPPED"), box.get("SHIP_DATE")) == ("-1", "02/03/2026")
    assert box.get("CONSIGNMENT_REF") == issued.get("CONSIGNMENT_REF")
    assert (waiting.get("SHIP_DATE"), waiting.get("CONSIGNMENT_REF")) == ("", "")
    assert [(i.get("STOCK_CODE"), i.get("QTY_SENT")) for i in box] == [("VASE", "5.00")]
    assert issued.get("COURIER") in {entry.name for entry in erp.warehouse.couriers}


async def test_order_status_hides_cancelled_orders_until_asked(erp: Erp) -> None:
    """A cancelled order looks like one that is not there."""
    await erp.zeep("ImportOrders", document())
    erp.warehouse.cancel_order("JL100200300", "customer <changed> his mind")
    calls = [
        await erp.document(
            "ExportOrderStatusEx", "JL100200300", 4,
            False, False, False, cancelled, NO_DATE, NO_DATE, stages, False,
        )
        for cancelled, stages in ((False, ""), (True, ""), (True, "1"), (True, "9,10"))
    ]  # fmt: skip

    assert [len(answer) for answer in calls] == [0, 1, 1, 0]
    assert calls[1].findtext(".//REASON") == "customer <changed> his mind"
    assert calls[0].tag == "STATUS_LIST"


async def test_order_status_by_window_code_and_customer(erp: Erp) -> None:
    """Without ids, the window; with tracking, also what moved in it."""
    await erp.zeep("ImportOrders", document())
    live(erp.warehouse, DAY)
    await erp.zeep("ImportOrders", document(ref="LATER"))
    (code,) = (o.code for o in erp.warehouse.orders_by_ref("LATER"))

    async def refs(*arguments: str) -> list[str | None]:
        names = ("IDs", "MappingType", "DateFrom", "DateTo", "IncludeTracking")
        parts = "".join(
            f"<{n}>{value}</{n}>" for n, value in zip(names, arguments, strict=False)
        )
        _, body = await erp.post(f"<ExportOrderStatusEx>{parts}</ExportOrderStatusEx>")
        rows = etree.fromstring(body.findtext("return") or "")
        return [row.get("ASSOCIATED_REF") for row in rows]

    assert await refs("", "1", "2026-03-03T00:00:00") == ["LATER"]
    assert await refs("", "1", "2026-03-02T08:00:00", "2026-03-02T23:00:00") == ["JL100200300"]
    assert await refs("", "1", "2026-03-02T09:30:00", "", "-1") == ["LATER", "JL100200300"]
    assert await refs(code, "3") == ["LATER"]
    assert await refs("jlmkt", "1") == ["JL100200300", "LATER"]


async def test_order_status_cheap_variant_lists_what_is_open(erp: Erp) -> None:
    """One row an invoice; issued orders leave it after two days."""
    await erp.zeep("ImportOrders", document())
    (staging,) = await erp.document("ExportOrderStatus")
    live(erp.warehouse, DAY)
    (issued,) = await erp.document("ExportOrderStatus")
    live(erp.warehouse, 3 * DAY)
    nothing = await erp.document("ExportOrderStatus")

    assert (staging.text, staging.get("REF"), staging.get("COMPLETE")) == (
        "10", "JL100200300", "0",
    )  # fmt: skip
    assert (issued.text, issued.get("COMPLETE")) == ("70", "-1")
    assert len(nothing) == 0


async def test_exported_order_can_be_read_as_it_was_imported(erp: Erp) -> None:
    """ExportOrders gives the import's format, in the ERP's spelling."""
    await erp.zeep(
        "ImportOrders", document(lines=[("vase", 2, "10.00")], surname="O'Neil &amp; Co")
    )
    (order,) = await erp.document("ExportOrders", "JL100200300", 2)
    unknown = await erp.document("ExportOrders", "SO1", 1)

    assert order.findtext("ORDER_ITEMS/ORDER_ITEM/STOCK_CODE") == "VASE"
    assert order.findtext("CUSTOMER_DETAIL/ADDRESSES/INVADDR/ISURNAME") == "O'Neil & Co"
    assert Decimal(order.findtext("ORDER_HEADER/ORDER_AMOUNT") or 0) == Decimal(20)
    assert len(unknown) == 0


async def test_moved_flag_is_shared_state(erp: Erp) -> None:
    """MOVED says whether the stage changed since anyone last asked: nothing to rely on."""
    await erp.zeep("ImportOrders", document())
    ask = ("ExportOrderStatusEx", "JL100200300", 4, False, False, False, True, NO_DATE, NO_DATE)
    seen = []
    for span in (None, None, DAY):
        if span is not None:
            live(erp.warehouse, span)
        (invoice,) = (await erp.document(*ask, "", False)).iter("INVOICE")
        seen.append(invoice.get("MOVED"))

    assert seen == ["-1", "0", "-1"]
