"""The composition root: builds one merchant's rooms on their adapters, and runs them.

Promises: a merchant is run by one process at a time (lease); losing the lease stops everything
at once. It alone knows every adapter.
Invariant: crash-only: nothing here has to happen at the end for anything to be right.
Called by the CLI's `run` and by `demo`.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
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
from kcjl.khaos.kws import KwsSoapAdapter
from kcjl.khaos.kws_settings import KwsSettings
from kcjl.khaos.port import DeliveryAddress
from kcjl.ledger.pack import JournalPack
from kcjl.log.lease import Heartbeat, Lease, PostgresLeases, acquire, release
from kcjl.log.postgres import PostgresLog
from kcjl.projections.store import PostgresRows
from kcjl.rooms import Outside, Rooms, first_cause, keep_running, run_rooms
from kcjl.settings import JohnLewisSettings, KhaosSettings, MerchantSettings, Settings, secret
from kcjl.snapshots import (
    PostgresSnapshots,
)
from kcjl.vault import PostgresVault, vault_key

__all__ = ["check_outside", "run_merchant"]

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
) -> None:
    """Hold the merchant's lease and run its rooms, until cancelled or fenced.

    Raises Fenced when another process has taken over, LeaseLapsed when the lease could not be
    renewed in time, LeaseHeld while another holds it, ShopModelNotServed for a shop that we
    would book wrongly, and SettingsUnusable, before anything is called, for a system elsewhere
    without `live = true`. `tenants` is the process's own: shops of one tenant share its limits.
    """
    check_outside(settings, merchant)
    mine = settings.merchants[merchant]
    data_dir = Path(settings.data_dir)
    key = await vault_key(data_dir / "vault.key")
    database = Database(dsn, role=SERVICE)
    sync_log = SyncLog(PostgresCalls(database, merchant), clock, keep_days=mine.calls.keep_days)
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
        _outside(
            mine, data_dir / "journals" / merchant, clock, session, sync_log, tenants
        ) as outside,
        _held(database, merchant, holder) as lease,
        PostgresLog.open(database, merchant, vocabulary(), clock, lease.epoch) as log,
    ):
        vault = PostgresVault(database, merchant, key)
        commands = PostgresCommands(database, merchant)
        rooms = Rooms(mine, log, vault, outside, clock, ids)
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
                    ready,
                )
                group.start_soon(
                    keep_running,
                    "commands",
                    lambda: serve_commands(commands, rooms.handlers(), clock.now),
                )
        except* (Fenced, CorruptLog, ShopModelNotServed) as ends:
            raise first_cause(ends) from None


def check_outside(settings: Settings, merchant: str) -> None:
    """Raise SettingsUnusable when the merchant's two systems can't be called as configured."""
    mine = settings.merchants[merchant]
    for name, url in (("johnlewis", mine.johnlewis.base_url), ("khaos", mine.khaos.base_url)):
        _check_live(settings, name, url)
    _seller_api(mine.johnlewis)
    _kws(mine.khaos)


@asynccontextmanager
async def _outside(
    mine: MerchantSettings,
    journals: Path,
    clock: Clock,
    session: aiohttp.ClientSession,
    sync_log: SyncLog,
    tenants: TenantBudgets | None,
) -> AsyncIterator[Outside]:
    marketplace = SellerApi(
        _seller_api(mine.johnlewis),
        clock=clock,
        session=session,
        sync_log=sync_log,
        tenants=tenants,
    )
    erp = KwsSoapAdapter(_kws(mine.khaos), clock=clock, session=session, sync_log=sync_log)
    yield Outside(marketplace, erp, JournalPack(journals))


def _check_live(settings: Settings, name: str, url: str) -> None:
    host = urlsplit(url).hostname or ""
    if not settings.live and host not in ("127.0.0.1", "::1", "localhost"):
        raise SettingsUnusable(
            f"{name} is at {host}, and the configuration does not say `live = true`: "
            "nothing is written to a system that is not on this machine without it"
        )


def _seller_api(settings: JohnLewisSettings) -> SellerApiSettings:
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
    )


def _kws(settings: KhaosSettings) -> KwsSettings:
    password = (
        secret(env=settings.password_env, what="khaos password")
        if settings.auth != "none"
        else ""
    )
    address = settings.invoice_address
    return KwsSettings(
        url=settings.base_url,
        auth=settings.auth,
        user=settings.user,
        password=password,
        certificate_sha256=settings.certificate_sha256,
        allow_plain_http=settings.allow_plain_http,
        max_external_ref=settings.max_external_ref,
        company_code=settings.company_code,
        company_class=settings.company_class,
        company_name=settings.company_name,
        invoice_address=DeliveryAddress(
            line1=address.line1,
            town=address.town,
            postcode=address.postcode,
            country_code=address.country_code,
            surname=address.surname,
        ),
        clearing_account=settings.clearing_account,
        sales_source=settings.sales_source,
        site_name=settings.site_name,
        courier_code=settings.courier_code,
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
