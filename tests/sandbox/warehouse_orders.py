"""A small warehouse, orders for it, and the passing of time: shared by the tests of the ERP."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

import msgspec

from kcjl.money import Money
from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.warehouse import SalesOrder, Warehouse
from kcjl.sandbox.warehouse.settings import WarehouseSettings

MONDAY_9 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
WHOLE = (("LAMP-OAK-01", 2, "64.99"),)


def warehouse_of(**settings: object) -> Warehouse:
    """A warehouse on a Monday morning, with 20 lamps, 5 vases and a pack of both."""
    warehouse = Warehouse(
        Agenda(MONDAY_9, seed=7), msgspec.convert(settings, WarehouseSettings, strict=False)
    )
    warehouse.add_product(
        "LAMP-OAK-01", description="Oak table lamp", sell_price="64.99", physical=20,
        other_ref="5012345678900", barcodes=("5012345678917",),
    )  # fmt: skip
    warehouse.add_product("VASE", description="Vase", sell_price=Money(1000), physical=5)
    warehouse.add_product(
        "GIFT-SET", description="Lamp and two vases", sell_price="80.00",
        pack_of=[("LAMP-OAK-01", 1), ("VASE", 2)],
    )  # fmt: skip
    return warehouse


def document(
    ref: str = "JL100200300",
    lines: Sequence[tuple[str, int, str]] = WHOLE,
    *,
    header: str = "",
    line: str = "",
    payment: str = "1000.00",
    company_class: str = "Marketplace",
    surname: str = "Accounts",
    delivery: str = "<DELIVERY_GRS>0</DELIVERY_GRS>",
) -> str:
    """A SALES_ORDERS document with one order; `lines` are (code, units, gross price)."""
    return f"<SALES_ORDERS>{order_of(**locals())}</SALES_ORDERS>"


def order_of(
    ref: str, lines: Sequence[tuple[str, int, str]], header: str, line: str, payment: str,
    company_class: str, surname: str, delivery: str,
) -> str:  # fmt: skip
    items = "".join(
        f"<ORDER_ITEM><STOCK_CODE>{escape(code)}</STOCK_CODE><MAPPING_TYPE>1</MAPPING_TYPE>"
        f"<ORDER_QTY>{units}</ORDER_QTY><PRICE_GRS>{price}</PRICE_GRS>{line}</ORDER_ITEM>"
        for code, units, price in lines
    )
    return (
        "<SALES_ORDER><CUSTOMER_DETAIL><IS_NEW_CUSTOMER>0</IS_NEW_CUSTOMER>"
        "<COMPANY_CODE>JLMKT</COMPANY_CODE>"
        f"<COMPANY_CLASS>{company_class}</COMPANY_CLASS><ADDRESSES><INVADDR>"
        "<IADDRESS1>1 Example Road</IADDRESS1><ITOWN>London</ITOWN>"
        f"<IPOSTCODE>ZZ1 1ZZ</IPOSTCODE><ISURNAME>{surname}</ISURNAME></INVADDR></ADDRESSES>"
        "</CUSTOMER_DETAIL><PAYMENTS><PAYMENT_DETAIL>"
        f"<PAYMENT_AMOUNT>{payment}</PAYMENT_AMOUNT><PAYMENT_TYPE>2</PAYMENT_TYPE>"
        "<AUTH_CODE>JOHNLEWIS</AUTH_CODE></PAYMENT_DETAIL></PAYMENTS><ORDER_HEADER>"
        f"<ASSOCIATED_REF>{ref}</ASSOCIATED_REF>{delivery}"
        f"{header}</ORDER_HEADER><ORDER_ITEMS>{items}</ORDER_ITEMS></SALES_ORDER>"
    )


def imported(warehouse: Warehouse, order: str) -> SalesOrder:
    code = warehouse.import_orders(order).imported[0].sales_order_code
    return warehouse.sales_orders[code]


def live(warehouse: Warehouse, span: timedelta = 3 * DAY) -> None:
    warehouse.agenda.advance(warehouse.agenda.now + span)
