"""JSON and XML of the other side, read into plain values, and those into records.

Promises: both formats give the same plain values; a null, a number that is none, or a sign
that XML can't hold is refused with its place; XML with a document type is refused. It knows no
order. Invariant: what passed holds strings, Decimals, booleans, lists and mappings only.
Called by the channel. Source: contract khaos b.10.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import TypeVar

import msgspec
from lxml import etree

from kcjl.errors import Refused

__all__ = ["ChannelRefusal", "Plain", "read_document", "record_of"]

Plain = dict[str, object]
T = TypeVar("T")

_ROWS = {
    "AlternateMapping": "ItemMapping",
    "DiscountCodes": None,
    "ExchangeItems": None,
    "ExtendedDescription": None,
    "Items": "OrderItem",
    "Orders": "SalesOrder",
    "Payments": "OrderPayment",
    "ReturnItems": None,
    "ReturnedItems": None,
    "Returns": "CustomerReturn",
}
"""XML elements that hold rows, and what a row is called; None takes any name."""
_REPEATED = frozenset({"MatchAddressOn", "MatchCompanyOn", "MatchContactOn"})
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_DIGITS_MAX = 15
"""What a double holds: more is a mistake, and would be work without end."""
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_DOCTYPE = re.compile(rb"<!DOCTYPE", re.IGNORECASE)


class ChannelRefusal(Refused):
    """The channel did not take what it was given: the reason is shown to the ERP's people."""


def read_document(body: bytes, form: str, root: str) -> Plain:
    """The plain values of a document; `root` is its XML element."""
    said = _json(body) if form.upper() == "JSON" else _xml(body, root)
    if not isinstance(said, dict):
        raise ChannelRefusal(f"the document is no {root}")
    return said


def record_of(said: object, kind: type[T], *, strict: bool) -> T:
    """A record of plain values; not strict where they came as XML, all text."""
    try:
        trouble = _spoiled(said, "$")
        if trouble:
            raise ChannelRefusal(trouble)
        record = msgspec.convert(said, kind, strict=strict, builtin_types=(Decimal,))
        trouble = _spoiled_number(msgspec.to_builtins(record, builtin_types=(Decimal,)))
    except (msgspec.ValidationError, InvalidOperation) as wrong:
        raise ChannelRefusal(str(wrong)) from None
    except RecursionError:
        raise ChannelRefusal("the document is nested too deeply") from None
    if trouble:
        raise ChannelRefusal(trouble)
    return record


def _spoiled_number(said: object) -> str:
    """A number that no double of a price or a quantity could be; empty: none."""
    if isinstance(said, Decimal):
        fits = said.is_finite() and abs(said.adjusted()) <= _DIGITS_MAX
        return "" if fits else f"{said} is no usable number"
    rows: list[object] = []
    if isinstance(said, dict):
        rows = list(said.values())
    elif isinstance(said, list):
        rows = said
    return next((found for value in rows if (found := _spoiled_number(value))), "")


def _spoiled(said: object, place: str) -> str:
    """Where a null is, or a text that could not be passed on; empty: nowhere."""
    if said is None:
        return f"null at `{place}`: a field without a value is left out, or an empty string"
    if isinstance(said, str) and _NOT_IN_XML.search(said):
        return f"the text at `{place}` holds a control character"
    rows: list[tuple[str, object]] = []
    if isinstance(said, dict):
        rows = [(f"{place}.{name}", value) for name, value in said.items()]
    elif isinstance(said, list):
        rows = [(f"{place}[{number}]", value) for number, value in enumerate(said)]
    return next((found for at, value in rows if (found := _spoiled(value, at))), "")


def _json(body: bytes) -> object:
    def no_number(word: str) -> object:
        raise ValueError(f"{word} is no number")

    try:
        return json.loads(
            body.decode("utf-8-sig"),
            parse_float=Decimal,
            parse_int=Decimal,
            parse_constant=no_number,
        )
    except (ValueError, RecursionError) as wrong:
        raise ChannelRefusal(f"the document is no JSON: {wrong}") from None


def _xml(body: bytes, root: str) -> object:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=True, load_dtd=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        node = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as wrong:
        raise ChannelRefusal(f"the document is no XML: {wrong}") from None
    if _DOCTYPE.search(body[:1024]):
        raise ChannelRefusal("a document type is not allowed")
    if node.tag != root:
        raise ChannelRefusal(f"the root of the document is {root}, not {node.tag}")
    return _mapping(node)


def _mapping(node: etree._Element) -> Plain:
    found: Plain = {}
    for child in node:
        name = str(child.tag)
        if name in _REPEATED:
            kept = found.setdefault(name, [])
            if isinstance(kept, list):
                kept.append(_value(child))
        elif name in found:
            raise ChannelRefusal(f"{node.tag} has {name} twice")
        else:
            found[name] = _value(child)
    return found


def _value(node: etree._Element) -> object:
    name = str(node.tag)
    children = list(node)
    text = (node.text or "").strip()
    if node.get(_NIL) in {"true", "1"}:
        return None
    if name == "Returns" and children and children[0].tag == "AssociatedRef":
        return _mapping(node)
    if name in _ROWS or (name == "Mapping" and children):
        return [_row(child, _ROWS.get(name)) for child in children]
    if name == "StockDescription":
        return {"Source": node.get("Source", ""), "Parameter": text}
    if node.attrib:
        return {str(key): str(value) for key, value in node.attrib.items()}
    if children:
        return _mapping(node)
    return {} if name in {"Cash", "Cheque", "BACS"} else text


def _row(node: etree._Element, called: str | None) -> object:
    if called is not None and node.tag != called:
        raise ChannelRefusal(f"{node.tag} stands where {called} is expected")
    said = _value(node)
    if node.tag == "OrderItem" and isinstance(said, dict):
        said.setdefault("ExtendedDescription", [])  # XML has no empty array to tell from none
    return said
