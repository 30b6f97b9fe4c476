"""The `ImportOrders` document: one marketplace order in the ERP's words.

Promises: the composed form of the contract, field by field; the buyer only in `DELADDR`, the
constant invoice address of the settings in `INVADDR`; nothing is cut. What does not fit is
refused before anything is sent, by field, length and limit, without quoting personal data. Two
choices: a phone of more than 19 signs without its blanks and an e-mail of more than 50
(or either that is not ASCII) are LEFT OUT, for the parcel arrives without them.
Invariant: each word of an address is in the document, in order. Called by `kws.py`.
Source: contract khaos b.0, b.3, d (limits), g 6.
"""

import unicodedata

from lxml import etree

from kcjl.discretion import without_words
from kcjl.errors import Misuse, Refused
from kcjl.khaos.answer_xml import Element
from kcjl.khaos.asking import NEVER_IN_A_STOCK_CODE
from kcjl.khaos.characters import CharacterMode, safe_text
from kcjl.khaos.kws_settings import KwsSettings
from kcjl.khaos.london import wall_time
from kcjl.khaos.port import DeliveryAddress, NewOrder, NewOrderLine

__all__ = [
    "ADDRESS_LINE_CHARS_MAX",
    "EMAIL_CHARS_MAX",
    "FIELD_CHARS_MAX",
    "PHONE_CHARS_MAX",
    "address_lines",
    "check_amounts",
    "check_order",
    "order_document",
    "without_buyer",
]

ADDRESS_LINE_CHARS_MAX = 35
ADDRESS_LINES_MAX = 3
EMAIL_CHARS_MAX = 50
PHONE_CHARS_MAX = 19
"""The guide's 19, not the template's 30: the shorter one fits both."""

FIELD_CHARS_MAX = {
    "ITOWN": 35,
    "ICOUNTY": 35,
    "IPOSTCODE": 10,
    "IFORENAME": 50,
    "ISURNAME": 50,
    "IORGANISATION": 50,
    "DTOWN": 35,
    "DCOUNTY": 35,
    "DPOSTCODE": 10,
    "DFORENAME": 50,
    "DSURNAME": 50,
    "DORGANISATION": 50,
    "COMPANY_CODE": 10,
    "COMPANY_NAME": 50,
    "STOCK_CODE": 50,
    "ORDER_CURRENCY_CODE": 3,
    "ORDER_NOTE": 2000,
}
"""Characters that a field holds (contract khaos d, limits)."""


def order_document(order: NewOrder, settings: KwsSettings) -> str:
    """The document as a string, without an XML declaration.

    Raises Refused (nothing was sent) when a field does not fit, and Misuse when the order
    contradicts itself.
    """
    check_order(order)
    root = etree.Element("SALES_ORDERS")
    sales_order = etree.SubElement(root, "SALES_ORDER")
    writer = _Writer(settings.characters)
    _customer(writer, sales_order, order, settings)
    _payment(writer, sales_order, order, settings)
    _header(writer, sales_order, order, settings)
    items = etree.SubElement(sales_order, "ORDER_ITEMS")
    for line in order.lines:
        _item(writer, items, line)
    return etree.tostring(root, encoding="unicode")


def address_lines(field: str, lines: tuple[str, ...]) -> tuple[str, ...]:
    """One to three address lines of at most 35 characters, broken between words only.

    Lines that fit stay as they are; otherwise each is wrapped on its own, and when that takes
    too many lines, the words run on. Raises Refused when they can't fit.
    """
    kept = tuple(line for line in lines if line.strip())
    if not kept:
        raise _missing(field)
    longest = max(len(word) for line in kept for word in line.split())
    if longest > ADDRESS_LINE_CHARS_MAX:
        raise _too_long(f"a word of {field}", longest, ADDRESS_LINE_CHARS_MAX)
    wrapped = tuple(part for line in kept for part in _wrapped(line.split()))
    if len(wrapped) <= ADDRESS_LINES_MAX:
        return wrapped
    running = tuple(_wrapped([word for line in kept for word in line.split()]))
    if len(running) <= ADDRESS_LINES_MAX:
        return running
    length = sum(len(line) for line in kept) + len(kept) - 1
    raise _too_long(field, length, ADDRESS_LINES_MAX * ADDRESS_LINE_CHARS_MAX)


