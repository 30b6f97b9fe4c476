"""The composition root: builds one merchant's rooms on their adapters, and supervises them.

Promises: a merchant is run by one process at a time (lease); a room that fails is started again
with a pause; losing the lease stops everything at once. It alone knows every adapter.
Invariant: crash-only: nothing here has to happen at the end for anything to be right.
Called by the CLI's `run` and by `demo`.
"""

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp
import anyio
import structlog

from kcjl.actors import Room, catch_up_together
from kcjl.calls.postgres import PostgresCalls
from kcjl.calls.sync_log import SyncLog
from kcjl.clock import Clock, Ids, real_monotonic, real_sleep
from kcjl.commands import Handler, serve_commands
from kcjl.database import SERVICE, Database
from kcjl.dispatch.actor import Dispatches
from kcjl.errors import (
    CorruptLog,
    Fenced,
    KcjlError,
    Misuse,
    SettingsUnusable,
    ShopModelNotServed,
)
from kcjl.events import vocabulary
from kcjl.exceptions.actor import Desk
from kcjl.johnlewis.access import SellerApiSettings
from kcjl.johnlewis.budget import TenantBudgets
from kcjl.johnlewis.port import MarketplacePort
from kcjl.johnlewis.seller_api import SellerApi
from kcjl.johnlewis.tenant_port import TenantReading
from kcjl.khaos.kws import KwsSoapAdapter
from kcjl.khaos.kws_settings import KwsSettings
from kcjl.khaos.port import DeliveryAddress, ErpPort
from kcjl.ledger.pack import JournalPack
from kcjl.ledger.port import LedgerPort
from kcjl.log.lease import Heartbeat, Lease, acquire, release
from kcjl.log.port import Log
from kcjl.log.postgres import PostgresLog
from kcjl.orders.actor import Orders
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.projections.runner import ProjectionRunner
from kcjl.projections.store import PostgresRows, RowStore
from kcjl.settings import JohnLewisSettings, KhaosSettings, MerchantSettings, Settings, secret
from kcjl.settlement.actor import Settlement
from kcjl.snapshots import (
    PostgresSnapshots,
    SnapshotStore,
    keep_snapshots,
    load_snapshots,
)
from kcjl.stock.actor import Stock
from kcjl.tenant.actor import Tenancy
from kcjl.vault import PostgresVault, Vault, vault_key

__all__ = ["Outside", "Rooms", "bring_up", "check_outside", "run_merchant", "run_rooms"]

LEASE_S = 30.0
RENEW_S = 10.0
STOP_S = 8.0
"""What a merchant's service takes at most to stop writing: its log is closed within 5 s."""
HEARTBEAT_S = 5.0
"""Deadline of each step of a renewal."""
RESTART_S = 2.0
RESTART_S_MAX = 60.0
BUFFER_UNITS_MAX = 1_000_000
"""Beyond it somebody has mistyped; a number without bound would not even fit an event."""

_say = structlog.get_logger("kcjl.service")


class Marketplace(MarketplacePort, TenantReading, Protocol):
    """What the service asks of the marketplace: the actors' calls, and the tenant whole."""


class Outside:
    """The two systems and the ledger, as ports."""

    def __init__(self, marketplace: Marketplace, erp: ErpPort, ledger: LedgerPort) -> None:
        self.marketplace = marketplace
        self.erp = erp
        self.ledger = ledger


