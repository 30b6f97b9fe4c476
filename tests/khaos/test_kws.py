"""The ERP's reads: products, stock, sites, couriers, as typed results and string documents."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from kcjl.errors import ProtocolSurprise, Refused
from kcjl.khaos.port import Courier, ErpPort, Site
from tests.khaos.conftest import HandClock, MakeAdapter
from tests.khaos.server import ScriptedErp, fault, http, soap, string

pytestmark = pytest.mark.anyio

LAMP = """<STOCK_ITEM CODE="LAMP-OAK-01" ID="40117" DESC="Oak lamp"><LEVEL>{}</LEVEL>
<STATUS>{}</STATUS><SITE>Main Site</SITE><NEW_IN_2031>?</NEW_IN_2031></STOCK_ITEM>"""


def info(code: str, updated: str = "2026-03-02T12:30:26.497Z", parent: str = "") -> str:
    return (
        f"<item><StockCode>{code}</StockCode><OtherRef>501</OtherRef><StockDesc>A lamp"
        f"</StockDesc><ParentCode>{parent}</ParentCode><LastUpdated>{updated}</LastUpdated>"
        "</item>"
    )


def stock_list(*items: str) -> bytes:
    inner = f"<Count>{len(items)}</Count><List>{''.join(items)}</List>"
    return soap("GetStockList", f"<return>{inner}</return>")


async def test_ping_version_given_is_returned(erp: ScriptedErp, make: MakeAdapter) -> None:
    """The health check tells the web service's build."""
    erp.will_say("GetVersion", string("GetVersion", "8.173"))
    port: ErpPort = make()

    assert "8.173" == await port.ping()


NESTED = """<return><List><item><SiteID>1</SiteID><SiteName>Main</SiteName></item>
<item><SiteID>7</SiteID><SiteName>Shop</SiteName></item></List>
<CurrentSiteID>1</CurrentSiteID></return>"""

REFERRED = """<x id="1"><List><item href="#2"/><item href="#3"/></List>
<CurrentSiteID href="#4"/></x><x id="2"><SiteID>1</SiteID><SiteName>Main</SiteName></x>
<x id="3"><SiteID>7</SiteID><SiteName>Shop</SiteName></x><x id="4">1</x>"""


@pytest.mark.parametrize(
    ("inner", "after"),
    [(NESTED, ""), ('<return href="#1"/>', REFERRED)],
    ids=["nested", "multi-reference"],
)
async def test_sites_typed_result_is_read_in_either_encoding(
    erp: ScriptedErp, make: MakeAdapter, inner: str, after: str
) -> None:
    """Objects may stand where they belong or behind the answer, by reference."""
    erp.will_say("GetSiteList", soap("GetSiteList", inner, after=after))

    sites = await make().sites()

    assert [
        Site(site_id="1", name="Main", is_default=True),
        Site(site_id="7", name="Shop", is_default=False),
    ] == sites


async def test_couriers_without_code_have_none(erp: ScriptedErp, make: MakeAdapter) -> None:
    """A courier's code is optional; only couriers are asked for."""
    erp.will_say(
        "GetSOPData",
        string(
            "GetSOPData",
            '<SOPDATA><COURIERS><COURIER CODE="DPD24">DPD Next Day</COURIER>'
            "<COURIER>Van</COURIER></COURIERS></SOPDATA>",
        ),
    )

    couriers = await make().couriers()

    assert [Courier(name="DPD Next Day", code="DPD24"), Courier(name="Van")] == couriers
    flags = list(erp.arguments("GetSOPData")[0].values())
    assert ["true", *["false"] * 7] == flags


