"""Deadlines: who is at risk, who is late, said once, and counted where they are too many."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from kcjl.dispatch.calendar_settings import business_time, deadline_rules
from kcjl.dispatch.deadline_events import (
    AT_RISK,
    LATE,
    DeadlineEased,
    DeadlinesCounted,
    DispatchAtRisk,
    DispatchLate,
)
from kcjl.dispatch.deadlines import COUNTED, Standing, decide_deadlines
from kcjl.dispatch.minutes import cause_of, is_late, report_of, spans_of, spent_by
from kcjl.dispatch.outage import Silence
from kcjl.dispatch.timekeeping import TIMINGS
from kcjl.dispatch.timing import Stage, Timing
from kcjl.fold import Table
from kcjl.settings import DeadlineSettings
from kcjl.vocabulary import Event
from tests.trade import SHIPPING, gbp

SETTINGS = DeadlineSettings(warn_hours=4, named_max=3)
RULES = deadline_rules(SETTINGS)
MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
TUESDAY_NIGHT = datetime(2026, 11, 24, 23, 59, 59, tzinfo=UTC)
HOUR = timedelta(hours=1)


def waiting(
    order_id: str = "O1",
    *,
    ship_by: datetime | None = TUESDAY_NIGHT,
    ready_at: datetime | None = MONDAY,
    stage: Stage = Stage.PICKING,
    said: str = "",
) -> Timing:
    return Timing(
        order_id=order_id,
        ordered_at=MONDAY,
        ship_by=ship_by,
        money=gbp(1_000),
        lines=1,
        skus=("A-1",),
        state=SHIPPING,
        stage=stage,
        ready_at=ready_at,
        said=said,
    )


def tuesday(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 24, hour, minute, tzinfo=UTC)


class Watched:
    """Orders that wait, and what has been said of them."""

    def __init__(self, *timings: Timing) -> None:
        self.timings = {each.order_id: each for each in timings}
        self.counted: Table[DeadlinesCounted] = Table(COUNTED)

    def look(self, now: datetime) -> tuple[Event, ...]:
        said = decide_deadlines(
            list(self.timings.values()), dict(self.counted.items()), RULES, now
        )
        for event in said:
            self.counted.apply(event)
            for key in TIMINGS.keys(event):
                entry = TIMINGS.evolve(self.timings[key], event, key)
                assert entry is not None
                self.timings[key] = entry
        return said

    def names(self, now: datetime) -> list[str]:
        return [type(event).__name__ for event in self.look(now)]


@pytest.mark.parametrize(
    ("now", "standing"),
    [
        (tuesday(13, 59), Standing.IN_TIME),
        (tuesday(14), Standing.AT_RISK),  # four business hours before closing
        (TUESDAY_NIGHT, Standing.AT_RISK),
        (TUESDAY_NIGHT + timedelta(seconds=1), Standing.LATE),
    ],
)
def test_order_is_at_risk_four_business_hours_before_its_deadline(
    now: datetime, standing: Standing
) -> None:
    """The night before a deadline helps nobody."""
    assert standing == RULES.standing(waiting(), now)


def test_deadline_on_a_sunday_is_at_risk_on_friday() -> None:
    """What is not done on Friday afternoon is not done by Sunday."""
    sunday = waiting(ship_by=datetime(2026, 11, 29, 23, 59, tzinfo=UTC))

    assert datetime(2026, 11, 27, 14, tzinfo=UTC) == RULES.at_risk_from(sunday)


def test_own_cut_off_makes_an_order_at_risk_before_the_marketplaces_deadline() -> None:
    """Ready by the cut-off and not gone at the day's end: early enough to mend it."""
    rules = deadline_rules(DeadlineSettings(cut_off="14:00"))
    far = waiting(ship_by=TUESDAY_NIGHT + timedelta(days=5))

    assert Standing.IN_TIME == rules.standing(far, MONDAY + 8 * HOUR)
    assert Standing.AT_RISK == rules.standing(far, MONDAY + 9 * HOUR)
    assert Standing.IN_TIME == RULES.standing(far, MONDAY + 9 * HOUR)


@pytest.mark.parametrize("stage", [Stage.CONFIRMED, Stage.ENDED, Stage.AT_MARKETPLACE])
def test_what_is_done_or_waits_for_payment_is_not_late(stage: Stage) -> None:
    """Nobody can send it, or nobody has to."""
    assert Standing.IN_TIME == RULES.standing(waiting(stage=stage), TUESDAY_NIGHT + HOUR)


def test_order_without_a_deadline_is_never_late() -> None:
    """None is made up."""
    assert Standing.IN_TIME == RULES.standing(waiting(ship_by=None), TUESDAY_NIGHT + 99 * HOUR)


