"""New orders as the sandbox's ERP reads them out of the adapter's document, in one step.

Promises: what `parse_sales_orders(order_document(order))` gives, or the error that it raises
(compared by a test). An order whose fields fit takes the short way; any other goes the long
way, through the document itself. It imports nothing. Called by the simulated ERP.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from kcjl.errors import Misuse, Refused
from kcjl.khaos import port
from kcjl.khaos.characters import safe_text
from kcjl.khaos.kws_settings import KwsSettings
from kcjl.khaos.london import wall_time
from kcjl.khaos.order_document import (
    EMAIL_CHARS_MAX,
    FIELD_CHARS_MAX,
    PHONE_CHARS_MAX,
    address_lines,
    check_order,
    order_document,
)
from kcjl.money import Money
from kcjl.sandbox.warehouse import WarehouseSettings
from kcjl.sandbox.warehouse.documents import (
    AddressDocument,
    LineDocument,
    OrderDocument,
    parse_sales_orders,
)
from kcjl.sandbox.warehouse.pricing import UnitPrice
from kcjl.sandbox.warehouse.reading import parse_wall_time

__all__ = ["NewOrderReader"]

STOCK_CODE_MAX = 50


class _TheLongWay(Exception):
    """Raised when an order is not plain enough for the short way."""


class NewOrderReader:
    """One merchant's orders into one ERP."""

    def __init__(self, settings: KwsSettings, warehouse: WarehouseSettings) -> None:
        if settings.characters != "transliterate":
            raise Misuse("the simulated ERP takes orders that are transliterated")
        self._settings = settings
        self._warehouse = warehouse
        self._usual = self._the_long_way(_sample(settings.invoice_address))
        """What all orders of the merchant have in common."""
        self._reference_max = min(settings.max_external_ref, warehouse.external_ref_max)

    def read(self, order: port.NewOrder) -> OrderDocument:
        """Raises as the adapter does before it sends, and as the ERP does when it reads."""
        try:
            return self._the_short_way(order)
        except (_TheLongWay, Refused):
            return self._the_long_way(order)

    def _the_long_way(self, order: port.NewOrder) -> OrderDocument:
        document = order_document(order, self._settings)
        (read,) = parse_sales_orders(document, self._warehouse)
        return read

    def _the_short_way(self, order: port.NewOrder) -> OrderDocument:
        check_order(order)
        usual = self._usual
        reference = _code(order.external_ref, self._reference_max)
        total = order.gross_total.decimal()
        replaced = msgspec.structs.replace
        customer = replaced(usual.customer, deliver_to=self._address(order.deliver_to))
        payment = replaced(usual.payments[0], amount=total, transaction_id=reference)
        return replaced(
            usual,
            customer=customer,
            payments=(payment,),
            external_ref=reference,
            order_date=parse_wall_time(wall_time(order.ordered_at)),
            order_amount=total,
            currency=order.currency,
            delivery_gross=order.delivery_gross.decimal(),
            order_note=_plain("ORDER_NOTE", order.note),
            lines=tuple(item for line in order.lines for item in _items(line)),
        )

    def _address(self, address: port.DeliveryAddress) -> AddressDocument:
        lines = (address.line1, address.line2, address.line3)
        fitted = address_lines("DADDRESS1..3", tuple(_plain("", line) for line in lines))
        forename, surname = address.forename, address.surname
        if not surname.strip():
            forename, surname = "", address.forename
        phone = "".join(address.phone.split())
        phone = phone if phone.isascii() and len(phone) <= PHONE_CHARS_MAX else ""
        email = address.email.strip() if self._settings.include_email else ""
        email = email if email.isascii() and len(email) <= EMAIL_CHARS_MAX else ""
        return AddressDocument(
            line1=fitted[0],
            line2=fitted[1] if len(fitted) > 1 else "",
            line3=fitted[2] if len(fitted) > 2 else "",
            town=_needed("DTOWN", address.town),
            county=_plain("DCOUNTY", address.county),
            postcode=_needed("DPOSTCODE", address.postcode),
            country_code=_plain("DCOUNTRY_CODE", address.country_code),
            country_name="",
            title="",
            forename=_plain("DFORENAME", forename),
            surname=_needed("DSURNAME", surname),
            telephone=_plain("DTEL", phone),
            fax="",
            mobile="",
            email=_plain("DEMAIL", email),
            organisation=_plain("DORGANISATION", address.organisation),
        )


def _items(line: port.NewOrderLine) -> Iterator[LineDocument]:
    for units, unit_gross in line.items():
        yield LineDocument(
            stock_code=_code(line.stock_code, STOCK_CODE_MAX),
            mapping_type=1,
            quantity=Decimal(units),
            price=UnitPrice(amount=unit_gross.decimal(), is_net=False),
            tax_code=None,
            description="",
            extended_description="",
            discount_percent=Decimal(0),
            import_ref=_code(line.external_line_ref) if line.external_line_ref else "",
            site_name="",
        )


def _plain(field: str, text: str) -> str:
    """A text that the ERP holds as it is, but for its blanks."""
    if not text:
        return ""
    if text.isascii() and text.isprintable():
        tidy = " ".join(text.split())
    else:
        tidy = safe_text(field, text, "transliterate")
    if len(tidy) > FIELD_CHARS_MAX.get(field, len(tidy)):
        raise _TheLongWay
    return tidy


def _needed(field: str, text: str) -> str:
    tidy = _plain(field, text)
    if not tidy:
        raise _TheLongWay
    return tidy


def _code(text: str, most: int = 10_000) -> str:
    """An identifier, sign for sign."""
    if not (text.isascii() and text.isprintable()) or text != text.strip() or not text:
        raise _TheLongWay
    if len(text) > most:
        raise _TheLongWay
    return text


def _sample(address: port.DeliveryAddress) -> port.NewOrder:
    line = port.NewOrderLine(
        external_line_ref="1", stock_code="SAMPLE", quantity=1, unit_gross=Money(1)
    )
    return port.NewOrder(
        external_ref="SAMPLE",
        ordered_at=datetime(2026, 1, 1, tzinfo=UTC),
        currency="GBP",
        deliver_to=address,
        lines=(line,),
        delivery_gross=Money(0),
        gross_total=Money(1),
    )
