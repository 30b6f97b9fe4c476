"""The sandbox's Xero over real HTTP on loopback, and the adapter before it.

Promises: the books, the client's clock and the world's time are one; `faults` strike in their
order. What the client has asked is noted, token and all.
Called by the tests of the adapter and of the ledgers' laws.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aiohttp
import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from kcjl.calls.memory import MemoryCalls
from kcjl.calls.sync_log import SyncLog
from kcjl.clock import RealClock
from kcjl.discretion import Secret
from kcjl.ledger.xero import XeroLedger
from kcjl.ledger.xero_access import XeroAccess
from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.fault_effects import faulty
from kcjl.sandbox.faults import Fault
from kcjl.sandbox.gate import DirectGate
from kcjl.sandbox.xero import Books, BooksSettings, xero_app

__all__ = ["MORNING", "XeroBench"]

MORNING = datetime(2026, 10, 1, 8, 0, tzinfo=UTC)


class AgendaClock(RealClock):
    """The time of the world; deadlines are real."""

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda

    def now(self) -> datetime:
        return self._agenda.now


class XeroBench:
    """One organisation's books, served; `access` is what a client is told of them."""

    def __init__(self, settings: BooksSettings) -> None:
        self.agenda = Agenda(MORNING, seed=1)
        self.books = Books(self.agenda, settings, seed=1)
        self.clock = AgendaClock(self.agenda)
        self.calls = MemoryCalls()
        self.sync_log = SyncLog(self.calls, self.clock)
        self.faults: list[Fault] = []
        self.asked: list[str] = []
        """Names of the operations, as they came."""
        self.heads: list[Mapping[str, str]] = []
        self.access = XeroAccess(
            base_url="http://127.0.0.1:0",
            token_url="http://127.0.0.1:0/connect/token",
            client_id=settings.client_id,
            client_secret=Secret(settings.client_secret),
            scope="accounting.manualjournals",
            read_timeout_s=5.0,
        )
        self._session: aiohttp.ClientSession | None = None

    @classmethod
    @asynccontextmanager
    async def serve(cls, settings: BooksSettings | None = None) -> AsyncIterator["XeroBench"]:
        bench = cls(settings or BooksSettings())
        gate = DirectGate(bench.agenda, {"xero": bench.books})
        app = xero_app(bench.books, gate, lambda: bench.agenda.now)
        app.middlewares.insert(0, faulty("xero", _operation, bench._take))
        app.middlewares.insert(0, bench._noted)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        root = f"http://127.0.0.1:{runner.addresses[0][1]}"
        bench.access = msgspec.structs.replace(
            bench.access, base_url=root, token_url=f"{root}/connect/token"
        )
        try:
            async with aiohttp.ClientSession() as session:
                bench._session = session
                yield bench
        finally:
            await runner.cleanup()

    def ledger(self, **other: object) -> XeroLedger:
        """An adapter as a new process has it: without a token."""
        assert self._session is not None
        return XeroLedger(
            msgspec.structs.replace(self.access, **other),
            clock=self.clock,
            session=self._session,
            sync_log=self.sync_log,
        )

    def tick(self, seconds: float) -> None:
        self.agenda.advance(
            datetime.fromtimestamp(self.agenda.now.timestamp() + seconds, tz=UTC)
        )

    def _take(self, _side: str, operation: str) -> Fault | None:
        for fault in self.faults:
            if fault.operation in ("*", operation):
                if fault.times is not None:
                    self.faults.remove(fault)
                return fault
        return None

    @web.middleware
    async def _noted(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.asked.append(request.match_info.route.name or request.method)
        self.heads.append(dict(request.headers))
        return await handler(request)


async def _operation(request: web.Request) -> str:
    return request.match_info.route.name or ""
