"""SOAP as the ERP's web service speaks it: calls in, answers and faults out.

Promises: prefixes, xsi:type, names or positions of parts, href/id and both SOAP versions do
not matter on the way in; answers are RPC/encoded. Booleans are true/false/1/0/-1, times are
London wall time with a decorative Z. It carries nothing out. Invariant: a body with a DTD is
refused.
Called by the HTTP face of the sandbox's ERP. Source: contract khaos b.0, d.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias
from xml.sax.saxutils import escape

import msgspec
from lxml import etree

from kcjl.sandbox.khaos.wsdl import (
    ARRAYS,
    OPERATIONS,
    SERVICE,
    STRUCTS,
    TYPES,
    Operation,
    Part,
)
from kcjl.sandbox.warehouse.documents import parse_wall_time
from kcjl.sandbox.warehouse.faults import KhaosFault
from kcjl.sandbox.warehouse.hours import london_wall

__all__ = [
    "Argument",
    "Call",
    "Value",
    "answer_envelope",
    "fault_envelope",
    "operation_of",
    "parse_call",
]

Argument: TypeAlias = str | int | bool | datetime | None
Scalar: TypeAlias = str | int | bool | Decimal | bytes | datetime
Value: TypeAlias = "Scalar | Sequence[Value] | Mapping[str, Value] | None"

_SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
_SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
_XSI_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_NO_DATE = "1899-12-30T00:00:00.000Z"
_BODY = re.compile(rb"<(?:[\w.-]+:)?Body\b[^>]*>\s*<(?:[\w.-]+:)?([\w.-]+)")
_TRUE = frozenset({"true", "1", "-1"})
_FALSE = frozenset({"false", "0", ""})


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A call of an operation that the service has."""

    operation: Operation
    arguments: dict[str, Argument]
    """By part name; a part that was left out is None."""


def operation_of(body: bytes, soap_action: str) -> str:
    """The operation that a request means, found without parsing it; empty if none is named."""
    match = _BODY.search(body)
    if match is not None:
        return match.group(1).decode("ascii", "replace")
    return soap_action.strip().strip('"').rpartition("#")[2]


def parse_call(body: bytes) -> Call:
    """Read a request; a fault says what is wrong with it, as the web service would."""
    envelope = _parse(body)
    soap_body = next((n for n in envelope if etree.QName(n).localname == "Body"), None)
    if soap_body is None or not len(soap_body):
        raise KhaosFault("The SOAP body is empty", "ESOAPDomConvertError")
    asked = soap_body[0]
    operation = OPERATIONS.get(etree.QName(asked).localname)
    if operation is None:
        raise KhaosFault("Interface not supported", "EIntfCastError")
    targets = {node.get("id"): node for node in soap_body if node.get("id")}
    arguments = {
        part.name: _argument(node, part.kind, targets)
        for part, node in _bind(operation, list(asked)).items()
    }
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


def _bind(operation: Operation, nodes: list[etree._Element]) -> dict[Part, etree._Element]:
    """Parts by their names where every name is known, else by position."""
    by_name = {part.name.casefold(): part for part in operation.parts}
    names = [etree.QName(node).localname.casefold() for node in nodes]
    if all(name in by_name for name in names):
        return {by_name[name]: node for name, node in zip(names, nodes, strict=True)}
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
            return parse_wall_time(text)


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


# ── answers ──


def answer_envelope(
    operation: Operation, value: Value, *, soap_12: bool, multi_reference: bool
) -> bytes:
    """The answer to a call, typed as the WSDL says."""
    writer = _Writer(multi_reference=multi_reference)
    returned = writer.element("return", operation.returns, value)
    body = (
        f'<NS1:{operation.name}Response xmlns:NS1="{SERVICE}">{returned}'
        f"</NS1:{operation.name}Response>" + "".join(writer.referred)
    )
    return _envelope(body, soap_12=soap_12)