class Rooms:
    """One merchant's five concerns and the tenant, built on a log and on the outside."""

    def __init__(
        self,
        settings: MerchantSettings,
        log: Log,
        vault: Vault,
        outside: Outside,
        clock: Clock,
        ids: Ids,
    ) -> None:
        opening = settings.opening_policy
        self.tenant = Tenancy(log, clock, ids, marketplace=outside.marketplace)
        self.stock = Stock(
            log,
            clock,
            ids,
            marketplace=outside.marketplace,
            erp=outside.erp,
            settings=settings.stock,
            opening_buffer=opening.buffer_units,
        )
        self.orders = Orders(
            log,
            clock,
            ids,
            marketplace=outside.marketplace,
            erp=outside.erp,
            vault=vault,
            settings=settings.paced_orders,
        )
        self.dispatch = Dispatches(
            log,
            clock,
            ids,
            marketplace=outside.marketplace,
            erp=outside.erp,
            settings=settings.dispatch,
            opening_carriers=opening.carriers,
        )
        self.settlement = Settlement(
            log,
            clock,
            ids,
            marketplace=outside.marketplace,
            ledger=outside.ledger,
            settings=settings.settlement,
            opening_accounts=opening.accounts,
        )
        self.desk = Desk(log, clock, ids)

    def all(self) -> tuple[Room, ...]:
        return (
            self.tenant,
            self.stock,
            self.orders,
            self.dispatch,
            self.settlement,
            self.desk,
        )

    def handlers(self) -> Mapping[str, Handler]:
        """What people can ask for, by verb. Each is decided on all that is in the log."""

        async def set_buffer(arguments: Mapping[str, str], by: str) -> None:
            units = int(arguments["units"])
            if not 0 <= units <= BUFFER_UNITS_MAX:
                raise Misuse(f"a buffer is 0 to {BUFFER_UNITS_MAX:,} units, not {units:,}")
            await self.stock.catch_up()
            await self.stock.set_buffer(units, by=by)

        async def map_courier(arguments: Mapping[str, str], by: str) -> None:
            courier, carrier_code = arguments["courier"], arguments["carrier_code"]
            await self.dispatch.catch_up()
            await self.dispatch.map_courier(courier, carrier_code, by=by)

        async def set_accounts(arguments: Mapping[str, str], by: str) -> None:
            await self.settlement.catch_up()
            await self.settlement.set_accounts(arguments, by=by)

        async def switch_writes(arguments: Mapping[str, str], by: str) -> None:
            switch, reason = arguments["switch"], arguments["reason"]
            if switch not in ("on", "off"):
                raise Misuse(f"writes are switched on or off, not {switch!r}")
            await self.desk.catch_up()
            await self.desk.switch_writes(allowed=switch == "on", reason=reason, by=by)

        return {
            "switch-writes": switch_writes,
            "set-buffer": set_buffer,
            "map-courier": map_courier,
            "set-accounts": set_accounts,
        }


async def run_rooms(
    rooms: Rooms,
    log: Log,
    rows: RowStore,
    snapshots: SnapshotStore,
    now: Callable[[], datetime],
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Run every room and the projections until cancelled, fenced, or the log is corrupt.

    The tenant comes first: a shop that we do not serve raises ShopModelNotServed before any
    other room has begun.
    """
    loaded = await bring_up(rooms, log, snapshots)
    await rooms.tenant.open()
    ready()
    async with anyio.create_task_group() as group:
        for room in rooms.all():
            group.start_soon(_keep_running, room.name, room.run)
        runner = ProjectionRunner(log, rows, PROJECTIONS)
        group.start_soon(_keep_running, "projections", runner.run)
        group.start_soon(
            _keep_running,
            "snapshots",
            lambda: keep_snapshots(rooms.all(), log.merchant, snapshots, now, kept=loaded),
        )


async def bring_up(rooms: Rooms, log: Log, snapshots: SnapshotStore) -> Mapping[str, int]:
    """Have every room fold what there is, from its snapshot on; the snapshots' positions."""
    loaded = await load_snapshots(rooms.all(), log, snapshots)
    if loaded:
        _say.info("snapshots_loaded", merchant=log.merchant, **loaded)
    try:
        await catch_up_together(rooms.all(), log)
    except KcjlError as error:
        # Each room goes on from where it is, and is supervised: there it counts.
        _say.info("start_interrupted", merchant=log.merchant, because=error.message)
    return loaded


async def _keep_running(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """Start it again when it fails, with growing pauses; fencing and corruption end it all."""
    failures = 0
    while True:
        began = real_monotonic()
        try:
            await run()
        except* (Fenced, CorruptLog, ShopModelNotServed):
            raise
        except* Exception as errors:  # noqa: BLE001 - the outermost loop of a room: say, go on
            failures = 1 if real_monotonic() - began > RESTART_S_MAX else failures + 1
            pause_s = min(RESTART_S * math.pow(2, min(failures, 6) - 1), RESTART_S_MAX)
            first = _first(errors)
            _say.warning(
                "room_restarts",
                room=name,
                error=f"{type(first).__name__}: {first}",
                pause_s=pause_s,
                exc_info=not isinstance(first, KcjlError),
            )
            await real_sleep(pause_s)


def _first(errors: BaseException) -> BaseException:
    """The first cause in a group of groups."""
    while isinstance(errors, BaseExceptionGroup):
        errors = errors.exceptions[0]
    return errors


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
        rooms = Rooms(mine, log, vault, outside, clock, ids)
        try:
            async with anyio.create_task_group() as group:
                Heartbeat(own, lease, ttl_s=LEASE_S, every_s=RENEW_S, stop_s=STOP_S).start(
                    group
                )
                group.start_soon(_keep_running, "sync log", sync_log.run)
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
                    _keep_running,
                    "commands",
                    lambda: serve_commands(database, merchant, rooms.handlers(), clock.now),
                )
        except* (Fenced, CorruptLog, ShopModelNotServed) as ends:
            raise _first(ends) from None


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