async def test_edited_products_times_are_london_wall_and_zero_date_is_none(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """The closing Z is decoration: 12:30 in July is 11:30 UTC; 1899 means no date."""
    erp.will_say(
        "GetStockList",
        stock_list(
            info("A", "2026-07-02T12:30:26.497Z"),
            info("B", "1899-12-30T00:00:00"),
            info("C", "rubbish"),
        ),
    )

    refs = await make().edited_products(datetime(2026, 3, 2, 8, 0, tzinfo=UTC))

    at = datetime(2026, 7, 2, 11, 30, 26, 497000, tzinfo=UTC)
    assert [("A", at), ("B", None), ("C", None)] == [(r.stock_code, r.changed_at) for r in refs]
    assert "0" == erp.arguments("GetStockList")[0]["DateType"]


async def test_stock_levels_fractional_and_negative_are_kept(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """LEVEL comes through as it is; each site is asked by itself, with zero flags off."""
    erp.will_say(
        "ExportStockStatus",
        string("", f'<STOCK_STATUS SITE="Main Site">{LAMP.format("-2.5", 2)}</STOCK_STATUS>'),
        string("", f"<STOCK_STATUS>{LAMP.format('17', '')}</STOCK_STATUS>"),
    )

    levels = await make().stock_levels(["lamp-oak-01", "GONE"], ["1", "7"])

    assert [
        ("LAMP-OAK-01", "1", Decimal("-2.5"), 2),
        ("LAMP-OAK-01", "7", Decimal(17), None),
    ] == [(x.stock_code, x.site_id, x.available, x.status) for x in levels]
    asked = [list(arguments.values()) for arguments in erp.arguments("ExportStockStatus")]
    since = "1899-12-31T00:00:00"
    assert [["lamp-oak-01,GONE", "1", since, s, "false"] for s in ("1", "7")] == asked


async def test_stock_levels_of_codes_not_asked_for_are_left_out(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """A service that answers with more than was asked does not widen the answer."""
    items = '<STOCK_ITEM CODE="A"><LEVEL>1</LEVEL></STOCK_ITEM>' + LAMP.format("17", 0)
    erp.will_say("ExportStockStatus", string("", f"<STOCK_STATUS>{items}</STOCK_STATUS>"))

    levels = await make().stock_levels(["A"], ["1"])

    assert ["A"] == [level.stock_code for level in levels]


async def test_stock_levels_many_codes_are_asked_in_chunks(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """No call carries more codes than the setting; a code with a comma is asked for alone."""
    erp.will_say("ExportStockStatus", *[string("", "<STOCK_STATUS/>")] * 4)
    codes = [*(f"C{n}" for n in range(5)), "C,6", "", " C7", "c0", "C#8"]

    await make(stock_codes_per_call=2).stock_levels(codes, ["1"])

    asked = [arguments["StockCode"] for arguments in erp.arguments("ExportStockStatus")]
    assert ["C0,C1", "C2,C3", "C4", "C,6"] == asked


@pytest.mark.parametrize("level", ["", "<LEVEL/>"])
async def test_stock_levels_missing_level_is_nothing_to_sell(
    erp: ScriptedErp, make: MakeAdapter, level: str
) -> None:
    """Never offer what is not there: no figure is nought, and the lower of two holds."""
    items = (
        f'<STOCK_ITEM CODE="A">{level}</STOCK_ITEM>'
        '<STOCK_ITEM CODE="B"><LEVEL>9</LEVEL></STOCK_ITEM>'
        '<STOCK_ITEM CODE="b"><LEVEL>4</LEVEL></STOCK_ITEM>'
    )
    erp.will_say("ExportStockStatus", string("", f"<STOCK_STATUS>{items}</STOCK_STATUS>"))

    levels = await make().stock_levels(["A", "B"], ["1"])

    assert [Decimal(0), Decimal(4)] == [level.available for level in levels]


@pytest.mark.parametrize("figure", ["NaN", "Infinity", "1e400000", "1,5", "many", "1e", "£3"])
async def test_stock_levels_unreadable_level_is_a_surprise(
    erp: ScriptedErp, make: MakeAdapter, figure: str
) -> None:
    """A figure is never guessed."""
    document = f"<STOCK_STATUS>{LAMP.format(figure, 0)}</STOCK_STATUS>"
    erp.will_say("ExportStockStatus", string("", document))

    with pytest.raises(ProtocolSurprise, match="LEVEL of LAMP-OAK-01"):
        await make().stock_levels(["LAMP-OAK-01"], ["1"])


async def test_stock_levels_with_buildable_adds_what_children_make(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """Only by setting does what can be built count as available."""
    document = (
        '<STOCK_STATUS><STOCK_ITEM CODE="SET"><LEVEL>1</LEVEL><BUILD_POTENTIAL_CHILDREN>4'
        "</BUILD_POTENTIAL_CHILDREN></STOCK_ITEM></STOCK_STATUS>"
    )
    erp.will_say("ExportStockStatus", *[string("", document)] * 2)

    plain = await make().stock_levels(["SET"], ["1"])
    built = await make(add_buildable=True).stock_levels(["SET"], ["1"])

    assert [Decimal(1), Decimal(5)] == [plain[0].available, built[0].available]


async def test_products_children_inside_parents_are_found(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """A child is a product, wherever it stands; its parent can't be sold."""
    erp.will_say(
        "ExportStock",
        string(
            "",
            "<STOCK_ITEMS><STOCK_ITEM><STOCK_CODE>Sofa</STOCK_CODE><STOCK_DESC>A sofa"
            "</STOCK_DESC><RUN_TO_ZERO>-1</RUN_TO_ZERO><STOCK_CONTROLLED>-1</STOCK_CONTROLLED>"
            "<SCS><STYLE NAME='Colour'><STYLE><SCS_ITEM><STOCK_CODE>Sofa-Red</STOCK_CODE>"
            "<DISCONTINUED>-1</DISCONTINUED></SCS_ITEM></STYLE></STYLE></SCS></STOCK_ITEM>"
            "<STOCK_ITEM><STOCK_CODE>Lamp</STOCK_CODE><STOCK_DESC>Lampe d’été</STOCK_DESC>"
            "<SALES_MULTIPLE>6.00</SALES_MULTIPLE><MAX_DISPLAY_QTY>40</MAX_DISPLAY_QTY>"
            "<STOCK_CONTROLLED>0</STOCK_CONTROLLED><LINKED_ITEMS><LINK_ITEM><STOCK_CODE>BULB"
            "</STOCK_CODE></LINK_ITEM></LINKED_ITEMS></STOCK_ITEM></STOCK_ITEMS>",
        ),
    )

    found = await make().products(["SOFA-RED", "sofa", "lamp", "BULB"])

    assert {"SOFA-RED", "lamp"} == found.keys()
    red, lamp = found["SOFA-RED"], found["lamp"]
    assert ("Sofa-Red", "A sofa", True, True, True) == (
        red.stock_code,
        red.description,
        red.discontinued,
        red.run_to_zero,
        red.stock_controlled,
    )
    assert ("Lamp", "Lampe d’été", False, 6, 40, False) == (
        lamp.stock_code,
        lamp.description,
        lamp.discontinued,
        lamp.sales_multiple,
        lamp.display_cap,
        lamp.stock_controlled,
    )


@pytest.mark.parametrize(
    "answer",
    [
        string("", "<STOCK_ITEMS/>"),
        string("", '<?xml version="1.0" encoding="windows-1252"?><STOCK_ITEMS></STOCK_ITEMS>'),
        string("", ""),
        string("", " \n"),
        soap("ExportStock", "<return/>"),
        soap("ExportStock", ""),
        fault("Stock item GONE not found"),
        fault("No matching records were found", "EKosError", status=200),
        fault("ExportStock: item GONE not found"),
    ],
    ids=range(9),
)
async def test_products_nothing_found_is_an_empty_answer(
    erp: ScriptedErp, make: MakeAdapter, answer: bytes
) -> None:
    """Empty root, empty string, or a fault that plainly says so: the code is absent."""
    erp.will_say("ExportStock", answer)

    assert {} == await make().products(["GONE"])


@pytest.mark.parametrize(
    "text",
    [
        "Item GONE is discontinued",
        "Database table STOCK not found",
        "Site 3 not found",
        "No orders could be read: connection to server lost",
        "Customer class not found for user KC",
    ],
)
async def test_products_other_fault_is_refused(
    erp: ScriptedErp, make: MakeAdapter, text: str
) -> None:
    """A fault that says anything else is never taken for "not there"."""
    erp.will_say("ExportStock", fault(text))

    with pytest.raises(Refused, match=text):
        await make().products(["GONE"])


async def test_products_fault_about_one_of_many_loses_none_of_the_others(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """Where one unknown code spoils a chunk, the chunk is asked for in halves."""

    def one(code: str) -> bytes:
        item = f"<STOCK_ITEM><STOCK_CODE>{code}</STOCK_CODE></STOCK_ITEM>"
        return string("", f"<STOCK_ITEMS>{item}</STOCK_ITEMS>")

    gone = fault("Item B not found")
    erp.will_say("ExportStock", gone, gone, one("A"), gone, one("C"))

    found = await make().products(["A", "B", "C", "D"])

    assert {"A", "C"} == found.keys()
    asked = [arguments["StockCode"] for arguments in erp.arguments("ExportStock")]
    assert ["A,B,C,D", "A,B", "A", "B", "C,D"] == asked


@pytest.mark.parametrize(
    "text",
    [
        "<STOCK_ITEMS><STOCK_ITEM>",
        "ERROR 17",
        "<html><body>Sign in</body></html>",
        "<ERROR>database is down</ERROR>",
        '<!DOCTYPE x [<!ENTITY e "boo">]><STOCK_ITEMS>&e;</STOCK_ITEMS>',
        "<a>" * 300 + "</a>" * 300,
    ],
    ids=range(6),
)
async def test_products_foreign_document_is_a_surprise(
    erp: ScriptedErp, make: MakeAdapter, text: str
) -> None:
    """An answer that can't be read is never "not there"."""
    erp.will_say("ExportStock", string("", text))

    with pytest.raises(ProtocolSurprise):
        await make().products(["A"])


async def test_products_windows_1252_bytes_are_read(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """Bytes that say UTF-8 and are the database's Windows-1252 keep their signs."""
    item = "<STOCK_ITEM><STOCK_CODE>A</STOCK_CODE><STOCK_DESC>Caf@ #5</STOCK_DESC></STOCK_ITEM>"
    answer = string("", f"<STOCK_ITEMS>{item}</STOCK_ITEMS>")
    erp.will_say("ExportStock", answer.replace(b"@", b"\xe9").replace(b"#", b"\x80"))

    found = await make().products(["A"])

    assert "Café €5" == found["A"].description


@pytest.mark.parametrize(
    ("declared", "header"),
    [
        ("windows-1252", "utf-8"),
        ("utf-16", "utf-8"),
        ("utf-8", "iso-8859-1"),
        ("utf-8", ""),
        ("utf-8", "no-such-charset"),
        ("no-such-charset", "utf-16"),
    ],
)
async def test_products_utf_8_bytes_are_read_whatever_else_is_said(
    erp: ScriptedErp, make: MakeAdapter, declared: str, header: str
) -> None:
    """Where header and declaration differ, bytes that are UTF-8 are UTF-8."""
    item = "<STOCK_ITEM><STOCK_CODE>A</STOCK_CODE><STOCK_DESC>Café</STOCK_DESC></STOCK_ITEM>"
    _, _, body = string("", f"<STOCK_ITEMS>{item}</STOCK_ITEMS>").partition(b"\r\n\r\n")
    said = body.replace(b'version="1.0"', f'version="1.0" encoding="{declared}"'.encode())
    kind = f"text/xml; charset={header}" if header else "text/xml"
    erp.will_say("ExportStock", http(200, said, kind))

    found = await make().products(["A"])

    assert "Café" == found["A"].description


async def test_products_no_codes_asks_nothing(
    erp: ScriptedErp, make: MakeAdapter, clock: HandClock
) -> None:
    """An empty list of codes would mean all items since a date: it is never sent."""
    assert {} == await make().products(["", ",", "\x00"])
    assert [] == await make().stock_levels([], ["1"])
    assert [] == await make().order_statuses([])
    assert [] == erp.calls
