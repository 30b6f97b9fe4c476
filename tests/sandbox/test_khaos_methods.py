"""Each method of the ERP's web service, called by a public client that reads the WSDL."""

import bz2
import io
import zipfile
from collections.abc import AsyncIterator
from datetime import datetime
from decimal import Decimal

import pytest
import zeep
from lxml import etree

from kcjl.sandbox.khaos.signatures import OPERATIONS
from tests.sandbox.khaos_server import NO_DATE, Erp, plain, served
from tests.sandbox.warehouse_orders import DAY, document, live, warehouse_of

pytestmark = pytest.mark.anyio

STATUS_LIST = (False, False, False, True, NO_DATE, NO_DATE, "", True)
"""What ExportOrderStatusEx is asked after the ids and their mapping."""
ANSWERED = {
    name: [{"string": "", "int": 0, "boolean": False}.get(p.kind, NO_DATE) for p in one.parts]
    for name, one in OPERATIONS.items()
    if one.returns is not None
}
"""The methods that are carried out, with empty arguments."""
LEVEL_7 = (
    '<STOCK_STATUS SITE="Main Site"><STOCK_ITEM CODE="vase"><LEVEL>7.5</LEVEL>'
    "<MIN_LEVEL>2</MIN_LEVEL></STOCK_ITEM></STOCK_STATUS>"
)


@pytest.fixture
async def erp() -> AsyncIterator[Erp]:
    """A warehouse with a lamp, a vase, a pack of both, and a shirt in two sizes."""
    warehouse = warehouse_of(
        keycodes=["SPRING"], keycode_types=["Web"], price_lists=["Retail"], agents=["Ada"],
        manufacturers=["Oak & Sons"],
    )  # fmt: skip
    warehouse.add_product("SHIRT", description="Shirt", sell_price="20")
    for size in ("S", "M"):
        warehouse.add_product(
            f"SHIRT-{size}", description=f"Shirt {size}", sell_price="20", physical=3,
            parent="SHIRT", styles=[("Blue", "B"), (size, size)],
        )  # fmt: skip
    async with served(warehouse) as running:
        yield running


async def refusal(erp: Erp, method: str, *arguments: object) -> str:
    with pytest.raises(zeep.exceptions.Fault) as fault:
        await erp.zeep(method, *arguments)
    return str(fault.value.message)


# ── every method ──


async def test_every_method_of_the_pack_is_in_the_wsdl(erp: Erp) -> None:
    """A client finds each method by name, with its parameters in their order."""
    declared = await erp.declared()

    assert declared == {
        name: [part.name for part in one.parts] for name, one in OPERATIONS.items()
    }


@pytest.mark.parametrize(
    "method", [name for name, one in OPERATIONS.items() if one.returns is None]
)
async def test_method_that_is_not_carried_out_is_an_unsupported_interface(
    erp: Erp, method: str
) -> None:
    """It is in the WSDL, and answers with the vendor's fault."""
    kinds = {"string": "", "int": 0}
    arguments = [kinds.get(part.kind, NO_DATE) for part in OPERATIONS[method].parts]

    assert await refusal(erp, method, *arguments) == "Interface not supported"


@pytest.mark.parametrize("method", ANSWERED)
async def test_method_without_the_password_is_a_fault(method: str) -> None:
    """Where the service wants a password in the body, no method works without it."""
    warehouse = warehouse_of(body_parameter="Password", body_parameter_value="s3cret")
    async with served(warehouse) as erp:
        said = await refusal(erp, method, *ANSWERED[method], "wrong")
        version = await erp.zeep("GetVersion", "s3cret")

    assert (said, version) == ("Access denied", "8.173")


# ── system data ──


async def test_simple_lists_are_arrays_of_texts(erp: Erp) -> None:
    """Code lists come as plain texts, as the vendor's own connector reads them."""
    listed = {
        name: plain(await erp.zeep(name, *ANSWERED[name]))
        for name in (
            "GetSaleSource", "GetCompanyClass", "GetCompanyStatus", "GetManufacturer",
            "GetKeycodeTypes", "GetPriceLists", "GetAgentList",
        )
    }  # fmt: skip

    assert listed == {
        "GetSaleSource": ["JOHN LEWIS", "John Lewis", "WEB", "TELEPHONE"],
        "GetCompanyClass": ["Marketplace", "Retail", "Trade"],
        "GetCompanyStatus": ["Active", "On Stop"],
        "GetManufacturer": ["Oak & Sons"],
        "GetKeycodeTypes": ["Web"],
        "GetPriceLists": ["Retail"],
        "GetAgentList": ["Ada"],
    }


async def test_lists_of_records_come_with_their_types(erp: Erp) -> None:
    """Booleans as booleans, numbers as numbers."""
    countries = plain(await erp.zeep("GetCountryList"))
    keycodes = plain(await erp.zeep("GetKeycodes"))
    mailing = plain(await erp.zeep("GetMailingStatusList"))

    assert countries["Count"] == len(countries["List"]) == 3
    assert (countries["List"][1]["CountryCode3"], countries["List"][1]["EUMember"]) == (
        "IRL", True,
    )  # fmt: skip
    assert [(k["KeycodeCode"], k["KeycodeTypeDesc"], k["WebUse"]) for k in keycodes] == [
        ("SPRING", "Web", True)
    ]
    assert mailing[0] == {"ID": 1, "Description": "Mail"}


