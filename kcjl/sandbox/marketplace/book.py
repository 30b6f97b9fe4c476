"""The order book: every order, found by what callers ask for, and its moves between states.

Promises: each change of an order moves its and its lines' `updated_at`, so that it shows again
by update date; reading by id, reference, state, creation or update costs what it finds. Moves
that time makes (debit, received, closed, late) are planned here. It parses nothing.
Invariant: an order's state is that of its least advanced live lines (contract c.1, c.2).
Called by the counter (placing, deciding, cancelling), the refunds and the parcels.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from kcjl.money import Money
from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.marketplace.amounts import Tariff
from kcjl.sandbox.marketplace.catalogue import Catalogue
from kcjl.sandbox.marketplace.errors import ApiError
from kcjl.sandbox.marketplace.inputs import Reason
from kcjl.sandbox.marketplace.ledger import Ledger
from kcjl.sandbox.marketplace.moments import end_of_day, milliseconds, seconds
from kcjl.sandbox.marketplace.recency import Recency
from kcjl.sandbox.marketplace.records import Cancelation, Charge, Order, OrderLine, Shipment
from kcjl.sandbox.marketplace.settings import MarketplaceSettings
from kcjl.sandbox.marketplace.tenant import Tenant

__all__ = ["AUTO_REFUSED", "DEBIT_FAILED", "LATE_SHIPMENT", "Book"]

AUTO_REFUSED = Reason(code="SYSTEM_AUTO_REFUSED", label="Not accepted in time")
DEBIT_FAILED = Reason(code="SYSTEM_PAYMENT_FAILED", label="The payment failed")
LATE_SHIPMENT = Reason(code="SYSTEM_LATE_SHIPMENT_CANCELATION", label="Not shipped in time")

SHARE_BEFORE_DEBIT_PAYMENT = 0.2
"""Of the debit's delay, spent in WAITING_DEBIT."""
FIRST_TRANSACTION = 900_000


