"""How calls travel: WSDL and its fallback, access, certificates, one at a time, addresses."""

from base64 import b64encode
from datetime import UTC, datetime

import anyio
import anyio.lowlevel
import pytest

from kcjl.errors import OutcomeUnknown, Unavailable
from kcjl.khaos.kws import KwsSoapAdapter
from kcjl.khaos.turns import Turns
from tests.khaos.conftest import HandClock, MakeAdapter
from tests.khaos.samples import imported, order
from tests.khaos.server import SILENT, ScriptedErp, fault, http, soap, string

pytestmark = pytest.mark.anyio

LOCATION = "http://10.9.8.7/cgi/KhaosKSD.exe/soap/IKosWeb"


def wsdl(messages: str, *, location: str = LOCATION, method: str = "GetStockList") -> bytes:
    """A service whose names are all its own."""
    return http(
        200,
        f"""<?xml version="1.0"?><definitions xmlns="http://schemas.xmlsoap.org/wsdl/"
 xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
 xmlns:o="urn:Other" xmlns:t="http://tempuri.org/" targetNamespace="http://tempuri.org/">
<message name="in">{messages}</message><message name="out"/>
<portType name="P"><operation name="{method}"><input message="t:in"/><output message="t:out"/>
</operation></portType>
<binding name="B12" type="t:P"><x xmlns="http://schemas.xmlsoap.org/wsdl/soap12/"/></binding>
<binding name="B" type="t:P"><soap:binding style="rpc"/><operation name="{method}">
<soap:operation soapAction="urn:Other#Act"/><input><soap:body use="encoded"
 namespace="urn:Other-IKosWeb"/></input></operation></binding>
<service name="S"><port name="p" binding="t:B"><soap:address location="{location}"/></port>
</service></definitions>""",
    )


def part(name: str, kind: str) -> str:
    return f'<part name="{name}" type="{kind}"/>'


async def moved(adapter: KwsSoapAdapter, erp: ScriptedErp) -> None:
    erp.will_say("GetStockList", *[soap("GetStockList", "<return/>")] * 2)
    await adapter.moved_products(datetime(2026, 3, 2, 12, 0, tzinfo=UTC))


