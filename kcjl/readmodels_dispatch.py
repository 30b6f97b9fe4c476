"""What people look at of dispatch: parcels on their way to be confirmed, and whose time it was.

Promises: an order that has no parcel yet is one row; a list that is cut says how long it really
is; what is late is judged by the time of the answer. It changes nothing.
Called by the CLI and by the monitor's screens; answered by `projections/dispatchview.py`.
"""

from datetime import datetime
from decimal import Decimal
from typing import Protocol

import msgspec

from kcjl.money import Money
from kcjl.readmodels import Freshness
from kcjl.readmodels_orders import LifeEvent

__all__ = [
    "DeadlineHour",
    "DispatchList",
    "DispatchReading",
    "DispatchStory",
    "MetricTold",
    "ParcelRow",
    "ParcelTold",
    "SpanTold",
    "TimeTold",
]


class ParcelRow(msgspec.Struct, frozen=True, kw_only=True):
    """One parcel in one line; an order without one is a line as well."""

    key: str
    """Order, and the parcel behind a slash."""
    order_id: str
    parcel_key: str
    """Invoice and box; empty: nothing was shipped of it."""
    state: str
    """Of the parcel; of an order without one, its stage."""
    stage: str
    """Of the order."""
    whose: str
    standing: str
    """late, at_risk or in_time."""
    deadline: datetime | None
    own_deadline: datetime | None
    since: datetime
    """In this stage."""
    courier: str
    carrier: str
    number: str
    attempts: int
    message: str
    """The last answer, of what was refused."""
    skus: tuple[str, ...]
    total: Money


class DeadlineHour(msgspec.Struct, frozen=True, kw_only=True):
    """An hour ahead, and how many unconfirmed orders have their deadline in it."""

    at: datetime
    orders: int


class MetricTold(msgspec.Struct, frozen=True, kw_only=True):
    """One of the shop's metrics as the marketplace told it last, and our threshold."""

    metric: str
    period: str
    theirs: Decimal | None
    threshold: Decimal | None


class DispatchList(msgspec.Struct, frozen=True, kw_only=True):
    """Orders that are not confirmed, soonest deadline first; then the last confirmed ones."""

    rows: tuple[ParcelRow, ...]
    orders: int
    """Orders that these rows are of."""
    total: int
    """Orders there are; where some were looked for, those that were found."""
    open: int
    """Not confirmed, and not ended."""
    late: int
    """Past the marketplace's deadline, whole."""
    found_in: str
    """What was looked for; empty: nothing."""
    searched: int
    """Waiting orders that were looked through, since it is in no id; 0: all ids were."""
    hours: tuple[DeadlineHour, ...]
    metrics: tuple[MetricTold, ...]
    metrics_read_at: datetime | None
    silent_since: datetime | None
    """The marketplace answers no confirmation since then."""
    fresh: Freshness


class SpanTold(msgspec.Struct, frozen=True, kw_only=True):
    """One stage of an order, and how long it took."""

    stage: str
    whose: str
    began: datetime
    ended: datetime | None
    """None: it goes on."""
    elapsed_s: int
    business_s: int


class TimeTold(msgspec.Struct, frozen=True, kw_only=True):
    """How long an order was somebody's."""

    whose: str
    business_s: int
    elapsed_s: int


class ParcelTold(msgspec.Struct, frozen=True, kw_only=True):
    parcel_key: str
    state: str
    number_state: str
    """Of a confirmed one: told, changed, refused or given_up."""
    courier: str
    carrier: str
    number: str
    number_told: str | None
    attempts: int
    message: str
    shipment_id: str
    items: tuple[tuple[str, int], ...]
    """(stock code, units)."""


class DispatchStory(msgspec.Struct, frozen=True, kw_only=True):
    """One order's time, its parcels, and what was said to each attempt."""

    order_id: str
    stage: str
    marketplace_state: str
    standing: str
    ordered_at: datetime
    ready_at: datetime | None
    confirmed_at: datetime | None
    deadline: datetime | None
    own_deadline: datetime | None
    erp_order_code: str
    total: Money
    spans: tuple[SpanTold, ...]
    spent: tuple[TimeTold, ...]
    parcels: tuple[ParcelTold, ...]
    events: tuple[LifeEvent, ...]
    cut: bool


class DispatchReading(Protocol):
    """What can be asked of dispatch."""

    async def list(self, *, find: str = "", limit: int = 1_000) -> DispatchList:
        """`limit`: of orders. `find`: a part of an order id, of any order there is."""
        ...

    async def story(self, order_id: str) -> DispatchStory | None: ...

    async def carriers(self) -> tuple[tuple[str, str], ...]:
        """(code, label) of the carriers that the marketplace lists."""
        ...
