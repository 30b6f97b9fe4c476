"""What the web service IKosWeb offers: its operations, their parts and types, and the WSDL.

Promises: RPC/encoded SOAP 1.1 as a Delphi server describes itself; the schema of SOAP encoding
that it refers to is served beside it, so that a client needs no other host. Operations of the
vendor's pack whose signature is not public are not here. It answers nothing. Invariant: what
the encoder writes is what the WSDL says. Source: contract khaos b.
Called by the SOAP face of the sandbox.
"""

from typing import Literal, TypeAlias
from xml.sax.saxutils import quoteattr

import msgspec

__all__ = [
    "ARRAYS",
    "ENCODING_SCHEMA",
    "OPERATIONS",
    "SERVICE",
    "STRUCTS",
    "TYPES",
    "Operation",
    "Part",
    "wsdl",
]

SERVICE = "urn:IKosWebIntf-IKosWeb"
"""Namespace of the calls; SOAPAction is this, #, and the operation."""
TYPES = "urn:IKosWebIntf"
"""Namespace of the types."""

PartKind: TypeAlias = Literal["string", "int", "boolean", "dateTime"]


class Part(msgspec.Struct, frozen=True):
    """A parameter of an operation."""

    name: str
    kind: PartKind


class Operation(msgspec.Struct, frozen=True):
    """An operation: its parts in their order, and the type of what it returns."""

    name: str
    parts: tuple[Part, ...]
    returns: str


STRUCTS: dict[str, tuple[tuple[str, str], ...]] = {
    "TSite": (("SiteID", "int"), ("SiteName", "string")),
    "TSiteList": (("List", "TSiteArray"), ("CurrentSiteID", "int")),
    "TStockInfo": (
        ("StockCode", "string"),
        ("OtherRef", "string"),
        ("StockDesc", "string"),
        ("ParentCode", "string"),
        ("ParentOtherRef", "string"),
        ("LastUpdated", "dateTime"),
    ),
    "TStockList": (("Count", "int"), ("List", "TStockArray")),
    "TStockPotential": (
        ("StockCode", "string"),
        ("OtherRef", "string"),
        ("StockDesc", "string"),
        ("Available", "double"),
        ("OnOrder", "double"),
        ("BackOrder", "double"),
        ("Potential", "double"),
    ),
    "TCompressedResult": (
        ("Method", "string"),
        ("FileName", "string"),
        ("Data", "base64Binary"),
        ("OriginalSize", "int"),
        ("CompressedSize", "int"),
        ("PasswordProtected", "boolean"),
    ),
    "TOrderImport": (
        ("SalesOrderCode", "string"),
        ("AssociatedRef", "string"),
        ("Msg", "string"),
        ("URN", "string"),
        ("OtherRef", "string"),
    ),
    "TOrderSkipped": (("OrderRef", "string"), ("SkipReason", "string")),
    "TOrderImportResult": (
        ("ImportedCount", "int"),
        ("OrderImport", "TOrderImportArray"),
        ("OrderSkipped", "TOrderSkippedArray"),
    ),
}
"""Fields of each object, in their order."""

ARRAYS = {
    "TSiteArray": "TSite",
    "TStockArray": "TStockInfo",
    "TStockPotentialArray": "TStockPotential",
    "TOrderImportArray": "TOrderImport",
    "TOrderSkippedArray": "TOrderSkipped",
}
"""Item type of each array."""


def _operation(name: str, returns: str, /, **parts: PartKind) -> Operation:
    return Operation(name, tuple(Part(part, kind) for part, kind in parts.items()), returns)


OPERATIONS = {
    operation.name: operation
    for operation in (
        _operation("GetVersion", "string"),
        _operation("GetSiteList", "TSiteList"),
        _operation(
            "GetStockList", "TStockList",
            DateType="int", DateValue="dateTime", StockItemType="int",
        ),
        _operation(
            "GetStockListCompressed", "TCompressedResult",
            DateType="int", DateValue="dateTime", StockItemType="int", CompressionMethod="int",
        ),
        _operation(
            "ExportStock", "string",
            StockCode="string", MappingType="int", LastUpdated="dateTime",
        ),
        _operation(
            "ExportStockCompressed", "TCompressedResult",
            StockCode="string", MappingType="int", LastUpdated="dateTime",
            CompressionMethod="int",
        ),
        _operation(
            "ExportStockStatus", "string",
            StockCode="string", MappingType="int", LastUpdated="dateTime", SiteID="int",
            PotentialLeadTime="boolean",
        ),
        _operation(
            "GetStockPotential", "TStockPotentialArray", StockCode="string", MappingType="int"
        ),
        _operation("ImportOrders", "TOrderImportResult", Orders="string"),
        _operation("ExportOrders", "string", OrderCode="string", MappingType="int"),
        _operation("ExportOrderStatus", "string"),
        _operation(
            "ExportOrderStatusEx", "string",
            IDs="string", MappingType="int", WebOnly="boolean", ConfirmedOnly="boolean",
            IncludeTracking="boolean", IncludeCancelled="boolean", DateFrom="dateTime",
            DateTo="dateTime", InvoiceStageIDs="string", ShowItems="boolean",
        ),
        _operation(
            "GetSOPData", "string",
            Courier="boolean", DelRate="boolean", CourierBanding="boolean", BOGOF="boolean",
            SpecialOffer="boolean", TelesalePrompt="boolean", KeyCode="boolean",
            BarredItems="boolean",
        ),
    )
}  # fmt: skip
"""By name. Names are compared as they are written."""