async def test_sop_data_gives_the_parts_that_were_asked_for(erp: Erp) -> None:
    """Couriers by the first flag, keycodes by the seventh; what there is none of is absent."""
    keycodes = await erp.document("GetSOPData", *[False] * 6, True, False)
    offers = await erp.document("GetSOPData", *[False] * 4, True, *[False] * 3)

    assert [node.tag for node in keycodes] == ["KEYCODES"]
    assert keycodes.findtext("KEYCODES/KEYCODE/CODE") == "SPRING"
    assert len(offers) == 0


# ── stock ──


async def test_stock_list_names_the_parent_of_a_size(erp: Erp) -> None:
    """StockItemType 2 lists children with their parent's code; times are times."""
    children = plain(await erp.zeep("GetStockList", 0, NO_DATE, 2))
    parents = plain(await erp.zeep("GetStockList", 1, NO_DATE, 1))
    said = await refusal(erp, "GetStockList", 9, NO_DATE, 0)

    assert [(row["StockCode"], row["ParentCode"]) for row in children["List"]] == [
        ("SHIRT-S", "SHIRT"), ("SHIRT-M", "SHIRT"),
    ]  # fmt: skip
    assert isinstance(children["List"][0]["LastUpdated"], datetime)
    assert [row["StockCode"] for row in parents["List"]] == ["SHIRT"]
    assert said == "Date type 9 is not supported"


async def test_compressed_lists_are_bytes_of_a_known_size(erp: Erp) -> None:
    """TCompressedResult: the bytes, both sizes, and no password; another method is a fault."""
    packed = plain(await erp.zeep("GetStockListCompressed", 0, NO_DATE, 0, 0))
    squeezed = plain(await erp.zeep("ExportStockCompressed", "SHIRT", 1, NO_DATE, 1))
    document = zipfile.ZipFile(io.BytesIO(packed["Data"])).read(packed["FileName"])
    shirt = etree.fromstring(bz2.decompress(squeezed["Data"]))
    faults = [
        await refusal(erp, "GetStockListCompressed", 0, NO_DATE, 0, 7),
        await refusal(erp, "ExportStockCompressed", "SHIRT", 1, NO_DATE, 7),
    ]

    assert len(document) == packed["OriginalSize"]
    assert packed["PasswordProtected"] is False
    assert [item.findtext("STOCK_CODE") for item in shirt] == ["SHIRT"]
    assert faults == ["Compression method 7 is not supported"] * 2


@pytest.mark.parametrize(
    ("scs_answer", "expected"), [("alone", "SHIRT-M"), ("in_parent", "SHIRT")]
)
async def test_a_size_is_exported_alone_or_inside_its_parent(
    erp: Erp, scs_answer: str, expected: str
) -> None:
    """Both structures are allowed; styles stand level in level, the item in the lowest."""
    erp.warehouse.switch({"scs_answer": scs_answer})
    items = await erp.document("ExportStock", "shirt-m,SHIRT-S", 1, NO_DATE)
    (parent,) = await erp.document("ExportStock", "SHIRT", 1, NO_DATE)
    said = await refusal(erp, "ExportStock", "SHIRT", 9, NO_DATE)
    codes = [node.text for node in parent.findall("SCS/STYLE/STYLE/SCS_ITEM/STOCK_CODE")]

    assert items[0].findtext("STOCK_CODE") == expected
    assert len(items) == (2 if scs_answer == "alone" else 1)
    assert (parent.findtext("SCS/STYLE/DESCRIPTION"), codes) == (
        "Blue", ["SHIRT-S", "SHIRT-M"],
    )  # fmt: skip
    assert said == "Mapping type 9 is not supported"


async def test_stock_status_says_how_it_stands(erp: Erp) -> None:
    """STATUS 0 to 5, the purchase's date, what can be built of a pack's children."""
    warehouse = erp.warehouse
    await erp.zeep("ImportOrders", document(lines=[("VASE", 7, "10")]))
    for code, changes in {
        "DUE": {}, "GONE": {"discontinued": True}, "GIFTCARD": {"stock_controlled": False},
    }.items():  # fmt: skip
        warehouse.add_product(code, description=code, sell_price="1", **changes)  # type: ignore[arg-type]
    warehouse.purchase("DUE", 5, "2026-03-09")
    codes = "LAMP-OAK-01,VASE,DUE,SHIRT,GONE,GIFTCARD,GIFT-SET"
    answer = await erp.document("ExportStockStatus", codes, 1, NO_DATE, 1, True)
    rows = {item.get("CODE"): item for item in answer}
    said = await refusal(erp, "ExportStockStatus", "VASE", 1, NO_DATE, 9, False)

    assert [item.findtext("STATUS") for item in answer] == list("0123453")
    assert rows["DUE"].findtext("LEAD_TIME") == "2026-03-09"
    assert rows["GIFT-SET"].findtext("BUILD_POTENTIAL_CHILDREN") == "0"
    assert rows["VASE"].find("BUILD_POTENTIAL_CHILDREN") is None
    assert said == "Site 9 does not exist"


