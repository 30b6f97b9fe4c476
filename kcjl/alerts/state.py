"""What is known of whom was told what: exceptions, storms, ways to owners, channels.

Promises: pure. An entry of `EPISODES` is one life of an exception on the desk: cleared it is
gone, raised again it is a new one that nobody was told of. What a message was about counts as
told when the channel has taken it, and only of the life that it spoke of.
Called by `actor.py`.
"""

from datetime import date, datetime

import msgspec

from kcjl.alerts.events import (
    AlertEvent,
    AlertFailed,
    AlertIntended,
    AlertSent,
    AlertUnknown,
    Told,
)
from kcjl.exceptions import desk_events as desk
from kcjl.exceptions.events import DeskEvent, ExceptionCleared, ExceptionRaised
from kcjl.fold import Fold
from kcjl.money import Money
from kcjl.vocabulary import Event

__all__ = [
    "CHANNELS",
    "EPISODES",
    "ROUTES",
    "STORMS",
    "STORM_ID",
    "Episode",
    "Failing",
    "RouteState",
    "StormTold",
    "route_of",
]

STORM_ID = "storm:"
"""Before the kind: what stands for all of a kind, as lists have it."""


def route_of(channel: str, owner: str) -> str:
    """One way to one owner."""
    return f"{channel}/{owner}"


# ── exceptions ──────────────────────────────────────────────────────────────────────────────


class Episode(msgspec.Struct, frozen=True, kw_only=True):
    """An exception since it came onto the desk."""

    kind: str
    subject: str
    severity: str
    owner: str
    assigned: bool = False
    """By a person: a rule does not take it away."""
    money_at_risk: Money | None = None
    deadline: datetime | None = None
    opened_at: datetime
    on_list_since: datetime
    """Since when it has been on its owner's list without a break."""
    parked: bool = False
    accepted: bool = False
    told: dict[str, int] = {}
    """By route: the highest step that was told."""


def _episode_keys(event: Event) -> tuple[str, ...]:
    if isinstance(event, AlertSent):
        return _told_ids(event, storms=False)
    return (event.exception_id,) if isinstance(event, DESK_HEARD) else ()


def _told_ids(event: AlertSent, *, storms: bool) -> tuple[str, ...]:
    ids = (each.exception_id for each in event.told)
    return tuple(each for each in ids if each.startswith(STORM_ID) == storms)


def _evolve_episode(entry: Episode | None, event: Event, key: str) -> Episode | None:
    if isinstance(event, ExceptionRaised):
        return _opened(event) if entry is None or entry.accepted else _again(entry, event)
    if entry is None or isinstance(event, ExceptionCleared):
        return None
    at, replace = event.occurred_at, msgspec.structs.replace
    match event:
        case desk.ExceptionAssigned():
            return replace(entry, owner=event.owner, assigned=True, on_list_since=at)
        case desk.ExceptionParked():
            return replace(entry, parked=True)
        case desk.ExceptionUnparked():
            return replace(entry, parked=False, on_list_since=at)
        case desk.ExceptionAccepted():
            return replace(entry, parked=False, accepted=True)
        case AlertSent():
            step = _step_told(event, key, entry.opened_at)
            return (
                entry if step is None else replace(entry, told=_with(entry.told, event, step))
            )
        case _:
            return entry


DESK_HEARD: tuple[type[DeskEvent], ...] = (
    ExceptionRaised,
    ExceptionCleared,
    desk.ExceptionAssigned,
    desk.ExceptionParked,
    desk.ExceptionUnparked,
    desk.ExceptionAccepted,
)


def _opened(event: ExceptionRaised) -> Episode:
    return Episode(
        kind=event.kind,
        subject=event.subject,
        severity=event.severity,
        owner=event.owner,
        money_at_risk=event.money_at_risk,
        deadline=event.deadline,
        opened_at=event.occurred_at,
        on_list_since=event.occurred_at,
    )


def _again(entry: Episode, event: ExceptionRaised) -> Episode:
    """The same exception; something is new about it."""
    return msgspec.structs.replace(
        entry,
        severity=event.severity,
        owner=entry.owner if entry.assigned else event.owner,
        money_at_risk=event.money_at_risk,
        deadline=event.deadline,
    )


def _step_told(event: AlertSent, key: str, opened_at: datetime) -> int | None:
    """Of this life; None: the message spoke of an earlier one."""
    steps = (each.step for each in event.told if _is_of(each, key, opened_at))
    return max(steps, default=None)


def _is_of(told: Told, key: str, opened_at: datetime) -> bool:
    return told.exception_id == key and told.opened_at == opened_at


