"""What we hand out to the Cloud ERP: orders, customer returns, the endpoint config.

Promises: the example's form of the contract, field by field; no null anywhere; wall time of
London without offset; the buyer only in the delivery address and contact. What does not fit is
refused by field, length and limit, before it is queued, without quoting personal data; a phone
or an e-mail that does not fit is LEFT OUT, for the parcel arrives without them.
Invariant: the XML says the same as the JSON. Called by `cloud.py`, `cloud_server.py`.
Source: contract khaos b.9, b.10.
"""

import unicodedata
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeAlias

import msgspec
from lxml import etree

from kcjl.errors import Misuse, Refused
from kcjl.khaos.answer_xml import Element
from kcjl.khaos.cloud_settings import CloudSettings, formatted_reference
from kcjl.khaos.london import wall_time
from kcjl.khaos.order_document import address_lines, check_amounts
from kcjl.khaos.order_port import DeliveryAddress, NewOrder, NewOrderLine, ReturnRequest

__all__ = [
    "ORDER_AGE_MAX",
    "Tree",
    "as_bytes",
    "as_xml",
    "from_bytes",
    "order_tree",
    "orders_answer",
    "return_tree",
    "returns_answer",
]

Tree: TypeAlias = dict[str, object]
"""A document: objects, arrays, texts, numbers; never a null."""

API_VERSION = 1000
ORDER_AGE_MAX = timedelta(days=89)
"""Orders of more than 3 months are not imported; February makes the shortest three."""

_LIMITS = {
    "Town": 35,
    "County": 35,
    "Postcode": 10,
    "Organisation": 50,
    "Forename": 50,
    "Surname": 50,
    "SKU": 50,
}
_PHONE_CHARS_MAX = 25
_EMAIL_CHARS_MAX = 100
_COUNTRIES = {"GBR": "GB", "IRL": "IE", "JEY": "JE", "GGY": "GG", "IMN": "IM"}
"""The contract's own samples name countries by two letters."""
_DATA_ITEM = frozenset({"ID", "Code", "Name"})
_THINGS = {
    "Orders": "SalesOrder",
    "Items": "OrderItem",
    "Payments": "OrderPayment",
    "Returns": "CustomerReturn",
    "ReturnItems": "ReturnItem",
    "ExchangeItems": "ExchangeItem",
    "Mapping": "ItemMapping",
    "DiscountCodes": "DiscountCode",
    "ExtendedDescription": "Line",
}
"""What XML calls the things in an element that wraps a list; other lists repeat themselves."""


# ── documents ───────────────────────────────────────────────────────────────────────────────


def order_tree(order: NewOrder, settings: CloudSettings, *, now: datetime) -> Tree:
    """One `SalesOrder`. Raises Refused where it does not fit, Misuse for a contradiction."""
    _check_order(order, settings, now)
    email = order.deliver_to.email if settings.include_email else ""
    header: Tree = {
        "AssociatedRef": order.external_ref,
        "OrderDate": wall_time(order.ordered_at),
        "Site": {"ID": settings.site_id},
        "SalesSource": {"Name": settings.sales_source},
        "DiscountCodes": [],
        "DeliveryCharge": {"Gross": order.delivery_gross.decimal()},
        "CalcMethod": 2,
        "GrossTotal": order.gross_total.decimal(),
        "CustomData": order.external_ref,
        "Currency": {"Code": order.currency},
    }
    if courier := settings.couriers.get(order.shipping_type, settings.courier_code):
        header["Courier"] = {"Code": courier}
    if order.deliver_by is not None:
        header["RequiredDate"] = f"{order.deliver_by.isoformat()}T00:00:00"
    if order.note.strip():
        header["OrderNote"] = _plain(order.note)
    return {
        "Customer": {
            "CreateNew": "Never",
            "CompanyClass": {"Name": settings.company_class},
            "Currency": {"Code": order.currency},
            "URN": settings.company_code,
        },
        "InvoiceAddress": _address(settings.invoice_address, email=""),
        "InvoiceContact": _contact(settings.invoice_address, email=""),
        "DeliveryAddress": _address(order.deliver_to, email=email),
        "DeliveryContact": _contact(order.deliver_to, email=email),
        "Header": header,
        "Items": [item for line in order.lines for item in _items(line)],
        "Payments": [
            {
                "Amount": order.gross_total.decimal(),
                "Card": {
                    "CardType": settings.card_word,
                    "IsPreauth": False,
                    "AuthCode": settings.card_word,
                    "TransactionID": order.external_ref,
                },
                "BankAccount": {"Name": settings.clearing_account},
            }
        ],
    }


