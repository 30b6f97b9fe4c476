"""What of the ERP's web service can be switched while it runs, seen by its clients."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import anyio.to_thread
import pytest
import zeep
from lxml import etree

from kcjl.errors import Misuse
from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.warehouse import KhaosFault, Warehouse, WarehouseSettings
from kcjl.sandbox.warehouse.settings import Site
from tests.sandbox.khaos_server import NO_DATE, Erp, served
from tests.sandbox.test_server import sandbox
from tests.sandbox.warehouse_orders import document, imported, live, warehouse_of

pytestmark = pytest.mark.anyio

SUMMER = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)
LIST = "<GetStockList><DateType>0</DateType></GetStockList>"
STATUS = (
    "<ExportOrderStatusEx><IDs>JL100200300</IDs><MappingType>4</MappingType>"
    "<ShowItems>-1</ShowItems></ExportOrderStatusEx>"
)


@pytest.fixture
async def erp() -> AsyncIterator[Erp]:
    """A summer morning's warehouse with one vase on order; London is an hour ahead."""
    warehouse = Warehouse(Agenda(SUMMER, 7), WarehouseSettings())
    warehouse.add_product("VASE", description="Vase", sell_price="10", physical=5)
    async with served(warehouse) as running:
        yield running


# ── dates and clocks ──


@pytest.mark.parametrize(
    ("switched", "expected"),
    [
        ({}, "2026-07-01T10:00:00.000Z"),
        ({"typed_dates": "z"}, "2026-07-01T10:00:00Z"),
        ({"typed_dates": "plain"}, "2026-07-01T10:00:00"),
        ({"typed_dates": "offset"}, "2026-07-01T10:00:00.000+01:00"),
        ({"wall_clock": "utc"}, "2026-07-01T09:00:00.000Z"),
        ({"clock_error_s": 3600}, "2026-07-01T11:00:00.000Z"),
    ],
)
async def test_typed_times_have_the_form_and_the_clock_that_were_switched(
    erp: Erp, switched: dict[str, object], expected: str
) -> None:
    """One moment; what the service calls it depends on its build and its clock."""
    erp.warehouse.switch(switched)
    _, body = await erp.post(LIST)

    assert body.findtext(".//LastUpdated") == expected


@pytest.mark.parametrize(
    ("switched", "hits"),
    [
        ({}, [True, True, False]),
        ({"wall_clock": "utc"}, [True, False, False]),
        ({"clock_error_s": 3600}, [True, True, True]),
    ],
)
async def test_since_is_read_by_the_same_clock(
    erp: Erp, switched: dict[str, object], hits: list[bool]
) -> None:
    """Changed at 09:15 UTC, a quarter past ten in London: asked since nine, ten and eleven."""
    erp.warehouse.agenda.advance(datetime(2026, 7, 1, 9, 15, tzinfo=UTC))
    erp.warehouse.adjust("VASE", 1, "count")
    erp.warehouse.agenda.advance(datetime(2026, 7, 1, 12, 0, tzinfo=UTC))
    erp.warehouse.switch(switched)
    seen = []
    for wall in ("09:00:00", "10:00:00", "11:00:00"):
        _, body = await erp.post(
            f"<GetStockList><a>2</a><b>2026-07-01T{wall}</b></GetStockList>"
        )
        seen.append(body.findtext("return/Count") == "1")

    assert seen == hits


@pytest.mark.parametrize(
    ("switched", "created", "issued", "due"),
    [
        ({}, "02/03/2026", "", "1899-12-30"),
        ({"document_dates": "iso"}, "2026-03-02", "", "1899-12-30"),
        ({"document_dates": "british"}, "02/03/2026", "", "30/12/1899"),
        ({"no_date": "1899"}, "02/03/2026", "30/12/1899", "1899-12-30"),
        ({"no_date": "empty"}, "02/03/2026", "", ""),
    ],
)
async def test_documents_have_the_dates_that_were_switched(
    switched: dict[str, object], created: str, issued: str, due: str
) -> None:
    """A date that is there, and two that are not: an issue to come, and no purchase."""
    async with served(warehouse_of()) as erp:
        imported(erp.warehouse, document())
        erp.warehouse.switch(switched)
        _, status = await erp.post(STATUS)
        _, stock = await erp.post("<ExportStockStatus><a>VASE</a></ExportStockStatus>")
    order = etree.fromstring(status.findtext("return") or "")[0]
    item = etree.fromstring(stock.findtext("return") or "")[0]

    assert order.findtext("DATE_CREATED") == created
    assert order.find("INVOICES/INVOICE").get("ISSUE_DATE") == issued  # type: ignore[union-attr]
    assert item.findtext("LEAD_TIME") == due


# ── what is written, and how ──


