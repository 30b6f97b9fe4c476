"""Making a capsule: which events belong to an incident, and which rows can be folded of them.

Promises: the events of the streams and of the rows that are asked for, what they caused, what
caused them, and every word of policy up to there. Two walks over the log: the first picks the
events, the second finds the rows of which an event is missing; those are left out. Memory is
bounded by the capsule, never by the log; beyond EVENTS_MAX it is refused, never cut.
Called by `kcjl capsule make`, and by tests on the log's twin.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, Literal, Protocol

import msgspec

from kcjl import __version__
from kcjl.audit.capsule import (
    EVENTS_MAX,
    Capsule,
    CapsuleEvent,
    CapsuleHeader,
    CapsuleRow,
    Why,
)
from kcjl.errors import CorruptLog, Misuse, NotFound
from kcjl.log.chain import Entry, genesis
from kcjl.log.seal import Seal
from kcjl.projections.policyrows import STREAMS
from kcjl.projections.projection import Projection
from kcjl.settings import MerchantSettings
from kcjl.stock.events import stock_key
from kcjl.vocabulary import Event, Vocabulary

__all__ = ["Asked", "Gathered", "LiveRows", "capsule_of", "deciding", "gather"]

OF_ONE = ("order", "dispatch", "deadline", "settlement-order", "payout")
"""Streams that are one order's, or one payout's."""
POLICY_STREAMS = frozenset({*STREAMS.values(), "writes"})
DECIDING = ("stock", "orders", "dispatch", "settlement", "opening_policy")
"""Sections of a merchant's settings that decide; the others name hosts, keys and people."""
CAUSE_ROUNDS_MAX = 8
"""So many causes of causes."""

Progress = Callable[[int], None]
Row = tuple[str, str]
"""(projection, key)"""


class LogEntries(Protocol):
    """The log, or an export of it, as it is stored."""

    merchant: str

    def entries(
        self, after: int = 0, *, to: int | None = None
    ) -> AsyncGenerator[Sequence[Entry], None]: ...


