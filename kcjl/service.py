"""The composition root: builds one merchant's rooms on their adapters, and runs them.

Promises: a merchant is run by one process at a time (lease); losing the lease stops everything
at once. It alone knows every adapter.
Invariant: crash-only: nothing here has to happen at the end for anything to be right.
Called by the CLI's `run` and `stock codes`, and by `demo`. Over 400 lines, because nobody else
may know an adapter.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import anyio
import structlog

from kcjl.calls.postgres import PostgresCalls
from kcjl.calls.sync_log import SyncLog
from kcjl.clock import Clock, Ids
from kcjl.commands import PostgresCommands, serve_commands
from kcjl.database import SERVICE, Database
from kcjl.errors import (
    CorruptLog,
    Fenced,
    KcjlError,
    SettingsUnusable,
    ShopModelNotServed,
)
from kcjl.events import vocabulary
from kcjl.johnlewis.access import SellerApiSettings
from kcjl.johnlewis.budget import TenantBudgets
from kcjl.johnlewis.seller_api import SellerApi
from kcjl.khaos.cloud import CloudFeedAdapter
from kcjl.khaos.cloud_door import certificate
from kcjl.khaos.cloud_postgres import PostgresCloudFeed
from kcjl.khaos.cloud_server import CloudListener
from kcjl.khaos.cloud_settings import CloudSettings
from kcjl.khaos.kws import KwsSoapAdapter
from kcjl.khaos.kws_settings import KwsSettings
from kcjl.khaos.port import DeliveryAddress, ErpPort
from kcjl.khaos.turns import Turns
from kcjl.ledger.pack import DocumentFolder, JournalPack
from kcjl.log.lease import Heartbeat, Lease, PostgresLeases, acquire, release
from kcjl.log.postgres import PostgresLog
from kcjl.projections.store import PostgresRows
from kcjl.rooms import Outside, Rooms, first_cause, keep_running, run_rooms
from kcjl.settings import JohnLewisSettings, KhaosSettings, MerchantSettings, Settings, secret
from kcjl.snapshots import (
    PostgresSnapshots,
)
from kcjl.vault import PostgresVault
from kcjl.vaultkey import vault_keys
from kcjl.watching import watch_of

__all__ = ["check_outside", "outside_of", "run_merchant"]

LEASE_S = 30.0
RENEW_S = 10.0
STOP_S = 8.0
"""What a merchant's service takes at most to stop writing: its log is closed within 5 s."""
HEARTBEAT_S = 5.0
"""Deadline of each step of a renewal."""

_say = structlog.get_logger("kcjl.service")


async def run_merchant(
    settings: Settings,
    merchant: str,
    *,
    dsn: str,
    holder: str,
    clock: Clock,
    ids: Ids,
    ready: Callable[[], None] = lambda: None,
    tenants: TenantBudgets | None = None,
    turns: Turns | None = None,
    tell: Callable[[str], None] = lambda _: None,
    lease_lost: str = "",
) -> None:
    """Hold the merchant's lease and run its rooms, until cancelled or fenced.

    Raises Fenced when another process has taken over, LeaseLapsed when the lease could not be
    renewed in time, LeaseHeld while another holds it, ShopModelNotServed for a shop that we
    would book wrongly, and SettingsUnusable, before anything is called, for a system elsewhere
    without `live = true`. `tenants` and `turns` are the process's own: shops of one tenant
    share its limits, and merchants behind one web service of the ERP take turns. `tell` is
    given what a person has to know, such as the address of the endpoint config. `lease_lost`:
    how the run before this one lost the lease, if it did.
    """
    check_outside(settings, merchant)
    mine = settings.merchants[merchant]
    data_dir = Path(settings.data_dir)
    journals = data_dir / "journals" / merchant
    keys = await vault_keys(settings.vault, data_dir)
    database = Database(dsn, role=SERVICE)
    sync_log = SyncLog(PostgresCalls(database, merchant), clock, keep_days=mine.calls.keep_days)
    vault = PostgresVault(database, merchant, keys.current, keys.former)
    is_cloud = mine.khaos.kind == "cloud"
    cloud = _CloudSide(mine, merchant, database, vault, clock, sync_log) if is_cloud else None
    async with (
        aiohttp.ClientSession() as session,
        database,
        Database(
            dsn,
            role=SERVICE,
            connections_max=1,
            connect_s=HEARTBEAT_S,
            statement_s=HEARTBEAT_S,
        ) as own,
        _outside(mine, journals, clock, session, sync_log, tenants, turns, cloud) as outside,
        _held(database, merchant, holder) as lease,
        PostgresLog.open(database, merchant, vocabulary(), clock, lease.epoch) as log,
    ):
        await vault.check()
        commands = PostgresCommands(database, merchant)
        rows = PostgresRows(database, merchant)
        watch = watch_of(settings, mine, log, rows, sync_log, clock, ids, lease_lost=lease_lost)
        rooms = Rooms(mine, log, vault, outside, clock, ids, watch=watch)
        try:
            async with anyio.create_task_group() as group:
                Heartbeat(
                    PostgresLeases(own), lease, ttl_s=LEASE_S, every_s=RENEW_S, stop_s=STOP_S
                ).start(group)
                group.start_soon(keep_running, "sync log", sync_log.run)
                group.start_soon(
                    run_rooms,
                    rooms,
                    log,
                    PostgresRows(database, merchant),
                    PostgresSnapshots(database, merchant),
                    clock.now,
                    ready if cloud is None else cloud.up_then(ready),
                )
                if cloud is not None:
                    group.start_soon(cloud.listen, rooms, tell)
                group.start_soon(
                    keep_running,
                    "commands",
                    lambda: serve_commands(commands, rooms.handlers(), clock.now),
                )
        except* (Fenced, CorruptLog, ShopModelNotServed) as ends:
            raise first_cause(ends) from None