def test_at_risk_and_late_are_said_once_each() -> None:
    """Not at each look."""
    watched = Watched(waiting())

    assert ["DispatchAtRisk"] == watched.names(tuesday(14))
    assert [] == watched.names(tuesday(15))
    assert ["DispatchLate"] == watched.names(TUESDAY_NIGHT + HOUR)
    assert [] == watched.names(TUESDAY_NIGHT + 2 * HOUR)


def test_late_order_says_whose_time_it_was() -> None:
    """The stage it is at, and who had it longest."""
    spans = ((Stage.HELD, MONDAY + 8 * HOUR), (Stage.POSTING, MONDAY + 9 * HOUR))
    held = msgspec.structs.replace(waiting(), spans=spans)
    (late,) = Watched(held).look(TUESDAY_NIGHT + HOUR)

    assert isinstance(late, DispatchLate)
    assert ("picking", "warehouse", "warehouse") == (late.stage, late.whose, late.cause)
    assert {"person": 8 * 3600, "us": 3600, "warehouse": 10 * 3600} == {
        each.whose: each.business_s for each in late.spent
    }


def test_deadline_that_moves_away_eases_the_order() -> None:
    """The marketplace gives more time: it is not at risk any more."""
    watched = Watched(waiting())
    watched.look(tuesday(14))
    later = TUESDAY_NIGHT + timedelta(days=7)
    watched.timings["O1"] = msgspec.structs.replace(watched.timings["O1"], ship_by=later)

    (eased,) = watched.look(tuesday(15))
    assert isinstance(eased, DeadlineEased)
    assert [] == watched.names(tuesday(16))


def test_many_at_risk_are_named_up_to_the_limit_and_counted_beyond_it() -> None:
    """No storm of exceptions, and nobody left out of the count; the soonest are named."""
    many = [
        waiting(f"O{n:03}", ship_by=TUESDAY_NIGHT - n * timedelta(minutes=1)) for n in range(9)
    ]
    *named, counted = Watched(*many).look(tuesday(15))

    assert ["O008", "O007", "O006"] == [
        e.order_id for e in named if isinstance(e, DispatchAtRisk)
    ]
    assert isinstance(counted, DeadlinesCounted)
    assert (AT_RISK, 9, 6) == (counted.kind, counted.orders, counted.unnamed)
    assert ("O005", "O004", "O003", "O002", "O001") == counted.examples
    assert gbp(9_000) == counted.money


def test_count_is_said_again_when_it_has_doubled_or_halved_and_when_it_is_over() -> None:
    """Between, nothing; and nobody is named anew while they are many."""
    watched = Watched(*(waiting(f"O{n:03}") for n in range(10)))
    watched.look(tuesday(15))
    gone: list[int] = []
    for left in range(9, -1, -1):
        del watched.timings[f"O{left:03}"]
        for event in watched.look(tuesday(16)):
            assert isinstance(event, DeadlinesCounted)
            gone.append(event.orders)

    assert [5, 0] == gone


def test_late_ones_are_counted_apart_from_those_at_risk() -> None:
    """Two conditions, two counts."""
    soon = [waiting(f"R{n}") for n in range(5)]
    late = [waiting(f"L{n}", ship_by=tuesday(9)) for n in range(5)]
    said = Watched(*soon, *late).look(tuesday(15))

    counts = [event.kind for event in said if isinstance(event, DeadlinesCounted)]
    assert [AT_RISK, LATE] == counts


def test_next_change_is_when_it_comes_at_risk_and_then_when_it_is_late() -> None:
    """So long nobody has to look."""
    assert tuesday(14) == RULES.next_change(waiting(), MONDAY)
    assert TUESDAY_NIGHT == RULES.next_change(waiting(), tuesday(15))
    assert RULES.next_change(waiting(), TUESDAY_NIGHT) is None


# ── whose minutes ───────────────────────────────────────────────────────────────────────────

BUSINESS = business_time(SETTINGS)


def done(order_id: str, hours: float, *, ship_by: datetime = TUESDAY_NIGHT) -> Timing:
    """Posted after an hour, then so many hours in the warehouse, then confirmed at once."""
    shipped_at = MONDAY + HOUR + hours * HOUR
    return msgspec.structs.replace(
        waiting(order_id, ship_by=ship_by, stage=Stage.CONFIRMED),
        spans=((Stage.POSTING, MONDAY + HOUR), (Stage.PICKING, shipped_at)),
        confirmed_at=shipped_at,
    )


def test_spans_add_up_to_the_time_from_ordered_to_confirmed() -> None:
    """No minute is lost, and none is counted twice."""
    spans = spans_of(done("O1", 30), BUSINESS, TUESDAY_NIGHT)

    assert 31 * 3600 == sum(each.elapsed_s for each in spans)
    business = BUSINESS.between(MONDAY, MONDAY + 31 * HOUR)
    assert business.total_seconds() == sum(each.business_s for each in spans)


def test_open_span_lasts_until_now() -> None:
    """What goes on is counted, and has no end."""
    (span,) = spans_of(waiting(), BUSINESS, MONDAY + 2 * HOUR)

    assert (None, 7_200) == (span.ended, span.elapsed_s)


