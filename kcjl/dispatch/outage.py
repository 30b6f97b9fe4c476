"""Whether the marketplace answers confirmations: one fact for all parcels, and its rules.

Promises: pure; that it does not is said when it begins, when it has lasted for so long that a
person is told, and once an hour while the count of what waits changes: one entry, not one a
parcel. That it answers again is said once.
A silence is kept with its end: the minutes of what waited for it were nobody's else.
Called by `confirming.py`, `minutes.py`. Source: design 8; law 8.
"""

from datetime import datetime, timedelta

import msgspec

from kcjl.dispatch.events import ConfirmationsResumed, ConfirmationsStopped
from kcjl.fold import Fold
from kcjl.vocabulary import Event

__all__ = [
    "ANSWERING",
    "ANSWERING_KEY",
    "SILENCES",
    "SILENCES_STREAM",
    "Answering",
    "Silence",
    "decide_resumed",
    "decide_stopped",
]

ANSWERING_KEY = "marketplace"
SILENCES_STREAM = "dispatch-confirmations"
SAID_AGAIN_EVERY = timedelta(hours=1)


class Answering(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the marketplace answers confirmations."""

    stopped_since: datetime | None = None
    """None: it answers."""
    told: bool = False
    said_at: datetime | None = None
    waiting: int = 0
    """Parcels that waited when it was last said."""
    resumed_at: datetime | None = None


def _keys(event: Event) -> tuple[str, ...]:
    heard = isinstance(event, ConfirmationsStopped | ConfirmationsResumed)
    return (ANSWERING_KEY,) if heard else ()


def _evolve(entry: Answering | None, event: Event, _key: str) -> Answering:
    answering = entry or Answering()
    match event:
        case ConfirmationsStopped():
            return msgspec.structs.replace(
                answering,
                stopped_since=event.since,
                told=event.told,
                said_at=event.occurred_at,
                waiting=event.waiting,
            )
        case ConfirmationsResumed():
            return Answering(resumed_at=event.occurred_at)
        case _:
            return answering


ANSWERING: Fold[Answering] = Fold(
    _keys, _evolve, Answering, hears=(ConfirmationsStopped, ConfirmationsResumed)
)


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """From when until when the marketplace answered no confirmation."""

    since: datetime
    until: datetime | None = None
    """None: it goes on."""


def _silence_keys(event: Event) -> tuple[str, ...]:
    if isinstance(event, ConfirmationsStopped | ConfirmationsResumed):
        return (event.since.isoformat(),)
    return ()


def _evolve_silence(entry: Silence | None, event: Event, _key: str) -> Silence | None:
    match event:
        case ConfirmationsStopped():
            return Silence(since=event.since)
        case ConfirmationsResumed():
            return Silence(since=event.since, until=event.occurred_at)
        case _:
            return entry


SILENCES: Fold[Silence] = Fold(
    _silence_keys,
    _evolve_silence,
    Silence,
    hears=(ConfirmationsStopped, ConfirmationsResumed),
)
"""By when it began; a silence is one small entry, however many parcels waited."""


def decide_stopped(
    known: Answering, *, message: str, waiting: int, told_after: timedelta, now: datetime
) -> tuple[Event, ...]:
    """It did not answer. `waiting`: parcels that wait for it now."""
    since = known.stopped_since or now
    told = now - since >= told_after
    if known.stopped_since is not None:
        again_at = (known.said_at or since) + SAID_AGAIN_EVERY
        news = waiting != known.waiting and now >= again_at
        if told == known.told and not (told and news):
            return ()
    return (
        ConfirmationsStopped(
            since=since, waiting=waiting, message=message, told=told, occurred_at=now
        ),
    )


def decide_resumed(known: Answering, now: datetime) -> tuple[Event, ...]:
    """It answers, or nothing waits for it."""
    if known.stopped_since is None:
        return ()
    return (ConfirmationsResumed(since=known.stopped_since, occurred_at=now),)