class Book:
    """All orders of the shop."""

    def __init__(
        self,
        agenda: Agenda,
        tenant: Tenant,
        catalogue: Catalogue,
        ledger: Ledger,
    ) -> None:
        self.agenda = agenda
        self.tenant = tenant
        self.catalogue = catalogue
        self.ledger = ledger
        self.tariff = Tariff(tenant)
        self.orders: dict[str, Order] = {}
        self.shipments: dict[str, Shipment] = {}
        self.shipments_of: defaultdict[str, list[Shipment]] = defaultdict(list)
        self.shipments_by_creation = Recency()
        self.shipments_by_update = Recency()
        self.order_of_line: dict[str, Order] = {}
        self.by_customer_order_number: dict[str, Order] = {}
        self.by_seller_reference: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self.by_state: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self.by_update = Recency()
        self._sequence: dict[str, int] = {}
        self._ids: list[str] = []
        self._created: list[datetime] = []
        self._transactions = FIRST_TRANSACTION
        self.on_order_state: list[Callable[[str, str], None]] = []

    @property
    def settings(self) -> MarketplaceSettings:
        return self.tenant.settings

    # ── finding ────────────────────────────────────────────────────────────────────────────

    def order(self, order_id: str) -> Order:
        found = self.orders.get(order_id)
        if found is None:
            raise ApiError.of(404, f"Order {order_id} not found", code="ORDER_NOT_FOUND")
        return found

    def in_creation_order(self, order_ids: Iterable[str]) -> list[Order]:
        found = {order_id for order_id in order_ids if order_id in self._sequence}
        return [self.orders[key] for key in sorted(found, key=self._sequence.__getitem__)]

    def creation_place(self, order_id: str) -> int:
        """How many orders were created before it."""
        return self._sequence[order_id]

    def order_at(self, creation_place: int) -> Order:
        return self.orders[self._ids[creation_place]]

    def updated_between(self, since: datetime | None, until: datetime | None) -> set[str]:
        places = self.by_update.between(since, until)
        return {self.by_update.key_at(place) for place in self.by_update.current(places)}

    def created_between(self, since: datetime | None, until: datetime | None) -> list[str]:
        """Ids of the orders created from one time to another, oldest first."""
        first = 0 if since is None else bisect_left(self._created, since)
        last = len(self._ids) if until is None else bisect_right(self._created, until)
        return self._ids[first:last]

    # ── keeping ────────────────────────────────────────────────────────────────────────────

    def add(self, order: Order) -> None:
        self._sequence[order.order_id] = len(self._ids)
        self._ids.append(order.order_id)
        self._created.append(order.created_at)
        self.orders[order.order_id] = order
        self.by_customer_order_number[order.customer_order_number] = order
        self.by_state[order.state][order.order_id] = None
        self.by_update.touch(order.order_id, order.updated_at)
        for line in order.lines:
            self.order_of_line[line.line_id] = order

    def touch(self, order: Order, lines: Iterable[OrderLine]) -> None:
        """The order and these lines have changed now."""
        now = seconds(self.agenda.now)
        order.updated_at = now
        for line in lines:
            line.updated_at = now
        self.by_update.touch(order.order_id, now)

    def move(self, order: Order, state: str, reason: Reason | None = None) -> None:
        """Put the order and its live lines into a state; an open incident stays shown."""
        live = order.live_lines
        for line in live:
            if line.has_incident:
                line.state_under_incident = state
            else:
                line.state = state
        self.set_state(order, state, reason)
        self.touch(order, live)

    def set_state(self, order: Order, state: str, reason: Reason | None = None) -> None:
        del self.by_state[order.state][order.order_id]
        self.by_state[state][order.order_id] = None
        order.state = state
        order.reason = reason
        for observer in self.on_order_state:
            observer(order.order_id, state)

    def settle(self, order: Order) -> None:
        """Where no line is live any more, the order is over; where all is sent, it is SHIPPED.

        An order of which all lines are given back before shipping is CLOSED; where cancelled
        lines are among them and nothing was refunded, it is CANCELED.
        """
        if order.state != "SHIPPING":
            return
        live = order.live_lines
        if not live:
            refunded = any(line.state == "REFUNDED" for line in order.lines)
            self.set_state(order, "CLOSED" if refunded else "CANCELED", order.reason)
            self._drop_open_shipments(order)
            self.touch(order, ())
            self.ledger.make_payable(order.order_id)
            return
        for line in live:
            if line.state == "SHIPPING" and line.shipped and not line.is_awaiting_parcels:
                line.state = "SHIPPED"
                line.shipped_at = seconds(self.agenda.now)
        if not any(line.is_awaiting_parcels for line in live) and any(
            line.shipped for line in live
        ):
            self.shipped(order)

    # ── the debit ──────────────────────────────────────────────────────────────────────────

    def start_debit(self, order: Order) -> None:
        """The order is accepted: the customer pays now, or what comes later by the workflow."""
        settings = self.settings
        if settings.offer_lowered_at == "ACCEPTANCE":
            for line in order.live_lines:
                self.catalogue.sell_by_sku(line.sku, line.quantity)
        if order.payment_workflow != "PAY_ON_ACCEPTANCE":
            self._ready_to_ship(order)
            return
        chance = self.agenda.chance
        delay_s = chance.uniform(settings.debit_delay_s_min, settings.debit_delay_s_max)
        fails = chance.random() < settings.failing_debit_share
        self.move(order, "WAITING_DEBIT")
        self.agenda.after(
            timedelta(seconds=delay_s * SHARE_BEFORE_DEBIT_PAYMENT),
            lambda: self._when(order, "WAITING_DEBIT", self._await_payment),
        )
        self.agenda.after(
            timedelta(days=settings.failed_debit_cancel_days)
            if fails
            else timedelta(seconds=delay_s),
            lambda: self._when(
                order, "WAITING_DEBIT_PAYMENT", self._debit_failed if fails else self._debited
            ),
        )

    def _when(self, order: Order, state: str, action: Callable[[Order], None]) -> None:
        """Act only where the order still stands where the plan left it."""
        if order.state == state:
            action(order)

    def _await_payment(self, order: Order) -> None:
        self.move(order, "WAITING_DEBIT_PAYMENT")

    def _debit_failed(self, order: Order) -> None:
        self.cancel_lines(order, DEBIT_FAILED)

    def _debited(self, order: Order) -> None:
        self.debit(order)
        self._ready_to_ship(order)

    def debit(self, order: Order) -> None:
        """The customer's money is there: the transaction lines begin."""
        if order.debited_at is not None or not order.live_lines:
            return
        now = milliseconds(self.agenda.now)
        order.debited_at = now
        self._transactions += 1
        order.transaction_number = f"TX-{self._transactions}"
        for line in order.live_lines:
            line.debited_at = now
        self.ledger.debit(order)

    def _ready_to_ship(self, order: Order) -> None:
        now = self.agenda.now
        settings = self.settings
        order.shipping_since = seconds(now)
        order.shipping_deadline = end_of_day(now, settings)
        self.move(order, "SHIPPING")
        if settings.late_shipment_cancel_hours is not None:
            self.agenda.at(
                order.shipping_deadline + timedelta(hours=settings.late_shipment_cancel_hours),
                lambda: self._when(
                    order, "SHIPPING", lambda late: self.cancel_lines(late, LATE_SHIPMENT)
                ),
            )

    # ── on the way and there ───────────────────────────────────────────────────────────────

    def shipped(self, order: Order) -> None:
        """Everything that is left of the order is on its way."""
        settings = self.settings
        now = self.agenda.now
        order.shipped_at = seconds(now)
        self.set_state(order, "SHIPPED")
        self._drop_open_shipments(order)
        self.touch(order, order.live_lines)
        if order.payment_workflow in {"PAY_ON_SHIPMENT", "NO_CUSTOMER_PAYMENT_CONFIRMATION"}:
            self.debit(order)
        hours = self.agenda.chance.uniform(
            settings.received_after_hours_min, settings.received_after_hours_max
        )
        if self._is_collected(order):
            self.agenda.after(
                timedelta(hours=hours / 2),
                lambda: self._when(order, "SHIPPED", self._to_collect),
            )
        self.agenda.after(timedelta(hours=hours), lambda: self._received(order))

    def _is_collected(self, order: Order) -> bool:
        kinds = self.settings.shipping_types
        return any(kind.click_and_collect for kind in kinds if kind.code == order.shipping_type)

    def _to_collect(self, order: Order) -> None:
        self._move_shipments(order, "SHIPPED", "TO_COLLECT")
        self.move(order, "TO_COLLECT")

    def _received(self, order: Order) -> None:
        if order.state not in {"SHIPPED", "TO_COLLECT"}:
            return
        now = seconds(self.agenda.now)
        if order.payment_workflow == "PAY_ON_DUE_DATE":
            due = timedelta(days=self.settings.due_date_days)
            self.agenda.after(due, lambda: self.debit(order))
        else:
            self.debit(order)
        order.received_at = now
        for line in order.live_lines:
            line.received_at = now
        self._move_shipments(order, order.state, "RECEIVED")
        self.move(order, "RECEIVED")
        self.ledger.make_payable(order.order_id)
        self._plan_close(order)

    def _plan_close(self, order: Order) -> None:
        self.agenda.after(
            timedelta(hours=self.settings.closed_after_hours),
            lambda: self._when(order, "RECEIVED", self._closed),
        )

    def _closed(self, order: Order) -> None:
        if order.has_incident:
            self._plan_close(order)
            return
        self._move_shipments(order, "RECEIVED", "CLOSED")
        self.move(order, "CLOSED")

    def _move_shipments(self, order: Order, before: str, after: str) -> None:
        for shipment in self.shipments_of[order.order_id]:
            if shipment.status == before:
                shipment.status = after
                self.touch_shipment(shipment)

    def touch_shipment(self, shipment: Shipment) -> None:
        shipment.updated_at = milliseconds(self.agenda.now)
        self.shipments_by_update.touch(shipment.shipment_id, shipment.updated_at)

    # ── cancelling ─────────────────────────────────────────────────────────────────────────

    def cancel_lines(self, order: Order, reason: Reason) -> None:
        """Cancel every unit that has not left: amounts fall, and what was paid is reversed."""
        live = order.live_lines
        for line in live:
            units = line.quantity - line.shipped - line.not_to_ship
            if units > 0:
                line.parcelled = 0
                self.cancel_part(order, line, units, self._charge_of(line, units), reason)
        self._drop_open_shipments(order)
        self.after_cancelation(order, live, reason)

    def after_cancelation(self, order: Order, lines: list[OrderLine], reason: Reason) -> None:
        """Lines of the order were cancelled: it may be over, or all that is left be sent."""
        self.touch(order, lines)
        if order.live_lines:
            self.settle(order)
            return
        self.set_state(order, "CANCELED", reason)
        self._drop_open_shipments(order)
        self.ledger.make_payable(order.order_id)

    def _charge_of(self, line: OrderLine, units: int) -> Charge:
        """What the last units of a line that have not left are of its amounts."""
        whole = not line.shipped
        amount = line.refundable if whole else line.unit_price.times(units)
        amount = min(amount, line.refundable)
        shipping = line.refundable_shipping if whole else Money(0, amount.currency)
        return self.tariff.charge(line, amount, shipping)

    def cancel_part(
        self, order: Order, line: OrderLine, units: int, charge: Charge, reason: Reason
    ) -> Cancelation:
        """Take units and an amount off a line; the caller says `after_cancelation`."""
        amount, shipping = charge.amount, charge.shipping_amount
        if amount == line.price and shipping == line.shipping_price:
            charge.commission_fee, charge.commission_vat = (
                line.commission_fee,
                line.commission_vat,
            )
        cancelation = Cancelation(
            cancelation_id=self.agenda.new_id(),
            charge=charge,
            quantity=units,
            reason_code=reason.code,
            created_at=seconds(self.agenda.now),
        )
        line.cancelations.append(cancelation)
        line.not_to_ship += units
        line.price -= amount
        line.shipping_price -= shipping
        line.commission_fee -= charge.commission_fee
        line.commission_vat -= charge.commission_vat
        for taxes, gone in (
            (line.taxes, charge.taxes),
            (line.shipping_taxes, charge.shipping_taxes),
        ):
            for tax, part in zip(taxes, gone, strict=False):
                tax.amount -= part.amount
        if line.shipped + line.not_to_ship == line.quantity:
            line.reason = reason
            line.state = "SHIPPED" if line.shipped else "CANCELED"
        early = order.state in {"STAGING", "WAITING_ACCEPTANCE"}
        if self.settings.offer_put_back and not (
            early and self.settings.offer_lowered_at == "ACCEPTANCE"
        ):
            self.catalogue.put_back(line.sku, units)
        if line.debited_at is not None:
            self.ledger.reverse(order, line, cancelation)
        return cancelation

    def _drop_open_shipments(self, order: Order) -> None:
        """Parcels that have not left, of lines that were given back, never will."""
        for shipment in self.shipments_of[order.order_id]:
            if shipment.status in {"SHIPPING", "READY_FOR_PICK_UP"}:
                shipment.status = "CANCELED"
                self.touch_shipment(shipment)
        for line in order.lines:
            line.parcelled = 0
