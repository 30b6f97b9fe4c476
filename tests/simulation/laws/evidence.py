"""What a law is checked against, and what is said where it is broken.

Promises: an `Evidence` is everything that is left when a run is over: both outside worlds with
their own truth, what a witness saw of the calls and of the stock, the log, the rows, the rooms.
Checkers only read it. It does no I/O but the folding of a log in memory.
Invariant: what is true is taken from the world and from the witness; the log is what is judged.
Called by `laws/__init__.py`; made by `tests/simulation/run.py` and by the laws' own tests.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from itertools import chain
from typing import Any, TypeVar, cast

import msgspec

from kcjl.actors import Room
from kcjl.audit.completeness import Completeness, completeness
from kcjl.audit.replay import Replayed, replay
from kcjl.errors import CorruptLog
from kcjl.fold import Fold, Table
from kcjl.ledger.port import Journal
from kcjl.log.memory import MemoryLogReader, MemoryStore
from kcjl.log.port import Head, Recorded
from kcjl.log.verify import verify
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.projections.store import RowStore
from kcjl.sandbox.world import World
from kcjl.settings import StockSettings
from kcjl.vocabulary import Event
from tests.simulation.database import Appended
from tests.simulation.witness import Witness

__all__ = ["LIVENESS", "Broken", "Checker", "Evidence", "gather"]

LIVENESS = 0
"""The number of the law that design section 2 has not: everything comes to rest."""
NAMED_MAX = 10
"""Findings of one checker that are named; the rest is counted."""

E = TypeVar("E", bound=Event)
S = TypeVar("S")


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """A law that did not hold."""

    law: int
    """As in design section 2; 0: liveness."""
    checker: str
    message: str

    def __str__(self) -> str:
        law = f"law {self.law}" if self.law else "liveness"
        return f"{law} ({self.checker}): {self.message}"


class Evidence:
    """All that is left of a run."""

    def __init__(
        self,
        *,
        world: World,
        witness: Witness,
        log: Sequence[Recorded],
        head: Head,
        chain_fault: str,
        rows_position: int,
        replayed: Replayed,
        complete: Completeness,
        rooms: Sequence[Room],
        journals: Mapping[str, Journal],
        appends: Sequence[Appended],
        now: datetime,
        at_rest: bool,
        skew: timedelta,
        stock: StockSettings,
    ) -> None:
        self.world = world
        self.witness = witness
        self.log = log
        self.head = head
        self.chain_fault = chain_fault
        """What is wrong with the hash chain; empty when it is whole."""
        self.rows_position = rows_position
        self.replayed = replayed
        self.complete = complete
        self.rooms = rooms
        """Of the process that is alive; none where all are dead."""
        self.journals = journals
        """What the ledger holds, by reference."""
        self.appends = appends
        """What each writer committed, in which epoch of his and of the log."""
        self.now = now
        self.at_rest = at_rest
        """The faults have stopped, and nothing is left to do without a person."""
        self.skew = skew
        """How far the outside's clocks were from ours at most."""
        self.stock = stock
        self._folded: dict[int, Table[Any]] = {}
        """By the fold's identity: folds are modules' own, and live as long."""

    def said(self, *kinds: type[E]) -> list[tuple[Recorded, E]]:
        """The events of these kinds, oldest first, each with its place in the log."""
        return [(each, cast("E", each.event)) for each in self.heard(kinds)]

    def heard(self, kinds: tuple[type[Event], ...]) -> list[Recorded]:
        """The events of these kinds, oldest first: looked up by class, not one by one."""
        heard = [each for kind, each in self._by_kind.items() if issubclass(kind, kinds)]
        return heard[0] if len(heard) == 1 else sorted(chain(*heard), key=_position)

    @cached_property
    def _by_kind(self) -> Mapping[type[Event], list[Recorded]]:
        by_kind: dict[type[Event], list[Recorded]] = {}
        for recorded in self.log:
            by_kind.setdefault(type(recorded.event), []).append(recorded)
        return by_kind

    def folded(self, fold: Fold[S]) -> Table[S]:
        """The entries of a fold, from the whole log: folded once."""
        known = self._folded.get(id(fold))
        if known is not None:
            return known
        table = self._folded[id(fold)] = Table(fold)
        for recorded in self.heard(fold.hears):
            table.apply(recorded.event)
        return table

    @cached_property
    def text(self) -> str:
        """Every word of the log. Rows are made of it, and of nothing else (law 1)."""
        names = {name: None for each in self.log for name in (each.stream, each.by)}
        ids = {each.correlation_id: None for each in self.log}
        return "\n".join((*(each.data.decode() for each in self.log), *names, *ids))


def _position(recorded: Recorded) -> int:
    return recorded.position


async def gather(
    *,
    world: World,
    witness: Witness,
    store: MemoryStore,
    merchant: str,
    rows: RowStore,
    rooms: Sequence[Room],
    journals: Mapping[str, Journal],
    appends: Sequence[Appended],
    now: datetime,
    at_rest: bool,
    skew: timedelta,
    stock: StockSettings,
) -> Evidence:
    """Read what a run has left, once."""
    reader = MemoryLogReader(store, merchant)
    fault = ""
    try:
        await verify(reader)
    except CorruptLog as error:
        fault = error.message
    names = [projection.name for projection in PROJECTIONS]
    return Evidence(
        world=world,
        witness=witness,
        log=[recorded async for page in reader.read() for recorded in page],
        head=await reader.head(),
        chain_fault=fault,
        rows_position=await rows.position(names),
        replayed=await replay(reader, rows, PROJECTIONS),
        complete=await completeness(rows),
        rooms=rooms,
        journals=journals,
        appends=appends,
        now=now,
        at_rest=at_rest,
        skew=skew,
        stock=stock,
    )


class Checker:
    """One part of one law: `finds` yields what is wrong, a sentence each."""

    def __init__(self, law: int, name: str, finds: Callable[[Evidence], Iterable[str]]) -> None:
        self.law = law
        self.name = name
        self.finds = finds

    @property
    def sentence(self) -> str:
        """The law, in one sentence."""
        return (self.finds.__doc__ or "").partition("\n")[0]

    def check(self, evidence: Evidence) -> list[Broken]:
        found: Iterator[str] = iter(self.finds(evidence))
        named = [message for message, _ in zip(found, range(NAMED_MAX), strict=False)]
        more = sum(1 for _ in found)
        if more:
            named.append(f"and {more} more")
        return [Broken(law=self.law, checker=self.name, message=each) for each in named]
