"""An event loop whose time jumps, and a guard that lets nothing real into a run.

Promises: `time()` is virtual and goes on only when nothing is ready; of tasks that are ready
together the seed says which goes first, all other calls keep asyncio's order; the same seed and
the same program give the same run. Sockets, threads, signals and children are refused, and
whoever touched something real fails the run even if it swallowed the refusal.
Invariant: nothing here depends on an address, a hash or the machine: tasks are numbered.
Called by `run.py`. It needs asyncio's inside (`_ready`, `_scheduled`): see decision 0012.
"""

import asyncio
import contextvars
import gc
import heapq
import math
import os
import random
import secrets
import socket
import subprocess
import threading
import time
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime
from typing import Any, Never, TypeVar, TypeVarTuple, Unpack
from unittest.mock import patch

import anyio.lowlevel
import anyio.to_thread
import structlog

import kcjl.clock
from kcjl.clock import chance as chance_of

__all__ = ["Stuck", "Touched", "VirtualLoop", "guard", "run"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

TURNS_MAX = 200_000
"""Turns without time going on: more is a loop that would burn a processor for ever."""


class Touched(AssertionError):
    """Raised when something in a run asks for the real time, real chance, or the machine."""


class Stuck(AssertionError):
    """Raised when nothing can ever happen again, or when time can't go on."""


class _Task(asyncio.Task[Any]):
    """A task that knows the how manieth it is."""

    number: int


class _Call(asyncio.TimerHandle):
    """A call to be made, now or in time: the base's without what it keeps for debugging."""

    __slots__ = ()
    _args: Sequence[Any] | None  # type: ignore[assignment]
    _callback: Callable[..., object] | None
    _context: contextvars.Context
    _source_traceback = None
    _repr = None

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: Sequence[Any],
        loop: "VirtualLoop",
        context: contextvars.Context | None,
    ) -> None:
        self._callback, self._args, self._cancelled = callback, args, False
        self._context = context or contextvars.copy_context()
        self._loop, self._when = loop, when

    def cancel(self) -> None:
        self._cancelled = True
        self._callback = self._args = None


