"""The sandbox's ERP as a model: a warehouse with its stock, its orders and its people.

Promises: pure and deterministic: time and chance come from its agenda, a replayed journal of
the same calls gives the same warehouse. Changing methods take plain values only. It speaks no
SOAP; what it refuses is a `KhaosFault` (so would the web service) or a `Misuse` (can't be
done). Invariant: LEVEL = physical − assigned; one sales order per external reference.
Called by the trade of the sandbox, by the SOAP face through its gate, and by checks.
Over 400 lines, because it is the one front door; behind it each desk is a module.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from types import MappingProxyType

import msgspec

from kcjl.errors import Misuse
from kcjl.money import Money
from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.warehouse.customers import CustomerBook
from kcjl.sandbox.warehouse.documents import OrderDocument
from kcjl.sandbox.warehouse.elsewhere import sell_free_stock
from kcjl.sandbox.warehouse.faults import KhaosFault
from kcjl.sandbox.warehouse.given import Given, above_0, price_of
from kcjl.sandbox.warehouse.order_import import (
    ImportDesk,
    ImportedOrder,
    ImportResult,
    SkippedOrder,
)
from kcjl.sandbox.warehouse.orders import (
    ARCHIVES,
    FUTURES,
    CourierEntry,
    Invoice,
    OrderBook,
    SalesOrder,
    StageId,
)
from kcjl.sandbox.warehouse.settings import WarehouseSettings
from kcjl.sandbox.warehouse.setup import Setup
from kcjl.sandbox.warehouse.splitting import split_off
from kcjl.sandbox.warehouse.staff import Staff
from kcjl.sandbox.warehouse.stock import StockBook, StockItem
from kcjl.sandbox.warehouse.stock_import import import_stock_status

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

_STYLES_MAX = 4


class Adjustment(msgspec.Struct, frozen=True, kw_only=True):
    """A stock adjustment that a person made."""

    stock_code: str
    delta: Decimal
    reason: str


class Warehouse:
    """Khaos Control, its stock and its people."""

    def __init__(self, agenda: Agenda, settings: WarehouseSettings) -> None:
        self.agenda = agenda
        self._setup = Setup(settings)
        self.stock = StockBook(agenda)
        self.orders = OrderBook()
        self.customers = CustomerBook(self._setup)
        self.couriers = [CourierEntry(known, known.name) for known in settings.couriers]
        self.sales_orders: Mapping[str, SalesOrder] = MappingProxyType(self.orders.by_code)
        """By SORDER_CODE: the truth for checks."""
        self.adjustments: list[Adjustment] = []
        self.adjustments_dropped = 0
        self.unknown_elsewhere = 0
        """Units of other channels' lines whose code the ERP does not have."""
        self._sites = {site.site_id: site.name for site in settings.sites}
        self._default_site = settings.sites[0].site_id
        self._staff = Staff(agenda, self._setup, self.stock, self.orders, self.couriers)
        self._desk = ImportDesk(
            agenda,
            self._setup,
            self.stock,
            self.orders,
            self.customers,
            self.couriers,
            self._staff,
        )

    @property
    def settings(self) -> WarehouseSettings:
        """Those that hold now."""
        return self._setup.settings

    def switch(self, settings: Mapping[str, object]) -> None:
        """The system is set up otherwise, from now on: settings by name."""
        self._setup.switch(settings)

    # ── products ──

    def add_product(
        self,
        code: str,
        *,
        description: str,
        sell_price: Money | str | Mapping[str, object],
        physical: Given | Mapping[int, int] | Mapping[str, int] = 0,
        discontinued: bool = False,
        run_to_zero: bool = False,
        stock_controlled: bool = True,
        sales_multiple: int = 0,
        max_display: int = 0,
        pack_of: Sequence[Sequence[str | int]] = (),
        other_ref: str = "",
        barcodes: Sequence[str] = (),
        parent: str = "",
        styles: Sequence[Sequence[str]] = (),
        sell_price_is_net: bool = False,
        tax_code: int = 1,
        min_level: int = 0,
        safe_level: int = 0,
        on_web: bool = True,
    ) -> None:
        """A new stock item with what lies there; a pack header holds no stock of its own.

        `physical` is for the first site, or a mapping by site id; `pack_of` is (code, units) a
        child; `parent` is the style that this item is a colour or size of, and `styles` its
        (description, code suffix) level by level.
        """
        children = tuple((str(child), Decimal(units)) for child, units in pack_of)
        by_site = dict(physical) if isinstance(physical, Mapping) else {0: physical}
        if children and any(Decimal(units) for units in by_site.values()):
            raise Misuse(f"pack {code} holds no stock of its own: its children do")
        for child, _ in children:
            self.stock.get(child)
        if tax_code not in self.settings.tax_percent:
            raise Misuse(f"the warehouse has no tax code {tax_code}")
        if len(styles) > _STYLES_MAX:
            raise Misuse(f"{code} has {len(styles)} levels of style: {_STYLES_MAX} at most")
        now = self.agenda.now
        item = StockItem(
            code=code.strip(), item_id=self.stock.next_item_id(), description=description,
            sell_price=self._price(sell_price), launched_at=now, revised_at=now, moved_at=now,
            other_ref=other_ref, barcodes=tuple(barcodes), sell_price_is_net=sell_price_is_net,
            tax_code=tax_code, discontinued=discontinued, run_to_zero=run_to_zero,
            stock_controlled=stock_controlled, on_web=on_web, sales_multiple=sales_multiple,
            max_display=max_display, min_level=min_level, safe_level=safe_level,
            pack_of=children, parent_code=parent,
            styles=tuple((str(name), str(suffix)) for name, suffix in styles),
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

    def delete_product(self, code: str) -> None:
        """A person deletes an item that was never sold; GetDeletedEntries says so."""
        item = self.stock.get(code)
        if any(item.physical.values()) or item.on_order or item.children:
            raise Misuse(f"{item.code} has stock, purchases or children: it can't be deleted")
        if self.orders.has_item(item):
            raise Misuse(f"{item.code} was sold: discontinue it instead")
        self.stock.remove(item)

    # ── stock ──

    def level(self, code: str, site: int | str | None = None) -> Decimal:
        """What LEVEL shows now: of one site, or of all of them together."""
        return self.stock.get(code).level(None if site is None else self._site(site))

    def sell_elsewhere(self, lines: Sequence[Sequence[str | int]]) -> int:
        """Other channels sell (code, units): taken from what is free, gone at once.

        Returns the units that were short. Unknown codes are ignored, and their units counted.
        """
        short, unknown = sell_free_stock(self.stock, self._sites, lines)
        self.unknown_elsewhere += unknown
        return short

    def take_back(self, code: str, quantity: Given) -> None:
        """A return of another channel puts stock back."""
        self.stock.put(self.stock.get(code), self._default_site, above_0(quantity))

    def adjust(
        self, code: str, delta: Given, reason: str, site: int | str | None = None
    ) -> None:
        """A stock adjustment; the level may become negative."""
        item = self.stock.get(code)
        change = Decimal(delta)
        self.adjustments.append(Adjustment(stock_code=item.code, delta=change, reason=reason))
        if len(self.adjustments) > _ADJUSTMENTS_MAX:
            self.adjustments.pop(0)
            self.adjustments_dropped += 1
        self.stock.put(item, self._site(site), change)

    def purchase(self, code: str, quantity: Given, due: date | str) -> None:
        """A purchase order goes out to the supplier."""
        day = date.fromisoformat(due) if isinstance(due, str) else due
        item = self.stock.get(code)
        item.on_order = sorted([*item.on_order, (day, above_0(quantity))])

    def goods_in(self, code: str, quantity: Given, site: int | str | None = None) -> None:
        """A delivery arrives: back orders first, oldest delivery date first."""
        item = self.stock.get(code)
        units = above_0(quantity)
        self.stock.deliver(item, units)
        self.stock.put(item, self._site(site), units)

    def import_stock_status(
        self, document: str, *, update_data: bool, update_levels: bool
    ) -> list[StockItem]:
        """ImportStockStatus: thresholds and absolute levels; returns what it changed."""
        return import_stock_status(
            self.stock, self._sites, document,
            update_data=update_data, update_levels=update_levels,
        )  # fmt: skip

    # ── orders ──

    def import_orders(self, document: str) -> ImportResult:
        """ImportOrders: what was taken and what was skipped; a refusal is a KhaosFault."""
        return self._desk.take(document)

    def import_order(self, order: OrderDocument, *, tolerant: bool = False) -> SalesOrder:
        """One order out of a channel's download; a refusal is a KhaosFault."""
        return self._desk.take_one(order, tolerant=tolerant)

    def import_read_orders(self, orders: Sequence[OrderDocument]) -> ImportResult:
        """The same of orders that were read out of a document already."""
        return self._desk.take_read(msgspec.convert(each, OrderDocument) for each in orders)

    def orders_by_ref(self, ref: str) -> list[SalesOrder]:
        """Sales orders with that external reference: never more than one."""
        return self.orders.by_ref(ref)

    # ── what a person in the warehouse does ──

    def confirm_order(self, external_ref: str) -> None:
        """An order that was imported unconfirmed is taken: invoices can be made of it."""
        self._desk.confirm(self._order(external_ref))

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

    def confirm_shipment(
        self, invoice_code: str, courier: str = "", consignments: Sequence[str] = ()
    ) -> None:
        """Confirm Shipment now, whatever was planned; by that courier, a number a box."""
        invoice = self._open_invoice(invoice_code)
        if invoice.shipped_at is not None or invoice.waits_for_stock:
            raise Misuse(f"{invoice_code} is shipped already, or waits for stock")
        named = [each for each in self.couriers if each.name == courier or not courier]
        if not named:
            raise Misuse(f"the warehouse has no courier {courier!r}")
        self._staff.confirm_shipment(
            invoice, courier=named[0] if courier else None, consignments=consignments
        )

    def ship_part(self, invoice_code: str, items: Sequence[Sequence[str | int]]) -> str:
        """Confirm Shipment of (code, units) only; returns the code of the rest's invoice."""
        invoice = self._open_invoice(invoice_code)
        if invoice.waits_for_stock:
            raise Misuse(f"{invoice_code} waits for stock: bring goods in first")
        rest = self._staff.part(invoice, split_off(invoice, items))
        return rest.code

    def archive(self, invoice_code: str, stage_id: int = 71) -> None:
        """Put an issued invoice into the archive: stage 71, 72 or 73."""
        invoice = self.orders.invoice(invoice_code)
        if invoice is None or invoice.issued_at is None or stage_id not in ARCHIVES:
            raise Misuse(f"{invoice_code} is not issued, or {stage_id} is no archive")
        invoice.stage = stage_id

    def issue(self, invoice_code: str) -> None:
        """Issue now, whatever was planned."""
        invoice = self._open_invoice(invoice_code)
        if invoice.shipped_at is None:
            raise Misuse(f"{invoice_code} is not shipped yet")
        self._staff.issue(invoice)

    def move_stage(self, invoice_code: str, stage_id: int) -> None:
        """Put an invoice at a stage by hand; the staff leave it there."""
        invoice = self._open_invoice(invoice_code)
        if stage_id in {StageId.CANCELLED, StageId.ISSUED_CURRENT, *ARCHIVES}:
            raise Misuse("cancel, issue and archive have their own ways")
        if invoice.stage in FUTURES and stage_id not in {StageId.ORDERS_RELEASED, *FUTURES}:
            raise Misuse(f"{invoice_code} is at a future stage: it can only be released (9)")
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

    def _price(self, price: Money | str | Mapping[str, object]) -> Money:
        return price_of(price, self.settings.system_currency)

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
