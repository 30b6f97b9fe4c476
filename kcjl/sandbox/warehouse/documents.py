"""The SALES_ORDERS document: its XML read into records, with the ERP's checks of form.

Promises: unknown elements are ignored; an over-long value, a missing required one or a number
that is none is a fault that names the tag and the value; a document with a DTD is refused. It
looks nothing up. Invariant: what is stored is what the ERP's character set can hold.
Called by the import desk of the sandbox's warehouse. Source: contract khaos b.3, d.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Literal

import msgspec
from lxml import etree

from kcjl.clock import LONDON
from kcjl.sandbox.warehouse.faults import KhaosFault
from kcjl.sandbox.warehouse.pricing import UnitPrice
from kcjl.sandbox.warehouse.reading import (
    parse_document,
    parse_wall,
    parse_wall_time,
)
from kcjl.sandbox.warehouse.settings import WarehouseSettings

__all__ = [
    "AddressDocument",
    "CustomerDocument",
    "LineDocument",
    "OrderDocument",
    "PaymentDocument",
    "parse_sales_orders",
]

_LINE_MAX = 35
_MAXIMA = {
    "COMPANY_CODE": 10, "OTHER_REF": 30, "WEB_USER": 50, "COMPANY_NAME": 50,
    "TAX_REFERENCE": 20, "ADDRESS1": _LINE_MAX, "ADDRESS2": _LINE_MAX, "ADDRESS3": _LINE_MAX,
    "TOWN": _LINE_MAX, "COUNTY": _LINE_MAX, "POSTCODE": 10, "TITLE": 20, "FORENAME": 50,
    "SURNAME": 50, "EMAIL": 50, "ORDER_CURRENCY_CODE": 3, "PO_NUMBER": 30,
    "ORDER_NOTE": 2000, "INVOICE_NOTE": 2000, "COURIER_NOTE": 255, "STOCK_CODE": 50,
    "STOCK_DESC": 250,
}  # fmt: skip
"""Longest value of a tag, in characters. Phones and ASSOCIATED_REF are settings."""
_EXTENDED_LINE_MAX = 150


class DocumentRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the records of an order document."""


class AddressDocument(DocumentRecord, frozen=True, kw_only=True):
    line1: str
    line2: str
    line3: str
    town: str
    county: str
    postcode: str
    country_code: str
    country_name: str
    title: str
    forename: str
    surname: str
    telephone: str
    fax: str
    mobile: str
    email: str
    organisation: str


class CustomerDocument(DocumentRecord, frozen=True, kw_only=True):
    always_new: bool
    company_code: str
    other_ref: str
    web_user: str
    company_class: str
    company_type: str = ""
    source_code: str = ""
    mailing_status: int | None = None
    company_name: str
    invoice_to: AddressDocument
    deliver_to: AddressDocument | None


class PaymentDocument(DocumentRecord, frozen=True, kw_only=True):
    amount: Decimal
    payment_type: int
    """0 cash, 1 cheque, 2 card, 3 account, 4 voucher."""
    card_type: str
    card_number: str
    is_preauth: bool
    auth_code: str
    transaction_id: str
    account_name: str


class LineDocument(DocumentRecord, frozen=True, kw_only=True):
    stock_code: str
    mapping_type: int
    quantity: Decimal
    price: UnitPrice | None
    """None: the item's own price."""
    tax_code: int | None
    description: str
    extended_description: str
    discount_percent: Decimal
    import_ref: str
    site_name: str
    web_item_ref: str = ""
    """A second reference of the line, which only the Cloud's channels have."""


class OrderDocument(DocumentRecord, frozen=True, kw_only=True):
    """One SALES_ORDER."""

    customer: CustomerDocument
    payments: tuple[PaymentDocument, ...]
    external_ref: str
    order_date: datetime | None
    delivery_date: date | None
    order_amount: Decimal | None
    currency: str
    site_name: str
    delivery_net: Decimal | None
    delivery_tax: Decimal | None
    delivery_gross: Decimal | None
    courier_code: str
    courier_name: str
    sales_source: str
    brand: str
    keycode: str
    agent: str = ""
    invoice_priority: str = ""
    website_name: str = ""
    po_number: str
    order_note: str
    invoice_note: str
    courier_note: str
    lines: tuple[LineDocument, ...]
    calculation: Literal["", "net", "gross"] = ""
    """How it is calculated, whatever the customer's class says; empty: as that says."""
    corrects_rounding: bool = False
    """`order_amount` is right: a line takes the pennies that rounding left."""