def without_buyer(text: str, document: str) -> str:
    """An ERP's message without what the document says of the buyer, who stays out of logs."""
    buyer = etree.fromstring(document).find(".//DELADDR")
    fields = [] if buyer is None else [field.text or "" for field in buyer]
    return without_words(text, fields)


class _Writer:
    """Adds elements whose text the ERP's database can hold whole."""

    def __init__(self, mode: CharacterMode) -> None:
        self._mode = mode

    def text(self, field: str, text: str) -> str:
        return safe_text(field, text, self._mode)

    def add(self, parent: Element, tag: str, text: str) -> None:
        """Add `<tag>text</tag>`; a blank optional text adds nothing."""
        if text.strip():
            _put(parent, tag, self.text(tag, text), FIELD_CHARS_MAX.get(tag))

    def need(self, parent: Element, tag: str, text: str) -> None:
        if not text.strip():
            raise _missing(tag)
        self.add(parent, tag, text)

    def exact(self, parent: Element, tag: str, text: str, limit: int | None = None) -> None:
        """Add an identifier, sign for sign: one that would have to be changed is refused."""
        if not text.strip():
            raise _missing(tag)
        if safe_text(tag, text, "refuse") != " ".join(text.split()) or _has_control(text):
            raise Refused(
                f"{tag} has characters that Khaos Control's database can't hold, and a code is "
                "never changed on the way",
                reason_code="CHARACTERS",
            )
        _put(parent, tag, text, limit or FIELD_CHARS_MAX.get(tag))


def check_order(order: NewOrder) -> None:
    if not order.lines or any(line.quantity <= 0 for line in order.lines):
        raise Misuse(f"order {order.external_ref} needs lines, each of one unit or more")
    check_amounts(order)
    ref = order.external_ref
    if set(ref) & set(",;") or not ref.isprintable() or any(map(str.isspace, ref)):
        raise Refused(
            f"ASSOCIATED_REF {ref!r} has a separator in it, so the order could "
            "not be looked up again",
            reason_code="REFERENCE",
        )


def check_amounts(order: NewOrder) -> None:
    """Raises Misuse where lines and delivery are not the total, or of another currency."""
    amounts = (order.delivery_gross, order.gross_total, *(x.unit_gross for x in order.lines))
    if any(amount.currency != order.currency for amount in amounts):
        raise Misuse(f"order {order.external_ref} is in {order.currency}, its amounts are not")
    goods = (unit.times(units) for line in order.lines for units, unit in line.items())
    total = sum(goods, order.delivery_gross)
    if total != order.gross_total:
        raise Misuse(
            f"order {order.external_ref} comes to {total}, and is said to be "
            f"{order.gross_total}: nothing was sent"
        )


def _customer(writer: _Writer, parent: Element, order: NewOrder, settings: KwsSettings) -> None:
    customer = etree.SubElement(parent, "CUSTOMER_DETAIL")
    writer.need(customer, "IS_NEW_CUSTOMER", "0")
    writer.exact(customer, "COMPANY_CODE", settings.company_code)
    writer.exact(customer, "COMPANY_CLASS", settings.company_class)
    writer.need(customer, "COMPANY_NAME", settings.company_name)
    addresses = etree.SubElement(customer, "ADDRESSES")
    _address(writer, addresses, "I", settings.invoice_address)
    _address(writer, addresses, "D", order.deliver_to, with_email=settings.include_email)


def _address(
    writer: _Writer,
    parent: Element,
    initial: str,
    address: DeliveryAddress,
    *,
    with_email: bool = True,
) -> None:
    """`INVADDR` or `DELADDR`, in the order of the template."""
    node = etree.SubElement(parent, "INVADDR" if initial == "I" else "DELADDR")
    field = f"{initial}ADDRESS1..3"
    lines = (address.line1, address.line2, address.line3)
    fitted = address_lines(field, tuple(writer.text(field, line) for line in lines))
    for number, line in enumerate(fitted, start=1):
        writer.need(node, f"{initial}ADDRESS{number}", line)
    writer.need(node, f"{initial}TOWN", address.town)
    writer.add(node, f"{initial}COUNTY", address.county)
    writer.need(node, f"{initial}POSTCODE", address.postcode)
    writer.add(node, f"{initial}COUNTRY_CODE", address.country_code)
    if address.surname.strip():
        writer.add(node, f"{initial}FORENAME", address.forename)
        writer.need(node, f"{initial}SURNAME", address.surname)
    else:  # the one name there is; the ERP wants a surname
        writer.need(node, f"{initial}SURNAME", address.forename)
    phone = "".join(address.phone.split())
    if phone.isascii() and len(phone) <= PHONE_CHARS_MAX:
        writer.add(node, f"{initial}TEL", phone)
    email = address.email.strip()
    if with_email and email.isascii() and len(email) <= EMAIL_CHARS_MAX:
        writer.add(node, f"{initial}EMAIL", email)
    writer.add(node, f"{initial}ORGANISATION", address.organisation)