def test_cause_is_who_had_it_longest_in_business_time() -> None:
    """A weekend on the shelf is not the warehouse's fault."""
    friday = datetime(2026, 11, 27, 16, tzinfo=UTC)
    order = msgspec.structs.replace(
        waiting(stage=Stage.CONFIRMED),
        ordered_at=friday,
        spans=(
            (Stage.PICKING, datetime(2026, 11, 30, 8, tzinfo=UTC)),
            (Stage.HELD, datetime(2026, 11, 30, 12, tzinfo=UTC)),
        ),
    )

    assert "person" == cause_of(spent_by(spans_of(order, BUSINESS, TUESDAY_NIGHT)))


def silence(since_h: float, until_h: float | None) -> Silence:
    until = None if until_h is None else MONDAY + until_h * HOUR
    return Silence(since=MONDAY + since_h * HOUR, until=until)


def confirming(**changes: object) -> Timing:
    """Shipped an hour after it was ordered, and not confirmed yet."""
    entry = msgspec.structs.replace(
        waiting(stage=Stage.CONFIRMING), spans=((Stage.PICKING, MONDAY + HOUR),)
    )
    return msgspec.structs.replace(entry, **changes)


def test_what_waits_for_a_silent_marketplace_is_the_outages_and_nobody_elses() -> None:
    """Cut out of our minutes to the second, and of no other stage's; all of it adds up."""
    silences = (silence(0.5, 0.75), silence(2, 5), silence(6, None))
    spans = spans_of(confirming(), BUSINESS, MONDAY + 7 * HOUR, silences=silences)

    assert [("warehouse", 1), ("us", 1), ("outage", 3), ("us", 1), ("outage", 1)] == [
        (each.whose.value, each.elapsed_s / 3600) for each in spans
    ]
    assert [None] == [each.ended for each in spans if each is spans[-1]]
    assert "outage" == cause_of(spent_by(spans))


def test_order_that_is_late_for_a_silent_marketplace_says_so() -> None:
    """The cause is the outage, and it is who has it now."""
    late = confirming(ship_by=MONDAY + 2 * HOUR)
    (said,) = decide_deadlines(
        [late], {}, RULES, MONDAY + 6 * HOUR, silences=(silence(1, None),)
    )

    assert isinstance(said, DispatchLate)
    assert ("outage", "outage") == (said.whose, said.cause)


def test_report_counts_the_outage_as_a_party() -> None:
    """Confirmed after five hours of which four were silence."""
    order = confirming(
        stage=Stage.CONFIRMED,
        spans=((Stage.PICKING, MONDAY + HOUR), (Stage.CONFIRMING, MONDAY + 6 * HOUR)),
        confirmed_at=MONDAY + 6 * HOUR,
        ship_by=MONDAY + 2 * HOUR,
    )
    report = report_of([order], BUSINESS, TUESDAY_NIGHT, silences=(silence(2, 6),))

    assert {"outage": 1} == report.late_by_cause
    assert {"us": 3_600, "warehouse": 3_600, "outage": 4 * 3_600} == {
        each.name: each.median_elapsed_s for each in report.by_whose
    }


def test_report_has_median_p90_and_late_by_cause() -> None:
    """Ten confirmed, one of them late; one that waits and is late; one that was cancelled."""
    timings = [done(f"O{n}", n) for n in range(1, 10)]
    timings += [
        done("O10", 30, ship_by=MONDAY + 2 * HOUR),
        waiting("W", ship_by=MONDAY + HOUR, stage=Stage.HELD),
        waiting("C", stage=Stage.ENDED),
    ]
    report = report_of(timings, BUSINESS, MONDAY + 40 * HOUR)
    picking = next(each for each in report.by_stage if each.name == "picking")

    assert (12, 10, 1, 1) == (report.orders, report.confirmed, report.waiting, report.ended)
    assert {"warehouse": 1, "person": 1} == report.late_by_cause
    assert 2 == report.late
    assert (10, 5 * 3600, 9 * 3600) == (
        picking.orders,
        picking.median_elapsed_s,
        picking.p90_elapsed_s,
    )
    assert 6 * 3600 == report.whole.median_elapsed_s


def test_report_of_nothing_is_nothing() -> None:
    """No percentile is made up."""
    report = report_of([], BUSINESS, MONDAY)

    assert (0, 0, 0, ()) == (report.orders, report.late, report.whole.orders, report.by_stage)


def test_confirmed_on_the_deadline_is_in_time() -> None:
    """Late is after it."""
    on_time = done("O1", 1, ship_by=MONDAY + 2 * HOUR)

    assert not is_late(on_time, TUESDAY_NIGHT)
    assert is_late(msgspec.structs.replace(on_time, ship_by=MONDAY), TUESDAY_NIGHT)
