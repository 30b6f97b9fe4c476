"""The log after the kills, against what its writers were told: each fault in one line.

What was acknowledged is there, where it was said to be, in order, once; what was refused is
not; nothing is there that nobody tried; batches are whole; who followed saw each event once and
in order. Called by `rounds.py`, and tried on made-up faults by test_chaos.py.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import msgspec

from tests.chaos.marks import Marked, Told

__all__ = ["Found", "judge"]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """An event of the log, as far as it is judged."""

    position: int
    event: Marked


def judge(log: Sequence[Found], told: Told, followed: Sequence[int]) -> list[str]:
    """All faults; none is what is hoped for."""
    return [
        *_positions(log),
        *_batches(log, told),
        *_order(log),
        *_following(log, followed),
    ]


def _positions(log: Sequence[Found]) -> Iterator[str]:
    for expected, found in enumerate(log, start=1):
        if found.position != expected:
            yield f"position {expected}: {found.position} stands there"
            return


def _batches(log: Sequence[Found], told: Told) -> Iterator[str]:
    batches: dict[int, list[Found]] = defaultdict(list)
    for found in log:
        batches[found.event.mark].append(found)
    for mark, batch in batches.items():
        parts = [found.event.part for found in batch]
        positions = [found.position for found in batch]
        if parts != list(range(batch[0].event.parts)):
            yield f"batch {mark}: parts {parts} of {batch[0].event.parts} at {positions}"
        elif positions != list(range(positions[0], positions[0] + len(positions))):
            yield f"batch {mark}: torn over {positions}"
        if mark in told.refused:
            yield f"batch {mark}: refused, and found at {positions}"
        if mark not in told.tried:
            yield f"batch {mark}: found at {positions}, and nobody tried it"
    for mark, positions_told in told.kept.items():
        there = tuple(found.position for found in batches.get(mark, ()))
        if not there:
            yield f"batch {mark}: acknowledged at {positions_told}, and lost"
        elif there != positions_told:
            yield f"batch {mark}: acknowledged at {positions_told}, and found at {there}"


def _order(log: Sequence[Found]) -> Iterator[str]:
    latest: dict[int, int] = {}
    writer = 0
    for found in log:
        event = found.event
        if event.writer < writer:
            yield f"position {found.position}: of writer {event.writer}, after {writer}"
        writer = max(writer, event.writer)
        if event.mark < latest.get(event.appender, 0):
            yield f"position {found.position}: batch {event.mark} is out of order"
        latest[event.appender] = max(event.mark, latest.get(event.appender, 0))


def _following(log: Sequence[Found], followed: Sequence[int]) -> Iterator[str]:
    there = [found.position for found in log]
    if there != list(followed):
        wrong = next(
            (n for n, (a, b) in enumerate(zip(there, followed, strict=False)) if a != b),
            min(len(there), len(followed)),
        )
        yield (
            f"a follower saw {len(followed)} events of {len(there)}; the first that differs "
            f"is its number {wrong + 1}"
        )
