"""What a process has of its database: answers for as long as it lives, and not always at once.

Promises: what a dead process asks is done for nobody: it gets no answer. An append fails as the
real writer's does: refused means nothing was written; a connection lost in a commit means
waiting until its fate is known, written or not, while others wait behind it. Rows, snapshots,
the vault, commands and the lease fail as any statement does.
Called by `process.py`.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from random import Random
from typing import TypeVar, cast

import anyio

from kcjl.clock import Clock
from kcjl.errors import OutcomeUnknown, Unavailable
from kcjl.log.memory import MemoryLog
from kcjl.log.port import Draft, Head, Recorded
from tests.simulation.faults import LOG_KINDS, Fault, Faults
from tests.simulation.trace import Trace

__all__ = ["Appended", "DatabaseLuck", "Life", "ProcessLog", "on_the_wire"]

P = TypeVar("P")

Appended = tuple[int, int, list[int]]
"""The writer's epoch, that of the log when it was committed, and the positions."""

SLOW_S = (0.05, 20.0)
AWAY_S = (0.2, 90.0)
"""How long a database that died takes to be back."""


class DatabaseLuck:
    """What goes wrong with the database: drawn from the seed, counted by kind."""

    def __init__(self, faults: Faults, chance: Random, clock: Clock) -> None:
        self.chance = chance
        self.counted: Counter[str] = Counter()
        self._faults: list[tuple[str, Fault]] = [
            (kind, fault)
            for kind in LOG_KINDS
            if (fault := cast("Fault", getattr(faults, kind))).share > 0
        ]
        self._clock = clock
        self._began = clock.now()

    def stop(self) -> None:
        """Nothing goes wrong from now on."""
        self._faults = []

    def draw(self) -> str:
        """The kind that hits this statement; '' for none."""
        if not self._faults:
            return ""
        lot = self.chance.random()
        hours = (self._clock.now() - self._began).total_seconds() / 3600
        for kind, fault in self._faults:
            if fault.from_h <= hours < fault.until_h:
                lot -= fault.share
                if lot < 0:
                    self.counted[kind] += 1
                    return kind
        return ""


class Life:
    """Of one process: what it asks after its end is never answered."""

    def __init__(self, number: int, luck: DatabaseLuck, clock: Clock, trace: Trace) -> None:
        self.number = number
        self.luck = luck
        self.clock = clock
        self.trace = trace
        self.is_over = False

    async def check(self) -> None:
        """Return to the living only."""
        if self.is_over:
            await self.never()

    async def never(self) -> None:
        """Of an answer that will not come."""
        await anyio.sleep_forever()

    async def pause(self, between: tuple[float, float]) -> None:
        await self.clock.sleep(self.luck.chance.uniform(*between))


class ProcessLog:
    """The log, as its one writer has it."""

    def __init__(self, log: MemoryLog, life: Life, appends: list[Appended], epoch: int) -> None:
        self.merchant = log.merchant
        self._appends = appends
        self._epoch = epoch
        self._log = log
        self._life = life
        self._commit: anyio.Event | None = None
        """That hangs; whoever comes meanwhile goes with the next."""

    async def append(
        self, drafts: Sequence[Draft], *, expected: Mapping[str, int] | None = None
    ) -> Sequence[Recorded]:
        life = self._life
        if life.is_over:
            await life.never()
        while self._commit is not None:
            await self._commit.wait()
        kind = life.luck.draw()
        if not kind:
            return await self._append(drafts, expected)
        if kind == "log_refuses":
            raise Unavailable("the database refuses appends: nothing was written")
        self._commit = anyio.Event()
        try:
            if kind == "log_slow":
                await life.pause(SLOW_S)
            elif kind == "log_dies_before_commit":
                await life.pause(AWAY_S)
                if life.luck.chance.random() < 0.5:
                    raise Unavailable("the database could not take an append: try again later")
            await life.check()
            events = await self._append(drafts, expected)
            if kind == "log_dies_after_commit":
                await life.pause(AWAY_S)
            return events
        finally:
            self._commit.set()
            self._commit = None

    async def _append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int] | None
    ) -> Sequence[Recorded]:
        events = await self._log.append(drafts, expected=expected)
        head = await self._log.head()
        self._appends.append((self._epoch, head.epoch, [each.position for each in events]))
        self._life.trace.appended(events)
        return events

    async def head(self) -> Head:
        await self._life.check()
        return await self._log.head()

    def read(
        self, after: int = 0, *, to: int | None = None
    ) -> AsyncIterator[Sequence[Recorded]]:
        """To the dead, what they have read already: they can do nothing with it."""
        return self._log.read(after, to=to)

    async def read_stream(self, stream: str) -> Sequence[Recorded]:
        await self._life.check()
        return await self._log.read_stream(stream)

    async def read_streams(self, streams: Sequence[str]) -> Sequence[Recorded]:
        await self._life.check()
        return await self._log.read_streams(streams)

    async def follow(self, after: int = 0) -> AsyncIterator[Sequence[Recorded]]:
        async for page in self._log.follow(after):
            if self._life.is_over:
                await self._life.never()
            yield page


def on_the_wire(keeper: P, life: Life, *, reads: frozenset[str] = frozenset()) -> P:
    """The same keeper behind a connection. `reads`: a lost answer to these is no doubt."""
    return cast("P", _Wire(keeper, life, reads))


class _Wire:
    """Every asynchronous method of a keeper, by a statement that may fail."""

    def __init__(self, keeper: object, life: Life, reads: frozenset[str]) -> None:
        self._keeper = keeper
        self._life = life
        self._reads = reads

    def __getattr__(self, name: str) -> object:
        """Asked once a name: from then on it is an attribute."""
        statement = self.__dict__[name] = self._statement(name, getattr(self._keeper, name))
        return statement

    def _statement(
        self, name: str, method: Callable[..., Awaitable[object]]
    ) -> Callable[..., Awaitable[object]]:
        life, is_read = self._life, name in self._reads

        async def statement(*arguments: object, **named: object) -> object:
            if life.is_over:
                await life.never()
            kind = life.luck.draw()
            if not kind:
                return await method(*arguments, **named)
            if kind == "log_refuses":
                raise Unavailable(f"the database refuses {name}: nothing was written")
            await life.pause(SLOW_S)
            await life.check()
            if kind == "log_slow":
                return await method(*arguments, **named)
            if kind == "log_dies_after_commit":
                await method(*arguments, **named)
            if is_read:
                raise Unavailable(f"the database was lost in {name}: try again")
            raise OutcomeUnknown(f"the database was lost in {name}: it may have been done")

        return statement
