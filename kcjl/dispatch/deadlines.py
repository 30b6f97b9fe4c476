"""Deadlines, the rules: which order is at risk, which is late, and what is said of it.

Promises: pure; of each order each of the two is said once, until it is over. Where more are at
risk (or late) than may be named, the others are counted in one event, which is said again when
the number has doubled or halved; nobody is left out of the count.
Invariant: late is by the marketplace's deadline; the merchant's own makes it at risk.
Called by `watching.py` and the CLI. Source: design 8, 10.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from kcjl.dispatch.business_time import BusinessTime
from kcjl.dispatch.deadline_events import (
    AT_RISK,
    DEADLINE_KINDS,
    LATE,
    DeadlineEased,
    DeadlineKind,
    DeadlinesCounted,
    DispatchAtRisk,
    DispatchLate,
)
from kcjl.dispatch.minutes import cause_of, spans_of, spent_by, whose_now
from kcjl.dispatch.outage import Silence
from kcjl.dispatch.timing import Stage, Timing, is_waiting
from kcjl.fold import Fold
from kcjl.money import Money
from kcjl.vocabulary import Event

__all__ = ["COUNTED", "DeadlineRules", "Standing", "decide_deadlines"]

EXAMPLES_MAX = 5
EASED = "its deadline has moved, or it waits for the marketplace"


class Standing(StrEnum):
    """How an order stands against its deadlines."""

    IN_TIME = "in_time"
    AT_RISK = "at_risk"
    LATE = "late"


class DeadlineRules:
    """When an order is at risk, and when it is late."""

    def __init__(self, business: BusinessTime, *, warn: timedelta, named_max: int) -> None:
        """`warn`: so much business time before the deadline an order is at risk."""
        self.business = business
        self.named_max = named_max
        self._warn = warn
        self._warned: dict[datetime, datetime] = {}
        """Deadlines come at the day's end: thousands of orders have the same."""

    def own_deadline(self, timing: Timing) -> datetime | None:
        """The merchant's own, by the cut-off; none before it could be posted."""
        ready_at = timing.ready_at
        return None if ready_at is None else self.business.goes_out_by(ready_at)

    def at_risk_from(self, timing: Timing) -> datetime | None:
        """From when on it is at risk; None: it has no deadline."""
        own, deadline = self.own_deadline(timing), timing.ship_by
        if deadline is None:
            return own
        if deadline not in self._warned:
            if len(self._warned) > DEADLINES_KEPT_MAX:
                self._warned.clear()
            self._warned[deadline] = self.business.before(deadline, self._warn)
        warned = self._warned[deadline]
        return warned if own is None else min(warned, own)

    def standing(self, timing: Timing, now: datetime) -> Standing:
        """How it stands now. What waits for the marketplace, or is done, is in time."""
        if not is_waiting(timing) or timing.stage == Stage.AT_MARKETPLACE:
            return Standing.IN_TIME
        if timing.ship_by is not None and now > timing.ship_by:
            return Standing.LATE
        risk = self.at_risk_from(timing)
        return Standing.AT_RISK if risk is not None and now >= risk else Standing.IN_TIME

    def next_change(self, timing: Timing, now: datetime) -> datetime | None:
        """When its standing will be another one, if nothing happens."""
        moments = (self.at_risk_from(timing), timing.ship_by)
        return min((each for each in moments if each is not None and each > now), default=None)


DEADLINES_KEPT_MAX = 4_000
_KIND_OF: Mapping[Standing, DeadlineKind] = {Standing.AT_RISK: AT_RISK, Standing.LATE: LATE}


def _counted_keys(event: Event) -> tuple[str, ...]:
    return (event.kind,) if isinstance(event, DeadlinesCounted) else ()


def _evolve_counted(
    _entry: DeadlinesCounted | None, event: Event, _key: str
) -> DeadlinesCounted | None:
    return event if isinstance(event, DeadlinesCounted) and event.orders else None