@pytest.mark.parametrize(
    ("kind", "namespace"),
    [
        ("EWebServiceError", "urn:WebServiceP"),
        ("ERemotableException", "urn:InvokeRegistry"),
        ("none", ""),
    ],
)
async def test_fault_detail_is_the_builds(erp: Erp, kind: str, namespace: str) -> None:
    """Newer builds, older builds, and none; code and actor stay."""
    erp.warehouse.switch({"fault_detail": kind})
    _, fault = await erp.post("<ExportStock><a>X</a><b>3</b></ExportStock>")
    name = fault.findtext(f"detail/{{{namespace}}}{kind}/ExceptionClassName")

    assert (None if kind == "none" else "Exception") == name
    assert fault.findtext("faultcode") == "SOAP-ENV:Client"
    assert fault.findtext("faultactor") == "Exception"


async def test_unknown_tags_stand_in_every_document(erp: Erp) -> None:
    """A newer build's tags, fields and attributes: what was known is where it was."""
    imported(erp.warehouse, document(lines=[("VASE", 1, "10")]))
    erp.warehouse.switch({"unknown_tags": True})
    calls = [
        STATUS,
        "<ExportStock><a>VASE</a></ExportStock>",
        "<ExportStockStatus><a>VASE</a></ExportStockStatus>",
        "<ExportOrders><a>JL100200300</a><b>2</b></ExportOrders>",
        "<GetSOPData><Courier>-1</Courier></GetSOPData>",
    ]
    texts = [(await erp.post(call))[1].findtext("return") or "" for call in calls]
    _, listed = await erp.post(LIST)

    assert all("<NEW_IN_BUILD " in text for text in texts)
    assert [etree.fromstring(text).tag for text in texts] == [
        "STATUS_LIST", "STOCK_ITEMS", "STOCK_STATUS", "SALES_ORDERS", "SOPDATA",
    ]  # fmt: skip
    assert listed.findtext(".//item/NewInBuild") == "9"
    assert listed.findtext(".//item/StockCode") == "VASE"


async def test_windows_1252_answer_says_so_and_is_read(erp: Erp) -> None:
    """Letters of the code page arrive; others are question marks."""
    erp.warehouse.switch({"charset": "windows-1252"})
    erp.warehouse.add_product("CAFE", description="Café – “crème” Ω", sell_price="1")
    answer = await erp.document("ExportStock", "CAFE", 1, NO_DATE)

    assert answer.findtext("STOCK_ITEM/STOCK_DESC") == "Café – “crème” ?"


@pytest.mark.parametrize("part_names", ["documented", "prefixed", "lower"])
async def test_client_that_reads_the_wsdl_finds_other_names(erp: Erp, part_names: str) -> None:
    """Another namespace and other part names: who goes by the documentation is refused."""
    erp.warehouse.switch(
        {
            "service_namespace": "urn:OurKosWebIntf-IKosWeb",
            "types_namespace": "urn:OurTypes",
            "part_names": part_names,
            "strict_calls": True,
        }
    )

    def call() -> list[str]:
        client = zeep.Client(f"{erp.url}/wsdl/IKosWeb")  # type: ignore[no-untyped-call]
        names = {"prefixed": "A{}", "lower": "{}"}.get(part_names, "{}")
        asked = {names.format(n): v for n, v in (
            ("DateType", 0), ("DateValue", NO_DATE), ("StockItemType", 0),
        )}  # fmt: skip
        if part_names == "lower":
            asked = {name.lower(): value for name, value in asked.items()}
        found = client.service["GetStockList"](**asked)
        return [row.StockCode for row in found.List]

    codes = await anyio.to_thread.run_sync(call)
    status, fault = await erp.post('<k:GetVersion xmlns:k="urn:IKosWebIntf-IKosWeb"/>')
    _, misnamed = await erp.post(
        '<k:GetStockList xmlns:k="urn:OurKosWebIntf-IKosWeb"><Kind>0</Kind></k:GetStockList>'
    )

    assert codes == ["VASE"]
    assert (status, fault.findtext("faultstring")) == (500, "Interface not supported")
    assert misnamed.findtext("faultstring") == "GetStockList has no parameter Kind"


async def test_all_sites_stand_in_one_root_or_in_one_root_each() -> None:
    """SiteID -1: SITE in every item, or several documents one after the other."""
    sites = (Site(site_id=1, name="Main Site"), Site(site_id=4, name="Leeds"))
    warehouse = Warehouse(Agenda(SUMMER, 1), WarehouseSettings(sites=sites))
    warehouse.add_product("A", description="A", sell_price="1", physical={1: 7, 4: 9})
    call = "<ExportStockStatus><StockCode>A</StockCode><SiteID>-1</SiteID></ExportStockStatus>"
    async with served(warehouse) as erp:
        _, one = await erp.post(call)
        warehouse.switch({"all_sites_answer": "roots"})
        _, several = await erp.post(call)
    roots = etree.fromstring(f"<all>{several.findtext('return')}</all>")

    assert (one.findtext("return") or "").count("<STOCK_STATUS ") == 1
    assert [(root.get("SITE"), root.findtext("STOCK_ITEM/LEVEL")) for root in roots] == [
        ("Main Site", "7"), ("Leeds", "9"),
    ]  # fmt: skip