@asynccontextmanager
async def outside_of(
    settings: Settings, merchant: str, *, dsn: str, clock: Clock
) -> AsyncIterator[Outside]:
    """A merchant's systems, for whoever reads them beside the service; each call is noted.

    No lease is taken: whoever asks for this writes nothing. Raises SettingsUnusable as
    `run_merchant` does.
    """
    check_outside(settings, merchant)
    mine = settings.merchants[merchant]
    data_dir = Path(settings.data_dir)
    keys = await vault_keys(settings.vault, data_dir)
    async with Database(dsn, role=SERVICE) as database, aiohttp.ClientSession() as session:
        calls = PostgresCalls(database, merchant)
        sync_log = SyncLog(calls, clock, keep_days=mine.calls.keep_days)
        vault = PostgresVault(database, merchant, keys.current, keys.former)
        is_cloud = mine.khaos.kind == "cloud"
        cloud = (
            _CloudSide(mine, merchant, database, vault, clock, sync_log) if is_cloud else None
        )
        journals = data_dir / "journals" / merchant
        try:
            async with _outside(
                mine, journals, clock, session, sync_log, None, None, cloud
            ) as outside:
                yield outside
        finally:
            with anyio.move_on_after(STOP_S, shield=True):
                await sync_log.flush()


def check_outside(settings: Settings, merchant: str) -> None:
    """Raise SettingsUnusable when the merchant's two systems can't be called as configured."""
    mine = settings.merchants[merchant]
    _check_live(settings, "johnlewis", mine.johnlewis.base_url)
    _seller_api(mine.johnlewis, stock_lines_max=mine.stock.lines_max)
    if mine.khaos.kind == "kws":
        _check_live(settings, "khaos", mine.khaos.base_url)
        _kws(mine.khaos)
        return
    cloud = _cloud(mine.khaos)
    certificate(cloud)
    for url in (f"//{cloud.host}", cloud.public_url):
        if url:
            _check_live(settings, "the khaos cloud feed", url)


@asynccontextmanager
async def _outside(
    mine: MerchantSettings,
    journals: Path,
    clock: Clock,
    session: aiohttp.ClientSession,
    sync_log: SyncLog,
    tenants: TenantBudgets | None,
    turns: Turns | None,
    cloud: "_CloudSide | None",
) -> AsyncIterator[Outside]:
    marketplace = SellerApi(
        _seller_api(mine.johnlewis, stock_lines_max=mine.stock.lines_max),
        clock=clock,
        session=session,
        sync_log=sync_log,
        tenants=tenants,
    )
    erp: ErpPort
    if cloud is not None:
        erp = cloud.adapter
    else:
        erp = KwsSoapAdapter(
            _kws(mine.khaos), clock=clock, session=session, sync_log=sync_log, turns=turns
        )
    documents = DocumentFolder(journals / "documents")
    yield Outside(marketplace, erp, JournalPack(journals), documents)


def _check_live(settings: Settings, name: str, url: str) -> None:
    host = urlsplit(url).hostname or ""
    if not settings.live and host not in ("127.0.0.1", "::1", "localhost"):
        raise SettingsUnusable(
            f"{name} is at {host}, and the configuration does not say `live = true`: "
            "nothing is written to a system that is not on this machine without it"
        )


def _seller_api(settings: JohnLewisSettings, *, stock_lines_max: int) -> SellerApiSettings:
    return SellerApiSettings(
        base_url=settings.base_url,
        api_key=secret(
            env=settings.api_key_env, file=settings.api_key_file, what="johnlewis api key"
        ),
        shop_id=settings.shop_id,
        external_partner=settings.external_partner,
        allow_plain_http=settings.allow_plain_http,
        export_hosts=settings.export_hosts,
        export_age_s_max=settings.export_age_s_max,
        authorization=settings.authorization,
        currency_default=settings.currency_default,
        rates_are_percent=settings.rates_are_percent,
        offers_a_call_max=settings.offers_a_call_max,
        retry_after_default_s=settings.retry_after_default_s,
        stock_lines_max=stock_lines_max,
    )