class VirtualLoop(asyncio.BaseEventLoop):
    """One thread, no selector. `seed` None: tasks in asyncio's own order."""

    _ready: deque[_Call]
    _stopping: bool

    def __init__(self, seed: int | None = None) -> None:
        super().__init__()
        self.steps = 0
        """Calls that were run."""
        self.jumps = 0
        """How often time went on."""
        self.troubles: list[str] = []
        """What nobody awaited, or was raised where nobody could catch it."""
        self.now_s = 0.0
        """What `time` tells."""
        self._turns = 0
        self._tasks = 0
        self._chance = None if seed is None else chance_of(f"loop/{seed}")
        self._alarms: list[tuple[int, int, Callable[[], None]]] = []
        self._timers: list[tuple[float, int, _Call]] = []
        """By when they are due, then by when they were made."""
        self._timers_made = 0
        self.set_exception_handler(self._note)

    def time(self) -> float:
        return self.now_s

    def after_steps(self, steps: int, call: Callable[[], None]) -> None:
        """Call between two steps, when so many more have been run."""
        heapq.heappush(self._alarms, (self.steps + steps, len(self._alarms), call))

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: object = None,
        context: contextvars.Context | None = None,
    ) -> asyncio.Task[T]:
        self._tasks += 1
        named = str(name or f"task {self._tasks}")
        task = _Task(coro, loop=self, name=named, context=context)
        task.number = self._tasks
        return task

    def call_soon(
        self,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        """As the base's, without its checks: most of what a step costs is in here."""
        call = _Call(self.now_s, callback, args, self, context)
        self._ready.append(call)
        return call

    def call_later(
        self,
        delay: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self.now_s + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """In a heap of plain pairs: the base's asks each handle which of two is sooner."""
        timer = _Call(when, callback, args, self, context)
        self._timers_made += 1
        heapq.heappush(self._timers, (when, self._timers_made, timer))
        return timer

    def call_soon_threadsafe(
        self,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        """There is one thread; asyncio calls this when a generator is given up."""
        return self.call_soon(callback, *args, context=context)

    def run_in_executor(self, *_: object) -> Never:
        raise Touched("a run has no threads: an executor was asked for")

    def add_reader(self, *_: object) -> Never:
        raise Touched("a run has no sockets: one was to be read")

    def add_writer(self, *_: object) -> Never:
        raise Touched("a run has no sockets: one was to be written")

    def add_signal_handler(self, *_: object) -> Never:
        raise Touched("a run has no signals: a handler was to be added")

    async def subprocess_exec(self, *_: object, **__: object) -> Never:
        raise Touched("a run has no children: one was to be started")

    async def subprocess_shell(self, *_: object, **__: object) -> Never:
        raise Touched("a run has no children: a shell was to be started")

    async def getaddrinfo(self, *_: object, **__: object) -> Never:
        raise Touched("a run has no network: a name was looked up")

    def _run_once(self) -> None:
        """Instead of the base's, which waits at its selector."""
        timers, ready = self._timers, self._ready
        while timers and timers[0][2]._cancelled:
            heapq.heappop(timers)
        if ready or self._stopping:
            self._turns += 1
            if self._turns > TURNS_MAX:
                self._turns = 0
                raise Stuck(f"{TURNS_MAX:,} turns at {self.now_s} s: {_named(ready)}")
        elif timers and timers[0][0] < math.inf:
            self.now_s, self._turns = max(self.now_s, timers[0][0]), 0
            self.jumps += 1
        else:
            raise Stuck(f"nothing is ready and nothing is planned at {self.now_s} s")
        while timers and timers[0][0] <= self.now_s:
            ready.append(heapq.heappop(timers)[2])
        batch = list(ready)
        ready.clear()
        if len(batch) > 1 and self._chance is not None:
            _shuffle(batch, self._chance)
        for call in batch:
            if not call._cancelled:
                self.steps += 1
                call._run()
                if self._alarms and self._alarms[0][0] <= self.steps:
                    heapq.heappop(self._alarms)[2]()

    def _note(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        what = f": {type(error).__name__}: {error}" if error is not None else ""
        self.troubles.append(f"{context.get('message')}{what}")


def _shuffle(batch: list[_Call], chance: random.Random) -> None:
    """Tasks that stand side by side, in an order of the seed; nothing passes another call."""
    side: list[tuple[int, int, _Call]] = []
    for place, call in enumerate(batch):
        number = getattr(getattr(call._callback, "__self__", None), "number", None)
        if number is not None:  # a step of the task with this number
            side.append((number, place, call))
        elif side:
            _mix(batch, side, place, chance)
            side = []
    if side:
        _mix(batch, side, len(batch), chance)


def _mix(
    batch: list[_Call],
    side: list[tuple[int, int, _Call]],
    stop: int,
    chance: random.Random,
) -> None:
    if len(side) > 1:
        # By number first: anyio cancels out of a set, whose order is one of addresses.
        side.sort()
        side.sort(key=lambda _: chance.random())
        batch[stop - len(side) : stop] = [call for _, _, call in side]


def _named(ready: deque[_Call]) -> str:
    return "; ".join(str(handle) for handle in list(ready)[:5])


# ── the guard ───────────────────────────────────────────────────────────────────────────────


@contextmanager
def guard(loop: VirtualLoop) -> Iterator[list[str]]:
    """For the time of a run: what is real is refused, and noted in the list it gives."""
    touched: list[str] = []

    def refuse(what: str) -> Callable[..., Never]:
        def refused(*_: object, **__: object) -> Never:
            touched.append(what)
            raise Touched(f"a run asked for {what}: only the seed and the virtual clock are")

        return refused

    class NoDatetime(datetime):
        """Everything of a datetime but the present."""

        now = utcnow = today = refuse("datetime.now")

    functions = ("random", "randint", "choice", "shuffle", "sample", "uniform", "getrandbits")
    patches: list[AbstractContextManager[object]] = [
        *(patch.object(time, name, refuse(f"time.{name}")) for name in ("time", "sleep")),
        *(patch.object(time, name, loop.time) for name in ("monotonic", "perf_counter")),
        patch.object(kcjl.clock, "datetime", NoDatetime),
        *(patch.object(random, name, refuse(f"random.{name}")) for name in functions),
        patch.object(secrets, "token_bytes", refuse("secrets.token_bytes")),
        patch.object(os, "urandom", refuse("os.urandom")),
        *(patch.object(uuid, name, refuse(f"uuid.{name}")) for name in ("uuid1", "uuid4")),
        patch.object(socket.socket, "__init__", refuse("a socket")),
        patch.object(threading.Thread, "start", refuse("a thread")),
        patch.object(subprocess.Popen, "__init__", refuse("a child process")),
        patch.object(anyio.to_thread, "run_sync", _in_its_turn),
    ]
    collecting = gc.isenabled()
    gc.disable()
    try:
        with _quiet(), ExitStack() as stack:
            for each in patches:
                stack.enter_context(each)
            yield touched
    finally:
        if collecting:
            gc.enable()


async def _in_its_turn(call: Callable[..., T], *args: object, **_: object) -> T:
    """What kcjl gives to a thread: after others had a turn, and before others have the next."""
    await anyio.lowlevel.checkpoint()
    return call(*args)


@contextmanager
def _quiet() -> Iterator[None]:
    """Log lines are for the machine-minder: nobody minds this machine, and each has a time."""
    before = structlog.get_config() if structlog.is_configured() else None
    structlog.configure(
        processors=[],
        wrapper_class=structlog.make_filtering_bound_logger(50),
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        structlog.reset_defaults()
        if before is not None:
            structlog.configure(**before)


# ── a run ───────────────────────────────────────────────────────────────────────────────────


def run(main: Callable[[], Awaitable[T]], *, seed: int | None) -> T:
    """Run to its end under the guard. Raises Touched when anything real was asked for.

    Raises Stuck too when a task was given up whose failure nobody saw.
    """
    loop = VirtualLoop(seed)
    with guard(loop) as touched:
        try:
            outcome = loop.run_until_complete(_awaited(main))
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            _give_up_the_rest(loop)
            loop.close()
    gc.collect(0)
    if touched:
        raise Touched(f"{len(touched)} times something real was asked for: {touched[0]}")
    if loop.troubles:
        raise Stuck(f"{len(loop.troubles)} failures that nobody saw: {loop.troubles[0]}")
    return outcome


async def _awaited(main: Callable[[], Awaitable[T]]) -> T:
    return await main()


def _give_up_the_rest(loop: VirtualLoop) -> None:
    """Tasks that still run when the main one has ended: cancelled, in their order."""
    rest = sorted(asyncio.all_tasks(loop), key=lambda task: getattr(task, "number", 0))
    for task in rest:
        task.cancel()
    if rest:
        loop.run_until_complete(asyncio.gather(*rest, return_exceptions=True))
