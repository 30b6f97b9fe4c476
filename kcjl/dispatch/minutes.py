"""Whose minutes they were: an order's spans in elapsed and in business time, and a report.

Promises: pure; an order's spans add up to the time from ordered until confirmed (or until now);
what a parcel waited for confirmations while the marketplace was silent is the outage's, not
ours. Percentiles are of orders that are confirmed, by nearest rank, never interpolated.
It reads nothing. Called by `deadlines.py`, `kcjl dispatch show` and `kcjl dispatch report`.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from kcjl.dispatch.business_time import BusinessTime
from kcjl.dispatch.deadline_events import TimeSpent
from kcjl.dispatch.outage import Silence
from kcjl.dispatch.timing import FINAL, WHOSE, Stage, Timing, Whose

__all__ = [
    "Report",
    "Share",
    "Span",
    "cause_of",
    "in_words",
    "is_late",
    "report_of",
    "spans_of",
    "spent_by",
    "whose_now",
]

HALF, NINE_TENTHS = 0.5, 0.9


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """One stage of an order, and how long it took."""

    stage: Stage
    whose: Whose
    began: datetime
    ended: datetime | None
    """None: it goes on."""
    elapsed_s: int
    business_s: int


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """One stage, or one side, over many orders; seconds."""

    name: str
    orders: int
    """That were there at all."""
    median_business_s: int
    p90_business_s: int
    median_elapsed_s: int
    p90_elapsed_s: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The orders that were placed in a period."""

    orders: int
    confirmed: int
    waiting: int
    ended: int
    """Cancelled, refused, forgone, or never ours to send."""
    late: int
    """Confirmed after the marketplace's deadline, or past it and still waiting."""
    late_by_cause: dict[str, int]
    """By who had them longest."""
    whole: Share
    """From ordered to confirmed."""
    by_stage: tuple[Share, ...]
    by_whose: tuple[Share, ...]


def whose_now(timing: Timing, silences: Iterable[Silence]) -> Whose:
    """Who has it now."""
    if timing.stage == Stage.CONFIRMING and any(each.until is None for each in silences):
        return Whose.OUTAGE
    return WHOSE[timing.stage]


def spans_of(
    timing: Timing, business: BusinessTime, now: datetime, *, silences: Sequence[Silence] = ()
) -> tuple[Span, ...]:
    """The stages that took time, oldest first; the present one until now.

    `silences`: when the marketplace answered no confirmation, the earliest first.
    """
    spans: list[Span] = []
    began = timing.ordered_at
    for stage, ended in timing.spans:
        for whose, since, until in _parted(stage, began, ended, silences):
            spans.append(_span(stage, whose, (since, until), business, until))
        began = ended
    if timing.stage not in FINAL:
        *past, (whose, since, until) = _parted(timing.stage, began, now, silences) or [
            (whose_now(timing, silences), began, began)
        ]
        spans += [_span(timing.stage, w, (s, u), business, u) for w, s, u in past]
        spans.append(_span(timing.stage, whose, (since, until), business, None))
    return tuple(spans)


def _parted(
    stage: Stage, began: datetime, ended: datetime, silences: Sequence[Silence]
) -> list[tuple[Whose, datetime, datetime]]:
    """A stage's parts that took time: what was ours to confirm, but for the silences in it."""
    parts: list[tuple[Whose, datetime, datetime]] = []
    for silence in silences if stage == Stage.CONFIRMING else ():
        since, until = max(began, silence.since), min(ended, silence.until or ended)
        if since < until:
            parts += [(WHOSE[stage], began, since), (Whose.OUTAGE, since, until)]
            began = until
    parts.append((WHOSE[stage], began, ended))
    return [part for part in parts if part[1] < part[2]]


def _span(
    stage: Stage,
    whose: Whose,
    during: tuple[datetime, datetime],
    business: BusinessTime,
    ended: datetime | None,
) -> Span:
    began, until = during
    return Span(
        stage=stage,
        whose=whose,
        began=began,
        ended=ended,
        elapsed_s=round((until - began).total_seconds()),
        business_s=round(business.between(began, until).total_seconds()),
    )