class _CloudSide:
    """The ERP that calls us: its feed, the port on it, and the listener."""

    def __init__(
        self,
        mine: MerchantSettings,
        merchant: str,
        database: Database,
        vault: PostgresVault,
        clock: Clock,
        sync_log: SyncLog,
    ) -> None:
        self._settings = _cloud(mine.khaos)
        self._merchant = merchant
        self._feed = PostgresCloudFeed(database, merchant)
        self._clock = clock
        self._sync_log = sync_log
        self._up = anyio.Event()
        self.adapter = CloudFeedAdapter(
            self._settings,
            clock=clock,
            feed=self._feed,
            vault=vault,
            keep_documents=timedelta(days=mine.orders.personal_data_days),
        )

    def up_then(self, ready: Callable[[], None]) -> Callable[[], None]:
        """What to call when the rooms are up: then the ERP is let in."""

        def up() -> None:
            self._up.set()
            ready()

        return up

    async def listen(self, rooms: Rooms, tell: Callable[[str], None]) -> None:
        """Let the ERP in when the rooms are up; a port that is taken is tried again."""
        listener = CloudListener(
            self._settings,
            clock=self._clock,
            feed=self._feed,
            adapter=self.adapter,
            sync_log=self._sync_log,
            may_hand_out=lambda: rooms.orders.writes_allowed,
        )
        said = f"{self._merchant}: the ERP's channel fetches its configuration at "
        await self._up.wait()
        await keep_running("cloud feed", lambda: listener.run(lambda url: tell(said + url)))


def _cloud(settings: KhaosSettings) -> CloudSettings:
    section = settings.cloud
    return CloudSettings(
        user=section.user,
        password=secret(
            env=section.password_env, file=section.password_file, what="khaos cloud password"
        ),
        host=section.host,
        port=section.port,
        certificate_file=section.certificate_file,
        key_file=section.key_file,
        public_url=section.public_url,
        format=section.format,
        frequency_minutes=section.frequency_minutes,
        fetched_within_minutes=section.fetched_within_minutes,
        status_within_minutes=section.status_within_minutes,
        silent_after_minutes=section.silent_after_minutes,
        orders_per_answer=section.orders_per_answer,
        body_bytes_max=section.body_bytes_max,
        requests_per_minute=section.requests_per_minute,
        keep_days=section.keep_days,
        max_external_ref=settings.max_external_ref,
        order_ref_format=section.order_ref_format,
        site_id=section.site_id,
        site_name=settings.site_name,
        company_code=settings.company_code,
        company_class=settings.company_class,
        sales_source=settings.sales_source,
        clearing_account=settings.clearing_account,
        courier_code=settings.courier_code,
        couriers=settings.couriers,
        include_email=settings.include_email,
        problem_items=section.problem_items,
        invoice_address=_invoice_address(settings),
        add_buildable=section.add_buildable,
    )


def _invoice_address(settings: KhaosSettings) -> DeliveryAddress:
    address = settings.invoice_address
    return DeliveryAddress(
        line1=address.line1,
        town=address.town,
        postcode=address.postcode,
        country_code=address.country_code,
        surname=address.surname,
    )


def _kws(settings: KhaosSettings) -> KwsSettings:
    password = (
        secret(env=settings.password_env, what="khaos password")
        if settings.auth != "none"
        else ""
    )
    return KwsSettings(
        url=settings.base_url,
        auth=settings.auth,
        user=settings.user,
        password=password,
        auth_parameter=settings.auth_parameter,
        certificate_sha256=settings.certificate_sha256,
        allow_plain_http=settings.allow_plain_http,
        connect_timeout_s=settings.connect_timeout_s,
        read_timeout_s=settings.read_timeout_s,
        product_codes_per_call=settings.codes_per_call,
        stock_codes_per_call=settings.codes_per_call,
        order_refs_per_call=settings.codes_per_call,
        compression=settings.compression,
        flags_as=settings.flags_as,
        characters=settings.characters,
        other_text=settings.other_text,
        add_buildable=settings.add_buildable,
        fold_packs=settings.fold_packs,
        max_external_ref=settings.max_external_ref,
        company_code=settings.company_code,
        company_class=settings.company_class,
        company_name=settings.company_name,
        invoice_address=_invoice_address(settings),
        clearing_account=settings.clearing_account,
        sales_source=settings.sales_source,
        site_name=settings.site_name,
        courier_code=settings.courier_code,
        couriers=settings.couriers,
        include_email=settings.include_email,
    )


@asynccontextmanager
async def _held(database: Database, merchant: str, holder: str) -> AsyncIterator[Lease]:
    """The merchant's lease, given back at the end when there is an orderly end."""
    lease = await acquire(database, merchant, holder, ttl_s=LEASE_S)
    try:
        yield lease
    finally:
        with anyio.move_on_after(2, shield=True):
            try:
                await release(database, lease)
            except KcjlError as error:
                _say.info("lease_not_released", error=str(error))
