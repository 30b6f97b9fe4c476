"""When many exceptions of one kind are one storm: the rule, and what it is counted on.

Promises: pure. A storm folds what lists show and takes nothing away: each exception stays open
under its own id (law 3). It begins when, within the window, as many of a kind were raised as
the threshold says and that many are open; it ends when fewer than half of that are.
Invariant: a kind's tally counts what is on the desk: raised, less cleared and accepted.
Called by the desk and its projection. Source: design 10.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from kcjl.exceptions.desk_events import ExceptionAccepted, StormBegan, StormEnded, StormEvent
from kcjl.exceptions.events import DeskEvent, ExceptionCleared, ExceptionRaised
from kcjl.fold import Fold
from kcjl.vocabulary import Event

__all__ = ["TALLIES", "WINDOW_MINUTES_MAX", "Tally", "decide_storms"]

WINDOW_MINUTES_MAX = 60
"""So far back a tally knows when exceptions were raised."""
MINUTE_S = 60


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How many exceptions of one kind are on the desk, and how many came when."""

    open: int = 0
    minutes: tuple[tuple[int, int], ...] = ()
    """(minute since 1970, raised in it), oldest first."""
    storm_since: datetime | None = None

    def raised_within(self, minutes: int, at: datetime) -> int:
        first = _minute(at) - minutes
        return sum(raised for minute, raised in self.minutes if minute > first)


def _tally_keys(event: Event) -> tuple[str, ...]:
    if isinstance(event, ExceptionRaised | ExceptionCleared | ExceptionAccepted | StormEvent):
        return (event.kind,)
    return ()


def _evolve_tally(tally: Tally | None, event: Event, _key: str) -> Tally:
    tally = tally or Tally()
    match event:
        case ExceptionRaised() if not event.again:
            minutes = _and_one(tally.minutes, _minute(event.occurred_at))
            return msgspec.structs.replace(tally, open=tally.open + 1, minutes=minutes)
        case ExceptionAccepted():
            return msgspec.structs.replace(tally, open=max(tally.open - 1, 0))
        case ExceptionCleared() if not event.accepted:
            return msgspec.structs.replace(tally, open=max(tally.open - 1, 0))
        case StormBegan():
            return msgspec.structs.replace(tally, storm_since=event.occurred_at)
        case StormEnded():
            return msgspec.structs.replace(tally, storm_since=None)
        case _:
            return tally


def _and_one(minutes: tuple[tuple[int, int], ...], minute: int) -> tuple[tuple[int, int], ...]:
    """One more in that minute; what is older than any window goes."""
    counted = dict(minutes)
    counted[minute] = counted.get(minute, 0) + 1
    first = max(counted) - WINDOW_MINUTES_MAX
    return tuple(sorted(each for each in counted.items() if each[0] > first))


def _minute(at: datetime) -> int:
    return int(at.timestamp()) // MINUTE_S


TALLIES: Fold[Tally] = Fold(
    _tally_keys,
    _evolve_tally,
    Tally,
    hears=(ExceptionRaised, ExceptionCleared, ExceptionAccepted, StormBegan, StormEnded),
)
"""By kind."""


def decide_storms(
    said: Iterable[Event],
    tally_of: Callable[[str], Tally | None],
    *,
    threshold: int,
    window_minutes: int,
    at: datetime,
) -> tuple[Event, ...]:
    """Which storms begin or end with what the desk says now."""
    tallies: dict[str, Tally] = {}
    for event in said:
        if isinstance(event, DeskEvent):
            before = tallies.get(event.kind) or tally_of(event.kind)
            tallies[event.kind] = _evolve_tally(before, event, event.kind)
    events: list[Event] = []
    for kind, tally in tallies.items():
        raised = tally.raised_within(window_minutes, at)
        if tally.storm_since is not None:
            if tally.open * 2 < threshold:
                events.append(StormEnded(kind=kind, exceptions=tally.open, occurred_at=at))
        elif min(raised, tally.open) >= threshold:
            events.append(
                StormBegan(
                    kind=kind,
                    exceptions=tally.open,
                    raised=raised,
                    window_minutes=window_minutes,
                    occurred_at=at,
                )
            )
    return tuple(events)