def fault_envelope(fault: KhaosFault, *, soap_12: bool) -> bytes:
    """A fault as the vendor's samples show it."""
    text = escape(_xml_text(fault.message))
    name = escape(fault.class_name)
    detail = (
        '<NS1:EWebServiceError xmlns:NS1="urn:WebServiceP">'
        f"<ExceptionClassName>{name}</ExceptionClassName>"
        f"<ExceptionInheritance>{name}</ExceptionInheritance></NS1:EWebServiceError>"
    )
    if soap_12:
        return _envelope(
            "<SOAP-ENV:Fault><SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:Sender</SOAP-ENV:Value>"
            f'</SOAP-ENV:Code><SOAP-ENV:Reason><SOAP-ENV:Text xml:lang="en">{text}'
            f"</SOAP-ENV:Text></SOAP-ENV:Reason><SOAP-ENV:Detail>{detail}</SOAP-ENV:Detail>"
            "</SOAP-ENV:Fault>",
            soap_12=True,
        )
    return _envelope(
        f"<SOAP-ENV:Fault><faultcode>SOAP-ENV:Client</faultcode><faultstring>{text}"
        f"</faultstring><faultactor>{name}</faultactor><detail>{detail}</detail>"
        "</SOAP-ENV:Fault>",
        soap_12=False,
    )


def _envelope(body: str, *, soap_12: bool) -> bytes:
    encoding = "http://schemas.xmlsoap.org/soap/encoding/"
    style = "" if soap_12 else f' SOAP-ENV:encodingStyle="{encoding}"'
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<SOAP-ENV:Envelope xmlns:SOAP-ENV="{_SOAP_12 if soap_12 else _SOAP_11}" '
        'xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xmlns:SOAP-ENC="{encoding}"><SOAP-ENV:Body{style} xmlns:NS2="{TYPES}">'
        f"{body}</SOAP-ENV:Body></SOAP-ENV:Envelope>"
    ).encode()


class _Writer:
    """Writes typed elements; with multi-reference on, objects go behind the answer."""

    def __init__(self, *, multi_reference: bool) -> None:
        self._multi_reference = multi_reference
        self._count = 0
        self.referred: list[str] = []

    def element(self, name: str, kind: str, value: Value) -> str:
        if kind in STRUCTS:
            fields = value if isinstance(value, Mapping) else {}
            inner = "".join(
                self.element(field, of, fields.get(field)) for field, of in STRUCTS[kind]
            )
            return self._object(name, f"NS2:{kind}", f' xsi:type="NS2:{kind}"', inner)
        if kind in ARRAYS:
            rows = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
            inner = "".join(self.element("item", ARRAYS[kind], row) for row in rows)
            typed = (
                f' xsi:type="SOAP-ENC:Array" SOAP-ENC:arrayType="NS2:{ARRAYS[kind]}'
                f'[{len(rows)}]"'
            )
            return f"<{name}{typed}>{inner}</{name}>"
        return f'<{name} xsi:type="xsd:{kind}">{_text(kind, value)}</{name}>'

    def _object(self, name: str, tag: str, typed: str, inner: str) -> str:
        if not self._multi_reference:
            return f"<{name}{typed}>{inner}</{name}>"
        self._count += 1
        self.referred.append(f'<{tag} id="{self._count}"{typed}>{inner}</{tag}>')
        return f'<{name} href="#{self._count}"/>'


def _text(kind: str, value: Value) -> str:
    if kind == "dateTime":
        if not isinstance(value, datetime):
            return _NO_DATE
        return london_wall(value).isoformat(timespec="milliseconds") + "Z"
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case bytes():
            return base64.b64encode(value).decode()
        case Decimal():
            return f"{value:f}"
        case _:
            return escape(_xml_text(str(value)))


_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def _xml_text(text: str) -> str:
    """Text without the characters that XML can't hold."""
    return _UNWRITABLE.sub("?", text)
