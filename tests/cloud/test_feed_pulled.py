"""What the ERP fetches from us over HTTP: config, orders, returns; and who may."""

import ssl
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest
from lxml import etree

from kcjl.calls.port import Asked
from kcjl.database import Database
from kcjl.errors import Misuse, Refused, SettingsUnusable, Unavailable
from kcjl.khaos.port import CreateOutcome, NewOrder, ReturnLine, ReturnOutcome, ReturnRequest
from kcjl.money import Money
from tests.clockwork import MORNING
from tests.cloud.channel import (
    PASSWORD,
    USER,
    Channel,
    channel,
    cloud_settings,
    write_certificate,
)
from tests.khaos.samples import order, to

pytestmark = pytest.mark.anyio


def fresh(reference: str = "JL100200300", **changes: object) -> NewOrder:
    return order(external_ref=reference, ordered_at=MORNING - timedelta(minutes=46), **changes)


async def test_config_names_the_endpoints_that_are_there(erp: Channel) -> None:
    """The ERP learns from one file where to fetch and where to push, and how often."""
    config = (await erp.get("/config.json")).tree()["EndpointConfig"]

    assert {"OrderDownload", "OrderStatusUpload", "StockStatusUpload"} < config.keys()
    assert (15, "JSON") == (
        config["OrderDownload"]["Frequency"],
        config["OrderDownload"]["Format"],
    )
    assert "Frequency" not in config["StockUpload"]
    for entry in config.values():
        path = "/" + entry["URL"].rpartition("/")[2]
        assert 404 != (await erp.get(path)).status


async def test_config_in_xml_says_the_same(erp: Channel) -> None:
    """The file may be XML, whatever the channel speaks."""
    root = etree.fromstring((await erp.get("/config.xml")).body)

    assert "EndpointConfig" == root.tag
    assert erp.url("/orders") == root.findtext("OrderDownload/URL")
    assert "15" == root.findtext("CReturnDownload/Frequency")


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Basic !!!",
        "Bearer " + b64encode(f"{USER}:{PASSWORD}".encode()).decode(),
        "Basic " + b64encode(f"{USER}:wrong".encode()).decode(),
        "Basic " + b64encode(f"other:{PASSWORD}".encode()).decode(),
        "Basic " + b64encode(b"\xff\xfe").decode(),
    ],
)
async def test_stranger_is_not_let_in(erp: Channel, authorization: str) -> None:
    """Orders name buyers: without user and password nothing is told, and nothing is taken."""
    await erp.adapter.create_order(fresh())

    assert 401 == await erp.as_stranger(authorization)
    row = await erp.adapter.find_order("JL100200300")
    assert row is not None
    assert row.queued is not None
    assert row.queued.fetched_at is None


async def test_guessing_is_slowed_and_shuts_nobody_out(erp: Channel) -> None:
    """After many wrong passwords a stranger is put off; the ERP still gets in."""
    statuses = {await erp.as_stranger("Basic eDp5") for _ in range(70)}

    assert {401, 429} == statuses
    assert 200 == (await erp.orders()).status


async def test_too_many_calls_are_put_off(database: Database) -> None:
    """A channel that has gone mad is not served without bound."""
    async with (
        aiohttp.ClientSession() as session,
        channel(database, session, requests_per_minute=3) as mad,
    ):
        statuses = [(await mad.orders()).status for _ in range(5)]

    assert [200, 200, 200, 429, 429] == statuses


