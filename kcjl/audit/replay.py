"""Replay: fold the log again, and compare with the live read models byte for byte (law 1).

Promises: names the first difference; changes nothing. Bounded by the rows, not by the log.
Called by `kcjl demo`'s summary and by tests.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from kcjl.log.port import LogReader
from kcjl.projections.asof import fold_log
from kcjl.projections.projection import Projection
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
    position = await store.position([projection.name for projection in projections])
    replayed = await fold_log(log, projections, to=position)
    rows = sum(len(entries) for entries in replayed)
    for projection, entries in sorted(
        zip(projections, replayed, strict=True), key=lambda each: each[0].name
    ):
        difference = _difference(projection, entries, await store.rows(projection.name))
        if difference:
            return Replayed(position=position, rows=rows, difference=difference)
    return Replayed(position=position, rows=rows, difference="")


def _difference(
    projection: Projection[Any], entries: dict[str, Any], rows: Sequence[tuple[str, bytes]]
) -> str:
    """The first row, by key, that is not as it was replayed."""
    live = dict(rows)
    for key in sorted(entries.keys() | live.keys()):
        replayed = projection.encode(entries[key]) if key in entries else None
        if replayed != live.get(key):
            return f"{projection.name} {key}: {_what(replayed, live.get(key))}"
    return ""


def _what(folded: bytes | None, live: bytes | None) -> str:
    if folded is None:
        return "live, but not replayed"
    if live is None:
        return "replayed, but not live"
    return f"replayed as {folded.decode()[:200]}, live as {live.decode()[:200]}"
