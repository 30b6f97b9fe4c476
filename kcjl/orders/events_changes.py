"""What can happen to an order after intake, line by line, and what the ERP lacks.

Promises: amounts by line, codes and counts; words of customers and addresses stay outside. Each
cancelation, refund and return is said once by its id; a correction is due until the ERP shows
it or a person says that it is done. Streams: order-<order id>;
orders-returns.
"""

from datetime import datetime
from typing import Final, Literal

import msgspec

from kcjl.money import Money
from kcjl.orders.events import OrderEvent
from kcjl.vocabulary import Event

__all__ = [
    "REDUCE",
    "REFUND",
    "RETURN",
    "CorrectionDone",
    "CorrectionDue",
    "CorrectionKind",
    "IncidentClosed",
    "IncidentOpened",
    "LineCancelled",
    "LineRefunded",
    "LineRefused",
    "LineWithdrawn",
    "RefundSettled",
    "ReturnClosed",
    "ReturnHandedOver",
    "ReturnOpened",
    "ReturnReceived",
    "ReturnedLine",
    "ReturnsRead",
]

CorrectionKind = Literal["sales_order_to_reduce", "refund_to_enter", "return_to_book"]
REDUCE: Final = "sales_order_to_reduce"
REFUND: Final = "refund_to_enter"
RETURN: Final = "return_to_book"


class LineEvent(OrderEvent, frozen=True, kw_only=True):
    """Base of what happens to one line."""

    line_id: str
    sku: str


class LineRefused(LineEvent, frozen=True, kw_only=True):
    """The line was refused: it will not be supplied. Occurred at the marketplace's update."""

    units: int
    money: Money


class LineCancelled(LineEvent, frozen=True, kw_only=True):
    """Units or all of a line were cancelled before the customer paid for them."""

    cancelation_id: str
    """Empty: the marketplace shows the line as cancelled, and lists no cancelation."""
    units: int | None
    """None: an amount only."""
    amount: Money
    shipping_amount: Money
    reason_code: str


class LineWithdrawn(LineEvent, frozen=True, kw_only=True):
    """These units will not be posted: cancelled or refunded before the ERP had the order."""

    units: int
    amount: Money
    shipping_amount: Money


class LineRefunded(LineEvent, frozen=True, kw_only=True):
    """The customer gets money back for a line, by whoever's word."""

    refund_id: str
    units: int | None
    """Informative only; it does not drive the amount."""
    amount: Money
    shipping_amount: Money
    state: str
    reason_code: str
    whole: bool
    """Nothing of the line is left to refund."""


class RefundSettled(OrderEvent, frozen=True, kw_only=True):
    """A refund has been paid to the customer."""

    refund_id: str


class IncidentOpened(LineEvent, frozen=True, kw_only=True):
    """Customer or operator complain about a line; its money may be held meanwhile."""

    money: Money
    reason_code: str


class IncidentClosed(LineEvent, frozen=True, kw_only=True):
    """The complaint about a line is over."""

    state: str
    """What the line is now."""


class ReturnedLine(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    line_id: str
    sku: str
    quantity: int
    reason_code: str


class ReturnEvent(OrderEvent, frozen=True, kw_only=True):
    """Base of what happens to one return."""

    return_id: str


class ReturnOpened(ReturnEvent, frozen=True, kw_only=True):
    """Goods are to come back. It moves no money: a refund does."""

    state: str
    rma: str
    lines: tuple[ReturnedLine, ...]
    money: Money
    """What was paid for the units that are to come back."""


class ReturnReceived(ReturnEvent, frozen=True, kw_only=True):
    """The marketplace was told that the goods have come back."""


class ReturnClosed(ReturnEvent, frozen=True, kw_only=True):
    """The return is over: closed, refused, cancelled, or the goods never came."""

    state: str


class ReturnsRead(Event, frozen=True, kw_only=True):
    """A read of returns ended. Occurred when it began."""

    cursor: datetime
    read: int

    @property
    def stream(self) -> str:
        return "orders-returns"


class CorrectionDue(OrderEvent, frozen=True, kw_only=True):
    """The ERP has to be put right by a person: there is no call for it."""

    task: str
    """Names it within the order; said again with other figures, it is the same task."""
    kind: CorrectionKind
    reference: str
    erp_order_code: str
    line_id: str
    stock_code: str
    units_posted: int
    units_wanted: int
    money: Money
    steps: str
    """What to do, in the words of who has to do it."""


class CorrectionDone(OrderEvent, frozen=True, kw_only=True):
    """A correction needs nothing more: the ERP shows it, a person said so, or it is moot."""

    task: str
    kind: CorrectionKind
    seen: str
    """What showed it, or the person's words."""
    moot: bool = False
    """Nobody has done it: nothing was to be corrected any more. It is asked for again as soon
    as something is."""


class ReturnHandedOver(OrderEvent, frozen=True, kw_only=True):
    """A return that is to be booked can be fetched by the ERP, which tells nothing back."""

    task: str
    """Of the correction that asked for it."""
    return_ref: str
    erp_order_code: str
    reason: str
    """The ERP's return reason, which decides what happens to the stock."""
    money: Money
