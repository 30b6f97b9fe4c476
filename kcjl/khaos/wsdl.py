"""What the web service's WSDL says about its methods, and what is done where it says nothing.

Promises: for each method an `Operation` (namespace, soapAction, parts in order), from the WSDL
when it can be understood, else the documented one. It fetches nothing and sends nothing.
Invariant: arguments find their parts by name, then by place and kind; parts that we do not
know (a newer build's) get an empty value of their type, so strict servers see all parts.
Called by `soap.py`. Source: contract khaos b.0, h 15.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from kcjl.khaos.answer_xml import Element, local_name

__all__ = ["Argument", "Kind", "Operation", "Part", "Wsdl", "documented", "place", "read_wsdl"]

WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
SOAP_11 = "{http://schemas.xmlsoap.org/wsdl/soap/}"
XSD = "http://www.w3.org/2001/XMLSchema"
_NAME = re.compile(r"[A-Za-z_][\w.-]*\Z", re.ASCII)
_URI = re.compile(r"[!#-;=?-\[\]_a-z~]+\Z")
_PORTS = {"http": 80, "https": 443}
DOCUMENTED_NAMESPACE = "urn:IKosWebIntf-IKosWeb"


class Kind(StrEnum):
    """What an argument is to us; the value is the SOAP type that it has by default."""

    TEXT = "string"
    WHOLE = "int"
    FLAG = "boolean"
    MOMENT = "dateTime"


class Argument(msgspec.Struct, frozen=True, kw_only=True):
    """One argument: documented name, kind, and text (flags `-1` or `0`; no date: '')."""

    name: str
    kind: Kind
    text: str


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter as the service declares it."""

    name: str
    type_name: str
    type_namespace: str = XSD


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One method as the service declares it; `parts` None: by the documentation."""

    method: str
    namespace: str
    action: str
    parts: tuple[Part, ...] | None = None


class Wsdl(msgspec.Struct, frozen=True, kw_only=True):
    """What was understood of a WSDL."""

    operations: dict[str, Operation]
    """By method, in lower case."""
    address: str | None = None

    def operation(self, method: str) -> Operation:
        """The declared operation; for one that is not declared, the documented one in the
        namespace of the others.
        """
        known = self.operations.get(method.casefold())
        if known is not None:
            return known
        namespaces = {operation.namespace for operation in self.operations.values()}
        shared = namespaces.pop() if len(namespaces) == 1 else DOCUMENTED_NAMESPACE
        return documented(method, shared)

    def address_on(self, url: str) -> str | None:
        """The address for calls, if it is on the same scheme, host and port as `url`.

        Another host is not believed: behind a proxy, the service names itself by its inner one.
        """
        if not self.address:
            return None
        try:
            ours, theirs = urlsplit(url), urlsplit(self.address)
            ports = [parts.port or _PORTS.get(parts.scheme) for parts in (ours, theirs)]
        except ValueError:
            return None
        same = ours.scheme == theirs.scheme and ours.hostname == theirs.hostname
        return self.address if same and ports[0] == ports[1] else None


def documented(method: str, namespace: str = DOCUMENTED_NAMESPACE) -> Operation:
    return Operation(method=method, namespace=namespace, action=f"{namespace}#{method}")


def read_wsdl(root: Element) -> Wsdl | None:
    """The RPC operations of the SOAP 1.1 binding; None when there is none to understand."""
    if root.tag != f"{WSDL}definitions":
        return None
    target = root.get("targetNamespace") or DOCUMENTED_NAMESPACE
    for binding in root.iterfind(f"{WSDL}binding"):
        if binding.find(f"{SOAP_11}binding") is None:
            continue
        inputs = _inputs(root, _bare(binding.get("type")))
        operations = [
            _operation(node, target, inputs) for node in binding.iterfind(f"{WSDL}operation")
        ]
        by_method = {op.method.casefold(): op for op in operations if op.method}
        if by_method:
            return Wsdl(operations=by_method, address=_address(root, binding.get("name")))
    return None


def place(
    operation: Operation,
    arguments: Sequence[Argument],
    flags_as: Literal["typed", "minus_one"],
) -> list[tuple[Part, str | None]]:
    """Which part gets which text, in the service's order; None: no date is meant."""
    if operation.parts is None:
        parts = tuple(Part(name=a.name, type_name=str(a.kind.value)) for a in arguments)
    else:
        parts = operation.parts
    waiting = list(arguments)
    taken: dict[int, Argument] = {}
    for number, part in enumerate(parts):
        for argument in waiting:
            if argument.name.casefold() == part.name.casefold():
                taken[number] = argument
                waiting.remove(argument)
                break
    for number, part in enumerate(parts):
        if number not in taken and waiting and _takes(part, waiting[0]):
            taken[number] = waiting.pop(0)
    return [
        (part, _wire(part, taken.get(number), flags_as)) for number, part in enumerate(parts)
    ]