def return_tree(request: ReturnRequest, settings: CloudSettings) -> Tree:
    """One `CustomerReturn`, of the constant customer; the goods are known by their order."""
    if not request.lines or any(line.quantity <= 0 for line in request.lines):
        raise Misuse(f"return {request.return_ref} needs lines, each of more than nothing")
    reference = formatted_reference(request.external_order_ref, settings)
    tree: Tree = {
        "AssociatedRef": request.return_ref,
        "CreatedDate": wall_time(request.created_at),
        "URN": settings.company_code,
        "InvoiceAddress": _address(settings.invoice_address, email=""),
        "InvoiceContact": _contact(settings.invoice_address, email=""),
        "ReturnItems": [
            {
                "SKU": line.stock_code,
                "Mapping": [{"Mapping": "StockCode"}],
                "Quantity": line.quantity,
                "ReturnReason": {"Name": line.reason},
                "ExtendedDescription": [],
                "SourceReturnReference": {"SourceOrder": {"AssociatedRef": reference}},
            }
            for line in request.lines
        ],
        "ExchangeItems": [],
        "ProcessReturn": request.process_now,
    }
    if request.note.strip():
        tree["Notes"] = _plain(request.note)
    return tree


def orders_answer(orders: list[Tree], settings: CloudSettings) -> Tree:
    """What `OrderDownload` answers."""
    return {
        "Orders": orders,
        "ApiVersion": API_VERSION,
        "Config": {
            "MatchCompanyOn": ["CompanyCode"],
            "MatchAddressOn": ["Address1", "Postcode"],
            "MatchContactOn": ["Surname"],
            "DiscontinuedItems": settings.problem_items,
            "RunToZeroErrorItems": settings.problem_items,
            "ImportAsUnconfirmed": False,
        },
    }


def returns_answer(returns: list[Tree]) -> Tree:
    """What `CReturnDownload` answers; one alone is an object, as in the vendor's example."""
    return {
        "Returns": returns[0] if len(returns) == 1 else returns,
        "ApiVersion": API_VERSION,
        "Config": {"MatchAddressOn": ["Address1", "Postcode"], "MatchContactOn": ["Surname"]},
    }


# ── forms ───────────────────────────────────────────────────────────────────────────────────

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(Tree, float_hook=Decimal)


def as_bytes(tree: Tree) -> bytes:
    """The document as JSON, sums as plain numbers."""
    return _ENCODER.encode(tree)


def from_bytes(document: bytes) -> Tree:
    return _DECODER.decode(document)


def as_xml(name: str, tree: Tree) -> bytes:
    """The same document as XML under a root of that name."""
    root = etree.Element(name)
    _put_fields(root, tree)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _put(parent: Element, name: str, value: object) -> None:
    if isinstance(value, list):
        thing = _THINGS.get(name)
        around = parent if thing is None else etree.SubElement(parent, name)
        for each in value:
            _put(around, thing or name, each)
        return
    node = etree.SubElement(parent, name)
    if isinstance(value, dict):
        if name == "BankAccount":  # a text in XML, by the vendor's note
            node.text = str(next(iter(value.values())))
        elif value and value.keys() <= _DATA_ITEM:
            for key, text in value.items():
                node.set(key, str(text))
        else:
            _put_fields(node, value)
    elif isinstance(value, bool):
        node.text = "True" if value else "False"
    else:
        node.text = str(value)


