"""One merchant's rooms on a log and on the outside's ports, run together and supervised.

Promises: a room that fails is started again with growing pauses, and takes no other one down;
fencing and a corrupt log end them all; the tenant is read before any other room begins. It
knows ports, not adapters, and no database.
Invariant: crash-only: nothing here has to happen at the end for anything to be right.
Called by `service.py`, and by whoever runs the rooms on other keepers (the tests).
"""

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

import anyio
import structlog

from kcjl.actors import Room
from kcjl.alerts.actor import Alerts
from kcjl.alerts.asked import alert_words
from kcjl.alerts.port import AlertChannel
from kcjl.clock import Clock, Ids, real_monotonic, real_sleep
from kcjl.commands import Handler
from kcjl.dispatch.actor import Dispatches
from kcjl.dispatch.asked import dispatch_words
from kcjl.dispatch.calendar_settings import business_time
from kcjl.dispatch.room import DispatchMarketplace
from kcjl.errors import CorruptLog, Fenced, KcjlError, Misuse, ShopModelNotServed
from kcjl.exceptions.actor import Desk
from kcjl.exceptions.asked import desk_words
from kcjl.exceptions.watch import ServiceWatch
from kcjl.following import Following, catch_up_together
from kcjl.johnlewis.tenant_port import TenantReading
from kcjl.khaos.port import ErpPort
from kcjl.ledger.port import DocumentShelf, LedgerPort, LiveLedger
from kcjl.log.port import Log
from kcjl.orders.acceptance_policy import AcceptancePolicy
from kcjl.orders.actor import Orders, OrdersMarketplace
from kcjl.orders.asked import order_words
from kcjl.orders.commands import order_handlers
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.projections.runner import ProjectionRunner
from kcjl.projections.store import RowStore
from kcjl.settings import MerchantSettings
from kcjl.settlement.actor import Settlement, SettlementMarketplace
from kcjl.settlement.asked import settlement_words
from kcjl.snapshots import (
    SnapshotPace,
    SnapshotStore,
    keep_snapshots,
    load_snapshots,
)
from kcjl.stock.actor import Stock
from kcjl.tenant.actor import Tenancy
from kcjl.vault import Vault

__all__ = ["Outside", "Rooms", "bring_up", "first_cause", "keep_running", "run_rooms"]

RESTART_S = 2.0
RESTART_S_MAX = 60.0
BUFFER_UNITS_MAX = 1_000_000
"""Beyond it somebody has mistyped; a number without bound would not even fit an event."""

_say = structlog.get_logger("kcjl.service")


class Marketplace(
    OrdersMarketplace, DispatchMarketplace, SettlementMarketplace, TenantReading, Protocol
):
    """What the service asks of the marketplace: the actors' calls, and the tenant whole."""


class Outside:
    """The two systems, the ledger and the shelf of documents, as ports.

    `books`: a live ledger that journals are entered in, where there is one. `channels`: over
    which people are told of exceptions; none: nobody is.
    """

    def __init__(
        self,
        marketplace: Marketplace,
        erp: ErpPort,
        ledger: LedgerPort,
        documents: DocumentShelf,
        books: LiveLedger | None = None,
        channels: Sequence[AlertChannel] = (),
    ) -> None:
        self.marketplace = marketplace
        self.erp = erp
        self.ledger = ledger
        self.documents = documents
        self.books = books
        self.channels = channels


