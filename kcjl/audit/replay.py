"""Replay: fold the log again, and compare with the live read models byte for byte (law 1).

Promises: names the first difference; changes nothing. Bounded by the rows, not by the log.
Called by `kcjl demo`'s summary and by tests.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from kcjl.log.port import LogReader
from kcjl.projections.projection import Projection
from kcjl.projections.runner import fold_page
from kcjl.projections.store import RowStore

__all__ = ["Replayed", "replay"]


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    position: int
    rows: int
    difference: str
    """The first row that is not as it is live; empty when all are."""


async def replay(
    log: LogReader, store: RowStore, projections: Sequence[Projection[Any]]
) -> Replayed:
    """Fold the log up to where the live read models are, and compare every row."""
    names = [projection.name for projection in projections]
    position = await store.position(names)
    rows: dict[tuple[str, str], bytes | None] = {}
    async for page in log.read(0, to=position):
        fold_page(projections, page, rows)
    folded = {where: row for where, row in rows.items() if row is not None}
    live = {(name, key): row for name in names for key, row in await store.rows(name)}
    difference = ""
    for where in sorted(folded.keys() | live.keys()):
        if folded.get(where) != live.get(where):
            difference = f"{where[0]} {where[1]}: {_what(folded.get(where), live.get(where))}"
            break
    return Replayed(position=position, rows=len(folded), difference=difference)


def _what(folded: bytes | None, live: bytes | None) -> str:
    if folded is None:
        return "live, but not replayed"
    if live is None:
        return "replayed, but not live"
    return f"replayed as {folded.decode()[:200]}, live as {live.decode()[:200]}"