def _takes(part: Part, argument: Argument) -> bool:
    kind = _kind(part)
    fits = kind is argument.kind or (argument.kind is Kind.FLAG and kind is Kind.WHOLE)
    return fits or _is_serial(part, argument)


def _is_serial(part: Part, argument: Argument) -> bool:
    """Delphi's TDateTime, declared as the number that it is inside."""
    return argument.kind is Kind.MOMENT and part.type_name in ("double", "float", "decimal")


def _kind(part: Part) -> Kind:
    name = part.type_name
    if name in ("dateTime", "date", "TXSDateTime", "TDateTime"):
        return Kind.MOMENT
    if name == "boolean":
        return Kind.FLAG
    whole = ("int", "integer", "long", "short", "byte", "unsignedInt", "unsignedByte")
    return Kind.WHOLE if name in whole else Kind.TEXT


def _wire(part: Part, argument: Argument | None, flags_as: str) -> str | None:
    if argument is None:
        empty = {Kind.WHOLE: "0", Kind.FLAG: "false", Kind.MOMENT: "1899-12-30T00:00:00"}
        serial = part.type_name in ("double", "float", "decimal")
        return "0" if serial else empty.get(_kind(part), "")
    if argument.kind is Kind.FLAG and _kind(part) is Kind.FLAG and flags_as == "typed":
        return "false" if argument.text == "0" else "true"
    if _is_serial(part, argument):
        return _serial(argument.text) if argument.text else "0"
    if argument.kind is Kind.MOMENT and not argument.text:
        return None
    return argument.text[:10] if part.type_name == "date" else argument.text


def _serial(wall: str) -> str:
    """Days since 1899-12-30, the zero of Delphi's dates."""
    since = datetime.fromisoformat(wall) - datetime(1899, 12, 30)  # noqa: DTZ001 - wall time
    return f"{since.days + since.seconds / 86_400:.8f}"


def _inputs(root: Element, port_type: str) -> dict[str, tuple[Part, ...] | None]:
    """Parts of each method's request, by method; None where they are not RPC parts."""
    messages = {node.get("name", ""): node for node in root.iterfind(f"{WSDL}message")}
    parts: dict[str, tuple[Part, ...] | None] = {}
    for node in root.iterfind(f"{WSDL}portType"):
        if port_type and node.get("name") != port_type:
            continue
        for operation in node.iterfind(f"{WSDL}operation"):
            request = operation.find(f"{WSDL}input")
            message = None if request is None else messages.get(_bare(request.get("message")))
            found = None if message is None else _parts(message)
            parts[operation.get("name", "")] = found
    return parts


def _parts(message: Element) -> tuple[Part, ...] | None:
    parts = []
    for node in message.iterfind(f"{WSDL}part"):
        prefix, _, name = (node.get("type") or "").rpartition(":")
        if not (_NAME.match(name) and _NAME.match(node.get("name") or "")):
            return None
        namespace = node.nsmap.get(prefix or None) or XSD
        if not _URI.match(namespace):
            return None
        parts.append(Part(name=node.get("name", ""), type_name=name, type_namespace=namespace))
    return tuple(parts)


def _operation(
    node: Element, target: str, inputs: dict[str, tuple[Part, ...] | None]
) -> Operation:
    method = node.get("name", "")
    soap = node.find(f"{SOAP_11}operation")
    body = node.find(f"{WSDL}input/{SOAP_11}body")
    namespace = (None if body is None else body.get("namespace")) or target
    if not _URI.match(namespace):
        namespace = DOCUMENTED_NAMESPACE
    action = None if soap is None else soap.get("soapAction")
    if action and not _URI.match(action):
        action = None
    return Operation(
        method=method,
        namespace=namespace,
        action=f"{namespace}#{method}" if action is None else action,
        parts=inputs.get(method),
    )


def _address(root: Element, binding: str | None) -> str | None:
    for port in root.iterfind(f"{WSDL}service/{WSDL}port"):
        if _bare(port.get("binding")) == binding:
            for child in port:
                if local_name(child) == "address" and child.get("location"):
                    return child.get("location")
    return None


def _bare(name: str | None) -> str:
    return (name or "").rpartition(":")[2]
