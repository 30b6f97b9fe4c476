"""What can happen to a marketplace order, from first sight to the ERP's number on it.

Promises: no personal data (law 7): the delivery address is a reference into the vault.
Stream: order-<order id>; what intake did: orders-intake.
"""

from datetime import datetime

import msgspec

from kcjl.money import Money
from kcjl.vocabulary import Event

__all__ = [
    "AcceptanceConfirmed",
    "AcceptanceIntended",
    "AcceptanceRefused",
    "AcceptanceUnknown",
    "CancelledAfterPosting",
    "DeliveryAddressSealed",
    "LineOrdered",
    "LineStanding",
    "OrderChanged",
    "OrderHeld",
    "OrderPassedOver",
    "OrderReceived",
    "OrderReleased",
    "OrdersRead",
    "PostedLine",
    "PostingApproved",
    "PostingFetched",
    "PostingIntended",
    "PostingOverdue",
    "PostingQueued",
    "PostingRefused",
    "PostingUnknown",
    "ReferenceWriteFailed",
    "ReferenceWriteIntended",
    "ReferenceWritten",
    "SalesOrderForgone",
    "SalesOrderFoundAgain",
    "SalesOrderMissing",
    "SalesOrderPosted",
    "SalesOrderVanished",
    "SkuSuggestion",
]


class OrderEvent(Event, frozen=True, kw_only=True):
    """Base of the events of one order."""

    order_id: str

    @property
    def stream(self) -> str:
        return f"order-{self.order_id}"


