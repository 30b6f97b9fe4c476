"""The WSDL of the sandbox's ERP: its service described as a Delphi server describes itself.

Promises: RPC/encoded SOAP 1.1; the schema of SOAP encoding that it refers to is served beside
it, so that a client needs no other host. What it calls things is the dialect's. It answers no
call. Invariant: every operation of the pack is in it. Source: contract khaos a, b.
Called by the HTTP face of the sandbox's ERP.
"""

from xml.sax.saxutils import escape, quoteattr

from kcjl.sandbox.khaos.dialect import Dialect
from kcjl.sandbox.khaos.signatures import ARRAYS, STRUCTS, Operation

__all__ = ["ENCODING_SCHEMA", "wsdl"]


def wsdl(endpoint: str, encoding: str, dialect: Dialect) -> str:
    """The service description: where to call it, and where the encoding's schema is."""
    structs = "".join(_struct(name, fields) for name, fields in STRUCTS.items())
    arrays = "".join(_array(name, item) for name, item in ARRAYS.items())
    operations = dialect.operations().values()
    return _WSDL.format(
        types=structs + arrays,
        messages="".join(_messages(operation) for operation in operations),
        port_operations="".join(_port_operation(operation.name) for operation in operations),
        bound_operations="".join(
            _bound_operation(operation.name, dialect.service) for operation in operations
        ),
        endpoint=quoteattr(endpoint),
        encoding=quoteattr(encoding),
        namespace=escape(dialect.types),
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
    parts = "".join(f'<part name="{p.wire_name}" type="xs:{p.kind}"/>' for p in operation.parts)
    kind = operation.returns or "string"
    returns = f'<part name="return" type="{_qualified(kind)}"/>'
    return (
        f'<message name="{operation.name}0Request">{parts}</message>'
        f'<message name="{operation.name}0Response">{returns}</message>'
    )


def _port_operation(name: str) -> str:
    return (
        f'<operation name="{name}"><input message="tns:{name}0Request"/>'
        f'<output message="tns:{name}0Response"/></operation>'
    )


def _bound_operation(name: str, service: str) -> str:
    service = escape(service)
    body = (
        '<soap:body use="encoded" encodingStyle="http://schemas.xmlsoap.org/soap/encoding/" '
        f'namespace="{service}"/>'
    )
    return (
        f'<operation name="{name}"><soap:operation soapAction="{service}#{name}" style="rpc"/>'
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
