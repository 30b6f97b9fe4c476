"""The shop's metrics: ours by the log beside theirs, and told before a threshold is crossed."""

from decimal import Decimal

import msgspec
import pytest

from kcjl.dispatch.calendar_settings import metric_rules
from kcjl.dispatch.deadline_events import MetricRead, SellerMetricJudged, SellerMetricsRead
from kcjl.dispatch.metrics import (
    METRICS_JUDGED,
    ORDERS_COUNT,
    Metric,
    MetricShown,
    Rate,
    Tally,
    decide_metrics,
    metrics_shown,
)
from kcjl.dispatch.timing import Stage, TimedParcel, Timing
from kcjl.fold import Table
from kcjl.settings import MetricSettings
from tests.trade import SHIPPING, at, gbp

RULES = metric_rules(MetricSettings())
"""Late and cancelled: 5 %; approved 96 %, tracked 90 %; told at 80 % of the way; from 30 on."""
MONTH = "LAST_MONTH"


def order(**changes: object) -> Timing:
    shipped = TimedParcel(
        parcel_key="K", courier="DPD", units=1, tracked=True, stage=Stage.CONFIRMED
    )
    entry = Timing(
        order_id="O1",
        ordered_at=at(),
        ship_by=at(600),
        money=gbp(1_000),
        lines=2,
        skus=("A-1", "B-2"),
        state=SHIPPING,
        stage=Stage.CONFIRMED,
        accepted=True,
        parcels=(shipped,),
        confirmed_at=at(60),
    )
    return msgspec.structs.replace(entry, **changes)


def rates(*orders: Timing) -> dict[Metric, Rate]:
    tally = Tally(at(1_000))
    for each in orders:
        tally.count(each)
    return tally.rates()


def test_late_is_what_was_shipped_after_its_deadline_or_still_waits_past_it() -> None:
    """What will be late is told before it is shipped."""
    late = order(confirmed_at=at(601))
    overdue = order(stage=Stage.PICKING, confirmed_at=None)
    in_time = order(stage=Stage.PICKING, confirmed_at=None, ship_by=at(2_000))
    cancelled = order(stage=Stage.ENDED, confirmed_at=None)
    found = rates(order(), order(), late, overdue, in_time, cancelled)

    assert Rate(value=Decimal("0.5000"), counted=4) == found[Metric.LATE_SHIPMENT]


def test_cancelled_and_approved_are_counted_in_lines() -> None:
    """Of accepted lines; a refused line was not accepted."""
    part = order(refused=1)
    refused = order(state="REFUSED", stage=Stage.ENDED, accepted=False, refused=2)
    cancelled = order(state="CANCELED", stage=Stage.ENDED, cancelled=("O1-1", "O1-2"))
    found = rates(order(), part, refused, cancelled)

    assert Rate(value=Decimal("0.4000"), counted=5) == found[Metric.CANCELATION]
    assert Rate(value=Decimal("0.6250"), counted=8) == found[Metric.APPROVAL]


def test_order_is_tracked_when_each_of_its_parcels_has_a_number() -> None:
    """One without is not a tracked order; one that others shipped is not counted."""
    without = TimedParcel(parcel_key="L", courier="DPD", units=1, tracked=False)
    found = rates(order(), order(parcels=(*order().parcels, without)), order(parcels=()))

    assert Rate(value=Decimal("0.5000"), counted=2) == found[Metric.VALID_TRACKING]


def test_nothing_to_count_from_is_no_rate() -> None:
    """Neither 0 nor 1: not measured."""
    assert {Rate(value=None, counted=0)} == set(rates(order(stage=Stage.PASSED_OVER)).values())


def shown(
    metric: Metric,
    ours: str | None,
    *,
    counted: int = 100,
    theirs: str | None = None,
    orders: int | None = None,
) -> MetricShown:
    rate = Rate(value=None if ours is None else Decimal(ours), counted=counted)
    told = (
        MetricRead(
            metric=metric.value,
            period=MONTH,
            value=None if theirs is None else Decimal(theirs),
        ),
        MetricRead(
            metric=ORDERS_COUNT, period=MONTH, value=None if orders is None else Decimal(orders)
        ),
    )
    read = SellerMetricsRead(metrics=told, measured_at=None, occurred_at=at())
    (found,) = metrics_shown({MONTH: {metric: rate}}, read, RULES)
    return found


@pytest.mark.parametrize(
    ("metric", "ours", "standing"),
    [
        (Metric.LATE_SHIPMENT, "0", "fine"),
        (Metric.LATE_SHIPMENT, "0.0399", "fine"),
        (Metric.LATE_SHIPMENT, "0.04", "near"),
        (Metric.LATE_SHIPMENT, "0.05", "crossed"),
        (Metric.APPROVAL, "0.97", "fine"),
        (Metric.APPROVAL, "0.968", "near"),
        (Metric.APPROVAL, "0.96", "near"),
        (Metric.APPROVAL, "0.9599", "crossed"),
        (Metric.VALID_TRACKING, "1", "fine"),
        (Metric.VALID_TRACKING, "0.8999", "crossed"),
        (Metric.VALID_TRACKING, None, "fine"),
    ],
)
def test_metric_is_near_its_threshold_before_it_crosses_it(
    metric: Metric, ours: str | None, standing: str
) -> None:
    """The more the better, or the less the better: both are told in time."""
    assert standing == shown(metric, ours).standing


def test_worse_of_ours_and_theirs_is_judged() -> None:
    """They may count what we do not see, and we see what they count tomorrow."""
    assert "crossed" == shown(Metric.LATE_SHIPMENT, "0", theirs="0.06").standing
    assert "crossed" == shown(Metric.LATE_SHIPMENT, "0.06", theirs="0").standing


def test_rate_of_a_few_orders_is_shown_and_not_judged() -> None:
    """One late of three is no trend; theirs neither, where they say of how few."""
    few = shown(Metric.LATE_SHIPMENT, "0.3333", counted=3, theirs="0.3333", orders=3)

    assert ("fine", Decimal("0.3333")) == (few.standing, few.ours)
    assert "crossed" == shown(Metric.LATE_SHIPMENT, "0", counted=3, theirs="0.3").standing


def test_standing_is_said_when_it_changes() -> None:
    """Near, crossed, fine again: once each."""
    judged: Table[SellerMetricJudged] = Table(METRICS_JUDGED)
    said: list[str] = []
    for ours in ("0", "0.04", "0.045", "0.06", "0.06", "0", "0"):
        now = [shown(Metric.LATE_SHIPMENT, ours)]
        for event in decide_metrics(now, dict(judged.items()), at()):
            judged.apply(event)
            assert isinstance(event, SellerMetricJudged)
            said.append(event.standing)

    assert ["near", "crossed", "fine"] == said


@pytest.mark.parametrize(
    "wrong", [{"late_shipment_max": 5}, {"approval_min": 0}, {"orders_min": 0}]
)
def test_threshold_that_is_no_share_is_refused(wrong: dict[str, object]) -> None:
    """5 % is 0.05."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, MetricSettings)