def spent_by(spans: Iterable[Span]) -> tuple[TimeSpent, ...]:
    """How long it was whose, the longest in business time first."""
    business: Counter[str] = Counter()
    elapsed: Counter[str] = Counter()
    for span in spans:
        business[span.whose.value] += span.business_s
        elapsed[span.whose.value] += span.elapsed_s
    return tuple(
        TimeSpent(whose=whose, business_s=business[whose], elapsed_s=elapsed[whose])
        for whose in sorted(elapsed, key=lambda each: (-business[each], -elapsed[each], each))
    )


def cause_of(spent: Sequence[TimeSpent]) -> str:
    """Who had it longest; nobody where no time has passed."""
    return spent[0].whose if spent else ""


def is_late(timing: Timing, now: datetime) -> bool:
    """By the marketplace's deadline; of what has ended nothing is late."""
    if timing.ship_by is None or timing.stage in (Stage.ENDED, Stage.PASSED_OVER):
        return False
    return (timing.confirmed_at or now) > timing.ship_by


def report_of(
    timings: Iterable[Timing],
    business: BusinessTime,
    now: datetime,
    *,
    silences: Sequence[Silence] = (),
) -> Report:
    """The figures of these orders."""
    stages: Counter[Stage] = Counter()
    causes: Counter[str] = Counter()
    whole: list[tuple[int, int]] = []
    by_stage: dict[str, list[tuple[int, int]]] = {each.value: [] for each in WHOSE}
    by_whose: dict[str, list[tuple[int, int]]] = {each.value: [] for each in Whose}
    for timing in timings:
        stages[timing.stage] += 1
        late, confirmed = is_late(timing, now), timing.stage == Stage.CONFIRMED
        if not late and not confirmed:
            continue
        spans = spans_of(timing, business, now, silences=silences)
        spent = spent_by(spans)
        if late:
            causes[cause_of(spent)] += 1
        if not confirmed:
            continue
        for each in spent:
            by_whose[each.whose].append((each.business_s, each.elapsed_s))
        for stage, business_s, elapsed_s in _by_stage(spans):
            by_stage[stage].append((business_s, elapsed_s))
        whole.append((sum(e.business_s for e in spent), sum(e.elapsed_s for e in spent)))
    ended = stages[Stage.ENDED] + stages[Stage.PASSED_OVER]
    return Report(
        orders=stages.total(),
        confirmed=stages[Stage.CONFIRMED],
        waiting=stages.total() - stages[Stage.CONFIRMED] - ended,
        ended=ended,
        late=causes.total(),
        late_by_cause=dict(causes.most_common()),
        whole=_share("ordered to confirmed", whole),
        by_stage=tuple(_share(name, each) for name, each in by_stage.items() if each),
        by_whose=tuple(_share(name, each) for name, each in by_whose.items() if each),
    )


def _by_stage(spans: Iterable[Span]) -> list[tuple[str, int, int]]:
    """A stage that an order was at twice counts once, with both times."""
    business: Counter[str] = Counter()
    elapsed: Counter[str] = Counter()
    for span in spans:
        business[span.stage.value] += span.business_s
        elapsed[span.stage.value] += span.elapsed_s
    return [(stage, business[stage], elapsed[stage]) for stage in elapsed]


def _share(name: str, seconds: Sequence[tuple[int, int]]) -> Share:
    business = sorted(each for each, _ in seconds)
    elapsed = sorted(each for _, each in seconds)
    return Share(
        name=name,
        orders=len(seconds),
        median_business_s=_percentile(business, HALF),
        p90_business_s=_percentile(business, NINE_TENTHS),
        median_elapsed_s=_percentile(elapsed, HALF),
        p90_elapsed_s=_percentile(elapsed, NINE_TENTHS),
    )


def _percentile(ordered: Sequence[int], share: float) -> int:
    """The smallest that is not less than so large a share of them; 0 of nothing."""
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)] if ordered else 0


def in_words(span: timedelta | int) -> str:
    """A span for people: minutes, or hours and minutes.

    >>> in_words(45 * 60), in_words(3 * 3600 + 5 * 60)
    ('45 min', '3 h 05 min')
    """
    seconds = span if isinstance(span, int) else round(span.total_seconds())
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"
