"""What the events after a keyframe made of its rows, in temporary tables of one connection.

Promises: after `bring` the views of pastviews.py say what the live rows said at that position,
byte for byte; memory is bounded by a page of events, also where no keyframe is near. The last
BACK_EVENTS before the position are folded one by one, so a step back among them, and one on,
changes a number and folds next to nothing.
Invariant: positions from `_finely` to `_reached` can be shown; rows are folded to `_reached`.
Called by asofdatabase.py, in a transaction: what fails leaves nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kcjl.database import Session
from kcjl.projections.feed import Feed
from kcjl.projections.pastviews import CLOSE, OPEN_END, PUT, STORED, TABLES, views
from kcjl.projections.projection import Projection
from kcjl.vocabulary import Event, Vocabulary

__all__ = ["BACK_EVENTS", "Overlay"]

BACK_EVENTS = 200
"""Events before the position that are folded one by one: so many steps back are at once."""
PAGE_EVENTS = 1_000
"""Folded in one go: 40 ms, in which nothing else of the process goes on."""
ON_EVENTS_MAX = 1_000
"""A position so much further on is reached from where we are; one beyond, from a keyframe."""

Changed = tuple[str, str, int, int, str | None]
"""(projection, key, from, to, data): a row of `past_row`."""

_PLANNED = """
set enable_nestloop = off;
set random_page_cost = 1.1;
set work_mem = '64MB';
"""
"""What is temporary has no statistics: thought to be a few rows, it would be gone through for
each row of a keyframe. And sorting a whole read model would go through the disk.
"""
_NEAREST = """
select k.version, k.position from keyframe k
join event e on e.merchant = k.merchant and e.position = k.position and e.hash = k.log_hash
where k.merchant = $1 and k.fingerprint = $2 and k.position <= $3
order by k.position desc, k.version desc limit 1
"""


class Overlay:
    """The past of one merchant, on one connection."""

    def __init__(
        self,
        merchant: str,
        vocabulary: Vocabulary,
        projections: Sequence[Projection[Any]],
        fingerprint: bytes,
    ) -> None:
        self._merchant = merchant
        self._vocabulary = vocabulary
        self._projections = tuple(projections)
        self._fingerprint = fingerprint
        self._schema = ""
        self._version = 0
        self._keyframe = 0
        self._finely = OPEN_END  # nothing can be shown yet
        self._reached = 0

    async def bring(self, session: Session, position: int) -> None:
        """Show that position. It must be in the log."""
        if not self._schema:
            await self._prepare(session)
        await session.execute("set local enable_nestloop = on")  # here it is look-ups by key
        if position < self._finely or position > self._reached + ON_EVENTS_MAX:
            await self._stand(session, position)
        await self._say(session, max(position, self._reached))  # what the feed may see
        feed = self._feed(session)
        coarse = position - BACK_EVENTS
        if self._reached == self._keyframe and coarse > self._reached:
            async for reached, events in feed.read(self._reached, to=coarse):
                await self._fold(session, [(self._keyframe, events)])
                self._reached = self._finely = reached
        if position > self._reached:
            steps = await feed.numbered(self._reached, to=position)
            await self._fold(session, steps)
            self._reached = position
        await self._say(session, position)

    async def _prepare(self, session: Session) -> None:
        await session.execute(TABLES)
        await session.execute(_PLANNED)
        self._schema = await session.fetchval("select quote_ident(current_schema())")
        await session.fetchval(
            "select pg_advisory_lock_shared(hashtextextended($1, 0))",
            f"kcjl keyframes {self._merchant}",
        )

    async def _stand(self, session: Session, position: int) -> None:
        """On the nearest keyframe from which it can go back, or before the first event."""
        await session.execute("truncate past_row")
        await session.execute(f"set local search_path = {self._schema}, pg_temp")
        found = await session.fetchrow(
            _NEAREST, self._merchant, self._fingerprint, position - BACK_EVENTS
        )
        await session.execute(f"set local search_path = {self._schema}")
        self._version, self._keyframe = found or (0, 0)
        self._reached = self._finely = self._keyframe
        merchant = await session.fetchval("select quote_literal($1::text)", self._merchant)
        names = [projection.name for projection in self._projections]
        await session.execute(
            views(
                self._schema,
                merchant,
                names,
                version=self._version,
                keyframe=self._keyframe,
            )
        )

    async def _say(self, session: Session, position: int) -> None:
        await session.execute(
            f"""
            update past_at set position = $1, moment = (
                select recorded_at from {self._schema}.event
                where merchant = $2 and position = $1
            )
            """,  # noqa: S608 - the schema as the server quotes it
            position,
            self._merchant,
        )

    def _feed(self, session: Session) -> Feed:
        hears = tuple({kind for each in self._projections for kind in each.hears})
        return Feed(session, self._merchant, self._vocabulary, hears, page=PAGE_EVENTS)

    # ── fold ────────────────────────────────────────────────────────────────────────────

    async def _fold(
        self, session: Session, steps: Sequence[tuple[int, Sequence[Event]]]
    ) -> None:
        """Each step's rows hold from its position on, up to the next that changes them."""
        events = [event for _, some in steps for event in some]
        wanted = sorted(
            {
                (projection.name, key)
                for projection in self._projections
                for key, _ in projection.touches(events)
            }
        )
        if not wanted:
            return
        rows = await session.fetch(
            STORED,
            [name for name, _ in wanted],
            [key for _, key in wanted],
            self._merchant,
            self._version,
            self._keyframe,
        )
        stored = {(row[0], row[1]): row[2] for row in rows if row[2] is not None}
        changed: list[Changed] = []
        for projection in self._projections:
            changed += _folded(projection, steps, stored)
        await self._write(session, changed)

    async def _write(self, session: Session, changed: Sequence[Changed]) -> None:
        """Rows that held end where the first of a key's new ones begins."""
        began: dict[tuple[str, str], int] = {}
        for name, key, begins, _, _ in changed:
            began[name, key] = min(begins, began.get((name, key), begins))
        closing = [(*row, at) for row, at in began.items() if at > self._keyframe]
        if closing:
            await session.execute(CLOSE, *map(list, zip(*closing, strict=True)))
        if changed:
            await session.execute(PUT, *map(list, zip(*changed, strict=True)))


def _folded(
    projection: Projection[Any],
    steps: Sequence[tuple[int, Sequence[Event]]],
    stored: Mapping[tuple[str, str], str],
) -> list[Changed]:
    """What the rows were after each step that changed them."""
    name = projection.name
    entries: dict[str, Any] = {}
    said: dict[str, str | None] = {}
    open_rows: dict[str, Changed] = {}
    ended: list[Changed] = []
    for position, events in steps:
        touches = projection.touches(events)
        for key, _ in touches:
            if key not in entries:
                before = stored.get((name, key))
                entries[key] = None if before is None else projection.entry(before)
                said[key] = before
        projection.fold(touches, entries)
        for key in dict.fromkeys(key for key, _ in touches):
            entry = entries[key]
            row = None if entry is None else projection.encode(entry).decode()
            if row == said[key]:
                continue
            said[key] = row
            if key in open_rows:
                former = open_rows[key]
                ended.append((*former[:3], position, former[4]))
            open_rows[key] = (name, key, position, OPEN_END, row)
    return [*ended, *open_rows.values()]