def parse_sales_orders(document: str, settings: WarehouseSettings) -> Iterator[OrderDocument]:
    """The orders of a document, one after the other; a fault comes at the order that has it."""
    root = parse_document(document, "SALES_ORDERS")
    orders = list(root.iterchildren("SALES_ORDER"))
    if not orders:
        raise KhaosFault("The document holds no SALES_ORDER")
    if len(orders) > settings.orders_per_call_max:
        raise KhaosFault(
            f"{len(orders)} orders in one call, {settings.orders_per_call_max} at most"
        )
    reader = _Reader(settings)
    for node in orders:
        yield reader.order(node)


class _Reader:
    """Reads one order, tag by tag."""

    def __init__(self, settings: WarehouseSettings) -> None:
        self._keeps_unicode = settings.keeps_unicode
        self._zone = LONDON if settings.wall_clock == "london" else UTC
        self._refuses_unwritable = settings.refuses_unwritable
        self._maxima = _MAXIMA | {
            "ASSOCIATED_REF": settings.external_ref_max,
            "TEL": settings.phone_max, "FAX": settings.phone_max, "MOBILE": settings.phone_max,
        }  # fmt: skip

    def order(self, node: etree._Element) -> OrderDocument:
        header = self._part(node, "ORDER_HEADER")
        customer = self._customer(self._part(node, "CUSTOMER_DETAIL"))
        lines = tuple(
            self._line(item)
            for item in self._part(node, "ORDER_ITEMS").iterchildren("ORDER_ITEM")
        )
        if not lines:
            raise KhaosFault("ORDER_ITEMS holds no ORDER_ITEM")
        if self._whole(header, "CHANNEL_ID"):
            raise KhaosFault("CHANNEL_ID: no channel listing has this order's items")
        placed = parse_wall_time(self._text(header, "ORDER_DATE"), self._zone)
        due = parse_wall(self._text(header, "DELIVERY_DATE"))
        required = parse_wall(self._text(header, "REQUIRED_BY_DATE"))
        due = due or required
        return OrderDocument(
            customer=customer,
            payments=tuple(
                self._payment(payment) for payment in node.iterfind("PAYMENTS/PAYMENT_DETAIL")
            ),
            external_ref=self._required(header, "ASSOCIATED_REF"),
            order_date=placed,
            delivery_date=due.date() if due else None,
            order_amount=self._number(header, "ORDER_AMOUNT"),
            currency=self._text(header, "ORDER_CURRENCY_CODE"),
            site_name=self._text(header, "SITE"),
            delivery_net=self._number(header, "DELIVERY_NET"),
            delivery_tax=self._number(header, "DELIVERY_TAX"),
            delivery_gross=self._number(header, "DELIVERY_GRS"),
            courier_code=self._text(header, "COURIER_CODE"),
            courier_name=self._text(header, "COURIER_DESC"),
            sales_source=self._text(header, "SALES_SOURCE"),
            brand=self._text(header, "BRAND"),
            keycode=self._text(header, "KEYCODE_CODE"),
            agent=self._text(header, "AGENT"),
            invoice_priority=self._text(header, "INV_PRIORITY"),
            website_name=self._text(header, "WEBSITE_NAME"),
            po_number=self._text(header, "PO_NUMBER"),
            order_note=self._text(header, "ORDER_NOTE"),
            invoice_note=self._text(header, "INVOICE_NOTE"),
            courier_note=self._text(header, "COURIER_NOTE"),
            lines=lines,
        )

    def _customer(self, node: etree._Element) -> CustomerDocument:
        addresses = self._part(node, "ADDRESSES")
        self._text(node, "TAX_REFERENCE")
        deliver_to = addresses.find("DELADDR")
        return CustomerDocument(
            always_new=self._flag(node, "IS_NEW_CUSTOMER", required=True),
            company_code=self._text(node, "COMPANY_CODE"),
            other_ref=self._text(node, "OTHER_REF"),
            web_user=self._text(node, "WEB_USER"),
            company_class=self._text(node, "COMPANY_CLASS"),
            company_type=self._text(node, "COMPANY_TYPE"),
            source_code=self._text(node, "SOURCE_CODE"),
            mailing_status=self._whole(node, "MAILING_STATUS"),
            company_name=self._text(node, "COMPANY_NAME"),
            invoice_to=self._address(self._part(addresses, "INVADDR"), "I"),
            deliver_to=self._address(deliver_to, "D") if deliver_to is not None else None,
        )

    def _address(self, node: etree._Element, prefix: str) -> AddressDocument:
        def value(tag: str) -> str:
            return self._text(node, prefix + tag, tag)

        def required(tag: str) -> str:
            return self._required(node, prefix + tag, tag)

        return AddressDocument(
            line1=required("ADDRESS1"), line2=value("ADDRESS2"), line3=value("ADDRESS3"),
            town=required("TOWN"), county=value("COUNTY"), postcode=required("POSTCODE"),
            country_code=value("COUNTRY_CODE"), country_name=value("COUNTRY_NAME"),
            title=value("TITLE"), forename=value("FORENAME"), surname=required("SURNAME"),
            telephone=value("TEL"), fax=value("FAX"), mobile=value("MOBILE"),
            email=value("EMAIL"), organisation=value("ORGANISATION"),
        )  # fmt: skip

    def _payment(self, node: etree._Element) -> PaymentDocument:
        return PaymentDocument(
            amount=self._number(node, "PAYMENT_AMOUNT") or Decimal(0),
            payment_type=self._whole(node, "PAYMENT_TYPE") or 0,
            card_type=self._text(node, "CARD_TYPE"),
            card_number=self._text(node, "CARD_NUMBER"),
            is_preauth=self._flag(node, "PREAUTH"),
            auth_code=self._text(node, "AUTH_CODE"),
            transaction_id=self._text(node, "TRANSACTION_ID"),
            account_name=self._text(node, "ACCOUNT_NAME"),
        )

    def _line(self, node: etree._Element) -> LineDocument:
        quantity = self._number(node, "ORDER_QTY")
        mapping_type = self._whole(node, "MAPPING_TYPE")
        code = self._text(node, "STOCK_CODE")
        if quantity is None or quantity <= 0:
            raise KhaosFault(f"ORDER_QTY of {code} must be above 0")
        if mapping_type is None:
            raise KhaosFault(f"MAPPING_TYPE of {code} is required")
        net = self._number(node, "PRICE_NET")
        gross = self._number(node, "PRICE_GRS")
        price: UnitPrice | None = None
        if net is not None:
            price = UnitPrice(amount=net, is_net=True)
        elif gross is not None:
            price = UnitPrice(amount=gross, is_net=False)
        extended = self._text(node, "EXTENDED_DESC")
        for row in extended.splitlines():
            self._check_length(row, "EXTENDED_DESC", _EXTENDED_LINE_MAX)
        return LineDocument(
            stock_code=code,
            mapping_type=mapping_type,
            quantity=quantity,
            price=price,
            tax_code=self._whole(node, "TAX_RATE"),
            description=self._text(node, "STOCK_DESC"),
            extended_description=extended,
            discount_percent=self._number(node, "KSD_DISCOUNT") or Decimal(0),
            import_ref=self._text(node, "IMPORT_REF"),
            site_name=self._text(node, "SITE"),
        )

    # ── values ──

    @staticmethod
    def _part(node: etree._Element, tag: str) -> etree._Element:
        part = node.find(tag)
        if part is None:
            raise KhaosFault(f"{node.tag} has no {tag}")
        return part

    def _text(self, node: etree._Element, tag: str, rule: str = "") -> str:
        text = (node.findtext(tag) or "").strip()
        longest = self._maxima.get(rule or tag)
        if longest is not None:
            self._check_length(text, tag, longest)
        if self._keeps_unicode:
            return text
        kept = text.encode("cp1252", "replace").decode("cp1252")
        if self._refuses_unwritable and kept != text:
            raise KhaosFault(
                f"{tag}: '{text}' has characters outside the code page", "EEncodingError"
            )
        return kept

    @staticmethod
    def _check_length(text: str, tag: str, longest: int) -> None:
        if len(text) > longest:
            raise KhaosFault(
                f"{tag}: value '{text}' is too long "
                f"({len(text)} characters, {longest} at most)",
                "EDatabaseError",
            )

    def _required(self, node: etree._Element, tag: str, rule: str = "") -> str:
        text = self._text(node, tag, rule)
        if not text:
            raise KhaosFault(f"{tag} is required")
        return text

    def _number(self, node: etree._Element, tag: str) -> Decimal | None:
        text = (node.findtext(tag) or "").strip()
        if not text:
            return None
        try:
            number = Decimal(text)
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite():
            raise KhaosFault(f"{tag}: '{text}' is not a valid number", "EConvertError")
        return number

    def _whole(self, node: etree._Element, tag: str) -> int | None:
        number = self._number(node, tag)
        if number is not None and number != int(number):
            raise KhaosFault(f"{tag}: '{number}' is not a valid integer value", "EConvertError")
        return int(number) if number is not None else None

    def _flag(self, node: etree._Element, tag: str, *, required: bool = False) -> bool:
        text = self._required(node, tag) if required else self._text(node, tag)
        return text.casefold() in {"-1", "1", "true"}