def wsdl(endpoint: str, encoding: str) -> str:
    """The service description: where to call it, and where the encoding's schema is."""
    structs = "".join(_struct(name, fields) for name, fields in STRUCTS.items())
    arrays = "".join(_array(name, item) for name, item in ARRAYS.items())
    operations = OPERATIONS.values()
    return _WSDL.format(
        types=structs + arrays,
        messages="".join(_messages(operation) for operation in operations),
        port_operations="".join(_port_operation(operation.name) for operation in operations),
        bound_operations="".join(_bound_operation(operation.name) for operation in operations),
        endpoint=quoteattr(endpoint),
        encoding=quoteattr(encoding),
        service=SERVICE,
        namespace=TYPES,
    )


def _qualified(kind: str) -> str:
    return f"ns1:{kind}" if kind in STRUCTS or kind in ARRAYS else f"xs:{kind}"


def _struct(name: str, fields: tuple[tuple[str, str], ...]) -> str:
    elements = "".join(
        f'<xs:element name="{field}" type="{_qualified(kind)}"/>' for field, kind in fields
    )
    return (
        f'<xs:complexType name="{name}"><xs:sequence>{elements}</xs:sequence></xs:complexType>'
    )


def _array(name: str, item: str) -> str:
    return (
        f'<xs:complexType name="{name}"><xs:complexContent>'
        '<xs:restriction base="soapenc:Array"><xs:sequence/>'
        f'<xs:attribute ref="soapenc:arrayType" wsdl:arrayType="{_qualified(item)}[]"/>'
        "</xs:restriction></xs:complexContent></xs:complexType>"
    )


def _messages(operation: Operation) -> str:
    parts = "".join(f'<part name="{p.name}" type="xs:{p.kind}"/>' for p in operation.parts)
    returns = f'<part name="return" type="{_qualified(operation.returns)}"/>'
    return (
        f'<message name="{operation.name}0Request">{parts}</message>'
        f'<message name="{operation.name}0Response">{returns}</message>'
    )


def _port_operation(name: str) -> str:
    return (
        f'<operation name="{name}"><input message="tns:{name}0Request"/>'
        f'<output message="tns:{name}0Response"/></operation>'
    )


def _bound_operation(name: str) -> str:
    body = (
        '<soap:body use="encoded" encodingStyle="http://schemas.xmlsoap.org/soap/encoding/" '
        f'namespace="{SERVICE}"/>'
    )
    return (
        f'<operation name="{name}"><soap:operation soapAction="{SERVICE}#{name}" style="rpc"/>'
        f"<input>{body}</input><output>{body}</output></operation>"
    )


ENCODING_SCHEMA = """<?xml version="1.0" encoding="utf-8"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"
  targetNamespace="http://schemas.xmlsoap.org/soap/encoding/">
<xs:attribute name="arrayType" type="xs:string"/>
<xs:complexType name="Array"><xs:sequence>
<xs:any namespace="##any" minOccurs="0" maxOccurs="unbounded" processContents="lax"/>
</xs:sequence><xs:anyAttribute namespace="##any" processContents="lax"/></xs:complexType>
</xs:schema>
"""
"""As much of SOAP 1.1 section 5 as the WSDL refers to."""

_WSDL = """<?xml version="1.0" encoding="utf-8"?>
<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" name="IKosWebservice"
  targetNamespace="http://tempuri.org/" xmlns:tns="http://tempuri.org/"
  xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:xs="http://www.w3.org/2001/XMLSchema"
  xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
  xmlns:soapenc="http://schemas.xmlsoap.org/soap/encoding/" xmlns:ns1="{namespace}">
<types>
<xs:schema targetNamespace="{namespace}">
<xs:import namespace="http://schemas.xmlsoap.org/soap/encoding/" schemaLocation={encoding}/>
{types}</xs:schema>
</types>
{messages}
<portType name="IKosWeb">{port_operations}</portType>
<binding name="IKosWebbinding" type="tns:IKosWeb">
<soap:binding style="rpc" transport="http://schemas.xmlsoap.org/soap/http"/>
{bound_operations}</binding>
<service name="IKosWebservice"><port name="IKosWebPort" binding="tns:IKosWebbinding">
<soap:address location={endpoint}/></port></service>
</definitions>
"""
