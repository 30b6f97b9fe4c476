"""A log or an export replayed while it is verified, and held against the live rows.

Promises: the rows are folded of the very bytes whose links were computed. Live rows are read
in one repeatable-read transaction, at the position to which they had been folded when it began,
whatever the service does meanwhile. Changes nothing, and leaves nothing.
Called by `kcjl replay`.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

import msgspec

from kcjl.audit.replay_difference import Compared, Difference, compare, digest
from kcjl.audit.replay_rows import ReplayedRows
from kcjl.database import Database, Session
from kcjl.errors import CorruptLog, Misuse, Unavailable
from kcjl.log.exported import ExportReader, verify_export
from kcjl.log.verify import EntryReader, Verified, verify
from kcjl.projections.projection import Projection
from kcjl.vocabulary import Vocabulary

__all__ = ["LiveRows", "held_against", "live_rows", "replay_export", "replay_log", "same_log"]

PAGE_ROWS = 2_000
Progress = Callable[[int], None]

_CHECKPOINTS = """
select projection, version, position from projection_checkpoint
where merchant = $1 and projection = any($2::text[]) and live
"""
_ROWS = """
select key, json_send(data) as data from projection_row
where merchant = $1 and projection = $2 and version = $3 and key > $4
order by key limit $5
"""


class LiveRows:
    """The live rows at one moment. Got from `live_rows`."""

    def __init__(
        self, session: Session, merchant: str, versions: dict[str, int], position: int
    ) -> None:
        self.position = position
        self._session = session
        self._merchant = merchant
        self._versions = versions

    async def pages(self, projection: str) -> AsyncIterator[Sequence[tuple[str, bytes]]]:
        """Every row by key."""
        where = (self._merchant, projection, self._versions[projection])
        key = ""
        while rows := await self._session.fetch(_ROWS, *where, key, PAGE_ROWS):
            yield [(row["key"], row["data"]) for row in rows]
            key = rows[-1]["key"]


@asynccontextmanager
async def live_rows(
    database: Database, merchant: str, projections: Sequence[Projection[Any]]
) -> AsyncIterator[LiveRows]:
    """Raises Unavailable while not all of them are folded, and equally far."""
    names = [projection.name for projection in projections]
    async with database.transaction() as session:
        await session.execute("set transaction isolation level repeatable read, read only")
        await session.execute("set local plan_cache_mode = force_custom_plan")
        found = await session.fetch(_CHECKPOINTS, merchant, names)
        positions = {row["position"] for row in found}
        if len(found) != len(names) or len(positions) != 1:
            raise Unavailable(
                f"the live rows of {merchant} are not all folded equally far: let the service "
                "bring them up, then check again"
            )
        versions = {row["projection"]: row["version"] for row in found}
        yield LiveRows(session, merchant, versions, positions.pop())


async def replay_log(
    reader: EntryReader,
    rows: ReplayedRows,
    *,
    to: int,
    previous: bytes | None = None,
    progress: Progress | None = None,
) -> Verified:
    """Go on from where `rows` is. `previous`: the hash there. Raises BrokenChain."""
    return await verify(
        reader,
        after=rows.position,
        to=to,
        previous=previous,
        progress=progress,
        sound=rows.take,
    )


async def replay_export(
    reader: ExportReader, rows: ReplayedRows, *, to: int, progress: Progress | None = None
) -> Verified:
    """From its first event, which must be the log's own. Raises BrokenExport."""
    header = reader.header
    if header.first != 1:
        raise Misuse(
            f"{reader.path} begins at position {header.first}: a replay needs an export from 1"
        )
    if to > header.last:
        raise Misuse(f"{reader.path} ends at position {header.last}, before {to}")
    return await verify_export(reader, to=to, progress=progress, sound=rows.take)


async def held_against(
    live: LiveRows | None,
    rows: ReplayedRows,
    reader: EntryReader,
    vocabulary: Vocabulary,
    projections: Sequence[Projection[Any]],
) -> list[Compared]:
    """Each projection's rows, compared with the live ones if there are any.

    The first difference of all names the last event of `reader` that touches its row.
    """
    found = []
    for projection in projections:
        replayed = rows.rows(projection.name)
        if live is None:
            found.append(digest(projection.name, replayed))
        else:
            pages = live.pages(projection.name)
            found.append(await compare(projection.name, replayed, pages))
    for number, (projection, each) in enumerate(zip(projections, found, strict=True)):
        if each.first is not None:
            first = await _with_event(each.first, projection, reader, vocabulary, rows.position)
            found[number] = msgspec.structs.replace(each, first=first)
            break
    return found


async def _with_event(
    difference: Difference,
    projection: Projection[Any],
    reader: EntryReader,
    vocabulary: Vocabulary,
    to: int,
) -> Difference:
    async with aclosing(reader.entries(0, to=to)) as pages:
        async for page in pages:
            for entry in page:
                event = vocabulary.decode(entry.type, entry.schema, entry.data)
                if difference.key in [key for key, _ in projection.touches([event])]:
                    difference = msgspec.structs.replace(
                        difference, position=entry.position, event=entry.type
                    )
    return difference


async def same_log(reader: EntryReader, export: ExportReader) -> None:
    """Raises CorruptLog when the log is another than the exported one."""
    header = export.header
    async with aclosing(reader.entries(header.last - 1, to=header.last)) as pages:
        async for page in pages:
            if page[0].hash.hex() == header.hash:
                return
    raise CorruptLog(
        f"the log of {reader.merchant} is not the one that {export.path} was exported from: at "
        f"position {header.last} the file has the hash {header.hash}, and the log another"
    )