async def test_order_is_handed_out_as_the_contract_shows(erp: Channel) -> None:
    """Field by field the composed sample; wall time of London; nothing null."""
    created = await erp.adapter.create_order(fresh(note="Leave with porter"))
    answer = await erp.orders()

    assert CreateOutcome.QUEUED == created.outcome
    tree = answer.tree()
    assert b"null" not in answer.body
    assert 1000 == tree["ApiVersion"]
    assert ["CompanyCode"] == tree["Config"]["MatchCompanyOn"]
    (got,) = tree["Orders"]
    header = got["Header"]
    assert ("JL100200300", "2026-10-01T08:14:00") == (
        header["AssociatedRef"],
        header["OrderDate"],
    )
    assert {"Gross": 0.0} == header["DeliveryCharge"]
    assert (129.98, "JL100200300", []) == (
        header["GrossTotal"],
        header["CustomData"],
        header["DiscountCodes"],
    )
    assert ("Never", "JLMKT") == (got["Customer"]["CreateNew"], got["Customer"]["URN"])
    assert {"Code": "GB"} == got["DeliveryAddress"]["Country"]
    assert "Accounts" == got["InvoiceContact"]["Surname"]
    assert {"Forename": "Ada", "Surname": "Tester"} == got["DeliveryContact"]
    (item,) = got["Items"]
    assert ("LAMP-OAK-01", 2, {"Gross": 64.99}, "JL100200300-1") == (
        item["SKU"],
        item["Quantity"],
        item["UnitPrice"],
        item["ImportRef"],
    )
    (payment,) = got["Payments"]
    assert (129.98, {"Name": "John Lewis Clearing"}) == (
        payment["Amount"],
        payment["BankAccount"],
    )


async def test_order_in_xml_says_the_same(database: Database) -> None:
    """A channel that speaks XML gets the vendor's forms of it."""
    async with (
        aiohttp.ClientSession() as session,
        channel(database, session, format="xml") as erp,
    ):
        await erp.adapter.create_order(
            fresh(deliver_to=to(surname="O’Brien & <Żółć>").deliver_to)
        )
        answer = await erp.orders()
    root = etree.fromstring(answer.body)

    assert "SalesOrderImport" == root.tag
    assert "GB" == root.find("Orders/SalesOrder/DeliveryAddress/Country").get("Code")  # type: ignore[union-attr]
    assert "O’Brien & <Żółć>" == root.findtext("Orders/SalesOrder/DeliveryContact/Surname")
    assert "64.99" == root.findtext("Orders/SalesOrder/Items/OrderItem/UnitPrice/Gross")
    assert "John Lewis Clearing" == root.findtext(
        "Orders/SalesOrder/Payments/OrderPayment/BankAccount"
    )
    assert ["Address1", "Postcode"] == [e.text for e in root.findall("Config/MatchAddressOn")]


async def test_continuation_splits_and_repeats(database: Database) -> None:
    """A thousand at a time, here two: each continuation brings the next; a repeated one the
    same again, for its answer may have been lost.
    """
    async with (
        aiohttp.ClientSession() as session,
        channel(database, session, orders_per_answer=2) as erp,
    ):
        for number in range(5):
            await erp.adapter.create_order(fresh(f"JL{number}"))
        first = await erp.orders()
        second = await erp.orders(first.continuation)
        again = await erp.orders(first.continuation)
        third = await erp.orders(second.continuation)
        none = await erp.orders(third.continuation)
        over = await erp.orders("what somebody typed")

    assert ["JL0", "JL1"] == first.references()
    assert ["JL2", "JL3"] == second.references() == again.references()
    assert ["JL4"] == third.references()
    assert [] == none.references()
    assert third.continuation == none.continuation
    assert ["JL0", "JL1"] == over.references()


async def test_order_that_was_heard_of_is_not_handed_out_again(erp: Channel) -> None:
    """Also to a channel that begins anew; only by name it is."""
    for each in ("JL1", "JL2"):
        await erp.adapter.create_order(fresh(each))
    await erp.orders()
    await erp.say("JL1")

    assert ["JL2"] == (await erp.orders()).references()
    assert ["JL1"] == (await erp.orders(specific="JL1")).references()


@pytest.mark.parametrize("asked", ["JL2", '"JL2"', "jl2, nobodys", "KCCJL2"])
async def test_specific_orders_are_handed_out_and_move_nothing(
    database: Database, asked: str
) -> None:
    """A retry brings the named orders, in any of the vendor's spellings, and no other."""
    async with (
        aiohttp.ClientSession() as session,
        channel(database, session, order_ref_format="KCC{0}") as erp,
    ):
        for each in ("JL1", "JL2", "JL3"):
            await erp.adapter.create_order(fresh(each))
        before = (await erp.orders()).continuation
        answer = await erp.orders(before, specific=asked)

    assert ["JL2"] == answer.references()
    assert before == answer.continuation