def _payment(writer: _Writer, parent: Element, order: NewOrder, settings: KwsSettings) -> None:
    """Pre-paid into the clearing account: a card payment with an authorisation word."""
    detail = etree.SubElement(etree.SubElement(parent, "PAYMENTS"), "PAYMENT_DETAIL")
    writer.need(detail, "PAYMENT_AMOUNT", str(order.gross_total.decimal()))
    writer.need(detail, "PAYMENT_TYPE", "2")
    writer.need(detail, "CARD_TYPE", settings.card_word)
    writer.need(detail, "PREAUTH", "0")
    writer.need(detail, "AUTH_CODE", settings.card_word)
    writer.exact(detail, "TRANSACTION_ID", order.external_ref)
    writer.need(detail, "ACCOUNT_NAME", settings.clearing_account)


def _header(writer: _Writer, parent: Element, order: NewOrder, settings: KwsSettings) -> None:
    header = etree.SubElement(parent, "ORDER_HEADER")
    writer.need(header, "ORDER_DATE", wall_time(order.ordered_at))
    if order.deliver_by is not None:
        writer.need(header, "REQUIRED_BY_DATE", order.deliver_by.isoformat())
    writer.need(header, "ORDER_AMOUNT", str(order.gross_total.decimal()))
    writer.need(header, "ORDER_CURRENCY_CODE", order.currency)
    writer.add(header, "SITE", settings.site_name)
    writer.exact(header, "ASSOCIATED_REF", order.external_ref, settings.max_external_ref)
    writer.need(header, "DELIVERY_GRS", str(order.delivery_gross.decimal()))
    courier = settings.couriers.get(order.shipping_type, settings.courier_code)
    writer.add(header, "COURIER_CODE", courier)
    writer.add(header, "SALES_SOURCE", settings.sales_source)
    writer.add(header, "ORDER_NOTE", order.note)


def _item(writer: _Writer, parent: Element, line: NewOrderLine) -> None:
    """The line as one item, or two where some of its units cost a penny more."""
    if NEVER_IN_A_STOCK_CODE in line.stock_code:
        raise Refused(
            f"STOCK_CODE {line.stock_code!r} has a {NEVER_IN_A_STOCK_CODE}, which no code in "
            "Khaos Control can have: map the SKU to its stock code",
            reason_code="CHARACTERS",
        )
    for units, unit_gross in line.items():
        item = etree.SubElement(parent, "ORDER_ITEM")
        writer.exact(item, "STOCK_CODE", line.stock_code)
        writer.need(item, "MAPPING_TYPE", "1")
        writer.need(item, "ORDER_QTY", str(units))
        writer.need(item, "PRICE_GRS", str(unit_gross.decimal()))
        if line.external_line_ref:
            writer.exact(item, "IMPORT_REF", line.external_line_ref)


def _wrapped(words: list[str]) -> list[str]:
    """The words on as few lines as they need."""
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + 1 + len(word) <= ADDRESS_LINE_CHARS_MAX:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _put(parent: Element, tag: str, written: str, limit: int | None) -> None:
    if limit is not None and len(written) > limit:
        raise _too_long(tag, len(written), limit)
    etree.SubElement(parent, tag).text = written


def _has_control(text: str) -> bool:
    return any(unicodedata.category(sign) == "Cc" for sign in text)


def _missing(field: str) -> Refused:
    return Refused(f"{field} is empty, and Khaos Control wants it", reason_code="MISSING")


def _too_long(field: str, length: int, limit: int) -> Refused:
    return Refused(
        f"{field} has {length} characters and Khaos Control holds {limit}: it is never cut",
        reason_code="TOO_LONG",
    )