class LineOrdered(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A line as the customer pays it: `price` is its total with taxes, without shipping;
    `shipping_price` has the customer's fees in it.
    """

    line_id: str
    sku: str
    title: str
    category_code: str
    quantity: int
    unit_price: Money
    price: Money
    shipping_price: Money
    commission: Money
    commission_tax: Money
    tax: Money | None = None
    """The taxes in price and shipping; None: the marketplace lists none."""


class LineStanding(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How a line stands at the marketplace now."""

    line_id: str
    sku: str
    state: str
    price: Money
    refunded: Money


class OrderReceived(OrderEvent, frozen=True, kw_only=True):
    """An order was seen for the first time. Occurred when the customer placed it.

    Amounts are as the customer pays them, whatever the marketplace's `tax_mode` is.
    """

    commercial_id: str
    customer_order_number: str
    state: str
    accept_by: datetime | None
    ship_by: datetime | None
    currency: str
    price: Money
    shipping_price: Money
    total_price: Money
    tax_mode: str
    shipping_type_code: str
    fulfilled_by_us: bool
    lines: tuple[LineOrdered, ...]
    updated_at: datetime | None = None
    """The marketplace's own time of what is said here: what is older undoes nothing of it."""
    country: str = ""
    """Where it goes, as the marketplace writes it; empty: it is not told before acceptance."""


class OrderChanged(OrderEvent, frozen=True, kw_only=True):
    """The marketplace shows another state, amount or refund. Occurred at its update."""

    state: str
    ship_by: datetime | None
    total_price: Money
    lines: tuple[LineStanding, ...]


class OrderPassedOver(OrderEvent, frozen=True, kw_only=True):
    """The order will never be posted by us: too old at the first run, or shipped by others."""

    reason: str
    skus: tuple[str, ...]


class SkuSuggestion(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A SKU that the ERP does not know, and the stock codes nearest to it."""

    sku: str
    nearest: tuple[str, ...]


class OrderHeld(OrderEvent, frozen=True, kw_only=True):
    """The order waits: what for is in `reason` and `message`."""

    reason: str
    """unknown_sku, discontinued, amounts_differ, not_available, policy (a rule of it) or
    by_person."""
    message: str
    skus: tuple[SkuSuggestion, ...]
    money: Money
    accept_by: datetime | None
    rule: str = ""
    """The rule of the acceptance policy that holds it."""
    policy_version: int = 0
    """The version of the policy that was looked at; 0: none was."""
    ship_by: datetime | None = None


class OrderReleased(OrderEvent, frozen=True, kw_only=True):
    """What held the order is gone."""


class AcceptanceIntended(OrderEvent, frozen=True, kw_only=True):
    """We are about to accept the order, or to refuse lines of it (OR21)."""

    lines: tuple[str, ...]
    refused: tuple[str, ...] = ()
    """The lines that we refuse; the marketplace wants a decision on each."""
    policy_version: int = 0
    """The acceptance policy that let it pass; 0: none was looked at."""


class AcceptanceConfirmed(OrderEvent, frozen=True, kw_only=True):
    """The marketplace took our acceptance, or shows that it has it."""


class AcceptanceRefused(OrderEvent, frozen=True, kw_only=True):
    """The marketplace said no to our acceptance, or does not have it."""

    message: str
    retry: bool
    """True: it never arrived, so it may be sent again."""


class AcceptanceUnknown(OrderEvent, frozen=True, kw_only=True):
    """The answer to our acceptance was lost: the order is looked up before anything else."""

    message: str


class DeliveryAddressSealed(OrderEvent, frozen=True, kw_only=True):
    """The delivery address is in the vault."""

    vault_ref: str
    country: str = ""
    """Where it goes: the one thing of the address that policies look at."""


class PostedLine(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    line_id: str
    sku: str
    stock_code: str
    quantity: int
    unit_gross: Money
    units_a_penny_more: int = 0
    """So many of the units cost a penny more: a total that units do not divide is kept."""


class PostingIntended(OrderEvent, frozen=True, kw_only=True):
    """We are about to create the sales order in the ERP."""

    reference: str
    attempt: int
    lines: tuple[PostedLine, ...]
    delivery_gross: Money
    gross_total: Money
    policy_version: int = 0
    """The acceptance policy that was in force, and let it pass; 0: none was looked at."""


class SalesOrderPosted(OrderEvent, frozen=True, kw_only=True):
    """The ERP has the sales order. `taken_by`: it had it at this time at the latest."""

    reference: str
    erp_order_code: str
    found_by_lookup: bool
    taken_by: datetime
    lines: tuple[PostedLine, ...]
    gross_total: Money
    shows_total: bool = True
    """False: this ERP never tells a total, so none is compared."""
    placed_at: datetime | None = None
    """When the customer placed the order: what lies between is a lag that buffers cover."""


class PostingQueued(OrderEvent, frozen=True, kw_only=True):
    """The sales order waits for the ERP to fetch it. `until`: by then it should have."""

    reference: str
    attempt: int
    until: datetime


class PostingFetched(OrderEvent, frozen=True, kw_only=True):
    """The ERP took the order along. `until`: by then it should have said that it has it."""

    reference: str
    until: datetime


class PostingOverdue(OrderEvent, frozen=True, kw_only=True):
    """The ERP has not done the next step in time; the order goes on waiting."""

    reference: str
    message: str
    until: datetime
    money: Money


class PostingRefused(OrderEvent, frozen=True, kw_only=True, omit_defaults=True):
    """The ERP said no, and does not have the reference; or our own check did."""

    message: str
    attempt: int
    money: Money
    skus: tuple[str, ...]
    unsendable: bool = False
    """It can't be written as the ERP wants it: nothing was sent, and nothing is until the
    order, its address or the settings change, or a person says so."""


class PostingUnknown(OrderEvent, frozen=True, kw_only=True):
    """The ERP's answer was lost: the reference is looked up before anything else."""

    message: str
    attempt: int


class SalesOrderMissing(OrderEvent, frozen=True, kw_only=True):
    """After an unknown outcome: the ERP was asked, and does not have the reference."""

    reference: str
    attempt: int


class SalesOrderVanished(OrderEvent, frozen=True, kw_only=True):
    """The ERP had the sales order, and shows it no more: as after a backup that was restored.

    Occurred at the look that settled it. It is never posted again unless a person says so.
    """

    reference: str
    erp_order_code: str
    """The number that it had."""
    last_seen_at: datetime
    """The last time that we know of at which the ERP had it."""
    money: Money
    ship_by: datetime | None
    still_wanted: bool
    """The marketplace has not ended the order."""
    left_warehouse: bool
    """Parcels of it had been sent: what was confirmed of them stays confirmed."""


class SalesOrderFoundAgain(OrderEvent, frozen=True, kw_only=True):
    """The ERP shows a sales order that it had not shown. `taken_by`: it has it since then."""

    reference: str
    erp_order_code: str
    taken_by: datetime
    lines: tuple[PostedLine, ...]
    was_vanished: bool
    """False: one answer had left it out, and that was all."""


class SalesOrderForgone(OrderEvent, frozen=True, kw_only=True):
    """A sales order that had vanished is needed no more: the marketplace order is ended."""

    reference: str
    reason: str
    lines: tuple[PostedLine, ...]


class PostingApproved(OrderEvent, frozen=True, kw_only=True):
    """A person wants a vanished sales order posted again; it is looked up once more before."""

    reference: str
    reason: str


class CancelledAfterPosting(OrderEvent, frozen=True, kw_only=True):
    """The marketplace ended an order that the ERP already has: no call undoes it there."""

    reference: str
    erp_order_code: str
    money: Money


class ReferenceWriteIntended(OrderEvent, frozen=True, kw_only=True):
    """We are about to write the ERP's number on the marketplace order (OR04)."""

    erp_order_code: str


class ReferenceWritten(OrderEvent, frozen=True, kw_only=True):
    erp_order_code: str


class ReferenceWriteFailed(OrderEvent, frozen=True, kw_only=True):
    message: str


class OrdersRead(Event, frozen=True, kw_only=True):
    """A read of all orders by update date ended. Occurred when it began."""

    cursor: datetime
    """The next read starts from here, less the overlap."""
    read: int
    swept: bool
    """It was the daily sweep, which looks back further."""

    @property
    def stream(self) -> str:
        return "orders-intake"