async def test_writes_off_hands_out_nothing(erp: Channel) -> None:
    """The kill switch holds for what waits too; afterwards it goes out."""
    await erp.adapter.create_order(fresh())
    erp.writes_on = False
    stopped = await erp.orders()
    erp.writes_on = True

    assert [] == stopped.references()
    assert ["JL100200300"] == (await erp.orders(stopped.continuation)).references()


async def test_order_is_queued_once_however_often_it_is_sent(erp: Channel) -> None:
    """A lost answer of ours, and sending again, make one order in the outbox."""
    for _ in range(3):
        await erp.adapter.create_order(fresh())

    assert ["JL100200300"] == (await erp.orders()).references()


async def test_order_waits_until_fetched_and_then_until_heard_of(erp: Channel) -> None:
    """Until when it is waited for is said: first for the fetch, then for the word."""
    created = await erp.adapter.create_order(fresh())
    erp.clock.tick(600)
    await erp.orders()
    found = await erp.adapter.find_order("jl100200300")

    assert created.queued is not None
    assert MORNING + timedelta(minutes=45) == created.queued.until
    assert found is not None
    assert found.queued is not None
    assert MORNING + timedelta(minutes=10) == found.queued.fetched_at
    assert MORNING + timedelta(minutes=130) == found.queued.until
    assert [] == list(await erp.adapter.order_statuses(["JL100200300"]))


async def test_more_specific_ids_than_can_be_asked_are_refused_and_not_cut(
    erp: Channel,
) -> None:
    """The ERP learns that it asked for too many; none is left out in silence."""
    answer = await erp.orders(specific=",".join(["A"] * 1_001))

    assert 400 == answer.status
    assert b"1,001 references" in answer.body


async def test_order_of_more_than_three_months_is_refused_with_its_date(erp: Channel) -> None:
    """The channel imports none: nobody waits for it."""
    with pytest.raises(Refused, match=r"01 July 2026.*3 months"):
        await erp.adapter.create_order(order(ordered_at=datetime(2026, 7, 1, 8, 0, tzinfo=UTC)))

    assert await erp.adapter.find_order("JL100200300") is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"external_ref": "JL1,2"}, "AssociatedRef"),
        ({"external_ref": "J" * 16}, "AssociatedRef has 16 characters"),
        ({"deliver_to": to(town="T" * 36).deliver_to}, "Town has 36 characters"),
        ({"deliver_to": to(surname=" ", forename=" ").deliver_to}, "Surname is empty"),
    ],
)
async def test_order_that_does_not_fit_is_refused_before_it_is_queued(
    erp: Channel, changes: dict[str, object], reason: str
) -> None:
    """By field and length, and never by what the buyer wrote."""
    with pytest.raises(Refused, match=reason):
        await erp.adapter.create_order(order(ordered_at=MORNING, **changes))

    assert [] == (await erp.orders()).references()


async def test_order_that_contradicts_itself_is_misuse(erp: Channel) -> None:
    """That is ours to mend."""
    with pytest.raises(Misuse):
        await erp.adapter.create_order(fresh(gross_total=Money(1, "EUR")))


async def test_document_that_has_expired_is_passed_over(erp: Channel) -> None:
    """A buyer's address goes when its time is over; the other orders are not held up."""
    await erp.adapter.create_order(fresh("JL1"))
    await erp.adapter.create_order(fresh("JL2"))
    await erp.database.execute("delete from vault where ref = 'cloud-order-jl1'")

    assert ["JL2"] == (await erp.orders()).references()


async def test_feed_tables_hold_no_buyer(erp: Channel) -> None:
    """Law 7: the address is sealed in the vault, and nowhere else."""
    await erp.adapter.create_order(fresh())
    await erp.orders()
    rows = await erp.database.fetch("select cloud_outbox::text from cloud_outbox")
    sealed = await erp.database.fetchval("select sealed from vault")

    assert "Sample Street" not in rows[0][0]
    assert b"Sample Street" not in sealed


