"""Samples of an order as it is written, and of an order's status as the ERP tells it."""

from datetime import UTC, datetime

import msgspec

from kcjl.khaos.port import DeliveryAddress, NewOrder, NewOrderLine, OrderStatus
from kcjl.money import Money
from tests.khaos.conftest import MakeAdapter
from tests.khaos.server import ScriptedErp, soap, string

__all__ = [
    "COURIERS",
    "REF",
    "SENT",
    "address",
    "box",
    "found",
    "imported",
    "invoice",
    "order",
    "says",
    "skipped",
    "status",
    "to",
]

REF = "JL100200300"
COURIERS = (
    '<SOPDATA><COURIERS><COURIER CODE="DPD24">DPD Next Day</COURIER></COURIERS></SOPDATA>'
)
SENT = '<{} STOCK_CODE="{}" QTY_SENT="{}"/>'


def order(**changes: object) -> NewOrder:
    made = NewOrder(
        external_ref=REF,
        ordered_at=datetime(2026, 7, 2, 8, 14, tzinfo=UTC),
        currency="GBP",
        deliver_to=DeliveryAddress(
            line1="Flat 9, 4 Sample Street",
            town="Leeds",
            postcode="ZZ9 9ZZ",
            country_code="GBR",
            surname="Tester",
            forename="Ada",
        ),
        lines=(
            NewOrderLine(
                external_line_ref=f"{REF}-1",
                stock_code="LAMP-OAK-01",
                quantity=2,
                unit_gross=Money(6499),
            ),
        ),
        delivery_gross=Money(0),
        gross_total=Money(12998),
    )
    return msgspec.structs.replace(made, **changes)


def address(**changes: object) -> DeliveryAddress:
    return msgspec.structs.replace(order().deliver_to, **changes)


def imported(count: int = 1, code: str = "SO70551", ref: str = REF) -> bytes:
    return soap(
        "ImportOrders",
        f"<return><ImportedCount>{count}</ImportedCount><OrderImport><item><SalesOrderCode>"
        f"{code}</SalesOrderCode><AssociatedRef>{ref}</AssociatedRef><Msg/><URN>JLMKT</URN>"
        "</item></OrderImport><OrderSkipped/></return>",
    )


def skipped(reason: str) -> bytes:
    return soap(
        "ImportOrders",
        "<return><ImportedCount>0</ImportedCount><OrderImport/><OrderSkipped><item><OrderRef>"
        f"{REF}</OrderRef><SkipReason>{reason}</SkipReason></item></OrderSkipped></return>",
    )


def to(**changes: object) -> NewOrder:
    return order(deliver_to=address(**changes))


def status(
    invoices: str = "", *, ref: str = REF, code: str = "SO70551", extra: str = ""
) -> str:
    return (
        f'<ORDER_STATUS SORDER_CODE="{code}" ASSOCIATED_REF="{ref}" NEW_ATTRIBUTE="?">'
        '<COMPANY_NAME COMPANY_CODE="JLMKT" OTHER_REF="">John Lewis Marketplace</COMPANY_NAME>'
        '<ORDER_TYPE TYPE_ID="S">Sales Order</ORDER_TYPE><COURIER>DPD Next Day</COURIER>'
        "<CURRENCY_CODE>GBP</CURRENCY_CODE><DATE_CREATED>02/03/2026</DATE_CREATED>"
        '<ITEMS_TOTAL NET_VALUE="108.32">129.9800</ITEMS_TOTAL>'
        '<DELIVERY_TOTAL NET_VALUE="2.92">3.50</DELIVERY_TOTAL><COMPLETE>0</COMPLETE>'
        f"<QTY_SOLD>2</QTY_SOLD>{extra}<INVOICES>{invoices}</INVOICES></ORDER_STATUS>"
    )


def invoice(inner: str = "", **attributes: str) -> str:
    fields = {
        "INVOICE_CODE": "INV88012",
        "INVOICE_STAGE_ID": "12",
        "INVOICE_STAGE_DESC": "PICKING",
        "SHIP_DATE": "",
        "COURIER": "DPD Next Day",
        "CONSIGNMENT_REF": "",
    }
    written = "".join(f' {name}="{text}"' for name, text in (fields | attributes).items())
    return f"<INVOICE{written}>{inner}</INVOICE>"


def box(inner: str = "", **attributes: str) -> str:
    written = "".join(f' {name}="{text}"' for name, text in attributes.items())
    return f"<BOX{written}>{inner}</BOX>"


def says(erp: ScriptedErp, *documents: str) -> None:
    erp.will_say(
        "ExportOrderStatusEx",
        *(string("", f"<STATUS_LIST>{d}</STATUS_LIST>") for d in documents),
    )
    erp.will_say("GetSOPData", string("", COURIERS))


async def found(make: MakeAdapter) -> OrderStatus:
    order = await make().find_order(REF)
    assert order is not None
    return order
