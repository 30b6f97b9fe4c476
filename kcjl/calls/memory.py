"""The sync log's memory twin: the same law suite holds for it as for PostgreSQL.

Promises: what `CallKeeper` and `CallQueries` promise, for as long as the process lives.
Called by tests and by whoever wants the notes without a database.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec.structs import replace

from kcjl.calls.port import (
    Asked,
    CallOutcome,
    CallRecord,
    Kept,
    OperationSummary,
    Side,
    Surprise,
)

__all__ = ["MemoryCalls"]


class MemoryCalls:
    """One merchant's calls."""

    def __init__(self) -> None:
        self._kept: list[Kept] = []
        self._surprises: dict[tuple[str, str, str], Surprise] = {}
        self._number = 0

    # ── keeper ──────────────────────────────────────────────────────────────────────────────

    async def keep(self, calls: Sequence[CallRecord], surprises: Sequence[Surprise]) -> None:
        for call in calls:
            self._number += 1
            self._kept.append(Kept(number=self._number, call=call))
        for each in surprises:
            key = (each.operation, each.field, each.kind)
            known = self._surprises.get(key)
            self._surprises[key] = each if known is None else _added(known, each)

    async def expire(self, before: datetime, *, rows_max: int) -> int:
        old = [each for each in self._kept if each.call.attempted_at < before]
        old.sort(key=lambda each: (each.call.attempted_at, each.number))
        gone = {each.number for each in old[:rows_max]}
        self._kept = [each for each in self._kept if each.number not in gone]
        self._surprises = {
            key: each for key, each in self._surprises.items() if each.last_seen_at >= before
        }
        return len(gone)

    # ── queries ─────────────────────────────────────────────────────────────────────────────

    async def newest(self, asked: Asked, rows_max: int) -> Sequence[Kept]:
        return list(self._matching(asked))[-rows_max:]

    async def after(self, number: int, asked: Asked, rows_max: int) -> Sequence[Kept]:
        return [each for each in self._matching(asked) if each.number > number][:rows_max]

    async def summary(self, asked: Asked) -> Sequence[OperationSummary]:
        groups: dict[tuple[Side, str], list[CallRecord]] = defaultdict(list)
        for each in self._matching(asked):
            groups[each.call.side, each.call.operation].append(each.call)
        return [_summary(*key, calls) for key, calls in sorted(groups.items())]

    async def surprises(self) -> Sequence[Surprise]:
        return [self._surprises[key] for key in sorted(self._surprises)]

    def _matching(self, asked: Asked) -> Iterator[Kept]:
        for each in self._kept:
            call = each.call
            if (
                (asked.side is None or call.side == asked.side)
                and asked.operation in ("", call.operation)
                and (asked.outcome is None or call.outcome == asked.outcome)
                and (asked.since is None or call.attempted_at >= asked.since)
                and asked.subject in call.subject
            ):
                yield each


def _added(known: Surprise, more: Surprise) -> Surprise:
    return replace(
        known,
        count=known.count + more.count,
        first_seen_at=min(known.first_seen_at, more.first_seen_at),
        last_seen_at=max(known.last_seen_at, more.last_seen_at),
    )


def _summary(side: Side, operation: str, calls: list[CallRecord]) -> OperationSummary:
    took = sorted(call.took_ms for call in calls)
    return OperationSummary(
        side=side,
        operation=operation,
        calls=len(calls),
        errors=sum(call.outcome != CallOutcome.DONE for call in calls),
        took_ms_p50=_percentile(took, 50),
        took_ms_p95=_percentile(took, 95),
        bytes_sent=sum(call.bytes_sent for call in calls),
        bytes_received=sum(call.bytes_received for call in calls),
        lost=sum(call.lost_before for call in calls),
        last_at=max(call.attempted_at for call in calls),
    )


def _percentile(ordered: list[int], percent: int) -> int:
    """The least that so many percent do not exceed, as `percentile_disc` has it."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