COUNTED: Fold[DeadlinesCounted] = Fold(
    _counted_keys, _evolve_counted, DeadlinesCounted, hears=(DeadlinesCounted,)
)
"""By kind: that so many are not all named."""


def decide_deadlines(
    waiting: Iterable[Timing],
    counted: Mapping[str, DeadlinesCounted],
    rules: DeadlineRules,
    now: datetime,
    *,
    silences: Sequence[Silence] = (),
) -> tuple[Event, ...]:
    """What is new about deadlines. `silences`: of the marketplace, the earliest first."""
    events: list[Event] = []
    due: dict[str, list[Timing]] = {kind: [] for kind in DEADLINE_KINDS}
    for timing in waiting:
        kind = _KIND_OF.get(rules.standing(timing, now))
        if kind is not None:
            due[kind].append(timing)
        if timing.said and kind not in {timing.said, LATE}:
            eased = DeadlineEased(order_id=timing.order_id, reason=EASED, occurred_at=now)
            events.append(eased)
    for kind in DEADLINE_KINDS:
        named, rest = _said_of(kind, due[kind], counted.get(kind), rules, now)
        events.extend(_named(kind, each, rules, now, silences) for each in named)
        events.extend(rest)
    return tuple(events)


def _said_of(
    kind: DeadlineKind,
    due: Sequence[Timing],
    counted: DeadlinesCounted | None,
    rules: DeadlineRules,
    now: datetime,
) -> tuple[Sequence[Timing], list[Event]]:
    """Those that are new are named while all can be; else, and until then, they are counted.

    (Which are named, what is said of the others.)
    """
    unnamed = sorted((each for each in due if each.said != kind), key=_soonest)
    room = rules.named_max - (len(due) - len(unnamed))
    named = unnamed if len(unnamed) <= room else unnamed[: 0 if counted else max(room, 0)]
    events: list[Event] = []
    rest = unnamed[len(named) :]
    if rest and _is_news(len(due), counted):
        events.append(_count(kind, due, rest, now))
    elif counted is not None and not rest:
        events.append(_count(kind, (), (), now))
    return named, events


def _is_news(orders: int, counted: DeadlinesCounted | None) -> bool:
    if counted is None:
        return True
    return orders >= 2 * counted.orders or 2 * orders <= counted.orders


def _soonest(timing: Timing) -> tuple[bool, datetime, str]:
    return (timing.ship_by is None, timing.ship_by or timing.ordered_at, timing.order_id)


def _named(
    kind: DeadlineKind,
    timing: Timing,
    rules: DeadlineRules,
    now: datetime,
    silences: Sequence[Silence],
) -> Event:
    spent = spent_by(spans_of(timing, rules.business, now, silences=silences))
    whose = whose_now(timing, silences).value
    if kind == LATE and timing.ship_by is not None:
        return DispatchLate(
            order_id=timing.order_id,
            deadline=timing.ship_by,
            stage=timing.stage.value,
            whose=whose,
            spent=spent,
            cause=cause_of(spent),
            money=timing.money,
            occurred_at=now,
        )
    return DispatchAtRisk(
        order_id=timing.order_id,
        deadline=timing.ship_by,
        own_deadline=rules.own_deadline(timing),
        stage=timing.stage.value,
        whose=whose,
        spent=spent,
        money=timing.money,
        occurred_at=now,
    )


def _count(
    kind: DeadlineKind, due: Sequence[Timing], rest: Sequence[Timing], now: datetime
) -> DeadlinesCounted:
    currencies = {each.money.currency for each in due}
    return DeadlinesCounted(
        kind=kind,
        orders=len(due),
        unnamed=len(rest),
        soonest=min((each.ship_by for each in due if each.ship_by), default=None),
        examples=tuple(each.order_id for each in rest[:EXAMPLES_MAX]),
        money=sum((each.money for each in due), Money(0, currencies.pop()))
        if len(currencies) == 1
        else None,
        occurred_at=now,
    )