async def test_service_without_wsdl_is_called_as_documented(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """The fallback: the documented namespace, action, names and types, SOAP 1.1."""
    await moved(make(), erp)

    call = erp.calls[0]
    assert ("urn:IKosWebIntf-IKosWeb", "/Live/KhaosKSD.exe/soap/IKosWeb") == (
        call.namespace,
        call.target,
    )
    assert '"urn:IKosWebIntf-IKosWeb#GetStockList"' == call.headers["soapaction"]
    assert "text/xml; charset=utf-8" == call.headers["content-type"]
    assert b'encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"' in call.body
    assert [
        ("DateType", "2", "xsd:int"),
        ("DateValue", "2026-03-02T12:00:00", "xsd:dateTime"),
        ("StockItemType", "0", "xsd:int"),
    ] == [(name, text, call.types[name]) for name, text in call.arguments.items()]


async def test_service_wsdl_gives_names_order_action_and_types(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """Names decide, then places; a newer build's parts get an empty value of their type."""
    erp.wsdl = wsdl(
        part("stockitemtype", "xs:short")
        + part("Kind", "xs:int")
        + part("When", "xs:dateTime")
        + part("Licence", "xs:string")
        + part("Deep", "xs:boolean")
        + part("Until", "xs:dateTime")
        + part("Limit", "o:TLimit")
    )

    await moved(make(), erp)

    call = erp.calls[0]
    assert ("urn:Other-IKosWeb", '"urn:Other#Act"') == (
        call.namespace,
        call.headers["soapaction"],
    )
    assert {
        "stockitemtype": "0",
        "Kind": "2",
        "When": "2026-03-02T12:00:00",
        "Licence": "",
        "Deep": "false",
        "Until": "1899-12-30T00:00:00",
        "Limit": "",
    } == call.arguments
    assert ["xsd:short", "t:TLimit"] == [call.types["stockitemtype"], call.types["Limit"]]
    assert 1 == len(erp.wsdl_asked)


async def test_service_wsdl_with_dates_as_numbers_gets_numbers(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """A Delphi date is a number of days since 30 December 1899."""
    erp.wsdl = wsdl(part("A", "xs:int") + part("B", "xs:double") + part("C", "xs:int"))

    await moved(make(), erp)

    assert "46083.50000000" == erp.calls[0].arguments["B"]


async def test_service_wsdl_with_unlike_parts_gets_no_argument_in_the_wrong_place(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """By place only where the kind fits: a date never lands in a number."""
    erp.wsdl = wsdl(
        part("Password", "xs:string") + part("Kind", "xs:int") + part("On", "xs:date")
    )

    await moved(make(), erp)

    assert {"Password": "", "Kind": "2", "On": "2026-03-02"} == erp.calls[0].arguments


async def test_service_method_missing_in_wsdl_takes_the_others_namespace(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """What the WSDL does not list is called as documented, where the others live."""
    erp.wsdl = wsdl("")
    erp.will_say("GetVersion", string("", "9"))

    await make().ping()

    assert "urn:Other-IKosWeb" == erp.calls[0].namespace
    assert '"urn:Other-IKosWeb#GetVersion"' == erp.calls[0].headers["soapaction"]


@pytest.mark.parametrize(
    "answer",
    [
        http(500, "boom"),
        http(200, "<html><body>IIS</body></html>", "text/html"),
        http(200, "<definitions/>"),
        http(200, "<!DOCTYPE d [<!ENTITY a 'b'>]><definitions>&a;</definitions>"),
        http(401, "who"),
        b"",
        None,
    ],
    ids=["500", "HTML", "foreign", "DTD", "401", "cut", "silent"],
)
async def test_service_wsdl_that_cannot_be_had_does_not_stop_calls(
    erp: ScriptedErp, make: MakeAdapter, clock: HandClock, answer: bytes | None
) -> None:
    """The fallback serves, and the WSDL is asked for again after a while, not at each call."""
    erp.wsdl = answer
    erp.will_say("GetVersion", *[string("", "8.173")] * 3)
    adapter = make(read_timeout_s=0.3)

    assert ["8.173"] * 2 == [await adapter.ping(), await adapter.ping()]
    erp.wsdl = wsdl("")
    await clock.sleep(601)
    await adapter.ping()

    assert ["urn:IKosWebIntf-IKosWeb"] * 2 + ["urn:Other-IKosWeb"] == [
        call.namespace for call in erp.calls
    ]
    assert {"/Live/KhaosKSD.exe/wsdl/IKosWeb"} == set(erp.wsdl_asked)
    assert len(erp.wsdl_asked) <= 3  # aiohttp repeats a GET that was cut


async def test_service_unknown_method_makes_the_wsdl_be_read_again(
    erp: ScriptedErp, make: MakeAdapter, clock: HandClock
) -> None:
    """A service that was replaced tells its new names without a restart of ours."""
    erp.wsdl = wsdl("")
    erp.will_say("GetVersion", fault("Interface not supported", "EIntfCastError"))
    erp.will_say("GetVersion", string("", "9"))
    adapter = make()

    with pytest.raises(Unavailable):
        await adapter.ping()
    await clock.sleep(601)
    await adapter.ping()

    assert 2 == len(erp.wsdl_asked)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("{own}/other/soap/IKosWeb", "/other/soap/IKosWeb"),
        ("http://127.0.0.2:9/inner/soap/IKosWeb", "/Live/KhaosKSD.exe/soap/IKosWeb"),
        ("{secure}/soap/IKosWeb", "/Live/KhaosKSD.exe/soap/IKosWeb"),
        ("http://[broken", "/Live/KhaosKSD.exe/soap/IKosWeb"),
    ],
)
async def test_service_wsdl_address_is_followed_on_the_same_host_only(
    erp: ScriptedErp, make: MakeAdapter, place: str, expected: str
) -> None:
    """Behind a proxy a service names itself by its inner name; orders don't go to strangers."""
    own = erp.url.removesuffix("/Live")
    erp.wsdl = wsdl("", location=place.format(own=own, secure=own.replace("http", "https")))
    erp.will_say("GetVersion", string("", "9"))

    await make().ping()

    assert expected == erp.calls[0].target


@pytest.mark.parametrize(
    ("url", "exe", "wsdl_path", "soap_path"),
    [
        ("/L", "Ks.exe", "/L/Ks.exe/wsdl/IKosWeb", "/L/Ks.exe/soap/IKosWeb"),
        ("/", "", "/wsdl/IKosWeb", "/soap/IKosWeb"),
        ("/a/K.exe", "X.exe", "/a/K.exe/wsdl/IKosWeb", "/a/K.exe/soap/IKosWeb"),
        ("/a/K.exe/wsdl/IKosWeb", "X.exe", "/a/K.exe/wsdl/IKosWeb", "/a/K.exe/soap/IKosWeb"),
        ("/a/K.exe/soap/IKosWeb", "X.exe", "/a/K.exe/wsdl/IKosWeb", "/a/K.exe/soap/IKosWeb"),
        (
            "/a/K.exe/wsdl/IKosWeb?wsdl",
            "X",
            "/a/K.exe/wsdl/IKosWeb?wsdl",
            "/a/K.exe/soap/IKosWeb",
        ),
        ("/any/where?wsdl", "X.exe", "/any/where?wsdl", "/any/where"),
    ],
)
async def test_settings_url_in_any_form_gives_both_addresses(
    erp: ScriptedErp,
    make: MakeAdapter,
    url: str,
    exe: str,
    wsdl_path: str,
    soap_path: str,
) -> None:
    """A base, a program, or a whole address: every client's path is another."""
    erp.will_say("GetVersion", string("", "9"))

    await make(url=erp.url.removesuffix("/Live") + url, exe=exe).ping()

    assert ([wsdl_path], soap_path) == (erp.wsdl_asked, erp.calls[0].target)


async def test_service_basic_auth_goes_with_wsdl_and_calls(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """IIS asks for user and password; they go in the header, never in the URL."""
    erp.will_say("GetVersion", string("", "9"))

    await make(auth="basic", user="kc", password="pä:ss").ping()

    expected = f"Basic {b64encode('kc:pä:ss'.encode()).decode()}"
    assert expected == erp.calls[0].headers["authorization"]


async def test_service_body_auth_is_one_more_parameter(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """Some builds want a password among the arguments: last, or where the WSDL has it."""
    erp.will_say("GetVersion", *[string("", "9")] * 2)

    await make(auth="body", password="secret").ping()
    erp.wsdl = wsdl(part("pass", "xs:string"), method="GetVersion")
    await make(auth="body", password="secret", auth_parameter="Pass").ping()

    assert [{"Password": "secret"}, {"pass": "secret"}] == erp.arguments("GetVersion")


async def test_service_flags_as_minus_one_where_the_setting_says_so(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """The ERP's own way of saying yes, for services that read it literally."""
    erp.will_say("GetSOPData", string("", "<SOPDATA/>"))

    await make(flags_as="minus_one").couriers()

    assert ["-1", *["0"] * 7] == list(erp.arguments("GetSOPData")[0].values())


async def test_service_calls_go_one_at_a_time(erp: ScriptedErp, make: MakeAdapter) -> None:
    """One request in flight per web service: each may open the client's database."""
    erp.will_say("GetVersion", *[string("", "9")] * 8)
    adapter = make()

    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(adapter.ping)

    assert (8, 1) == (len(erp.calls), erp.together_max)


async def test_service_merchants_behind_one_web_service_take_turns(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """One call in flight per web service, also across merchants of one process."""
    erp.will_say("GetVersion", *[string("", "9")] * 8)
    turns = Turns()
    spellings = (erp.url, f"{erp.url}/KhaosKSD.exe", f"{erp.url}/khaosksd.exe/soap/IKosWeb/")
    merchants = [make(turns=turns, url=url) for url in spellings]

    async with anyio.create_task_group() as group:
        for adapter in (*merchants, *merchants):
            group.start_soon(adapter.ping)

    assert (6, 1) == (len(erp.calls), erp.together_max)


async def test_service_other_web_services_do_not_wait(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """Turns are a web service's own: one that hangs holds up nobody else's."""
    turns = Turns()
    erp.will_say("GetVersion", SILENT, string("", "9"))
    hanging = make(turns=turns, url=f"{erp.url}/One.exe")
    other = make(turns=turns, url=f"{erp.url}/Two.exe")

    async with anyio.create_task_group() as group:
        group.start_soon(hanging.ping)
        with anyio.fail_after(5):
            await anyio.wait_all_tasks_blocked()
            while not erp.calls:
                await anyio.lowlevel.checkpoint()
            assert "9" == await other.ping()
        group.cancel_scope.cancel()


async def test_service_answer_larger_than_the_bound_is_not_read_on(
    erp: ScriptedErp, make: MakeAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer has a bound; reaching it is an error, never a cut."""
    monkeypatch.setattr("kcjl.khaos.soap.ANSWER_BYTES_MAX", 1000)
    erp.will_say("GetVersion", string("", "9" * 2000))

    with pytest.raises(Unavailable, match="1000 bytes"):
        await make().ping()


async def test_service_stops_between_wsdl_and_call_is_unavailable_then_unknown(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """Cut while the WSDL is read: the call goes on, and its own cut is an unknown outcome."""
    erp.wsdl = b""
    erp.will_say("ImportOrders", b"", imported())
    adapter = make()

    with pytest.raises(OutcomeUnknown):
        await adapter.create_order(order())
    assert "SO70551" == (await adapter.create_order(order())).erp_order_code