def _put_fields(node: Element, tree: Tree) -> None:
    for name, value in tree.items():
        if name == "Returns" and isinstance(value, dict):
            _put(node, name, [value])  # XML wraps one as it wraps many
        else:
            _put(node, name, value)


# ── parts ───────────────────────────────────────────────────────────────────────────────────


def _check_order(order: NewOrder, settings: CloudSettings, now: datetime) -> None:
    ref = order.external_ref
    if not order.lines or any(line.quantity <= 0 for line in order.lines):
        raise Misuse(f"order {ref} needs lines, each of one unit or more")
    check_amounts(order)
    if not ref or set(ref) & set(',;"') or not ref.isprintable() or any(map(str.isspace, ref)):
        raise Refused(
            f"AssociatedRef {ref!r} is empty or has a separator in it, so the ERP could not "
            "ask for the order again",
            reason_code="REFERENCE",
        )
    length = len(formatted_reference(ref, settings))
    if length > settings.max_external_ref:
        raise _too_long("AssociatedRef", length, settings.max_external_ref)
    if now - order.ordered_at > ORDER_AGE_MAX:
        raise Refused(
            f"order {ref} was placed on {order.ordered_at:%d %B %Y}: the ERP's channel imports "
            "no order of more than 3 months; enter it there by hand",
            reason_code="TOO_OLD",
        )


def _address(address: DeliveryAddress, *, email: str) -> Tree:
    given = tuple(_plain(line) for line in (address.line1, address.line2, address.line3))
    lines = address_lines("Line1..3", given)
    tree: Tree = {f"Line{number}": line for number, line in enumerate(lines, start=1)}
    tree["Town"] = _needed("Town", address.town)
    _add(tree, "County", address.county)
    _add(tree, "Postcode", address.postcode)
    country = _needed("Country", address.country_code).upper()
    tree["Country"] = {"Code": _COUNTRIES.get(country, country)}
    phone = " ".join(address.phone.split())
    if phone and phone.isprintable() and len(phone) <= _PHONE_CHARS_MAX:
        tree["Telephone"] = phone
    _add_email(tree, email)
    _add(tree, "Organisation", address.organisation)
    return tree


def _contact(address: DeliveryAddress, *, email: str) -> Tree:
    tree: Tree = {}
    surname = address.surname if address.surname.strip() else address.forename
    if address.surname.strip():
        _add(tree, "Forename", address.forename)
    tree["Surname"] = _needed("Surname", surname)
    _add_email(tree, email)
    return tree


def _add_email(tree: Tree, email: str) -> None:
    told = email.strip()
    if told and told.isprintable() and len(told) <= _EMAIL_CHARS_MAX:
        tree["Email"] = told


def _items(line: NewOrderLine) -> Iterator[Tree]:
    """The line as one item, or two where some of its units cost a penny more."""
    for units, unit_gross in line.items():
        tree: Tree = {
            "SKU": _needed("SKU", line.stock_code),
            "Mapping": "StockCode",
            "Quantity": units,
            "UnitPrice": {"Gross": unit_gross.decimal()},
            "ExtendedDescription": [],
        }
        if line.external_line_ref:
            tree["ImportRef"] = line.external_line_ref
        yield tree


def _needed(field: str, text: str) -> str:
    told = _plain(text)
    if not told:
        raise Refused(f"{field} is empty, and Khaos Control wants it", reason_code="MISSING")
    limit = _LIMITS.get(field)
    if limit is not None and len(told) > limit:
        raise _too_long(field, len(told), limit)
    return told


def _add(tree: Tree, field: str, text: str) -> None:
    if text.strip():
        tree[field] = _needed(field, text)


def _plain(text: str) -> str:
    """Without control characters, which XML can't hold, and with its blanks tidied."""
    signs = (" " if unicodedata.category(sign) in ("Cc", "Cs", "Cn") else sign for sign in text)
    return " ".join("".join(signs).split())


def _too_long(field: str, length: int, limit: int) -> Refused:
    return Refused(
        f"{field} has {length} characters and Khaos Control holds {limit}: it is never cut",
        reason_code="TOO_LONG",
    )
