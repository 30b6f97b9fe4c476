"""The composition root: builds one merchant's rooms on their adapters, and runs them.

Promises: a merchant is run by one process at a time (lease); losing the lease stops everything
at once. It alone knows every adapter.
Invariant: crash-only: nothing here has to happen at the end for anything to be right.
Called by `serving.py`, by `stock codes`, and by `demo`.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import structlog
from anyio.abc import TaskGroup
from msgspec.structs import replace

from kcjl.adaptersettings import (
    cloud_settings,
    kws_settings,
    seller_api_settings,
    xero_access,
)
from kcjl.beside import alert_channels, check_alerts, check_live, live_ledger
from kcjl.calls.port import CallRecord
from kcjl.calls.postgres import PostgresCalls
from kcjl.calls.sync_log import SyncLog
from kcjl.clock import Clock, Ids
from kcjl.commands import PostgresCommands, serve_commands
from kcjl.database import SERVICE, Database
from kcjl.errors import (
    CorruptLog,
    Fenced,
    KcjlError,
    ShopModelNotServed,
)
from kcjl.events import vocabulary
from kcjl.johnlewis.seller_api import SellerApi
from kcjl.khaos.cloud import CloudFeedAdapter
from kcjl.khaos.cloud_door import certificate
from kcjl.khaos.cloud_postgres import PostgresCloudFeed
from kcjl.khaos.cloud_server import CloudListener
from kcjl.khaos.kws import KwsSoapAdapter
from kcjl.khaos.port import ErpPort
from kcjl.ledger.pack import DocumentFolder, JournalPack
from kcjl.log.lease import Heartbeat, Lease, acquire, release
from kcjl.log.postgres import PostgresLog
from kcjl.projections.behindreading import BehindRows
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.projections.keyframes import KeyframeKeeper
from kcjl.projections.payoutreading import PayoutRows
from kcjl.projections.store import PostgresRows
from kcjl.rooms import Outside, Rooms, first_cause, keep_running, run_rooms
from kcjl.settings import MerchantSettings, Settings
from kcjl.snapshots import PostgresSnapshots
from kcjl.vault import PostgresVault
from kcjl.vaultkey import vault_keys
from kcjl.watching import watch_of
from kcjl.worker import Worker

__all__ = [
    "check_outside",
    "outside_alone",
    "outside_of",
    "run_merchant",
]

LEASE_S = 12.0
RENEW_S = 3.0
STOP_S = 6.0
"""What a merchant's service takes at most to stop writing: its log is closed within 5 s."""
_say = structlog.get_logger("kcjl.service")


