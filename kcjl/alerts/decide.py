"""Who is to be told of what now: the rules.

Promises: pure. An exception is told once in each of its lives to each owner over each channel,
and once more for each time of escalation that passes; what is parked, accepted or cleared is
not told. A storm is told once, for all of its kind, until it is over. What waits goes as one
message: what does not fit (`TOLD_MAX`) goes with the next one, nothing is left out.
Invariant: no exception is told of over the channel whose failing it is about.
Called by `actor.py` and the digest's preview. Source: design 10.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec

from kcjl.alerts.events import AlertIntended, AlertSent, KindCount, Named, Told
from kcjl.alerts.plan import Plan
from kcjl.alerts.state import STORM_ID, Episode, Failing, RouteState, StormTold, route_of
from kcjl.exceptions.service_events import ServiceKind
from kcjl.money import Money, total_by_currency

__all__ = [
    "CHANNEL_DOWN",
    "NAMED_MAX",
    "TOLD_MAX",
    "Waiting",
    "decide_alert",
    "decide_digest",
    "decide_repeat",
    "digest_day",
    "may_try",
    "of_digest",
    "waiting",
]

CHANNEL_DOWN: ServiceKind = "alert_channel_down"
NAMED_MAX = 25
"""Exceptions that a message names; the others are counted by kind."""
TOLD_MAX = 1_000
"""Exceptions that one message is about: an event holds all their ids."""
DIGEST_LATE_MAX = timedelta(hours=6)
"""A digest that could not go by then is left out: the next one says all that is open."""
TRY_FIRST = timedelta(minutes=1)
TRY_MAX = timedelta(minutes=30)
NO_DEADLINE = datetime(9999, 1, 1, tzinfo=UTC)


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """Something that an owner has not been told yet."""

    named: Named
    told: Told
    """What is known as told once the message has gone."""


# ── what waits ──────────────────────────────────────────────────────────────────────────────


def waiting(
    plan: Plan,
    episodes: Iterable[tuple[str, Episode]],
    storms: Mapping[str, StormTold],
    now: datetime,
) -> dict[tuple[str, str], list[Waiting]]:
    """All that is to be told now, by (channel, owner), the most urgent first."""
    found: dict[tuple[str, str], list[Waiting]] = {}
    in_storms: dict[str, list[Episode]] = {}
    for exception_id, episode in episodes:
        if episode.parked or episode.accepted or not plan.is_told_at_once(episode.severity):
            continue
        storm = storms.get(STORM_ID + episode.kind)
        if storm is not None and storm.ended_at is None:
            in_storms.setdefault(episode.kind, []).append(episode)
            continue
        step = plan.step(episode.opened_at, episode.deadline, now)
        told = Told(exception_id=exception_id, opened_at=episode.opened_at, step=step)
        for channel, owner in _told_to(plan, episode.owner, step):
            route = route_of(channel, owner)
            if _is_of_channel(episode, channel) or step <= _step_told(episode, storm, route):
                continue
            each = Waiting(named=_named(episode, step), told=told)
            found.setdefault((channel, owner), []).append(each)
    for kind, inside in in_storms.items():
        _add_storm(plan, kind, inside, storms[STORM_ID + kind], now, found)
    for several in found.values():
        several.sort(key=lambda each: _urgency(plan, each.named))
    return found


def _told_to(plan: Plan, owner: str, step: int) -> list[tuple[str, str]]:
    """(channel, owner) of everybody who is to know."""
    names = [plan.name_of(owner)]
    if step and plan.escalate_to:
        names.append(plan.name_of(plan.escalate_to))
    return [
        (channel, name)
        for name in dict.fromkeys(names)
        for channel in plan.channels_of.get(name, ())
    ]


def _is_of_channel(episode: Episode, channel: str) -> bool:
    return episode.kind == CHANNEL_DOWN and episode.subject.partition("/")[0] == channel


def _step_told(episode: Episode, storm: StormTold | None, route: str) -> int:
    """The highest step that was told on this way; -1: none."""
    own = episode.told.get(route, -1)
    if storm is None or storm.ended_at is None or storm.ended_at < episode.opened_at:
        return own
    return max(own, 0) if route in storm.told else own


def _add_storm(
    plan: Plan,
    kind: str,
    inside: Sequence[Episode],
    storm: StormTold,
    now: datetime,
    found: dict[tuple[str, str], list[Waiting]],
) -> None:
    deadline = min((each.deadline for each in inside if each.deadline), default=None)
    step = plan.step(storm.began_at, deadline, now)
    owners = dict.fromkeys(each.owner for each in inside)
    told = Told(exception_id=STORM_ID + kind, opened_at=storm.began_at, step=step)
    named = Named(
        kind=kind,
        subject="",
        severity=min((each.severity for each in inside), key=plan.rank),
        owner=", ".join(owners),
        step=step,
        exceptions=len(inside),
        money_at_risk=_money(inside),
        deadline=deadline,
    )
    for way in dict.fromkeys(way for owner in owners for way in _told_to(plan, owner, step)):
        if step > storm.told.get(route_of(*way), -1):
            found.setdefault(way, []).append(Waiting(named=named, told=told))


def _named(episode: Episode, step: int) -> Named:
    return Named(
        kind=episode.kind,
        subject=episode.subject,
        severity=episode.severity,
        owner=episode.owner,
        step=step,
        money_at_risk=_money([episode]),
        deadline=episode.deadline,
    )


def _money(episodes: Sequence[Episode]) -> tuple[Money, ...]:
    return total_by_currency(
        each.money_at_risk for each in episodes if each.money_at_risk is not None
    )


def _urgency(plan: Plan, named: Named) -> tuple[datetime, int, int, str, str]:
    """As the desk sorts: deadline, severity, money."""
    money = max((each.amount_minor for each in named.money_at_risk), default=0)
    deadline = named.deadline or NO_DEADLINE
    return deadline, plan.rank(named.severity), -money, named.kind, named.subject


# ── what is sent ────────────────────────────────────────────────────────────────────────────


def may_try(failing: Failing | None, now: datetime) -> bool:
    """Whether the pause after the last failure is over; it doubles with each."""
    if failing is None:
        return True
    pause = min(TRY_FIRST * (1 << min(failing.tries - 1, 10)), TRY_MAX)
    return now >= failing.tried_at + max(pause, timedelta(seconds=failing.rest_s))


def decide_alert(
    plan: Plan,
    way: tuple[str, str],
    state: RouteState,
    told: Sequence[Waiting],
    *,
    since: datetime,
    alert_id: str,
    now: datetime,
) -> AlertIntended | None:
    """The message about what waits, if it is time. `since`: when the first of it was seen."""
    if state.open is not None or now < since + plan.gather:
        return None
    if plan.is_quiet(now):
        told = [each for each in told if each.named.severity in plan.breaks_quiet]
    if not told:
        return None
    is_critical = any(plan.rank(each.named.severity) == 0 for each in told)
    if state.sent_at is not None and now < state.sent_at + plan.pause and not is_critical:
        return None
    about = told[:TOLD_MAX]
    channel, owner = way
    return AlertIntended(
        channel=channel,
        owner=owner,
        alert_id=alert_id,
        purpose="alert",
        written_at=now,
        named=tuple(each.named for each in about[:NAMED_MAX]),
        others=_counted(each.named for each in about[NAMED_MAX:]),
        told=tuple(each.told for each in about),
        occurred_at=now,
    )


def _counted(several: Iterable[Named]) -> tuple[KindCount, ...]:
    counts: Counter[str] = Counter()
    for each in several:
        counts[each.kind] += each.exceptions
    return tuple(KindCount(kind=kind, exceptions=count) for kind, count in counts.most_common())


def decide_repeat(state: RouteState, now: datetime) -> AlertIntended | AlertSent | None:
    """What becomes of a message whose answer was lost: sent once more, then taken for sent."""
    meant = state.open
    if meant is None or not state.answered:
        return None
    if state.lost > 1:
        return AlertSent(
            channel=meant.channel,
            owner=meant.owner,
            alert_id=meant.alert_id,
            purpose=meant.purpose,
            certain=False,
            told=meant.told,
            day=meant.day,
            occurred_at=now,
        )
    return msgspec.structs.replace(meant, attempt=2, occurred_at=now)


# ── the digest ──────────────────────────────────────────────────────────────────────────────


def of_digest(
    plan: Plan, owner: str, episodes: Iterable[Episode], before: datetime | None
) -> list[Named]:
    """What an owner has on the desk, of any severity, the most urgent first.

    `before`: what came later is left to the next list; None: nothing is.
    """
    mine = [
        _named(each, 0)
        for each in episodes
        if not each.parked
        and not each.accepted
        and (before is None or each.on_list_since <= before)
        and plan.name_of(each.owner) == owner
    ]
    return sorted(mine, key=lambda each: _urgency(plan, each))


def decide_digest(
    way: tuple[str, str],
    state: RouteState,
    listed: Sequence[Named],
    day: date | None,
    *,
    alert_id: str,
    now: datetime,
) -> AlertIntended | None:
    """An owner's list as a message; none where nothing is open.

    `day`: London's; None where a person has asked for it.
    """
    if state.open is not None or not listed:
        return None
    channel, owner = way
    return AlertIntended(
        channel=channel,
        owner=owner,
        alert_id=alert_id,
        purpose="digest",
        written_at=now,
        named=tuple(listed[:NAMED_MAX]),
        others=_counted(listed[NAMED_MAX:]),
        day=day,
        occurred_at=now,
    )


def digest_day(plan: Plan, state: RouteState, now: datetime) -> tuple[date, datetime] | None:
    """The day whose digest is due on a way and has not gone: (day, its moment)."""
    due = plan.digest_due(now)
    if due is None or now - due[1] > DIGEST_LATE_MAX:
        return None
    return due if state.digest_day is None or state.digest_day < due[0] else None