async def test_stock_potential_without_codes_is_an_empty_array(erp: Erp) -> None:
    """Mapping 0 is the internal id, and the default; numbers come as numbers."""
    item_id = str(erp.warehouse.stock.get("VASE").item_id)
    (row,) = plain(await erp.zeep("GetStockPotential", item_id, 0))
    nothing = plain(await erp.zeep("GetStockPotential", "", 0))

    assert (row["StockCode"], row["Available"]) == ("VASE", 5.0)
    assert nothing == []
    assert (
        await refusal(erp, "GetStockPotential", "VASE", 3) == "Mapping type 3 is not supported"
    )


async def test_import_of_stock_status_sets_levels_absolutely(erp: Erp) -> None:
    """What is assigned stays assigned; the answer lists what was changed."""
    await erp.zeep("ImportOrders", document(lines=[("VASE", 2, "10")]))
    changed = plain(await erp.zeep("ImportStockStatus", LEVEL_7, True, True))
    unknown = LEVEL_7.replace("vase", "NOPE")
    said = await refusal(erp, "ImportStockStatus", unknown, True, True)

    assert [row["StockCode"] for row in changed["List"]] == ["VASE"]
    assert Decimal("7.5") == erp.warehouse.level("VASE")
    assert Decimal("9.5") == erp.warehouse.stock.get("VASE").physical[1]
    assert erp.warehouse.stock.get("VASE").min_level == 2
    assert said == "Stock item 'NOPE' does not exist"


async def test_deleted_entries_name_what_is_gone(erp: Erp) -> None:
    """An item that was never sold can be deleted; a sold one can't."""
    erp.warehouse.add_product("MISTAKE", description="Typo", sell_price="1")
    erp.warehouse.delete_product("mistake")
    gone = await erp.document("GetDeletedEntries", NO_DATE)
    since = await erp.document("GetDeletedEntries", datetime(2026, 3, 3))  # noqa: DTZ001 - a wall's
    items = await erp.document("ExportStock", "MISTAKE", 1, NO_DATE)

    assert [entry.findtext("STOCK_CODE") for entry in gone] == ["MISTAKE"]
    assert (len(since), len(items)) == (0, 0)


# ── orders ──


async def test_imported_order_is_found_by_each_mapping(erp: Erp) -> None:
    """Customer, customer's other ref, the ERP's code, the external reference."""
    result = plain(await erp.zeep("ImportOrders", document()))
    code = result["OrderImport"][0]["SalesOrderCode"]
    found = [
        [row.get("SORDER_CODE") for row in await erp.document(
            "ExportOrderStatusEx", ids, mapping, *STATUS_LIST)]
        for mapping, ids in ((1, "JLMKT"), (2, "NOBODY"), (3, code), (4, "JL100200300"))
    ]  # fmt: skip
    said = await refusal(erp, "ExportOrderStatusEx", "X", 5, *STATUS_LIST)

    assert found == [[code], [], [code], [code]]
    assert said == "Mapping type 5 is not supported"


async def test_cheap_status_and_orders_out_answer_and_refuse(erp: Erp) -> None:
    """No courier, no items in the one; the import's format in the other."""
    await erp.zeep("ImportOrders", document())
    live(erp.warehouse, DAY)
    (row,) = await erp.document("ExportOrderStatus")
    (order,) = await erp.document("ExportOrders", "JL100200300", 2)

    assert (row.get("REF"), row.text, row.get("URN")) == ("JL100200300", "70", "JLMKT")
    assert order.findtext("ORDER_HEADER/ASSOCIATED_REF") == "JL100200300"
    assert await refusal(erp, "ExportOrders", "X", 4) == "Mapping type 4 is not supported"


async def test_client_that_sends_blanks_in_its_dates_is_understood(erp: Erp) -> None:
    """A live client writes a blank, a T and an hour without its zero."""
    counts = []
    for since in ("2026-03-02 T9:00:00", "2026-03-02 09:00:00", "2026-03-02 T9:00:01"):
        _, body = await erp.post(f"<GetStockList><a>0</a><b>{since}</b></GetStockList>")
        counts.append(body.findtext("return/Count"))

    assert counts == ["6", "6", "0"]


async def test_public_client_reads_on_where_a_newer_build_sends_more() -> None:
    """Zeep in its lenient mode: what it knows is where it was, unknown fields beside it."""
    warehouse = warehouse_of(unknown_tags=True, multi_reference=True)
    async with served(warehouse) as erp:
        sites = plain(await erp.zeep_lenient("GetSiteList"))
        result = plain(await erp.zeep_lenient("ImportOrders", document()))

    assert sites["List"][0]["SiteName"] == "Main Site"
    assert (result["ImportedCount"], result["OrderImport"][0]["URN"]) == (1, "JLMKT")
