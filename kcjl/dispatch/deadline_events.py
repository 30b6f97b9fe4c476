"""What can happen to an order's time (staged, at risk, late), and to the shop's metrics.

Promises: codes, times, counts and money; nothing of the buyer.
Streams: deadline-<order id>; dispatch-deadlines; seller-metrics.
"""

from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

import msgspec

from kcjl.money import Money
from kcjl.vocabulary import Event

__all__ = [
    "AT_RISK",
    "DEADLINE_KINDS",
    "LATE",
    "DeadlineEased",
    "DeadlineKind",
    "DeadlinesCounted",
    "DispatchAtRisk",
    "DispatchLate",
    "MetricRead",
    "MetricStanding",
    "SalesOrderStaged",
    "SellerMetricJudged",
    "SellerMetricsRead",
    "StageInErp",
    "TimeSpent",
]

DeadlineKind = Literal["dispatch_at_risk", "dispatch_late"]
AT_RISK: Final = "dispatch_at_risk"
LATE: Final = "dispatch_late"
DEADLINE_KINDS: tuple[DeadlineKind, ...] = (AT_RISK, LATE)
StageInErp = Literal["on_hold", "in_warehouse", "accepted"]
MetricStanding = Literal["fine", "near", "crossed"]


class TimeSpent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How long an order was somebody's."""

    whose: str
    business_s: int
    elapsed_s: int


class DeadlineEvent(Event, frozen=True, kw_only=True):
    """Base of what is said of one order's time."""

    order_id: str

    @property
    def stream(self) -> str:
        return f"deadline-{self.order_id}"


class SalesOrderStaged(DeadlineEvent, frozen=True, kw_only=True):
    """The ERP shows the invoices at another stage. Occurred when the read began."""

    stage: StageInErp
    """Of the invoice that is the least far; on_hold: a person has to let it go on there."""
    named: str
    """The ERP's own name of it."""


class DispatchAtRisk(DeadlineEvent, frozen=True, kw_only=True):
    """The deadline is near, or the merchant's own has passed, and it is not confirmed yet."""

    deadline: datetime | None
    """The marketplace's."""
    own_deadline: datetime | None
    """The merchant's own, by the cut-off, where there is one."""
    stage: str
    whose: str
    """Who has it now."""
    spent: tuple[TimeSpent, ...]
    money: Money


class DispatchLate(DeadlineEvent, frozen=True, kw_only=True):
    """The marketplace's deadline has passed, and it is not confirmed yet."""

    deadline: datetime
    stage: str
    whose: str
    spent: tuple[TimeSpent, ...]
    cause: str
    """Who had it longest, in business time."""
    money: Money


class DeadlineEased(DeadlineEvent, frozen=True, kw_only=True):
    """It is not at risk, or late, any more, though not confirmed: the deadline has moved."""

    reason: str


class DeadlinesCounted(Event, frozen=True, kw_only=True):
    """So many orders are at risk, or late, that they are not all named one by one.

    Said again when their number has doubled or halved; with 0 of them when all are named again.
    """

    kind: DeadlineKind
    orders: int
    """All of them, the named ones too."""
    unnamed: int
    soonest: datetime | None
    """The first deadline among them."""
    examples: tuple[str, ...]
    money: Money | None

    @property
    def stream(self) -> str:
        return "dispatch-deadlines"


class MetricsEvent(Event, frozen=True, kw_only=True):
    """Base of what is said of the shop's metrics."""

    @property
    def stream(self) -> str:
        return "seller-metrics"


class MetricRead(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One metric of one period, as the marketplace tells it; None: not measured."""

    metric: str
    period: str
    value: Decimal | None


class SellerMetricsRead(MetricsEvent, frozen=True, kw_only=True):
    """How the operator measures the shop (A21). Occurred when it was read."""

    metrics: tuple[MetricRead, ...]
    measured_at: datetime | None
    """The marketplace's own time of the metrics."""


class SellerMetricJudged(MetricsEvent, frozen=True, kw_only=True):
    """A metric has come near its threshold, has crossed it, or is fine again."""

    metric: str
    period: str
    standing: MetricStanding
    ours: Decimal | None
    """As the log gives it; None: nothing to count from."""
    theirs: Decimal | None
    threshold: Decimal
    counted: int
    """What ours was counted from."""
