"""SOAP as the ERP's web service understands it: a request becomes a call.

Promises: prefixes, xsi:type, names or positions of parts, href/id and both SOAP versions do
not matter, but to a strict dialect, which wants its namespace and its names. Booleans are
true/false/1/0/-1; times are read off the clock on the wall, a zone is decoration. It carries
nothing out. Invariant: a body with a DTD is refused.
Called by the HTTP face of the sandbox's ERP. Source: contract khaos b.0, d.
"""

import re
from datetime import datetime
from typing import TypeAlias

import msgspec
from lxml import etree

from kcjl.sandbox.khaos.dialect import Dialect
from kcjl.sandbox.khaos.signatures import Operation, Part
from kcjl.sandbox.warehouse.faults import KhaosFault
from kcjl.sandbox.warehouse.reading import parse_wall

__all__ = ["Argument", "Call", "operation_of", "parse_call"]

Argument: TypeAlias = str | int | bool | datetime | None
"""A time is without a zone: it is the wall's."""

_XSI_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_BODY = re.compile(rb"<(?:[\w.-]+:)?Body\b[^>]*>\s*<(?:[\w.-]+:)?([\w.-]+)")
_TRUE = frozenset({"true", "1", "-1"})
_FALSE = frozenset({"false", "0", ""})


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A call of an operation that the service has."""

    operation: Operation
    arguments: dict[str, Argument]
    """By the documented name; a part that was left out is None."""


def operation_of(body: bytes, soap_action: str) -> str:
    """The operation that a request means, found without parsing it; empty if none is named."""
    match = _BODY.search(body)
    if match is not None:
        return match.group(1).decode("ascii", "replace")
    return soap_action.strip().strip('"').rpartition("#")[2]


def parse_call(body: bytes, dialect: Dialect) -> Call:
    """Read a request; a fault says what is wrong with it, as the web service would."""
    envelope = _parse(body)
    soap_body = next((n for n in envelope if etree.QName(n).localname == "Body"), None)
    if soap_body is None or not len(soap_body):
        raise KhaosFault("The SOAP body is empty", "ESOAPDomConvertError")
    asked = soap_body[0]
    operation = dialect.operations().get(etree.QName(asked).localname)
    foreign = dialect.strict and etree.QName(asked).namespace != dialect.service
    if operation is None or operation.returns is None or foreign:
        raise KhaosFault("Interface not supported", "EIntfCastError")
    targets = {node.get("id"): node for node in soap_body if node.get("id")}
    bound = _bind(operation, list(asked), strict=dialect.strict)
    arguments = {part.name: _argument(node, part.kind, targets) for part, node in bound.items()}
    known = {part.name: arguments.get(part.name) for part in operation.parts}
    return Call(operation=operation, arguments=known)


def _parse(body: bytes) -> etree._Element:
    if b"<!DOCTYPE" in body:
        raise KhaosFault("DTD is prohibited", "EDOMParseError")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        envelope = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as unreadable:
        raise KhaosFault(f"XML document is invalid: {unreadable}", "EDOMParseError") from None
    if etree.QName(envelope).localname != "Envelope":
        raise KhaosFault("The document element is no Envelope", "ESOAPDomConvertError")
    return envelope


def _bind(
    operation: Operation, nodes: list[etree._Element], *, strict: bool
) -> dict[Part, etree._Element]:
    """Parts by their names where every name is known, else by position; strict: by names."""
    names = [etree.QName(node).localname for node in nodes]
    if strict:
        by_wire = {part.wire_name: part for part in operation.parts}
        unknown = [name for name in names if name not in by_wire]
        if unknown:
            raise KhaosFault(
                f"{operation.name} has no parameter {unknown[0]}", "ESOAPDomConvertError"
            )
        return {by_wire[name]: node for name, node in zip(names, nodes, strict=True)}
    by_name = {part.name.casefold(): part for part in operation.parts}
    by_name |= {part.wire_name.casefold(): part for part in operation.parts}
    if all(name.casefold() in by_name for name in names):
        return {by_name[n.casefold()]: node for n, node in zip(names, nodes, strict=True)}
    if len(nodes) > len(operation.parts):
        raise KhaosFault(
            f"{operation.name} takes {len(operation.parts)} parameters, not {len(nodes)}",
            "ESOAPDomConvertError",
        )
    return dict(zip(operation.parts, nodes, strict=False))


def _argument(
    node: etree._Element, kind: str, targets: dict[str | None, etree._Element]
) -> Argument:
    href = node.get("href", "")
    node = targets.get(href[1:], node) if href.startswith("#") else node
    if node.get(_XSI_NIL, "").casefold() in {"true", "1"}:
        return None
    text = "".join(map(str, node.itertext()))
    match kind:
        case "string":
            return text
        case "int":
            return _whole(text)
        case "boolean":
            return _boolean(text)
        case _:
            return parse_wall(text)


def _whole(text: str) -> int | None:
    if not text.strip():
        return None
    try:
        return int(text)
    except ValueError:
        raise KhaosFault(f"'{text}' is not a valid integer value", "EConvertError") from None


def _boolean(text: str) -> bool:
    said = text.strip().casefold()
    if said not in _TRUE | _FALSE:
        raise KhaosFault(f"'{text}' is not a valid boolean value", "EConvertError")
    return said in _TRUE
