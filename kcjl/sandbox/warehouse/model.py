"""The sandbox's ERP as a model: a warehouse with its stock, its orders and its people.

Promises: pure and deterministic: time and chance come from its agenda, a replayed journal of
the same calls gives the same warehouse. Changing methods take plain values only. It speaks no
SOAP; what it refuses is a `KhaosFault` (so would the web service) or a `Misuse` (can't be
done). Invariant: LEVEL = physical − assigned; one sales order per external reference.
Called by the trade of the sandbox, by the SOAP face through its gate, and by checks.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from types import MappingProxyType

import msgspec

from kcjl.errors import Misuse
from kcjl.money import Money
from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.warehouse.customers import CustomerBook
from kcjl.sandbox.warehouse.documents import OrderDocument
from kcjl.sandbox.warehouse.faults import KhaosFault
from kcjl.sandbox.warehouse.order_import import (
    ImportDesk,
    ImportedOrder,
    ImportResult,
    SkippedOrder,
)
from kcjl.sandbox.warehouse.orders import (
    CourierEntry,
    Invoice,
    OrderBook,
    SalesOrder,
    StageId,
)
from kcjl.sandbox.warehouse.settings import WarehouseSettings
from kcjl.sandbox.warehouse.staff import Staff
from kcjl.sandbox.warehouse.stock import StockBook, StockItem

__all__ = [
    "Adjustment",
    "ImportResult",
    "ImportedOrder",
    "KhaosFault",
    "SalesOrder",
    "SkippedOrder",
    "StageId",
    "StockItem",
    "Warehouse",
    "WarehouseSettings",
]

_ADJUSTMENTS_MAX = 10_000
"""Older stock adjustments are dropped from the list, and counted."""


class Adjustment(msgspec.Struct, frozen=True, kw_only=True):
    """A stock adjustment that a person made."""

    stock_code: str
    delta: Decimal
    reason: str


class Warehouse:
    """Khaos Control, its stock and its people."""

    def __init__(self, agenda: Agenda, settings: WarehouseSettings) -> None:
        self.agenda = agenda
        self.settings = settings
        self.stock = StockBook(agenda)
        self.orders = OrderBook()
        self.customers = CustomerBook(settings)
        self.couriers = [CourierEntry(known, known.name) for known in settings.couriers]
        self.sales_orders: Mapping[str, SalesOrder] = MappingProxyType(self.orders.by_code)
        """By SORDER_CODE: the truth for checks."""
        self.adjustments: list[Adjustment] = []
        self.adjustments_dropped = 0
        self.unknown_elsewhere = 0
        """Units of other channels' lines whose code the ERP does not have."""
        self._sites = {site.site_id: site.name for site in settings.sites}
        self._default_site = settings.sites[0].site_id
        self._staff = Staff(agenda, settings, self.stock, self.orders, self.couriers)
        self._desk = ImportDesk(
            agenda,
            settings,
            self.stock,
            self.orders,
            self.customers,
            self.couriers,
            self._staff,
        )

    # ── products ──

    def add_product(
        self,
        code: str,
        *,
        description: str,
        sell_price: Money | str | Mapping[str, object],
        physical: int | str | Decimal | Mapping[int, int] | Mapping[str, int] = 0,
        discontinued: bool = False,
        run_to_zero: bool = False,
        stock_controlled: bool = True,
        sales_multiple: int = 0,
        max_display: int = 0,
        pack_of: Sequence[Sequence[str | int]] = (),
        other_ref: str = "",
        barcodes: Sequence[str] = (),
        parent: str = "",
        sell_price_is_net: bool = False,
        tax_code: int = 1,
        min_level: int = 0,
        safe_level: int = 0,
        on_web: bool = True,
    ) -> None:
        """A new stock item with what lies there; a pack header holds no stock of its own.

        `physical` is for the first site, or a mapping by site id; `pack_of` is (code, units) a
        child; `parent` is the style that this item is a colour or size of.
        """
        children = tuple((str(child), Decimal(units)) for child, units in pack_of)
        by_site = dict(physical) if isinstance(physical, Mapping) else {0: physical}
        if children and any(Decimal(units) for units in by_site.values()):
            raise Misuse(f"pack {code} holds no stock of its own: its children do")
        for child, _ in children:
            self.stock.get(child)
        if tax_code not in self.settings.tax_percent:
            raise Misuse(f"the warehouse has no tax code {tax_code}")
        now = self.agenda.now
        item = StockItem(
            code=code.strip(), item_id=self.stock.next_item_id(), description=description,
            sell_price=self._price(sell_price), launched_at=now, revised_at=now, moved_at=now,
            other_ref=other_ref, barcodes=tuple(barcodes), sell_price_is_net=sell_price_is_net,
            tax_code=tax_code, discontinued=discontinued, run_to_zero=run_to_zero,
            stock_controlled=stock_controlled, on_web=on_web, sales_multiple=sales_multiple,
            max_display=max_display, min_level=min_level, safe_level=safe_level,
            pack_of=children, parent_code=parent,
            physical={
                self._site(site or None): Decimal(units) for site, units in by_site.items()
            },
        )  # fmt: skip
        self.stock.add(item)

    def edit_product(
        self,
        code: str,
        *,
        description: str | None = None,
        sell_price: Money | str | Mapping[str, object] | None = None,
        discontinued: bool | None = None,
        run_to_zero: bool | None = None,
        on_web: bool | None = None,
        sales_multiple: int | None = None,
        max_display: int | None = None,
    ) -> None:
        """A person edits an item: what is named changes, and the revision date with it."""
        item = self.stock.get(code)
        for name, value in (
            ("description", description),
            ("sell_price", None if sell_price is None else self._price(sell_price)),
            ("discontinued", discontinued),
            ("run_to_zero", run_to_zero),
            ("on_web", on_web),
            ("sales_multiple", sales_multiple),
            ("max_display", max_display),
        ):
            if value is not None:
                setattr(item, name, value)
        self.stock.revised(item)

    # ── stock ──

    def level(self, code: str, site: int | str | None = None) -> Decimal:
        """What LEVEL shows now: of one site, or of all of them together."""
        return self.stock.get(code).level(None if site is None else self._site(site))

    def sell_elsewhere(self, lines: Sequence[Sequence[str | int]]) -> int:
        """Other channels sell (code, units): taken from what is free, gone at once.

        Returns the units that were short. Unknown codes are ignored, and their units counted.
        """
        short = 0
        for code, units in lines:
            item = self.stock.find(str(code))
            if item is None:
                self.unknown_elsewhere += int(units)
                continue
            parts = [(self.stock.get(child), each) for child, each in item.pack_of] or [
                (item, Decimal(1))
            ]
            wanted = int(units)
            there = min([wanted, *(_packs(part, each) for part, each in parts)])
            short += wanted - there
            for part, each in parts:
                self._take(part, there * each)
        return short

    def take_back(self, code: str, quantity: int | str | Decimal) -> None:
        """A return of another channel puts stock back."""
        self.stock.put(self.stock.get(code), self._default_site, _above_0(quantity))

    def adjust(
        self,
        code: str,
        delta: int | str | Decimal,
        reason: str,
        site: int | str | None = None,
    ) -> None:
        """A stock adjustment; the level may become negative."""
        item = self.stock.get(code)
        change = Decimal(delta)
        self.adjustments.append(Adjustment(stock_code=item.code, delta=change, reason=reason))
        if len(self.adjustments) > _ADJUSTMENTS_MAX:
            self.adjustments.pop(0)
            self.adjustments_dropped += 1
        self.stock.put(item, self._site(site), change)

    def purchase(self, code: str, quantity: int | str | Decimal, due: date | str) -> None:
        """A purchase order goes out to the supplier."""
        day = date.fromisoformat(due) if isinstance(due, str) else due
        item = self.stock.get(code)
        item.on_order = sorted([*item.on_order, (day, _above_0(quantity))])

    def goods_in(
        self, code: str, quantity: int | str | Decimal, site: int | str | None = None
    ) -> None:
        """A delivery arrives: back orders first, oldest delivery date first."""
        item = self.stock.get(code)
        units = _above_0(quantity)
        self.stock.deliver(item, units)
        self.stock.put(item, self._site(site), units)

    # ── orders ──

    def import_orders(self, document: str) -> ImportResult:
        """ImportOrders: what was taken and what was skipped; a refusal is a KhaosFault."""
        return self._desk.take(document)

    def import_read_orders(self, orders: Sequence[OrderDocument]) -> ImportResult:
        """The same of orders that were read out of a document already."""
        return self._desk.take_read(msgspec.convert(each, OrderDocument) for each in orders)

    def orders_by_ref(self, ref: str) -> list[SalesOrder]:
        """Every sales order with that external reference: there is never more than one."""
        return self.orders.by_ref(ref)

    # ── what a person in the warehouse does ──

    def cancel_order(self, external_ref: str, reason: str) -> str:
        """Cancel: "cancelled", "rest_cancelled" (a part had gone) or "too_late" (all had)."""
        return self._staff.cancel(self._order(external_ref), reason)

    def authorise_payment(self, external_ref: str) -> int:
        """Money has come: invoices at Authorise Payment go on. Returns how many."""
        return self._staff.authorise_payment(self._order(external_ref))

    def hold(self, external_ref: str) -> int:
        """Put what has not been shipped on Manual Hold. Returns how many invoices."""
        return self._staff.hold(self._order(external_ref))

    def release_hold(self, external_ref: str) -> int:
        return self._staff.release_hold(self._order(external_ref))

    def un_ship(self, external_ref: str) -> int:
        """Take confirmed shipments back that are not issued. Returns how many."""
        shipped = [
            invoice
            for invoice in self._order(external_ref).invoices
            if invoice.shipped_at is not None and not invoice.closed
        ]
        for invoice in shipped:
            self._staff.un_ship(invoice)
        return len(shipped)

    def confirm_shipment(self, invoice_code: str) -> None:
        """Confirm Shipment now, whatever was planned."""
        invoice = self._open_invoice(invoice_code)
        if invoice.shipped_at is not None or invoice.waits_for_stock:
            raise Misuse(f"{invoice_code} is shipped already, or waits for stock")
        self._staff.confirm_shipment(invoice)

    def issue(self, invoice_code: str) -> None:
        """Issue now, whatever was planned."""
        invoice = self._open_invoice(invoice_code)
        if invoice.shipped_at is None:
            raise Misuse(f"{invoice_code} is not shipped yet")
        self._staff.issue(invoice)

    def move_stage(self, invoice_code: str, stage_id: int) -> None:
        """Put an invoice at a stage by hand; the staff leave it there."""
        invoice = self._open_invoice(invoice_code)
        if stage_id in {StageId.CANCELLED, StageId.ISSUED_CURRENT, StageId.ISSUED_ARCHIVEDQ1}:
            raise Misuse("cancel and issue have their own ways")
        invoice.plan += 1
        invoice.stage = stage_id

    def add_box(self, invoice_code: str, stock_code: str, quantity: int) -> None:
        """Pack units of an invoice into another box of their own."""
        invoice = self._open_invoice(invoice_code)
        if quantity < 1 or not self._staff.add_box(invoice, stock_code, Decimal(quantity)):
            raise Misuse(f"no box of {invoice_code} can give {quantity} of {stock_code}")

    def set_consignment(self, invoice_code: str, box_number: int, consignment: str) -> None:
        """Write a consignment number on a box (1, 2, …), over what was there."""
        invoice = self._open_invoice(invoice_code)
        if not 1 <= box_number <= len(invoice.boxes):
            raise Misuse(f"{invoice_code} has {len(invoice.boxes)} boxes, no {box_number}")
        invoice.boxes[box_number - 1].consignment = consignment
        self.orders.note_tracking(invoice.order, self.agenda.now)

    def rename_courier(self, old_name: str, new_name: str) -> None:
        """The system data's courier gets another name: every order shows it from now on."""
        named = [entry for entry in self.couriers if entry.name == old_name]
        if not named:
            raise Misuse(f"the warehouse has no courier {old_name!r}")
        for entry in named:
            entry.name = new_name

    # ── inside ──

    def site_name(self, site_id: int) -> str | None:
        return self._sites.get(site_id)

    def _price(self, price: Money | str | Mapping[str, object]) -> Money:
        """A price as it was given, or as a journal wrote it."""
        if isinstance(price, str):
            return Money.parse(price, self.settings.system_currency)
        return msgspec.convert(price, Money, from_attributes=True)

    def _site(self, site: int | str | None) -> int:
        """A site by its id or its name; None is the first one."""
        if site is None:
            return self._default_site
        for site_id, name in self._sites.items():
            if str(site) in {str(site_id), name}:
                return site_id
        raise Misuse(f"the warehouse has no site {site!r}")

    def _order(self, external_ref: str) -> SalesOrder:
        found = self.orders.by_ref(external_ref)
        if not found:
            raise Misuse(f"the warehouse has no order with the reference {external_ref!r}")
        return found[0]

    def _open_invoice(self, code: str) -> Invoice:
        invoice = self.orders.invoice(code)
        if invoice is None or invoice.closed:
            raise Misuse(f"the warehouse has no open invoice {code!r}")
        return invoice

    def _take(self, item: StockItem, units: Decimal) -> None:
        """Take free units from the sites, the first one first."""
        if not item.holds_stock:
            return
        for site_id in self._sites:
            here = min(units, max(Decimal(0), item.level(site_id)))
            self.stock.put(item, site_id, -here)
            units -= here


def _packs(item: StockItem, each: Decimal) -> int:
    """How many times `each` units are free over all sites."""
    if not item.holds_stock:
        return 10**9
    free = sum((max(Decimal(0), item.level(site)) for site in item.physical), Decimal(0))
    return int((free / each).to_integral_value(ROUND_FLOOR))


def _above_0(quantity: int | str | Decimal) -> Decimal:
    units = Decimal(quantity)
    if units <= 0:
        raise Misuse(f"a quantity of {units} can't come in")
    return units
