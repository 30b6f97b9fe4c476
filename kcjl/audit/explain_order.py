"""Why an order is late, or is not: each wait of its life, whose it was, and the longest.

Promises: pure; waits follow one another without a gap; the cause is who had it longest in
working time, as the dispatch room's own deadlines have it.
Called by `explain_reading.py`.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from kcjl.audit.explain import clock
from kcjl.dispatch.business_time import BusinessTime
from kcjl.dispatch.minutes import Span, cause_of, in_words, is_late, spans_of, spent_by
from kcjl.dispatch.outage import Silence
from kcjl.dispatch.timing import FINAL, Stage, Timing
from kcjl.readmodels_orders import OrderStory

__all__ = ["order_answer"]

FOR = {
    "marketplace": "the customer or the marketplace",
    "us": "kcjl",
    "outage": "nobody: the marketplace answered no confirmation",
    "warehouse": "the warehouse",
    "person": "a person",
}


def order_answer(
    story: OrderStory,
    timing: Timing | None,
    business: BusinessTime,
    silences: Sequence[Silence],
    now: datetime,
) -> tuple[str, ...]:
    """The first sentence says whether it is late, and why."""
    if timing is None:
        return (f"Order {story.order_id} is {story.standing}; no time of it is kept.",)
    spans = spans_of(timing, business, now, silences=silences)
    return (*_first(story, timing, spans, now), *map(_waited, spans), *_held(story))


def _first(
    story: OrderStory, timing: Timing, spans: Sequence[Span], now: datetime
) -> Iterator[str]:
    spent = spent_by(spans)
    cause = cause_of(spent)
    longest = max(spans, key=lambda each: (each.business_s, each.elapsed_s), default=None)
    yield f"Order {story.order_id} {_stands(timing, now)}"
    if longest is not None and cause:
        share = next(each for each in spent if each.whose == cause)
        what = "cause" if is_late(timing, now) else "longest wait"
        yield (
            f"The {what} is the time with {FOR[cause]}: {in_words(share.business_s)} of "
            f"working time, {in_words(share.elapsed_s)} in all. The longest single wait was "
            f"{_named(longest.stage)}: {in_words(longest.elapsed_s)}, with "
            f"{FOR[longest.whose.value]}."
        )


def _stands(timing: Timing, now: datetime) -> str:
    stage = _named(timing.stage)
    if timing.ship_by is None:
        return f"is at stage {stage}; the marketplace names no deadline."
    due = f"due {clock(timing.ship_by)}"
    if timing.stage in FINAL and timing.confirmed_at is None:
        return f"is over ({stage}), and not late: nothing of it is sent any more ({due})."
    if timing.confirmed_at is not None:
        off = timing.confirmed_at - timing.ship_by
        late = f"LATE by {in_words(off)}" if off.total_seconds() > 0 else "in time"
        early = "" if off.total_seconds() > 0 else f", {in_words(-off)} before"
        return f"was confirmed {clock(timing.confirmed_at)}, {late}{early} ({due})."
    if is_late(timing, now):
        late = in_words(now - timing.ship_by)
        return f"is LATE by {late}: it is still at stage {stage} ({due})."
    left = in_words(timing.ship_by - now)
    return f"is not late: it is at stage {stage}, with {left} left ({due})."


def _waited(span: Span) -> str:
    until = "and still does" if span.ended is None else f"until {clock(span.ended)}"
    return (
        f"Stage {_named(span.stage)}: it waited for {FOR[span.whose.value]} from "
        f"{clock(span.began)} {until}: {in_words(span.elapsed_s)}, of which "
        f"{in_words(span.business_s)} working time."
    )


def _held(story: OrderStory) -> Iterator[str]:
    if story.held:
        rule = f", by rule {story.rule!r}" if story.rule else ""
        version = f" of policy version {story.policy_version}" if story.policy_version else ""
        yield f"It is held: {story.held}{rule}{version}."


def _named(stage: Stage) -> str:
    return f"'{stage.value.replace('_', ' ')}'"