class LiveRows(Protocol):
    """The read models' own rows."""

    async def rows(self, wanted: Sequence[Row]) -> tuple[int, dict[Row, bytes]]:
        """(the position that they all are at, the rows there are), of one moment."""
        ...


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the capsule is to be of."""

    kind: Literal["order", "sku", "exception", "positions"]
    name: str = ""
    first: int = 0
    last: int = 0
    """Of positions: both are in it."""

    @property
    def words(self) -> str:
        if self.kind == "positions":
            return f"positions {self.first} to {self.last}"
        return f"{self.kind} {self.name}"


class Gathered(msgspec.Struct, frozen=True, kw_only=True):
    """What was picked."""

    events: dict[int, CapsuleEvent]
    rows: dict[Row, int]
    """Those of which nothing is missing, and the last event that touched each."""


async def gather(
    log: LogEntries,
    vocabulary: Vocabulary,
    projections: Sequence[Projection[Any]],
    asked: Asked,
    *,
    to: int,
    progress: Progress | None = None,
) -> Gathered:
    """Raises NotFound where the log has nothing of it, Misuse for more than EVENTS_MAX."""
    picking = _Picking(log, vocabulary, projections, asked, to, progress)
    if asked.kind == "positions":
        await picking.look_at_window()
    await picking.pick()
    await picking.find_causes()
    return Gathered(events=picking.events, rows=await picking.whole_rows())


class _Picking:
    def __init__(
        self,
        log: LogEntries,
        vocabulary: Vocabulary,
        projections: Sequence[Projection[Any]],
        asked: Asked,
        to: int,
        progress: Progress | None,
    ) -> None:
        self.events: dict[int, CapsuleEvent] = {}
        self._log = log
        self._vocabulary = vocabulary
        # When something was last read says nothing of an incident, and every read changes it.
        self._projections = [each for each in projections if each.name != "reads"]
        self._asked = asked
        self._to = to
        self._progress = progress
        self._names = _names(asked)
        self._streams = {f"{of}-{name}" for of in OF_ONE for name in self._names}
        self._window: set[Row] = set()
        self._touched: set[Row] = set()
        self._tenant: CapsuleEvent | None = None

    async def look_at_window(self) -> None:
        """Which rows the events of the positions touch."""
        first, last = self._asked.first, self._asked.last
        async for page in self._log.entries(first - 1, to=last):
            for entry in page:
                self._window.update(self._rows_of(self._decoded(entry)))
            self._bound(len(self._window))

    async def pick(self) -> None:
        """What is asked for, what that caused, and policy."""
        previous, own, found = genesis(self._log.merchant), set[int](), False
        async for page in self._log.entries(0, to=self._to):
            for entry in page:
                rows = self._rows_of(self._decoded(entry))
                why: Why | None = None
                if self._is_asked(entry, rows):
                    why, found = "asked", True
                    own.add(entry.position)
                    self._touched.update(rows)
                elif entry.causation in own:
                    why = "effect"
                elif entry.stream in POLICY_STREAMS:
                    why = "policy"
                if why is not None:
                    self.events[entry.position] = _event(entry, previous, why)
                elif entry.stream == "tenant":
                    self._tenant = _event(entry, previous, "policy")
                previous = entry.hash
            self._bound(len(self.events))
            self._say(page)
        if not found:
            raise NotFound(
                f"the log of {self._log.merchant} has nothing of {self._asked.words} up to "
                f"position {self._to}"
            )
        if self._tenant is not None:
            self.events.setdefault(self._tenant.position, self._tenant)

    async def find_causes(self) -> None:
        """What caused them, and what caused that."""
        for _ in range(CAUSE_ROUNDS_MAX):
            missing = {
                each.causation
                for each in self.events.values()
                if each.causation is not None and each.causation not in self.events
            }
            if not missing:
                return
            first = min(missing)
            previous = b""
            async for page in self._log.entries(max(first - 2, 0), to=max(missing)):
                for entry in page:
                    if entry.position in missing:
                        before = previous or genesis(self._log.merchant)
                        self.events[entry.position] = _event(entry, before, "cause")
                    previous = entry.hash
            self._bound(len(self.events))

    async def whole_rows(self) -> dict[Row, int]:
        """Rows that are folded of nothing but what was picked."""
        last: dict[Row, int] = {}
        broken: set[Row] = set()
        async for page in self._log.entries(0, to=self._to):
            for entry in page:
                for row in self._rows_of(self._decoded(entry)):
                    if row not in self._touched:
                        continue
                    if entry.position in self.events:
                        last[row] = entry.position
                    else:
                        broken.add(row)
            self._say(page)
        return {row: last[row] for row in sorted(last) if row not in broken}

    def _is_asked(self, entry: Entry, rows: Sequence[Row]) -> bool:
        if self._asked.kind == "positions":
            inside = self._asked.first <= entry.position <= self._asked.last
            return inside or not self._window.isdisjoint(rows)
        return entry.stream in self._streams or any(self._is_named(*row) for row in rows)

    def _is_named(self, projection: str, key: str) -> bool:
        if key in self._names:
            return True
        subject = key.partition(":")[2]
        return projection == "exceptions" and (
            subject in self._names or subject.partition("/")[0] in self._names
        )

    def _rows_of(self, event: Event) -> list[Row]:
        return [
            (projection.name, key)
            for projection in self._projections
            if isinstance(event, projection.hears)
            for key in projection.keys(event)
        ]

    def _decoded(self, entry: Entry) -> Event:
        try:
            return self._vocabulary.decode(entry.type, entry.schema, entry.data)
        except CorruptLog as error:
            key = (entry.type, entry.schema)
            raise self._vocabulary.unreadable(
                entry.merchant, entry.position, key, error
            ) from None

    def _bound(self, number: int) -> None:
        if number > EVENTS_MAX:
            raise Misuse(
                f"a capsule of {self._asked.words} has over {EVENTS_MAX:,} events: ask for "
                "less, or hand over an export (`kcjl log export`)"
            )

    def _say(self, page: Sequence[Entry]) -> None:
        if self._progress is not None:
            self._progress(page[-1].position)


def _names(asked: Asked) -> frozenset[str]:
    """Keys of rows, and of streams, that are meant."""
    match asked.kind:
        case "order":
            return frozenset({asked.name})
        case "sku":
            return frozenset({asked.name, stock_key(asked.name)})
        case "exception":
            subject = asked.name.partition(":")[2]
            return frozenset({asked.name, subject, subject.partition("/")[0]} - {""})
        case _:
            return frozenset()


def _event(entry: Entry, previous: bytes, why: Why) -> CapsuleEvent:
    fields = {
        name: getattr(entry, name)
        for name in Entry.__struct_fields__
        if name not in ("merchant", "data", "hash")
    }
    return CapsuleEvent(
        data=entry.data.decode(),
        previous=previous.hex(),
        hash=entry.hash.hex(),
        why=why,
        **fields,
    )


# ── the capsule ─────────────────────────────────────────────────────────────────────────────


def deciding(settings: MerchantSettings) -> dict[str, Any]:
    """The sections of the settings that decide."""
    return {name: msgspec.to_builtins(getattr(settings, name)) for name in DECIDING}


async def capsule_of(
    gathered: Gathered,
    vocabulary: Vocabulary,
    projections: Sequence[Projection[Any]],
    *,
    asked: Asked,
    merchant: str,
    at: tuple[int, bytes],
    live: LiveRows | None = None,
    schema: str = "",
    settings: dict[str, Any] | None = None,
    seals: Sequence[Seal] = (),
) -> Capsule:
    """`at`: the position and its hash; `live`: the read models, where they are to be as of it.

    Rows are the live ones where these have not gone on meanwhile; else they are folded here.
    """
    events = tuple(gathered.events[each] for each in sorted(gathered.events))
    rows = _folded(events, gathered, vocabulary, projections)
    rows_of: Literal["live", "folded"] = "folded"
    if live is not None:
        position, stored = await live.rows([*gathered.rows])
        if position == at[0]:
            rows, rows_of = stored, "live"
    header = CapsuleHeader(
        merchant=merchant,
        asked=asked.words,
        position=at[0],
        hash=at[1].hex(),
        version=__version__,
        schema=schema,
        settings=settings or {},
        seals=tuple(seals),
        rows_of=rows_of,
        policies={e.stream: e.position for e in events if e.stream in POLICY_STREAMS},
        events=len(events),
        rows=len(rows),
    )
    kept = tuple(
        CapsuleRow(projection=name, key=key, data=rows[name, key].decode(), position=last)
        for (name, key), last in gathered.rows.items()
        if (name, key) in rows
    )
    return Capsule(header=header, events=events, rows=kept)


def _folded(
    events: Sequence[CapsuleEvent],
    gathered: Gathered,
    vocabulary: Vocabulary,
    projections: Sequence[Projection[Any]],
) -> dict[Row, bytes]:
    read = [vocabulary.decode(each.type, each.schema, each.data) for each in events]
    rows: dict[Row, bytes] = {}
    for projection in projections:
        entries: dict[str, Any] = {}
        touches = projection.touches(read)
        wanted = {key for name, key in gathered.rows if name == projection.name}
        projection.fold([each for each in touches if each[0] in wanted], entries)
        for key, entry in entries.items():
            if entry is not None:
                rows[projection.name, key] = projection.encode(entry)
    return rows