def _with(told: dict[str, int], event: AlertSent, step: int) -> dict[str, int]:
    route = route_of(event.channel, event.owner)
    return {**told, route: max(step, told.get(route, 0))}


EPISODES: Fold[Episode] = Fold(
    _episode_keys, _evolve_episode, Episode, hears=(*DESK_HEARD, AlertSent)
)
"""By exception id; parked and accepted ones too."""


# ── storms ──────────────────────────────────────────────────────────────────────────────────


class StormTold(msgspec.Struct, frozen=True, kw_only=True):
    """A kind's newest storm. It stays when it is over: what it was about was told by it."""

    began_at: datetime
    ended_at: datetime | None = None
    told: dict[str, int] = {}


def _storm_keys(event: Event) -> tuple[str, ...]:
    if isinstance(event, desk.StormBegan | desk.StormEnded):
        return (STORM_ID + event.kind,)
    return _told_ids(event, storms=True) if isinstance(event, AlertSent) else ()


def _evolve_storm(entry: StormTold | None, event: Event, key: str) -> StormTold | None:
    if isinstance(event, desk.StormBegan):
        return StormTold(began_at=event.occurred_at)
    if entry is None:
        return None
    if isinstance(event, AlertSent):
        step = _step_told(event, key, entry.began_at)
        told = entry.told if step is None else _with(entry.told, event, step)
        return msgspec.structs.replace(entry, told=told)
    return msgspec.structs.replace(entry, ended_at=event.occurred_at)


STORMS: Fold[StormTold] = Fold(
    _storm_keys,
    _evolve_storm,
    StormTold,
    hears=(desk.StormBegan, desk.StormEnded, AlertSent),
)
"""By storm:<kind>."""


# ── the ways ────────────────────────────────────────────────────────────────────────────────


class RouteState(msgspec.Struct, frozen=True, kw_only=True):
    """One way to one owner: what is under way on it, and what was last taken."""

    open: AlertIntended | None = None
    lost: int = 0
    """Answers to the open one that were lost."""
    answered: bool = True
    """False: it was meant, and nothing has been said of it since."""
    sent_at: datetime | None = None
    """When the newest alert was taken."""
    digest_day: date | None = None


def _route_keys(event: Event) -> tuple[str, ...]:
    return (route_of(event.channel, event.owner),) if isinstance(event, AlertEvent) else ()


def _evolve_route(entry: RouteState | None, event: Event, _key: str) -> RouteState | None:
    entry, replace = entry or RouteState(), msgspec.structs.replace
    match event:
        case AlertIntended():
            lost = 0 if event.attempt == 1 else entry.lost
            return replace(entry, open=event, lost=lost, answered=False)
        case AlertUnknown():
            return replace(entry, lost=entry.lost + 1, answered=True)
        case AlertFailed() if entry.lost:
            return replace(entry, answered=True)  # the first one may have arrived
        case AlertFailed():
            return replace(entry, open=None, answered=True)
        case AlertSent(purpose="digest"):
            day = event.day or entry.digest_day
            return replace(entry, open=None, lost=0, answered=True, digest_day=day)
        case AlertSent():
            return replace(entry, open=None, lost=0, answered=True, sent_at=event.occurred_at)
        case _:
            return entry


ROUTES: Fold[RouteState] = Fold(_route_keys, _evolve_route, RouteState, hears=(AlertEvent,))
"""By <channel>/<owner>."""


class Failing(msgspec.Struct, frozen=True, kw_only=True):
    """A channel, or a way to an owner, whose last tries failed."""

    tries: int
    tried_at: datetime
    rest_s: int = 0
    """That the other side has asked for."""


def _failing_keys(event: Event) -> tuple[str, ...]:
    match event:
        case AlertFailed(scope="owner"):
            return (route_of(event.channel, event.owner),)
        case AlertFailed() | AlertUnknown():
            return (event.channel,)
        case AlertSent():
            return (event.channel, route_of(event.channel, event.owner))
        case _:
            return ()


def _evolve_failing(entry: Failing | None, event: Event, _key: str) -> Failing | None:
    if isinstance(event, AlertSent):
        return None if event.certain else entry
    tries = 1 if entry is None else entry.tries + 1
    rest_s = event.retry_after_s if isinstance(event, AlertFailed) else 0
    return Failing(tries=tries, tried_at=event.occurred_at, rest_s=rest_s)


CHANNELS: Fold[Failing] = Fold(
    _failing_keys, _evolve_failing, Failing, hears=(AlertFailed, AlertSent, AlertUnknown)
)
"""By channel, and by <channel>/<owner>: what does not work."""
