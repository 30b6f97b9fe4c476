"""Working days, deadlines and thresholds as the settings say, bank holidays out of a library.

Promises: the bank holidays of the part of the United Kingdom that the settings name, of any
year, substitute days with them; what the settings close is closed as well. No rules here.
Called by the dispatch room and the CLI.
"""

from collections.abc import Callable
from datetime import date, time, timedelta
from decimal import Decimal

from kcjl.dispatch.business_time import BusinessTime
from kcjl.dispatch.deadlines import DeadlineRules
from kcjl.dispatch.metrics import Metric, MetricRules
from kcjl.settings import WEEKDAYS, DeadlineSettings, MetricSettings

__all__ = ["business_time", "deadline_rules", "metric_rules"]


def business_time(settings: DeadlineSettings) -> BusinessTime:
    """Business time as the settings say."""
    return BusinessTime(
        working_days=[WEEKDAYS.index(day) for day in settings.working_days],
        opens=time.fromisoformat(settings.opens_at),
        closes=time.fromisoformat(settings.closes_at),
        cut_off=time.fromisoformat(settings.cut_off) if settings.cut_off else None,
        is_closed=_closed(settings),
    )


def _closed(settings: DeadlineSettings) -> Callable[[date], bool]:
    """Whether it is closed on a day, whatever day of the week it is."""
    closed_on = frozenset(date.fromisoformat(day) for day in settings.closed_on)
    if settings.bank_holidays == "none":
        return lambda day: day in closed_on
    import holidays  # it takes a tenth of a second: not for verbs that need no calendar

    known = holidays.country_holidays("GB", subdiv=settings.bank_holidays)
    return lambda day: day in closed_on or day in known


def deadline_rules(settings: DeadlineSettings) -> DeadlineRules:
    """When an order is at risk, and how many are named."""
    return DeadlineRules(
        business_time(settings),
        warn=timedelta(hours=settings.warn_hours),
        named_max=settings.named_max,
    )


def metric_rules(settings: MetricSettings) -> MetricRules:
    """From where on the shop's metrics are bad."""
    thresholds = {
        Metric.LATE_SHIPMENT: settings.late_shipment_max,
        Metric.CANCELATION: settings.cancelation_max,
        Metric.APPROVAL: settings.approval_min,
        Metric.VALID_TRACKING: settings.valid_tracking_min,
    }
    return MetricRules(
        thresholds={each.value: Decimal(str(share)) for each, share in thresholds.items()},
        near_share=Decimal(str(settings.near_share)),
        orders_min=settings.orders_min,
    )
