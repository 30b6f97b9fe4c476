"""SOAP as the ERP's web service speaks it: typed answers, and faults.

Promises: RPC/encoded as the WSDL says, with objects in place or by reference; a fault has the
vendor's shape, its code Client whoever is to blame. What XML or the character set can't hold
becomes a question mark. It decides nothing. Invariant: one envelope in, one body out, in one
character set. Source: contract khaos b.0, d.
Called by the HTTP face of the sandbox's ERP.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias
from xml.sax.saxutils import escape

import msgspec

from kcjl.sandbox.khaos.forms import Forms
from kcjl.sandbox.khaos.signatures import ARRAYS, STRUCTS, Operation
from kcjl.sandbox.warehouse.faults import KhaosFault
from kcjl.sandbox.warehouse.settings import WarehouseSettings

__all__ = ["SOAP_12", "Speech", "Value", "answer_envelope", "fault_envelope"]

Scalar: TypeAlias = str | int | bool | Decimal | bytes | datetime
Value: TypeAlias = "Scalar | Sequence[Value] | Mapping[str, Value] | None"

SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
_SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
_ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


class Speech(msgspec.Struct, frozen=True, kw_only=True):
    """How one answer is written."""

    settings: WarehouseSettings
    soap_12: bool


def answer_envelope(operation: Operation, value: Value, speech: Speech) -> bytes:
    """The answer to a call, typed as the WSDL says."""
    writer = _Writer(speech.settings)
    returned = writer.element("return", operation.returns or "string", value)
    service = escape(speech.settings.service_namespace)
    body = (
        f'<NS1:{operation.name}Response xmlns:NS1="{service}">{returned}'
        f"</NS1:{operation.name}Response>" + "".join(writer.referred)
    )
    return _envelope(body, speech)


def fault_envelope(fault: KhaosFault, speech: Speech) -> bytes:
    """A fault as the vendor's samples show it."""
    text = escape(_xml_text(fault.message))
    name = escape(fault.class_name)
    detail = _detail(name, speech.settings.fault_detail)
    if speech.soap_12:
        return _envelope(
            "<SOAP-ENV:Fault><SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:Sender</SOAP-ENV:Value>"
            f'</SOAP-ENV:Code><SOAP-ENV:Reason><SOAP-ENV:Text xml:lang="en">{text}'
            f"</SOAP-ENV:Text></SOAP-ENV:Reason><SOAP-ENV:Detail>{detail}</SOAP-ENV:Detail>"
            "</SOAP-ENV:Fault>",
            speech,
        )
    written = f"<detail>{detail}</detail>" if detail else ""
    return _envelope(
        f"<SOAP-ENV:Fault><faultcode>SOAP-ENV:Client</faultcode><faultstring>{text}"
        f"</faultstring><faultactor>{name}</faultactor>{written}</SOAP-ENV:Fault>",
        speech,
    )


def _detail(name: str, kind: str) -> str:
    """The exception's class, as newer or as older builds wrap it."""
    if kind == "none":
        return ""
    namespace = "urn:WebServiceP" if kind == "EWebServiceError" else "urn:InvokeRegistry"
    return (
        f'<NS1:{kind} xmlns:NS1="{namespace}"><ExceptionClassName>{name}</ExceptionClassName>'
        f"<ExceptionInheritance>{name}</ExceptionInheritance></NS1:{kind}>"
    )


def _envelope(body: str, speech: Speech) -> bytes:
    style = "" if speech.soap_12 else f' SOAP-ENV:encodingStyle="{_ENCODING}"'
    charset = speech.settings.charset
    types = escape(speech.settings.types_namespace)
    text = (
        f'<?xml version="1.0" encoding="{charset}"?>\n'
        f'<SOAP-ENV:Envelope xmlns:SOAP-ENV="{SOAP_12 if speech.soap_12 else _SOAP_11}" '
        'xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xmlns:SOAP-ENC="{_ENCODING}"><SOAP-ENV:Body{style} xmlns:NS2="{types}">'
        f"{body}</SOAP-ENV:Body></SOAP-ENV:Envelope>"
    )
    return text.encode(charset, "replace")


class _Writer:
    """Writes typed elements; with multi-reference on, objects go behind the answer."""

    def __init__(self, settings: WarehouseSettings) -> None:
        self._multi_reference = settings.multi_reference
        self._forms = Forms(settings)
        self._count = 0
        self.referred: list[str] = []

    def element(self, name: str, kind: str, value: Value) -> str:
        if kind in STRUCTS:
            return self._struct(name, kind, value if isinstance(value, Mapping) else {})
        if kind in ARRAYS:
            rows = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
            of = ARRAYS[kind]
            inner = "".join([self.element("item", of, row) for row in rows])
            prefix = "NS2" if of in STRUCTS else "xsd"
            typed = (
                f' xsi:type="SOAP-ENC:Array" SOAP-ENC:arrayType="{prefix}:{of}[{len(rows)}]"'
            )
            return f"<{name}{typed}>{inner}</{name}>"
        return f'<{name} xsi:type="xsd:{kind}">{self._text(kind, value)}</{name}>'

    def _struct(self, name: str, kind: str, fields: Mapping[str, Value]) -> str:
        inner = "".join(
            [self.element(field, of, fields.get(field)) for field, of in STRUCTS[kind]]
        )
        if self._forms.unknown_tags:
            inner += '<NewInBuild xsi:type="xsd:string">9</NewInBuild>'
        typed = f' xsi:type="NS2:{kind}"'
        if not self._multi_reference:
            return f"<{name}{typed}>{inner}</{name}>"
        self._count += 1
        tag = f"NS2:{kind}"
        self.referred.append(f'<{tag} id="{self._count}"{typed}>{inner}</{tag}>')
        return f'<{name} href="#{self._count}"/>'

    def _text(self, kind: str, value: Value) -> str:
        if kind == "dateTime":
            return self._forms.typed(value if isinstance(value, datetime) else None)
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


def _xml_text(text: str) -> str:
    """Text without the characters that XML can't hold."""
    return _UNWRITABLE.sub("?", text)