class Rooms:
    """One merchant's five concerns, tenant and alerts, built on a log and on the outside."""

    def __init__(
        self,
        settings: MerchantSettings,
        log: Log,
        vault: Vault,
        outside: Outside,
        clock: Clock,
        ids: Ids,
        *,
        watch: ServiceWatch | None = None,
    ) -> None:
        """`watch`: over the process that these run in; whoever runs none has nothing to say."""
        opening = settings.opening_policy
        self.watch = watch
        working = business_time(settings.dispatch.deadlines)
        self.tenant = Tenancy(log, clock, ids, marketplace=outside.marketplace)
        self.stock = Stock(
            log,
            clock,
            ids,
            marketplace=outside.marketplace,
            erp=outside.erp,
            settings=settings.stock,
            opening=opening.stock_policy,
        )
        self.orders = Orders(
            log,
            clock,
            ids,
            marketplace=outside.marketplace,
            erp=outside.erp,
            vault=vault,
            settings=settings.paced_orders,
            opening_acceptance=AcceptancePolicy(
                accept=opening.acceptance, at_the_end=opening.acceptance_at_the_end
            ),
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
            documents=outside.documents,
            settings=settings.settlement,
            opening_accounts=opening.accounts,
            books=outside.books,
            books_every=timedelta(minutes=settings.ledger.xero.check_minutes),
            is_working_day=lambda day: working.hours(day) is not None,
        )
        self.desk = Desk(log, clock, ids, settings=settings.exceptions)
        self.alerts = None
        if channels := outside.channels:
            told = settings.alerts
            self.alerts = Alerts(log, clock, ids, channels=channels, settings=told)

    def all(self) -> tuple[Room, ...]:
        return (
            self.tenant,
            self.stock,
            self.orders,
            self.dispatch,
            self.settlement,
            self.desk,
            *(each for each in (self.alerts, self.watch) if each is not None),
        )

    def handlers(self) -> Mapping[str, Handler]:
        """What people can ask for, by verb. Each is decided on all that is in the log."""

        async def switch_writes(arguments: Mapping[str, str], by: str) -> None:
            switch, reason = arguments["switch"], arguments["reason"]
            if switch not in ("on", "off"):
                raise Misuse(f"writes are switched on or off, not {switch!r}")
            await self.desk.catch_up()
            await self.desk.switch_writes(allowed=switch == "on", reason=reason, by=by)

        rooms = {
            **order_handlers(self.orders),
            **self._stock_handlers(),
            **order_words(self.orders),
            **dispatch_words(self.dispatch),
            **settlement_words(self.settlement),
            **alert_words(self.alerts),
        }
        return {
            **rooms,
            "switch-writes": switch_writes,
            **desk_words(self.desk, rooms),
        }

    def _stock_handlers(self) -> dict[str, Handler]:
        async def set_buffer(arguments: Mapping[str, str], by: str) -> str:
            units = int(arguments["units"])
            if not 0 <= units <= BUFFER_UNITS_MAX:
                raise Misuse(f"a buffer is 0 to {BUFFER_UNITS_MAX:,} units, not {units:,}")
            await self.stock.catch_up()
            return await self.stock.set_buffer(units, by=by)

        async def release(arguments: Mapping[str, str], by: str) -> str:
            await self.stock.catch_up()
            return await self.stock.release(arguments["hold_id"], by=by)

        async def retry_offer(arguments: Mapping[str, str], by: str) -> str:
            await self.stock.catch_up()
            return await self.stock.retry(arguments["sku"], by=by)

        async def switch_publishing(arguments: Mapping[str, str], by: str) -> str:
            switch, reason = arguments["switch"], arguments["reason"]
            if switch not in ("on", "off"):
                raise Misuse(f"publishing is switched on or off, not {switch!r}")
            await self.stock.catch_up()
            return await self.stock.switch_publishing(on=switch == "on", reason=reason, by=by)

        return {
            "stock-alias": self._alias,
            "stock-policy-propose": self._propose_policy,
            "stock-policy-approve": self._approve_policy,
            "set-buffer": set_buffer,
            "release-publish": release,
            "retry-offer": retry_offer,
            "switch-publishing": switch_publishing,
        }

    async def _propose_policy(self, arguments: Mapping[str, str], by: str) -> str:
        await self.stock.catch_up()
        return await self.stock.propose_policy(arguments["document"], by=by)

    async def _approve_policy(self, arguments: Mapping[str, str], by: str) -> str:
        await self.stock.catch_up()
        version, note = int(arguments["version"]), arguments.get("note", "")
        return await self.stock.approve_policy(version, note, by=by)

    async def _alias(self, arguments: Mapping[str, str], by: str) -> str:
        sku, code = arguments["sku"], arguments.get("code", "")
        if code:
            return await self.stock.gate.approve_alias(sku, code, by=by)
        return await self.stock.gate.withdraw_alias(sku, by=by)


async def run_rooms(
    rooms: Rooms,
    log: Log,
    rows: RowStore,
    snapshots: SnapshotStore,
    now: Callable[[], datetime],
    ready: Callable[[], None] = lambda: None,
    pace: SnapshotPace | None = None,
) -> None:
    """Run every room and the projections until cancelled, fenced, or the log is corrupt.

    The tenant comes first: a shop that we do not serve raises ShopModelNotServed before any
    other room has begun.
    """
    loaded = await bring_up(rooms, log, snapshots)
    await rooms.tenant.open()
    ready()
    async with anyio.create_task_group() as group:
        following = Following(log, min(room.applied for room in rooms.all()))
        group.start_soon(keep_running, "following", following.run)
        for room in rooms.all():
            group.start_soon(keep_running, room.name, partial(room.run, following.listen))
        runner = ProjectionRunner(log, rows, PROJECTIONS)
        group.start_soon(keep_running, "projections", runner.run)
        group.start_soon(
            keep_running,
            "snapshots",
            lambda: keep_snapshots(
                rooms.all(), log.merchant, snapshots, now, kept=loaded, pace=pace
            ),
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


async def keep_running(name: str, run: Callable[[], Awaitable[None]]) -> None:
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
            first = first_cause(errors)
            _say.warning(
                "room_restarts",
                room=name,
                error=f"{type(first).__name__}: {first}",
                pause_s=pause_s,
                exc_info=not isinstance(first, KcjlError),
            )
            await real_sleep(pause_s)


def first_cause(errors: BaseException) -> BaseException:
    """The first cause in a group of groups."""
    while isinstance(errors, BaseExceptionGroup):
        errors = errors.exceptions[0]
    return errors
