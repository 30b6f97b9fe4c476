"""The wider port over SOAP: families, potential, exports, and what can't be."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from kcjl.khaos.kws_stock import LONG_LIST
from kcjl.khaos.port import (
    ExportedLine,
    ExportedOrder,
    ReturnLine,
    ReturnRequest,
    Stage,
    StockPotential,
    Unsupported,
    WholeErp,
)
from tests.khaos.conftest import HandClock, MakeAdapter
from tests.khaos.server import ScriptedErp, fault, soap, string

pytestmark = pytest.mark.anyio

SINCE = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SOFA = (
    "<STOCK_ITEMS><STOCK_ITEM><STOCK_CODE>SOFA</STOCK_CODE><SCS><STYLE>"
    "<SCS_ITEM><STOCK_CODE>SOFA-RED</STOCK_CODE></SCS_ITEM>"
    "<SCS_ITEM><STOCK_CODE>SOFA-BLUE</STOCK_CODE></SCS_ITEM></STYLE></SCS></STOCK_ITEM>"
    "</STOCK_ITEMS>"
)


def info(code: str, parent: str = "", updated: str = "2026-03-02T12:30:26.497Z") -> str:
    return (
        f"<item><StockCode>{code}</StockCode><ParentCode>{parent}</ParentCode>"
        f"<LastUpdated>{updated}</LastUpdated></item>"
    )


def stock_list(*items: str) -> bytes:
    return soap("GetStockList", f"<return><List>{''.join(items)}</List></return>")


# ── lists of what changed ──


async def test_parent_is_replaced_by_its_children(erp: ScriptedErp, make: MakeAdapter) -> None:
    """A parent can't be sold: the children that the list itself tells of stand for it."""
    erp.will_say(
        "GetStockList", stock_list(info("SOFA"), info("sofa-red", "Sofa"), info("RUG"))
    )

    refs = await make().moved_products(SINCE)

    assert {("sofa-red", "Sofa"), ("RUG", None)} == {
        (r.stock_code, r.parent_code) for r in refs
    }
    asked = [list(arguments.values()) for arguments in erp.arguments("GetStockList")]
    assert [["2", "2026-03-02T08:00:00", "0"]] == asked


