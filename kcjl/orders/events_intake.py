"""What can happen to intake as a whole: it catches up, both sides are counted, gaps are found.

Promises: figures and references only, no personal data. A gap is found once and closed once.
Stream: orders-intake; orders-count; order-gap-<order id or reference>.
"""

from datetime import datetime
from typing import Final, Literal

import msgspec

from kcjl.money import Money
from kcjl.orders.events import OrderEvent
from kcjl.vocabulary import Event

__all__ = [
    "GAP_KINDS",
    "NO_MARKETPLACE_ORDER",
    "NO_SALES_ORDER",
    "UNACCOUNTED",
    "GapKind",
    "OrderGapClosed",
    "OrderGapFound",
    "OrderNotRead",
    "OrderReadAgain",
    "OrdersCaughtUp",
    "OrdersCounted",
    "OrdersExportAsked",
    "OrdersNotExported",
    "SideCounted",
]

GapKind = Literal["order_without_sales_order", "sales_order_without_order", "order_unaccounted"]
NO_SALES_ORDER: Final = "order_without_sales_order"
NO_MARKETPLACE_ORDER: Final = "sales_order_without_order"
UNACCOUNTED: Final = "order_unaccounted"
GAP_KINDS: tuple[GapKind, ...] = (NO_SALES_ORDER, NO_MARKETPLACE_ORDER, UNACCOUNTED)


class OrdersCaughtUp(Event, frozen=True, kw_only=True):
    """After a long time without a read, orders came as one export. Occurred when it began."""

    since: datetime
    until: datetime
    """Orders updated up to then are in it; what changed later comes with the next read."""
    read: int

    @property
    def stream(self) -> str:
        return "orders-intake"


class OrdersExportAsked(Event, frozen=True, kw_only=True):
    """The marketplace makes an export of orders to catch up with: a restart goes on with it.

    Occurred when it was asked for; `OrdersCaughtUp` or `OrdersNotExported` ends it.
    """

    since: datetime
    until: datetime
    name: str
    """What was asked for."""
    operation: str
    tracking_id: str
    """The marketplace's number for it."""

    @property
    def stream(self) -> str:
        return "orders-intake"


class OrdersNotExported(Event, frozen=True, kw_only=True):
    """The export that was to catch up did not come: the orders are read page by page."""

    since: datetime
    message: str

    @property
    def stream(self) -> str:
        return "orders-intake"


class OrderNotRead(OrderEvent, frozen=True, kw_only=True):
    """The marketplace shows an order in a form that is not understood: it is not taken.

    It is asked for with every read. Of what it holds nothing is offered anew meanwhile.
    """

    skus: tuple[str, ...]
    message: str
    """Which field, never what stood there."""


class OrderReadAgain(OrderEvent, frozen=True, kw_only=True):
    """An order that could not be read can be, or the marketplace shows it no more."""


class SideCounted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How many, and what they are worth; an order whose amount is not known counts 0."""

    orders: int
    money: Money


class OrdersCounted(Event, frozen=True, kw_only=True):
    """Orders and sales orders were counted against each other. Occurred when it began."""

    since: datetime
    """Orders that the marketplace updated since then were asked for, and older open ones."""
    at_marketplace: int
    """Orders that the marketplace named."""
    missed: int
    """Of those: orders that intake had not seen until now; they are taken now."""
    needing: SideCounted
    """Orders in a state that needs a sales order."""
    with_sales_order: SideCounted
    waiting: SideCounted
    """Without one, and on their way."""
    told: SideCounted
    """Without one, and an exception says so."""
    without: SideCounted
    """Without one, and nobody had been told: each is a gap now."""
    sales_orders_listed: int | None
    """Sales orders that the ERP listed of its own; None: it can't list them."""
    foreign: int
    """Of those: from another source, so none of ours."""
    unsourced: int
    """Of those: unknown to us, and the ERP does not say their source."""
    without_order: SideCounted
    """Sales orders of ours that no marketplace order stands for: each is a gap now."""
    unaccounted: SideCounted
    """Orders that are neither final, nor waiting, nor excepted (law 3)."""
    by: str
    not_asked: int = 0
    """Posted orders that the marketplace did not name, and is asked for by the next count."""
    """What asked for it: daily, or the person."""

    @property
    def stream(self) -> str:
        return "orders-count"

    @property
    def gaps(self) -> int:
        return self.without.orders + self.without_order.orders + self.unaccounted.orders


class GapEvent(Event, frozen=True, kw_only=True):
    """Base of the events of one gap; `subject` is the order id, or the reference."""

    kind: GapKind
    subject: str

    @property
    def stream(self) -> str:
        return f"order-gap-{self.subject}"


class OrderGapFound(GapEvent, frozen=True, kw_only=True):
    """The count found an order on one side only, or one that nobody waits for."""

    reference: str
    message: str
    money: Money | None
    deadline: datetime | None = None


class OrderGapClosed(GapEvent, frozen=True, kw_only=True):
    """The gap is gone."""

    reason: str
