"""The audit against both systems over real HTTP: before the first run, after it, in trouble."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from msgspec.structs import replace

from kcjl.audit.checking import Audit, Known
from kcjl.audit.doors import look_at
from kcjl.audit.findings import Finding, Severity, worst
from kcjl.beside import beside_alone
from kcjl.clock import RealClock
from kcjl.errors import Unavailable
from kcjl.ledger.ledger_settings import LedgerSettings, XeroSection
from kcjl.orders.events import OrdersRead
from kcjl.sandbox.server import Sandbox, SandboxSettings
from kcjl.service import outside_alone
from kcjl.settings import Settings
from tests.alerts.words import Channel
from tests.cloud.channel import write_certificate
from tests.service.running import MERCHANT, Shop, quiet_world, serving, settings_for, shop

pytestmark = pytest.mark.anyio


async def looked(place: Shop, settings: Settings, *, log: bool) -> list[Finding]:
    """As the verb does."""
    audit = Audit(settings, MERCHANT, place.clock.now(), lambda *_: None)
    known = Known.nothing(settings.merchants[MERCHANT])
    await audit.doors()
    if log:
        known = await Known.of(place.database, MERCHANT)
        await audit.log(place.database)
    async with outside_alone(settings, MERCHANT, clock=place.clock) as (marketplace, erp):
        profile = await audit.marketplace(marketplace)
        if await audit.erp(erp) and erp is not None:
            await audit.couriers(erp, profile, known)
            await audit.catalogue(marketplace, erp, known)
    mine = settings.merchants[MERCHANT]
    async with beside_alone(mine, clock=place.clock) as (channels, books):
        await audit.channels(channels)
        await audit.ledger(books)
    audit.machine(None)
    return audit.found


def of(found: list[Finding], area: str) -> list[Finding]:
    return [each for each in found if each.area == area]


async def test_a_shop_that_is_set_up_has_no_warning_before_and_after_its_first_run(
    database_dsn: str, tmp_path: Path
) -> None:
    """And the audit writes nothing: not one event more, not one call noted."""
    async with shop(database_dsn, tmp_path, quiet_world()) as place:
        settings = replace(place.settings, clock=replace(place.settings.clock, world="x"))
        before = await looked(place, settings, log=False)
        async with serving(place):
            await place.until(OrdersRead)
        head = await place.log.head()
        after = await looked(place, settings, log=True)

        assert Severity.NOTE == worst(before), before
        assert Severity.NOTE == worst(after), after
        assert head == await place.log.head()
        assert ["no exception is open"] == [
            each.said for each in of(after, "log") if "exception" in each.said
        ]


async def test_a_key_that_is_refused_is_a_finding_and_the_rest_is_looked_at(
    database_dsn: str, tmp_path: Path
) -> None:
    """One visit tells everything that has to be mended."""
    async with shop(database_dsn, tmp_path, quiet_world()) as place:
        (tmp_path / "other.key").write_text("not the key", encoding="utf-8")
        mine = place.settings.merchants[MERCHANT]
        johnlewis = replace(mine.johnlewis, api_key_file=str(tmp_path / "other.key"))
        stock = replace(mine.stock, sites=("99",))
        settings = replace(
            place.settings,
            merchants={MERCHANT: replace(mine, johnlewis=johnlewis, stock=stock)},
            clock=replace(place.settings.clock, world="x"),
        )
        found = await looked(place, settings, log=False)

    failed = [each for each in found if each.severity == Severity.FAILURE]
    assert {"johnlewis", "khaos", "catalogue"} == {each.area for each in failed}
    assert any("[stock] sites names 99" in each.said for each in failed)
    assert all(each.remedy for each in failed)


async def test_channels_and_ledger_are_looked_at_and_a_wrong_key_is_a_finding(
    tmp_path: Path,
) -> None:
    """Xero over real HTTP; nothing is sent to people, nothing entered."""
    away = Channel("webhook")
    away.down = Unavailable("the web hook does not answer")
    key = tmp_path / "xero.secret"
    key.touch(mode=0o600)
    served = SandboxSettings(world=quiet_world(), port=0, khaos_port=0, xero_port=0, speed=0)
    async with Sandbox.serve(served) as sandbox:
        settings = settings_for(sandbox.johnlewis_url, sandbox.khaos_url, tmp_path, sandbox)
        books = sandbox.world.books.settings
        xero = XeroSection(
            client_id=books.client_id,
            client_secret_file=str(key),
            base_url=sandbox.xero_url,
            token_url=f"{sandbox.xero_url}/connect/token",
        )
        mine = replace(
            settings.merchants[MERCHANT], ledger=LedgerSettings(kind="xero", xero=xero)
        )
        audit = Audit(settings, MERCHANT, sandbox.world.agenda.now, lambda *_: None)
        await audit.channels([Channel(), away])
        for secret in (books.client_secret, "a guess"):
            key.write_text(secret, encoding="utf-8")
            async with beside_alone(mine, clock=RealClock()) as (channels, ledger):
                assert [] == channels
                await audit.ledger(ledger)

    severities = [(each.area, each.severity) for each in audit.found]
    fine, failure = Severity.FINE, Severity.FAILURE
    assert [("alerts", fine), ("alerts", failure), ("ledger", fine), ("ledger", failure)] == (
        severities
    )
    assert {} == sandbox.world.books.journals


async def test_an_address_shows_its_clock_and_when_its_certificate_ends(tmp_path: Path) -> None:
    """Also one that would not be trusted: when it ended is what is asked."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    ended = datetime(2021, 5, 4, tzinfo=UTC)
    write_certificate(certificate, key, ends=ended)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = TestServer(web.Application())
    await server.start_server(ssl=context)
    url = str(server.make_url("/"))
    try:
        door = await look_at(url)
    finally:
        await server.close()
    gone = await look_at(url)

    assert door.answers
    assert ended == door.certificate_ends_at
    assert door.clock is not None
    assert not gone.answers
    assert gone.said