# ── what the import refuses ──


def about(tag: str, value: str) -> str:
    """An order whose customer has one more tag."""
    return document().replace("<COMPANY_CLASS>", f"<{tag}>{value}</{tag}><COMPANY_CLASS>")


def headed(tag: str, value: str = "X") -> str:
    """An order whose header has one more tag."""
    return document(header=f"<{tag}>{value}</{tag}>")


@pytest.mark.parametrize(
    ("switched", "order", "named"),
    [
        ({}, document(ref="J" * 16), "16 characters, 15 at most"),
        ({"external_ref_max": 50}, document(ref="J" * 51), "51 characters, 50 at most"),
        ({"refuses_unwritable": True}, document(surname="Żółty"), "code page"),
        ({"company_types": ["Shop"]}, about("COMPANY_TYPE", "X"), "Company type 'X'"),
        ({"source_codes": ["A"]}, about("SOURCE_CODE", "X"), "Source code 'X'"),
        ({"brands": ["A"]}, headed("BRAND"), "Brand 'X'"),
        ({"agents": ["A"]}, headed("AGENT"), "Agent 'X'"),
        ({"invoice_priorities": ["A"]}, headed("INV_PRIORITY"), "Invoice priority 'X'"),
        ({"website_names": ["A"]}, headed("WEBSITE_NAME"), "Website 'X'"),
        ({}, headed("CHANNEL_ID", "7"), "CHANNEL_ID"),
        ({}, about("MAILING_STATUS", "9"), "Mailing status 9"),
        ({"unknown_customer": "fault"}, document().replace("JLMKT", "NOBODY"), "NOBODY"),
    ],
)  # fmt: skip
def test_import_refuses_what_the_system_values_do_not_know(
    switched: dict[str, object], order: str, named: str
) -> None:
    """Each refusal names what was wrong, and leaves no trace."""
    warehouse = warehouse_of()
    warehouse.switch(switched)

    with pytest.raises(KhaosFault, match=named):
        warehouse.import_orders(order)

    assert not warehouse.sales_orders


def test_duplicate_is_skipped_or_a_fault_as_it_is_switched() -> None:
    """One order, whatever the answer to its second import."""
    warehouse = warehouse_of()
    imported(warehouse, document())
    skipped = warehouse.import_orders(document()).skipped
    warehouse.switch({"duplicate_answer": "fault"})

    assert [row.order_ref for row in skipped] == ["JL100200300"]
    with pytest.raises(KhaosFault, match="already exists"):
        warehouse.import_orders(document())
    assert len(warehouse.sales_orders) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"sites": []},
        {"no_such": 1},
        {"duplicate_answer": "maybe"},
        {"company_classes": []},
        {"service_namespace": 'urn:"x'},
        {"body_parameter": "not a name"},
        {"opens": "18:00", "closes": "08:00"},
    ],
)
def test_switch_that_cannot_be_changes_nothing(changes: dict[str, object]) -> None:
    """All of a switch or nothing of it."""
    warehouse = warehouse_of()
    before = warehouse.settings

    with pytest.raises(Misuse):
        warehouse.switch({"version": "9", **changes})

    assert warehouse.settings == before


def test_working_hours_that_were_switched_hold_for_the_next_plan() -> None:
    """The people come at night from now on."""
    warehouse = warehouse_of()
    warehouse.switch({"round_the_clock": True, "stages_before_shipping": [12, 20]})
    order = imported(warehouse, document())
    live(warehouse)

    assert order.complete


# ── by the hook ──


async def test_switch_by_the_hook_outlives_a_kill(tmp_path: Path) -> None:
    """It is in the journal: the world that is started again has the same settings."""
    async with sandbox(state_dir=tmp_path) as client:
        told = await client.json(
            "POST", "/sandbox/settings/warehouse", {"version": "9.1", "empty_answer": "string"}
        )
        await client.json("POST", "/sandbox/warehouse/switch", {"settings": {"user": "shop"}})
        fixed, _, _ = await client.call(
            "POST", "/sandbox/settings/warehouse", {"system_currency": "EUR"}
        )
    async with sandbox(state_dir=tmp_path) as client:
        held = await client.json("GET", "/sandbox/settings/warehouse")
        refused, _ = await client.sites()

    assert (told["version"], told["empty_answer"]) == ("9.1", "string")
    assert fixed == 400
    assert (held["version"], held["empty_answer"], held["user"]) == ("9.1", "string", "shop")
    assert refused == 401
