"""The ERP's web service over real HTTP, called by clients that write SOAP by hand."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from lxml import etree

from kcjl.sandbox.khaos.dialect import Dialect
from kcjl.sandbox.khaos.http import operation_of
from kcjl.sandbox.khaos.soap import parse_call
from kcjl.sandbox.warehouse import KhaosFault, WarehouseSettings
from tests.sandbox.khaos_server import Erp, served
from tests.sandbox.warehouse_orders import warehouse_of

pytestmark = pytest.mark.anyio


@pytest.fixture
async def erp() -> AsyncIterator[Erp]:
    async with served(warehouse_of()) as running:
        yield running


# ── clients that write SOAP by hand ──


@pytest.mark.parametrize(
    "inner",
    [
        (
            '<k:ExportStockStatus xmlns:k="urn:IKosWebIntf-IKosWeb"><StockCode>VASE</StockCode>'
            "<MappingType>1</MappingType></k:ExportStockStatus>"
        ),
        (
            '<ExportStockStatus><a xsi:type="xsd:string">VASE</a><b xsi:type="xsd:int">1</b>'
            "<c>1899-12-31T00:00:00</c><d>1</d><e>-1</e></ExportStockStatus>"
        ),
        (
            "<ExportStockStatus><POTENTIALLEADTIME>true</POTENTIALLEADTIME>"
            "<stockcode>VASE</stockcode></ExportStockStatus>"
        ),
        (
            '<ExportStockStatus><StockCode href="#1"/></ExportStockStatus>'
            '<x id="1" xsi:type="xsd:string">VASE</x>'
        ),
        (
            "<ExportStockStatus><StockCode><![CDATA[VASE]]></StockCode>"
            '<SiteID xsi:nil="true"/></ExportStockStatus>'
        ),
    ],
)
async def test_hand_written_call_is_understood(erp: Erp, inner: str) -> None:
    """Prefixes, types, names, positions, references and nil do not matter."""
    status, body = await erp.post(inner, action='"urn:IKosWebIntf-IKosWeb#ExportStockStatus"')
    answer = etree.fromstring(body.findtext("return") or "")

    assert status == 200
    assert etree.QName(body).localname == "ExportStockStatusResponse"
    assert [item.get("CODE") for item in answer] == ["VASE"]


async def test_soap_12_client_is_answered_in_soap_12(erp: Erp) -> None:
    """One live client has SOAP 1.2 switched on."""
    envelope = "http://www.w3.org/2003/05/soap-envelope"
    _, version = await erp.post("<GetVersion/>", envelope=envelope)
    status, fault = await erp.post("<Nope/>", envelope=envelope)

    assert version.findtext("return") == "8.173"
    assert status == 500
    assert (
        fault.findtext(f"{{{envelope}}}Reason/{{{envelope}}}Text") == "Interface not supported"
    )


@pytest.mark.parametrize(
    ("inner", "text", "actor"),
    [
        ("<Journal/>", "Interface not supported", "EIntfCastError"),
        ("<GetStockList><a>x</a></GetStockList>", "valid integer", "EConvertError"),
        ("<GetStockList><a>2</a><b>today</b></GetStockList>", "valid date", "EConvertError"),
        ("<GetSOPData><a>maybe</a></GetSOPData>", "valid boolean", "EConvertError"),
        ("<GetVersion><a>1</a></GetVersion>", "takes 0", "ESOAPDomConvertError"),
        ("", "empty", "ESOAPDomConvertError"),
        ("<ExportStockStatus><SiteID>9</SiteID></ExportStockStatus>", "Site 9", "Exception"),
        ("<ExportStock><a>X</a><b>3</b></ExportStock>", "Mapping type 3", "Exception"),
        ("<ExportOrderStatusEx/>", "dates", "Exception"),
    ],
)
async def test_wrong_call_is_a_fault(erp: Erp, inner: str, text: str, actor: str) -> None:
    """Any call can end in a fault; its class name says of what kind."""
    status, fault = await erp.post(inner)

    assert status == 500
    assert etree.QName(fault).localname == "Fault"
    assert text in (fault.findtext("faultstring") or "")
    assert actor == fault.findtext("faultactor")


async def test_document_type_in_the_envelope_is_refused() -> None:
    """No entity of a client's making is ever expanded."""
    with pytest.raises(KhaosFault, match="DTD"):
        parse_call(
            b'<!DOCTYPE a [<!ENTITY b "c">]><Envelope>&b;</Envelope>',
            Dialect.of(WarehouseSettings()),
        )


@pytest.mark.parametrize(
    ("empty_answer", "expected"), [("root", "<STATUS_LIST/>"), ("string", ""), ("fault", None)]
)
async def test_empty_answer_has_the_form_of_the_setting(
    empty_answer: str, expected: str | None
) -> None:
    """An empty root, an empty string, or a fault: nobody knows which (h.5)."""
    call = "<ExportOrderStatusEx><a>NOPE</a><b>4</b></ExportOrderStatusEx>"
    async with served(warehouse_of(empty_answer=empty_answer)) as erp:
        status, body = await erp.post(call)

    assert (200 if expected is not None else 500) == status
    assert expected == body.findtext("return")


# ── HTTP ──


async def test_service_lives_under_its_base_path_in_any_case() -> None:
    """IIS compares paths without their case; the WSDL names the address it was asked at."""
    async with (
        served(warehouse_of(), "/LiveSoap") as erp,
        aiohttp.ClientSession() as session,
        session.get(
            f"{erp.url.lower().replace('livesoap', 'LiveSoap')}/WSDL/ikosweb"
        ) as answer,
    ):
        description = etree.fromstring(await answer.read())
        version = await erp.zeep("GetVersion")

    address = description.find(".//{http://schemas.xmlsoap.org/wsdl/soap/}address")
    assert address is not None
    assert erp.url.casefold() + "/soap/ikosweb" == address.get("location", "").casefold()
    assert version == "8.173"


async def test_basic_authentication_is_asked_for_when_set() -> None:
    """IIS in front of the service asks; the service itself has no log-in."""
    async with (
        served(warehouse_of(user="shop", password="s3cret")) as erp,
        aiohttp.ClientSession() as session,
        session.get(f"{erp.url}/wsdl/IKosWeb") as refused,
    ):
        assert refused.status == 401
        assert "Basic" in refused.headers["WWW-Authenticate"]
        version = await erp.zeep("GetVersion", user="shop", password="s3cret")

    assert version == "8.173"


@pytest.mark.parametrize(
    ("body", "action", "expected"),
    [
        (b'<s:Envelope><s:Body a="b">\n<k:ImportOrders>', "", "ImportOrders"),
        (b"<Envelope><Body><GetVersion/></Body></Envelope>", '"urn:X#Other"', "GetVersion"),
        (b"", '"urn:IKosWebIntf-IKosWeb#GetSiteList"', "GetSiteList"),
        (b"garbage", "", ""),
    ],
)
def test_operation_is_known_before_the_body_is_parsed(
    body: bytes, action: str, expected: str
) -> None:
    """The body names it; the SOAPAction is asked only where the body does not."""
    assert expected == operation_of(body, action)