async def run_merchant(
    settings: Settings,
    merchant: str,
    *,
    worker: Worker,
    holder: str,
    ids: Ids,
    ready: Callable[[Rooms], None] = lambda _: None,
    observe: Callable[[CallRecord], None] = lambda _: None,
    tell: Callable[[str], None] = lambda _: None,
    lease_lost: str = "",
) -> None:
    """Hold the merchant's lease and run its rooms, until cancelled or fenced.

    Raises Fenced when another process has taken over, LeaseLapsed when the lease could not be
    renewed in time, LeaseHeld while another holds it, ShopModelNotServed for a shop that we
    would book wrongly, and, before anything is called, as `check_outside` does. `tell` is given
    what a person has to know, `ready` the rooms when they are up, `observe` each call.
    `lease_lost`: by the run before, and how.
    """
    check_outside(settings, merchant)
    mine = settings.merchants[merchant]
    keys = await vault_keys(settings.vault, Path(settings.data_dir))
    database, clock = worker.database(), worker.clock
    pack = _journal_pack(Path(settings.data_dir), database, merchant)
    calls = PostgresCalls(database, merchant)
    sync_log = SyncLog(calls, clock, keep_days=mine.calls.keep_days, observe=observe)
    vault = PostgresVault(database, merchant, keys.current, keys.former)
    cloud = _CloudSide.of(mine, merchant, database, vault, clock, sync_log)
    async with (
        aiohttp.ClientSession() as session,
        _outside(mine, pack, clock, session, sync_log, worker, cloud) as outside,
        _held(database, merchant, holder) as lease,
        PostgresLog.open(database, merchant, vocabulary(), clock, lease.epoch) as log,
    ):
        await vault.check()
        commands = PostgresCommands(database, merchant, worker.bells.of(merchant).wait)
        watch = watch_of(settings, log, database, sync_log, clock, ids, lease_lost=lease_lost)
        rooms = Rooms(mine, log, vault, outside, clock, ids, watch=watch)
        try:
            async with anyio.create_task_group() as group:
                Heartbeat(
                    worker.leases, lease, ttl_s=LEASE_S, every_s=RENEW_S, stop_s=STOP_S
                ).start(group)
                _start_aside(group, sync_log, log, database, worker.dsn)
                group.start_soon(
                    run_rooms,
                    rooms,
                    log,
                    PostgresRows(database, merchant),
                    PostgresSnapshots(database, merchant),
                    clock.now,
                    partial(ready, rooms) if cloud is None else cloud.up_then(ready, rooms),
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


def _start_aside(
    group: TaskGroup, sync_log: SyncLog, log: PostgresLog, database: Database, dsn: str
) -> None:
    """What no room waits for: notes of calls, and the past."""
    group.start_soon(keep_running, "sync log", sync_log.run)
    keeper = KeyframeKeeper(database, dsn, log.merchant, vocabulary(), PROJECTIONS)
    group.start_soon(keep_running, "keyframes", lambda: keeper.run(log.head))


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
        cloud = _CloudSide.of(mine, merchant, database, vault, clock, sync_log)
        pack = _journal_pack(data_dir, database, merchant)
        try:
            async with _outside(mine, pack, clock, session, sync_log, None, cloud) as both:
                yield both
        finally:
            with anyio.move_on_after(STOP_S, shield=True):
                await sync_log.flush()


@asynccontextmanager
async def outside_alone(
    settings: Settings, merchant: str, *, clock: Clock
) -> AsyncIterator[tuple[SellerApi, KwsSoapAdapter | None]]:
    """The marketplace, and the ERP where we are the one who calls, without any database.

    For whoever reads only, also before `live` is true: the check before going live is one.
    Raises SettingsUnusable as `run_merchant` does, but for that.
    """
    check_outside(replace(settings, live=True), merchant)
    mine, noted = settings.merchants[merchant], SyncLog(None, clock)
    api = seller_api_settings(mine.johnlewis, stock_lines_max=mine.stock.lines_max)
    async with aiohttp.ClientSession() as session:
        marketplace = SellerApi(api, clock=clock, session=session, sync_log=noted)
        erp = None
        if mine.khaos.kind == "kws":
            kws = kws_settings(mine.khaos)
            erp = KwsSoapAdapter(kws, clock=clock, session=session, sync_log=noted)
        yield marketplace, erp


def check_outside(settings: Settings, merchant: str) -> None:
    """Raise SettingsUnusable when the merchant's systems can't be called as configured."""
    mine = settings.merchants[merchant]
    check_live(settings, "johnlewis", mine.johnlewis.base_url)
    seller_api_settings(mine.johnlewis, stock_lines_max=mine.stock.lines_max)
    if mine.ledger.kind == "xero":
        for url in (mine.ledger.xero.base_url, mine.ledger.xero.token_url):
            check_live(settings, "xero", url)
        xero_access(mine.ledger.xero)
    check_alerts(settings, mine)
    if mine.khaos.kind == "kws":
        check_live(settings, "khaos", mine.khaos.base_url)
        kws_settings(mine.khaos)
        return
    cloud = cloud_settings(mine.khaos)
    certificate(cloud)
    for url in (f"//{cloud.host}", cloud.public_url):
        if url:
            check_live(settings, "the khaos cloud feed", url)


def _journal_pack(data_dir: Path, database: Database, merchant: str) -> JournalPack:
    source = BehindRows(PayoutRows(database, merchant))
    return JournalPack(data_dir / "journals" / merchant, source)


@asynccontextmanager
async def _outside(
    mine: MerchantSettings,
    pack: JournalPack,
    clock: Clock,
    session: aiohttp.ClientSession,
    sync_log: SyncLog,
    worker: Worker | None,
    cloud: "_CloudSide | None",
) -> AsyncIterator[Outside]:
    marketplace = SellerApi(
        seller_api_settings(mine.johnlewis, stock_lines_max=mine.stock.lines_max),
        clock=clock,
        session=session,
        sync_log=sync_log,
        tenants=worker.tenants if worker is not None else None,
    )
    erp: ErpPort
    if cloud is not None:
        erp = cloud.adapter
    else:
        erp = KwsSoapAdapter(
            kws_settings(mine.khaos),
            clock=clock,
            session=session,
            sync_log=sync_log,
            turns=worker.turns if worker is not None else None,
        )
    documents = DocumentFolder(pack.folder / "documents")
    books = live_ledger(mine, clock=clock, session=session, sync_log=sync_log)
    channels = alert_channels(mine, clock=clock, session=session, sync_log=sync_log)
    yield Outside(marketplace, erp, pack, documents, books, channels)


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
        self._settings = cloud_settings(mine.khaos)
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

    @classmethod
    def of(cls, mine: MerchantSettings, *others: Any) -> "_CloudSide | None":
        """None for a merchant whose ERP we call."""
        return cls(mine, *others) if mine.khaos.kind == "cloud" else None

    def up_then(self, ready: Callable[[Rooms], None], rooms: Rooms) -> Callable[[], None]:
        """What to call when the rooms are up: then the ERP is let in."""

        def up() -> None:
            self._up.set()
            ready(rooms)

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
