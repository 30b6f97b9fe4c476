"""The people in the sandbox's warehouse: they release, pick, pack, ship and issue.

Promises: what they do next is drawn from the agenda's chance within the settings' spans of
working time; a hold, a cancellation or a person's move drops what was planned for that
invoice. They import nothing and answer nobody. Invariant: stock leaves the house at Issue
only, and only what was assigned. Source: contract khaos c.
Called by the warehouse model; acts through its agenda.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Literal

from kcjl.clock import LONDON
from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.warehouse.hours import WorkingHours, london_date
from kcjl.sandbox.warehouse.orders import (
    Box,
    Cancellation,
    CourierEntry,
    Invoice,
    InvoiceItem,
    OrderBook,
    OrderLine,
    SalesOrder,
    StageId,
)
from kcjl.sandbox.warehouse.settings import Minutes, WarehouseSettings
from kcjl.sandbox.warehouse.setup import Setup
from kcjl.sandbox.warehouse.stock import StockBook

__all__ = ["Staff", "Step", "s10_check_digit"]

_FIRST_INVOICE = 88_011
_PERSON = "WAREHOUSE"
_BOXES_ARE_PACKED_AT = frozenset({StageId.ORDERS_PACKBOXES, StageId.ORDERS_SHIP})


@dataclass(slots=True)
class Step:
    """What the staff have planned to do with an invoice, as data: a backup can hold it."""

    invoice: Invoice
    act: Callable[[Invoice], None]
    plan: int | None = None
    """Of which plan of the invoice it is; None: whatever was planned since."""

    def __call__(self) -> None:
        if self.plan is None or self.invoice.plan == self.plan:
            self.act(self.invoice)


class Staff:
    """Moves invoices through the stages."""

    def __init__(
        self,
        agenda: Agenda,
        setup: Setup,
        stock: StockBook,
        orders: OrderBook,
        couriers: list[CourierEntry],
    ) -> None:
        self._agenda = agenda
        self._setup = setup
        self._stock = stock
        self._orders = orders
        self._couriers = couriers
        self._consignments: set[str] = set()

    @property
    def _settings(self) -> WarehouseSettings:
        return self._setup.settings

    @property
    def _hours(self) -> WorkingHours:
        return WorkingHours(self._settings)

    # ── a new order ──

    def accept(self, order: SalesOrder) -> None:
        """Make the invoices of an order that has just been imported and assigned."""
        ready, rest = _split(order)
        near = timedelta(days=self._settings.near_delivery_days)
        if order.delivery_date > london_date(self._agenda.now) + near:
            whole = [InvoiceItem(line, line.quantity) for line in order.lines]
            self._wait_for_date(self._new_invoice(order, whole, StageId.ORDERS_FUTURE_DATE))
        elif not rest:
            self._stage(self._new_invoice(order, ready, StageId.ORDERS_STAGING))
        elif self._settings.ships_in_parts and any(i.line.item.holds_stock for i in ready):
            self._stage(self._new_invoice(order, ready, StageId.ORDERS_STAGING))
            self._new_invoice(order, rest, StageId.ORDERS_FUTURE_STOCK)
        else:
            whole = [InvoiceItem(line, line.quantity) for line in order.lines]
            self._new_invoice(order, whole, StageId.ORDERS_FUTURE_STOCK)

    def stock_came(self, order: SalesOrder, line: OrderLine, units: Decimal) -> None:
        """Units were assigned to a line that waited."""
        line.assigned += units
        for invoice in order.invoices:
            if invoice.stage == StageId.ORDERS_FUTURE_STOCK and not invoice.waits_for_stock:
                self._stage(invoice)

    def _new_invoice(
        self, order: SalesOrder, items: list[InvoiceItem], stage: StageId
    ) -> Invoice:
        invoice = Invoice(
            code=f"INV{_FIRST_INVOICE + self._orders.next_invoice_number()}",
            order=order,
            created_on=london_date(self._agenda.now),
            items=items,
            stage=stage,
            courier=order.courier,
        )
        self._orders.add_invoice(invoice)
        return invoice

    # ── plans ──

    def _draw(self, span: Minutes) -> timedelta:
        seconds = self._agenda.chance.randint(span.at_least * 60, span.at_most * 60)
        return timedelta(seconds=seconds)

    def _plan(
        self, invoice: Invoice, *steps: tuple[datetime, Callable[[Invoice], None]]
    ) -> None:
        """Replace whatever was planned for the invoice."""
        invoice.plan += 1
        plan = invoice.plan
        for when, act in steps:
            self._agenda.at(when, Step(invoice, act, plan))

    def _stage(self, invoice: Invoice) -> None:
        when = self._hours.after(self._agenda.now, self._draw(self._settings.released_after))
        self._plan(invoice, (when, self._release))

    def _wait_for_date(self, invoice: Invoice) -> None:
        day = invoice.order.delivery_date - timedelta(days=1)
        morning = datetime.combine(day, time(0), LONDON).astimezone(UTC)
        work = self._draw(self._settings.released_after)
        self._plan(invoice, (self._hours.after(morning, work), self._date_has_come))

    def _date_has_come(self, invoice: Invoice) -> None:
        if invoice.waits_for_stock:
            invoice.stage = StageId.ORDERS_FUTURE_STOCK
        else:
            self._release(invoice)

    def _release(self, invoice: Invoice) -> None:
        invoice.stage = StageId.ORDERS_RELEASED
        if invoice.order.paid:
            self._work(invoice)
        else:
            when = self._hours.after(
                self._agenda.now, self._draw(self._settings.released_after)
            )
            self._plan(invoice, (when, partial(_move, StageId.ORDERS_AUTHORISEPAYMENT)))

    def _work(self, invoice: Invoice) -> None:
        """Picking, packing and shipping, evenly spread over the time that it takes."""
        work = self._draw(self._settings.shipped_after)
        stages = (*self._settings.stages_before_shipping, StageId.ORDERS_SHIP)
        steps: list[tuple[datetime, Callable[[Invoice], None]]] = []
        for turn, stage in enumerate(stages, start=1):
            when = self._hours.after(self._agenda.now, work * turn / (len(stages) + 1))
            steps.append((when, partial(self._pack_at, stage)))
        steps.append((self._hours.after(self._agenda.now, work), self.confirm_shipment))
        self._plan(invoice, *steps)

    def _pack_at(self, stage: int, invoice: Invoice) -> None:
        invoice.stage = stage
        if stage in _BOXES_ARE_PACKED_AT and not invoice.boxes:
            self._pack(invoice)

    def _pack(self, invoice: Invoice) -> None:
        """Big orders go in two boxes; a box names the order's courier until it is shipped."""
        if invoice.quantity < max(2, self._settings.two_boxes_from_units):
            rows = [InvoiceItem(item.line, item.quantity) for item in invoice.items]
            invoice.boxes = [Box(rows, invoice.order.courier)]
            return
        half = invoice.quantity // 2
        first: list[InvoiceItem] = []
        second: list[InvoiceItem] = []
        for item in invoice.items:
            here = min(item.quantity, half)
            half -= here
            if here:
                first.append(InvoiceItem(item.line, here))
            if item.quantity > here:
                second.append(InvoiceItem(item.line, item.quantity - here))
        invoice.boxes = [Box(rows, invoice.order.courier) for rows in (first, second) if rows]

    # ── shipping and issuing ──

    def part(self, invoice: Invoice, rest: list[InvoiceItem]) -> Invoice:
        """Ship an invoice that was split; the rest goes its own way from Staging."""
        following = self._new_invoice(invoice.order, rest, StageId.ORDERS_STAGING)
        self._stage(following)
        self.confirm_shipment(invoice)
        return following

    def confirm_shipment(
        self,
        invoice: Invoice,
        *,
        courier: CourierEntry | None = None,
        consignments: Sequence[str] = (),
    ) -> None:
        """Confirm Shipment: the ship date, the courier and its consignment numbers."""
        if not invoice.boxes:
            self._pack(invoice)
        now = self._agenda.now
        courier = courier or self._choose_courier(invoice.order)
        invoice.stage = StageId.ORDERS_SHIP
        invoice.courier = courier
        invoice.shipped_at = now
        for box in invoice.boxes:
            box.courier = courier
            box.shipped_on = london_date(now)
        for box, number in zip(invoice.boxes, consignments, strict=False):
            box.consignment = number
        if self._agenda.chance.randrange(100) < self._settings.late_consignment_percent:
            late = self._hours.after(now, self._draw(self._settings.late_consignment_after))
            self._agenda.at(late, Step(invoice, partial(self._consign, shipped_at=now)))
        else:
            self._consign(invoice, shipped_at=now)
        self._orders.note_tracking(invoice.order, now)
        work = self._draw(self._settings.issued_after)
        stages = self._settings.stages_after_shipping
        steps: list[tuple[datetime, Callable[[Invoice], None]]] = []
        for turn, stage in enumerate(stages, start=1):
            when = self._hours.after(now, work * turn / (len(stages) + 1))
            steps.append((when, partial(_move, stage)))
        self._plan(invoice, *steps, (self._hours.after(now, work), self.issue))

    def issue(self, invoice: Invoice) -> None:
        """Issue: the assigned stock leaves the books."""
        for row in invoice.items:
            if row.line.item.holds_stock:
                self._stock.issue(row.line.item, row.line.site_id, row.quantity)
        invoice.plan += 1
        invoice.stage = StageId.ISSUED_CURRENT
        invoice.issued_at = self._agenda.now
        self._orders.note_progress(invoice.order, self._agenda.now)

    def un_ship(self, invoice: Invoice) -> None:
        """Take a confirmed shipment back; the parcels get new numbers when they go."""
        invoice.shipped_at = None
        invoice.stage = StageId.ORDERS_SHIP
        for box in invoice.boxes:
            box.shipped_on = None
            box.consignment = ""
        self._orders.note_tracking(invoice.order, self._agenda.now)
        when = self._hours.after(self._agenda.now, self._draw(self._settings.shipped_after))
        self._plan(invoice, (when, self.confirm_shipment))

    def _choose_courier(self, order: SalesOrder) -> CourierEntry:
        chance = self._agenda.chance
        keeps = chance.randrange(100) < self._settings.keeps_ordered_courier_percent
        if order.courier_was_ordered and keeps:
            return order.courier
        weights = [entry.settings.weight for entry in self._couriers]
        return chance.choices(self._couriers, weights)[0]

    def _consign(self, invoice: Invoice, *, shipped_at: datetime) -> None:
        if invoice.shipped_at != shipped_at:
            return
        for box in invoice.boxes:
            if not box.consignment:
                box.consignment = self._new_consignment(box.courier.settings.consignment)
        self._orders.note_tracking(invoice.order, self._agenda.now)

    def _new_consignment(self, form: str) -> str:
        """A number of that form that no other parcel has."""
        number = _fill(form, self._agenda.chance)
        while "#" in form and number in self._consignments:
            number = _fill(form, self._agenda.chance)
        self._consignments.add(number)
        return number

    # ── what a person does ──

    def authorise_payment(self, order: SalesOrder) -> int:
        order.paid = True
        blocked = [
            invoice
            for invoice in order.invoices
            if invoice.stage == StageId.ORDERS_AUTHORISEPAYMENT
        ]
        for invoice in blocked:
            self._work(invoice)
        return len(blocked)

    def hold(self, order: SalesOrder) -> int:
        held = [i for i in order.invoices if i.shipped_at is None and not i.closed]
        for invoice in held:
            invoice.plan += 1
            invoice.stage = StageId.ORDERS_FUTURE_HOLD
        return len(held)

    def release_hold(self, order: SalesOrder) -> int:
        held = [i for i in order.invoices if i.stage == StageId.ORDERS_FUTURE_HOLD]
        for invoice in held:
            self._date_has_come(invoice)
        return len(held)

    def add_box(self, invoice: Invoice, stock_code: str, units: Decimal) -> bool:
        """Move units from a packed box to a new one; False where no box holds more."""
        if not invoice.boxes:
            self._pack(invoice)
        for box in invoice.boxes:
            held = sum((row.quantity for row in box.items), Decimal(0))
            for row in box.items:
                fits = units < held and units <= row.quantity
                if not fits or row.line.item.code.casefold() != stock_code.casefold():
                    continue
                row.quantity -= units
                box.items = [kept for kept in box.items if kept.quantity]
                invoice.boxes.append(
                    Box([InvoiceItem(row.line, units)], box.courier, box.shipped_on)
                )
                return True
        return False

    def cancel(
        self, order: SalesOrder, reason: str
    ) -> Literal["cancelled", "rest_cancelled", "too_late"]:
        """Cancel what has not been shipped, and give its stock back."""
        stopped = [i for i in order.invoices if i.shipped_at is None and not i.closed]
        if not stopped and order.invoices:
            return "too_late"
        for invoice in stopped:
            invoice.plan += 1
            invoice.stage = StageId.CANCELLED
        whole = all(invoice.stage == StageId.CANCELLED for invoice in order.invoices)
        if whole:
            order.cancelled = Cancellation(self._agenda.now, reason, _PERSON)
        self._give_back(order)
        self._orders.note_progress(order, self._agenda.now)
        return "cancelled" if whole else "rest_cancelled"

    def _give_back(self, order: SalesOrder) -> None:
        for line in order.lines:
            if line.back_order is not None:
                self._stock.stop_waiting(line.item, line.site_id, line.back_order)
        sent: dict[OrderLine, Decimal] = {}
        for invoice in order.invoices:
            if invoice.stage != StageId.CANCELLED:
                for row in invoice.items:
                    sent[row.line] = sent.get(row.line, Decimal(0)) + row.quantity
        for line in order.lines:
            if line.item.holds_stock:
                spare = line.assigned - sent.get(line, Decimal(0))
                line.assigned -= spare
                self._stock.unassign(line.item, line.site_id, spare)