async def test_return_is_handed_out_once_registered(erp: Channel) -> None:
    """Goods that came back: of the constant customer, known by their order."""
    request = ReturnRequest(
        return_ref="RT1",
        external_order_ref="JL1",
        created_at=MORNING,
        lines=(ReturnLine(stock_code="A-1", quantity=Decimal(2), reason="Unwanted"),),
    )
    outcomes = [(await erp.adapter.register_return(request)).outcome for _ in range(2)]
    tree = (await erp.get("/returns")).tree()

    assert [ReturnOutcome.QUEUED, ReturnOutcome.ALREADY_QUEUED] == outcomes
    returned = tree["Returns"]  # one alone is an object, as in the vendor's example
    assert ("RT1", "JLMKT", "2026-10-01T09:00:00") == (
        returned["AssociatedRef"],
        returned["URN"],
        returned["CreatedDate"],
    )
    (item,) = returned["ReturnItems"]
    assert ("A-1", 2, {"Name": "Unwanted"}, "JL1") == (
        item["SKU"],
        item["Quantity"],
        item["ReturnReason"],
        item["SourceReturnReference"]["SourceOrder"]["AssociatedRef"],
    )


async def test_several_returns_are_an_array(erp: Channel) -> None:
    """And none is an empty one."""
    none = (await erp.get("/returns")).tree()["Returns"]
    for each in ("RT1", "RT2"):
        line = ReturnLine(stock_code="A-1", quantity=Decimal(1), reason="Unwanted")
        await erp.adapter.register_return(
            ReturnRequest(
                return_ref=each, external_order_ref="JL1", created_at=MORNING, lines=(line,)
            )
        )

    assert [] == none
    returns = (await erp.get("/returns")).tree()["Returns"]
    assert ["RT1", "RT2"] == [each["AssociatedRef"] for each in returns]


async def test_each_call_is_noted(erp: Channel) -> None:
    """The sync log tells what the ERP did, a stranger's call too."""
    await erp.orders()
    await erp.as_stranger("Basic eDp5")
    await erp.post("/order-status", b"{")
    await erp.sync_log.flush()

    noted = [
        (kept.call.operation, kept.call.status) for kept in await erp.calls.newest(Asked(), 9)
    ]
    assert [("OrderDownload", 200), ("OrderDownload", 401), ("OrderStatusUpload", 400)] == noted


async def test_port_that_is_taken_is_unavailable(erp: Channel, database: Database) -> None:
    """Said in one line, and tried again by whoever runs it."""
    port = int(erp.url("").rpartition(":")[2])
    async with aiohttp.ClientSession() as session:
        with pytest.raises(Unavailable, match="can't be listened on"):
            async with channel(database, session, port=port):
                pass


def test_unencrypted_feed_on_a_network_is_refused() -> None:
    """Orders name buyers: TLS, or loopback behind a proxy."""
    with pytest.raises(SettingsUnusable, match="unencrypted"):
        cloud_settings(host="192.0.2.1")
    with pytest.raises(SettingsUnusable, match="public_url"):
        cloud_settings(public_url="http://feed.example")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"user": ""}, "user"),
        ({"password": ""}, "password"),
        ({"certificate_file": "a.pem"}, "together"),
        ({"order_ref_format": "KCC"}, "order_ref_format"),
        ({"company_code": "J" * 11}, "company_code"),
        ({"frequency_minutes": 0}, "above zero"),
        ({"site_id": " "}, "site_id"),
        ({"port": 70_000}, "port"),
        ({"public_url": "feed"}, "public_url"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, object], reason: str) -> None:
    """Before anything listens."""
    with pytest.raises(SettingsUnusable, match=reason):
        cloud_settings(**changes)


async def test_feed_is_served_over_tls(database: Database, tmp_path: Path) -> None:
    """With a certificate of its own, the feed speaks HTTPS and names itself so."""
    certificate, key = tmp_path / "feed.pem", tmp_path / "feed.key"
    write_certificate(certificate, key)
    async with (
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=certificate))
        ) as session,
        channel(database, session, certificate_file=str(certificate), key_file=str(key)) as erp,
    ):
        assert erp.listener.config_url.startswith("https://127.0.0.1:")
        assert 200 == (await erp.orders()).status
