"""One process of the service in a run: the real rooms, on what the premises have for it.

Promises: it holds the lease while it lives, renews it, and ends when it is fenced or lapses, as
`service.py` has it; `kill` ends it between two steps, and from then on nothing that it does
reaches anybody. Invariant: it is composed as the service is, of the same parts.
Called by `run.py`.
"""

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar, cast

import anyio

from kcjl.commands import serve_commands
from kcjl.errors import CorruptLog, Fenced, OutcomeUnknown, ShopModelNotServed, Unavailable
from kcjl.events import vocabulary
from kcjl.log.lease import Heartbeat, Lease, LeaseHeld, LeaseLapsed, Leases
from kcjl.log.memory import MemoryLog
from kcjl.projections.store import RowStore
from kcjl.rooms import Outside, Rooms, first_cause, keep_running, run_rooms
from kcjl.snapshots import SnapshotPace
from tests.simulation.database import Life, ProcessLog, on_the_wire
from tests.simulation.premises import MERCHANT, Premises

__all__ = ["Process"]

P = TypeVar("P")

LEASE_S, RENEW_S, STOP_S = 300.0, 100.0, 60.0
"""Ten times the service's: a renewal each ten seconds would be half of a day's work here."""
PACE = SnapshotPace(look_every_s=14_400.0, events_min=1_000)
TRY_AGAIN_S = 5.0


class Process:
    """Rooms, lease and heartbeat, from their start to their end."""

    def __init__(self, premises: Premises, number: int, *, holder: str) -> None:
        self.number = number
        self.holder = holder
        self.rooms: Rooms | None = None
        self.ended: str | None = None
        """How: killed, fenced, lapsed, or what went wrong; None while it lives."""
        self.over = anyio.Event()
        self._premises = premises
        self._life = Life(number, premises.luck, premises.clock, premises.trace)
        self._scope = anyio.CancelScope()

    def kill(self) -> None:
        """As kill -9: it does nothing more."""
        if not self._life.is_over:
            self._life.is_over = True
            self._premises.trace.happened(f"process {self.number} is killed")
            self._scope.cancel()

    async def run(self) -> None:
        """Until it is killed, fenced, or lapses. `ended` says what it was."""
        try:
            with self._scope:
                await self._serve()
        except* (Fenced, CorruptLog, ShopModelNotServed) as ends:
            first = first_cause(ends)
            if isinstance(first, Fenced):
                self.ended = "lapsed" if isinstance(first, LeaseLapsed) else "fenced"
            else:
                self.ended = f"{type(first).__name__}: {first}"
        else:
            self.ended = "killed"
        finally:
            self._life.is_over = True
            self._premises.trace.happened(f"process {self.number} ended: {self.ended}")
            self.over.set()

    async def _serve(self) -> None:
        premises, life = self._premises, self._life
        clock = premises.clock
        leases = on_the_wire(cast("Leases", premises.leases), life)
        lease = await self._acquired(leases)
        premises.trace.happened(f"process {self.number} begins, epoch {lease.epoch}")
        async with MemoryLog.open(
            premises.store, MERCHANT, vocabulary(), clock, lease.epoch
        ) as opened:
            log = ProcessLog(opened, life, premises.appends, lease.epoch)
            rooms = self.rooms = Rooms(
                premises.settings,
                log,
                on_the_wire(premises.vault, life, reads=frozenset({"open"})),
                self._traced(premises.outside()),
                clock,
                premises.ids,
            )
            rows = on_the_wire(
                cast("RowStore", premises.rows), life, reads=frozenset({"position", "fetch"})
            )
            snapshots = on_the_wire(premises.snapshots, life, reads=frozenset({"load"}))
            queue = on_the_wire(premises.commands, life, reads=frozenset({"waiting", "pause"}))
            async with anyio.create_task_group() as group:
                Heartbeat(leases, lease, ttl_s=LEASE_S, every_s=RENEW_S, stop_s=STOP_S).start(
                    group
                )
                group.start_soon(
                    lambda: run_rooms(rooms, log, rows, snapshots, clock.now, pace=PACE)
                )
                group.start_soon(
                    keep_running,
                    "commands",
                    lambda: serve_commands(queue, rooms.handlers(), clock.now),
                )

    async def _acquired(self, leases: Leases) -> Lease:
        """Wait until nobody else has it, as `kcjl run` does."""
        while True:
            try:
                return await leases.acquire(MERCHANT, self.holder, ttl_s=LEASE_S)
            except LeaseHeld as held:
                await self._premises.clock.sleep((held.retry_after_s or 0) + 0.01)
            except (Unavailable, OutcomeUnknown):
                await self._premises.clock.sleep(TRY_AGAIN_S)

    def _traced(self, outside: Outside) -> Outside:
        return Outside(
            self._line(outside.marketplace),
            self._line(outside.erp),
            self._line(outside.ledger),
            self._line(outside.documents),
            None if outside.books is None else self._line(outside.books),
        )

    def _line(self, port: P) -> P:
        return cast("P", _Line(port, self._life, self._done))

    def _done(self, operation: str) -> None:
        """A call has had its effect; some deaths come just then."""
        if not self._life.is_over and self._premises.dies_in(operation):
            self.kill()


class _Line:
    """A port, as a process has it: every call is noted, and none is made by the dead."""

    def __init__(self, port: object, life: Life, done: Callable[[str], None]) -> None:
        self._port = port
        self._life = life
        self._done = done

    def __getattr__(self, operation: str) -> object:
        """A call, or what the port says of itself (`capabilities`, `check_order`): no call.

        Asked once a call: from then on it is an attribute.
        """
        method = getattr(self._port, operation)
        if inspect.isasyncgenfunction(method):
            return self._told_in_parts(operation, method)
        if not inspect.iscoroutinefunction(method):
            return method
        call = self.__dict__[operation] = self._call(operation, method)
        return call

    def _told_in_parts(
        self, operation: str, method: Callable[..., AsyncGenerator[object, None]]
    ) -> Callable[..., AsyncGenerator[object, None]]:
        """A call whose answer comes in parts; each part is an answer."""
        life, trace, number = self._life, self._life.trace, self._life.number

        async def told(*arguments: object, **named: object) -> AsyncGenerator[object, None]:
            await life.check()
            trace.called(number, operation, arguments)
            try:
                async with aclosing(method(*arguments, **named)) as parts:
                    async for part in parts:
                        await life.check()
                        trace.answered(number, operation, part)
                        yield part
            except Exception as error:
                trace.failed(number, operation, error)
                await life.check()
                raise
            self._done(operation)
            await life.check()

        return told

    def _call(
        self, operation: str, method: Callable[..., Awaitable[object]]
    ) -> Callable[..., Awaitable[object]]:
        life, done = self._life, self._done
        trace, number = life.trace, life.number

        async def call(*arguments: object, **named: object) -> object:
            if life.is_over:
                await life.never()
            trace.called(number, operation, (*arguments, *named.values()))
            try:
                answer = await method(*arguments, **named)
            except Exception as error:
                trace.failed(number, operation, error)
                done(operation)
                await life.check()
                raise
            done(operation)
            if life.is_over:
                await life.never()
            trace.answered(number, operation, answer)
            return answer

        return call