def _move(stage: int, invoice: Invoice) -> None:
    invoice.stage = stage


def _split(order: SalesOrder) -> tuple[list[InvoiceItem], list[InvoiceItem]]:
    """What could go now, and what has to wait. A pack goes whole or waits whole."""
    short_packs = {line.pack for line in order.lines if line.ready < line.quantity}
    ready: list[InvoiceItem] = []
    rest: list[InvoiceItem] = []
    for line in order.lines:
        units = Decimal(0) if line.pack and line.pack in short_packs else line.ready
        if units:
            ready.append(InvoiceItem(line, units))
        if units < line.quantity:
            rest.append(InvoiceItem(line, line.quantity - units))
    return ready, rest


def _fill(form: str, chance: random.Random) -> str:
    digits = "".join(str(chance.randrange(10)) if sign == "#" else sign for sign in form)
    if "=" not in digits:
        return digits
    serial = "".join(sign for sign in digits.split("=")[0] if sign.isdigit())[-8:]
    return digits.replace("=", s10_check_digit(serial))


def s10_check_digit(serial: str) -> str:
    """The check digit of a postal item number (UPU S10) with eight serial digits.

    >>> s10_check_digit("47312482")
    '9'
    """
    total = sum(int(d) * w for d, w in zip(serial, (8, 6, 4, 2, 3, 5, 9, 7), strict=True))
    digit = 11 - total % 11
    return {10: "0", 11: "5"}.get(digit, str(digit))
