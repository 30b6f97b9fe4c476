"""What a channel sends, as plain values, written as JSON or XML.

Promises: both formats say the same, by the vendor's examples: a data item is an object in
JSON, attributes and a text in XML; rows are an array, or an element with named children.
It decides nothing. Invariant: no null is ever written. Source: contract khaos b.10.
Called by the channel, when it makes a post.
"""

from decimal import Decimal
from typing import TypeAlias

import msgspec
from lxml import etree

__all__ = ["Entry", "Rows", "Value", "number", "write_document"]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A data item: something that the ERP has, by one or more of its three names."""

    id: str = ""
    code: str = ""
    name: str = ""


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """Several of one kind; `called` is what a row is named in XML."""

    called: str
    rows: "tuple[Value, ...]"


Value: TypeAlias = str | int | bool | Decimal | Entry | Rows | dict[str, "Value"]

_encoder = msgspec.json.Encoder(decimal_format="number")


def number(quantity: Decimal) -> Decimal:
    """A quantity as a double is written: 17.0, not 17."""
    plain = quantity.normalize()
    exponent = plain.as_tuple().exponent
    whole = not isinstance(exponent, int) or exponent > -1
    return plain.quantize(Decimal("0.1")) if whole else plain


def write_document(root: str, said: dict[str, Value], form: str) -> str:
    """The document in that format."""
    if form.upper() == "JSON":
        return _encoder.encode(_plain(said)).decode()
    node = _element(root, said)
    written: bytes = etree.tostring(node, xml_declaration=True, encoding="utf-8")
    return written.decode()


def _plain(value: Value) -> object:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, Rows):
        return [_plain(row) for row in value.rows]
    if isinstance(value, Entry):
        named = {"Name": value.name, "Code": value.code, "ID": value.id}
        return {name: text for name, text in named.items() if text}
    return value


def _element(name: str, value: Value) -> etree._Element:
    node = etree.Element(name)
    if isinstance(value, dict):
        node.extend([_element(each, part) for each, part in value.items()])
    elif isinstance(value, Rows):
        node.extend([_element(value.called, row) for row in value.rows])
    elif isinstance(value, Entry):
        for attribute, text in (("Code", value.code), ("ID", value.id)):
            if text:
                node.set(attribute, text)
        node.text = value.name or None
    else:
        node.text = str(value)
    return node