async def test_list_whose_memory_is_given_back_is_read_whole(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """The document of a long list goes when its last row was read, and not before."""
    codes = [f"RUG-{number:05}" for number in range(LONG_LIST + 1)]
    erp.will_say("GetStockList", stock_list(*map(info, codes)))

    assert codes == [each.stock_code for each in await make().moved_products(SINCE)]


async def test_parent_alone_is_replaced_by_children_known_from_before(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """Its products told of them: whichever wasn't listed has changed when its parent did."""
    erp.will_say("ExportStock", string("", SOFA))
    late = info("SOFA", updated="2026-03-02T13:00:00Z")
    erp.will_say("GetStockList", stock_list(info("SOFA-RED", "SOFA"), late))
    adapter = make()

    await adapter.products(["SOFA"])
    refs = await adapter.edited_products(SINCE)

    at = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)
    assert {("SOFA-RED", at), ("SOFA-BLUE", at)} == {(r.stock_code, r.changed_at) for r in refs}


async def test_item_that_is_its_own_parent_is_kept(erp: ScriptedErp, make: MakeAdapter) -> None:
    """A list that contradicts itself loses no code."""
    erp.will_say("GetStockList", stock_list(info("RUG", "RUG")))

    assert ["RUG"] == [ref.stock_code for ref in await make().moved_products(SINCE)]


async def test_launched_products_are_asked_by_launch_date(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """Date type 1."""
    erp.will_say("GetStockList", stock_list(info("RUG")))

    assert ["RUG"] == [ref.stock_code for ref in await make().launched_products(SINCE)]
    assert "1" == erp.arguments("GetStockList")[0]["DateType"]


async def test_poll_with_500_changes_costs_eleven_calls(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """One list, and ten chunks of fifty."""
    codes = [f"C{number:03}" for number in range(500)]
    erp.will_say("GetStockList", stock_list(*map(info, codes)))
    for at in range(0, 500, 50):
        rows = (
            f'<STOCK_ITEM CODE="{c}"><LEVEL>1</LEVEL></STOCK_ITEM>' for c in codes[at : at + 50]
        )
        erp.will_say(
            "ExportStockStatus", string("", f"<STOCK_STATUS>{''.join(rows)}</STOCK_STATUS>")
        )
    adapter = make()

    moved = await adapter.moved_products(SINCE)
    levels = await adapter.stock_levels([ref.stock_code for ref in moved], ["1"])

    assert 500 == len({level.stock_code for level in levels})
    assert 11 == len(erp.calls)


# ── stock ──


async def test_product_is_told_whole(erp: ScriptedErp, make: MakeAdapter) -> None:
    """Other ref, barcodes, prices, VAT percent, web and what a pack is made of."""
    erp.will_say(
        "ExportStock",
        string(
            "",
            "<STOCK_ITEMS><STOCK_ITEM><STOCK_CODE>SET</STOCK_CODE><ASSOCIATED_REF>501"
            "</ASSOCIATED_REF><STOCK_ID>40117</STOCK_ID><SELL_PRICE IS_NET='-1'>54.1600"
            "</SELL_PRICE><SELL_PRICE_WEB>0</SELL_PRICE_WEB><VAT_RATE>20.00</VAT_RATE>"
            "<WEB>-1</WEB><LAUNCH_DATE>2026-01-05</LAUNCH_DATE><BARCODES><BARCODE DESC='Main'>"
            "501</BARCODE><BARCODE>502</BARCODE><BARCODE/></BARCODES><LINKED_ITEMS><LINK_ITEM>"
            "<STOCK_CODE>RUG</STOCK_CODE><LINK_TYPE>1</LINK_TYPE></LINK_ITEM><LINK_ITEM>"
            "<STOCK_CODE>LAMP</STOCK_CODE><LINK_TYPE>3</LINK_TYPE><LINK_VALUE>2</LINK_VALUE>"
            "</LINK_ITEM></LINKED_ITEMS></STOCK_ITEM></STOCK_ITEMS>",
        ),
    )

    product = (await make().products(["SET"]))["SET"]

    assert ("501", "40117", ("501", "502"), True) == (
        product.other_ref,
        product.stock_id,
        product.barcodes,
        product.on_web,
    )
    assert (Decimal("54.1600"), True, None, Decimal("20.00")) == (
        product.sell_price,
        product.sell_price_is_net,
        product.web_price,
        product.vat_percent,
    )
    assert ((("LAMP", Decimal(2)),), date(2026, 1, 5)) == (
        product.pack_items,
        product.launch_on,
    )


async def test_level_is_told_whole_and_odd_extras_spoil_none(
    erp: ScriptedErp, make: MakeAdapter, clock: HandClock
) -> None:
    """On order, buildable and due date where they are; an unreadable extra is not there."""
    erp.will_say(
        "ExportStockStatus",
        string(
            "",
            '<STOCK_STATUS><STOCK_ITEM CODE="A"><LEVEL>1</LEVEL><LEAD_TIME>2026-04-10'
            "</LEAD_TIME><ON_ORDER_LEVEL>30</ON_ORDER_LEVEL><BUILD_POTENTIAL_CHILDREN>4"
            '</BUILD_POTENTIAL_CHILDREN></STOCK_ITEM><STOCK_ITEM CODE="B"><LEVEL>2</LEVEL>'
            "<LEAD_TIME>1899-12-30</LEAD_TIME><ON_ORDER_LEVEL>?</ON_ORDER_LEVEL></STOCK_ITEM>"
            "</STOCK_STATUS>",
        ),
    )

    first, second = await make().stock_levels(["A", "B"], ["1"])

    assert (Decimal(1), Decimal(30), Decimal(4), date(2026, 4, 10), clock.now()) == (
        first.available,
        first.on_order,
        first.build_potential,
        first.due,
        first.read_at,
    )
    assert (Decimal(2), None, None, None) == (
        second.available,
        second.on_order,
        second.build_potential,
        second.due,
    )


async def test_stock_potential_is_asked_by_code_and_worked_out_where_it_is_missing(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """Mapping 1, never the default 0; only what was asked for."""
    row = (
        "<item><StockCode>{}</StockCode><Available>{}</Available><OnOrder>30</OnOrder>{}</item>"
    )
    known = "<BackOrder>50.5</BackOrder><Potential>-20.5</Potential>"
    rows = row.format("a", "0", known) + row.format("B", "-3", "") + row.format("C", "1", "")
    erp.will_say("GetStockPotential", soap("GetStockPotential", f"<return>{rows}</return>"))

    found = await make().stock_potential(["A", "b", "gone"])

    assert [
        StockPotential(
            stock_code="a",
            other_ref=None,
            available=Decimal(0),
            on_order=Decimal(30),
            back_order=Decimal("50.5"),
            potential=Decimal("-20.5"),
        ),
        StockPotential(
            stock_code="B",
            other_ref=None,
            available=Decimal(-3),
            on_order=Decimal(30),
            back_order=Decimal(0),
            potential=Decimal(27),
        ),
    ] == found
    assert {"StockCode": "A,b,gone", "MappingType": "1"} == erp.arguments("GetStockPotential")[
        0
    ]


async def test_sweep_takes_codes_as_it_goes(erp: ScriptedErp, make: MakeAdapter) -> None:
    """A chunk is asked for when the one before has been given out, and not sooner."""
    erp.will_say(
        "ExportStockStatus",
        *(
            string("", f'<STOCK_STATUS><STOCK_ITEM CODE="C{n}"/></STOCK_STATUS>')
            for n in (0, 2, 4)
        ),
    )
    taken: list[str] = []

    def codes() -> Iterator[str]:
        for number in range(5):
            taken.append(f"C{number}")
            yield taken[-1]

    sweep = make(stock_codes_per_call=2).swept_levels(codes(), ["1"])
    seen = [([level.stock_code for level in levels], len(taken)) async for levels in sweep]

    assert [(["C0"], 2), (["C2"], 4), (["C4"], 5)] == seen


# ── orders ──

EXPORTED = (
    "<SALES_ORDERS><SALES_ORDER><CUSTOMER_DETAIL><COMPANY_CODE>JLMKT</COMPANY_CODE>"
    "<ADDRESSES><DELADDR><DSURNAME>Tester</DSURNAME></DELADDR></ADDRESSES></CUSTOMER_DETAIL>"
    "<ORDER_HEADER><ORDER_DATE>2026-07-02T09:14:00</ORDER_DATE><ORDER_AMOUNT>129.98"
    "</ORDER_AMOUNT><ORDER_CURRENCY_CODE>GBP</ORDER_CURRENCY_CODE><ASSOCIATED_REF>jl1"
    "</ASSOCIATED_REF></ORDER_HEADER><ORDER_ITEMS><ORDER_ITEM><STOCK_CODE>LAMP</STOCK_CODE>"
    "<ORDER_QTY>2</ORDER_QTY><PRICE_GRS>64.99</PRICE_GRS><IMPORT_REF>JL1-1</IMPORT_REF>"
    "</ORDER_ITEM></ORDER_ITEMS></SALES_ORDER></SALES_ORDERS>"
)
LINE = ExportedLine(
    stock_code="LAMP",
    quantity=Decimal(2),
    unit_gross=Decimal("64.99"),
    external_line_ref="JL1-1",
)


async def test_exported_orders_are_found_by_reference_and_by_number(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """The document lacks the ERP's number: it is known when it was asked by. No buyer."""
    erp.will_say("ExportOrders", *[string("", EXPORTED)] * 2, string("", "<SALES_ORDERS/>"))

    found = await make().exported_orders(
        external_refs=["JL1", "JL2"], erp_order_codes=["SO70551", "SO1"]
    )

    def order(ref: str, code: str | None) -> ExportedOrder:
        return ExportedOrder(
            external_ref=ref,
            erp_order_code=code,
            ordered_at=datetime(2026, 7, 2, 8, 14, tzinfo=UTC),
            currency="GBP",
            amount=Decimal("129.98"),
            lines=(LINE,),
        )

    assert [order("JL1", None), order("jl1", "SO70551")] == found
    asked = [tuple(arguments.values()) for arguments in erp.arguments("ExportOrders")]
    assert [("JL1,JL2", "2"), ("SO70551", "1"), ("SO1", "1")] == asked


async def test_orders_in_progress_are_a_cheap_sign(erp: ScriptedErp, make: MakeAdapter) -> None:
    """No arguments, one row an invoice; orders without a reference are passed over."""
    erp.will_say(
        "ExportOrderStatus",
        string(
            "",
            '<ORDER_STATUSES><ORDER REF="JL1" ID="SO1" INVOICE="I1" COMPLETE="-1" '
            'CONSIGNMENT="A1, B2" URN="JLMKT">70</ORDER><ORDER REF="JL1" ID="SO1" INVOICE="I2" '
            'COMPLETE="0" CONSIGNMENT="">99</ORDER><ORDER REF="" ID="SO2">9</ORDER>'
            "</ORDER_STATUSES>",
        ),
    )

    signs = await make().orders_in_progress()

    assert [
        ("JL1", "I1", Stage.POSTED, True, "A1"),
        ("JL1", "I2", Stage.UNKNOWN, False, ""),
    ] == [
        (s.external_ref, s.invoice_code, s.stage, s.complete, s.tracking_number) for s in signs
    ]
    assert [{}] == erp.arguments("ExportOrderStatus")


@pytest.mark.parametrize(
    "answer", [string("", ""), string("", "<ORDER_STATUSES/>"), fault("No orders found")]
)
async def test_orders_in_progress_none_is_empty_in_any_form(
    erp: ScriptedErp, make: MakeAdapter, answer: bytes
) -> None:
    """Empty root, empty string, or a fault that plainly says so."""
    erp.will_say("ExportOrderStatus", answer)

    assert [] == await make().orders_in_progress()


# ── what can't be ──


async def test_commands_beyond_the_capabilities_are_unsupported_and_send_nothing(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """The web service has no returns and no journals."""
    adapter: WholeErp = make(max_external_ref=50)
    back = ReturnRequest(
        return_ref="R1",
        external_order_ref="JL1",
        created_at=SINCE,
        lines=(ReturnLine(stock_code="LAMP", quantity=Decimal(1), reason="Faulty"),),
    )

    with pytest.raises(Unsupported, match=r"register_return R1 of order JL1.*enter the return"):
        await adapter.register_return(back)
    can = adapter.capabilities
    assert (False, False, False) == (
        can.returns,
        can.journals,
        can.line_refs_in_shipments,
    )
    assert (True, True, True, 50) == (
        can.pull_stock,
        can.lookup_order,
        can.sync_order_result,
        can.max_external_ref,
    )
    assert [] == erp.calls
