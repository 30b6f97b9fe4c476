"""The checks of the ERP's import desk, and what an order comes to.

Promises: an order is looked at as a whole and priced before anything of it is kept; what the
ERP would refuse is a fault that names it. It changes nothing. Invariant: a checked order can
be kept as long as nothing else was kept since. Source: contract khaos b.3, h.
Called by the import desk of the sandbox's warehouse.
"""

from dataclasses import dataclass, field
from decimal import Decimal

import msgspec

from kcjl.money import Money
from kcjl.sandbox.warehouse.customers import CustomerBook
from kcjl.sandbox.warehouse.documents import LineDocument, OrderDocument
from kcjl.sandbox.warehouse.faults import KhaosFault
from kcjl.sandbox.warehouse.orders import CourierEntry
from kcjl.sandbox.warehouse.pricing import (
    LineAmounts,
    UnitPrice,
    money_of,
    net_of,
    price_line,
)
from kcjl.sandbox.warehouse.settings import CompanyClass, WarehouseSettings
from kcjl.sandbox.warehouse.setup import Setup
from kcjl.sandbox.warehouse.stock import StockBook, StockItem, key_of

__all__ = ["CheckedOrder", "OrderCheck", "PricedLine", "Spoken"]

_STANDARD_TAX = 1
_MAILING_STATUS_MAX = 8


@dataclass(slots=True)
class PricedLine:
    document: LineDocument
    item: StockItem | None
    """None: option 019821 will create it."""
    site_id: int
    quantity: Decimal
    tax_code: int
    amounts: LineAmounts
    pack: int


@dataclass(slots=True)
class CheckedOrder:
    document: OrderDocument
    currency: str
    site_id: int
    courier: CourierEntry
    courier_was_ordered: bool
    lines: list[PricedLine]
    delivery_net: Money
    delivery_gross: Money
    message: str

    @property
    def total(self) -> Money:
        return sum((line.amounts.gross for line in self.lines), self.delivery_gross)


@dataclass(slots=True)
class Spoken:
    """What earlier orders of an atomic call will take once they are kept."""

    refs: set[str] = field(default_factory=set)
    units: dict[tuple[str, int], Decimal] = field(default_factory=dict)

    def add(self, order: CheckedOrder) -> None:
        self.refs.add(order.document.external_ref)
        for line in order.lines:
            if line.item is not None and line.item.holds_stock:
                self.add_units(line.item, line.site_id, line.quantity)

    def add_units(self, item: StockItem, site_id: int, quantity: Decimal) -> Decimal:
        """Speak for units; returns how many of that item are spoken for by now."""
        key = (key_of(item.code), site_id)
        self.units[key] = self.units.get(key, Decimal(0)) + quantity
        return self.units[key]


class OrderCheck:
    """Says what an order document would become, or why it can't."""

    def __init__(
        self,
        setup: Setup,
        stock: StockBook,
        customers: CustomerBook,
        couriers: list[CourierEntry],
    ) -> None:
        self._setup = setup
        self._stock = stock
        self._customers = customers
        self._couriers = couriers
        self._sites = {site.name.casefold(): site.site_id for site in setup.settings.sites}

    @property
    def _settings(self) -> WarehouseSettings:
        return self._setup.settings

    @property
    def _classes(self) -> dict[str, CompanyClass]:
        return {known.name: known for known in self._settings.company_classes}

    def check(
        self, order: OrderDocument, spoken: Spoken, *, tolerant: bool = False
    ) -> CheckedOrder:
        """What it would become; tolerant: with discontinued and run-to-zero items too."""
        self._check_system_values(order)
        currency = order.currency or self._settings.system_currency
        self._customers.check_currency(order.customer, currency)
        site_id = self._site(order.site_name, self._settings.sites[0].site_id)
        lines = self._price_lines(order, currency, site_id, tolerant=tolerant)
        if not tolerant:
            self._check_run_to_zero(lines, spoken)
        courier = self._courier(order)
        delivery_net, delivery_gross = self._delivery(order, currency)
        checked = CheckedOrder(
            document=order,
            currency=currency,
            site_id=site_id,
            courier=courier or self._couriers[0],
            courier_was_ordered=courier is not None,
            lines=lines,
            delivery_net=delivery_net,
            delivery_gross=delivery_gross,
            message="",
        )
        if order.corrects_rounding and order.order_amount is not None:
            _correct_rounding(checked, money_of(order.order_amount, currency))
        checked.message = self._compare_amount(order, checked.total)
        return checked

    def _check_system_values(self, order: OrderDocument) -> None:
        company_class = self._customers.class_of(order.customer)
        if company_class not in self._classes:
            raise KhaosFault(f"Company class '{company_class}' does not exist")
        now, customer = self._settings, order.customer
        if order.sales_source and order.sales_source not in now.sales_sources:
            raise KhaosFault(f"Sales source '{order.sales_source}' does not exist")
        for kind, value, known in (
            ("Brand", order.brand, now.brands),
            ("Keycode", order.keycode, now.keycodes),
            ("Agent", order.agent, now.agents),
            ("Invoice priority", order.invoice_priority, now.invoice_priorities),
            ("Website", order.website_name, now.website_names),
            ("Company type", customer.company_type, now.company_types),
            ("Source code", customer.source_code, now.source_codes),
        ):
            if value and known and value not in known:
                raise KhaosFault(f"{kind} '{value}' does not exist")
        mailing = customer.mailing_status
        if mailing is not None and not 1 <= mailing <= _MAILING_STATUS_MAX:
            raise KhaosFault(f"Mailing status {mailing} does not exist")
        if now.unknown_customer == "fault" and self._customers.is_unknown_code(customer):
            raise KhaosFault(f"Customer '{customer.company_code}' does not exist")

    def _site(self, name: str, default: int) -> int:
        if not name:
            return default
        site_id = self._sites.get(name.casefold())
        if site_id is None:
            raise KhaosFault(f"Site '{name}' does not exist")
        return site_id

    def _courier(self, order: OrderDocument) -> CourierEntry | None:
        """The courier that the document names, code first."""
        if not order.courier_code and not order.courier_name:
            return None
        for entry in self._couriers:
            if order.courier_code:
                if entry.settings.code.casefold() == order.courier_code.casefold():
                    return entry
            elif entry.name.casefold() == order.courier_name.casefold():
                return entry
        if self._settings.refuses_unknown_courier:
            raise KhaosFault(
                f"Courier '{order.courier_code or order.courier_name}' does not exist"
            )
        return None

    def _price_lines(
        self, order: OrderDocument, currency: str, site_id: int, *, tolerant: bool
    ) -> list[PricedLine]:
        company_class = self._classes[self._customers.class_of(order.customer)]
        is_net = (order.calculation or company_class.calculation) == "net"
        lines: list[PricedLine] = []
        for number, row in enumerate(order.lines, start=1):
            item = self._resolve(row, tolerant=tolerant)
            here = self._site(row.site_name, site_id)
            pack = number if item is not None and item.pack_of else 0
            lines.append(self._priced(row, item, here, row.quantity, currency, is_net, pack))
            for code, units in item.pack_of if item is not None else ():
                child = self._sellable(self._stock.get(code), tolerant=tolerant)
                free = msgspec.structs.replace(
                    row, stock_code=child.code, tax_code=None,
                    price=UnitPrice(amount=Decimal(0), is_net=is_net),
                    description="", import_ref="", web_item_ref="",
                    discount_percent=Decimal(0),
                )  # fmt: skip
                quantity = row.quantity * units
                lines.append(self._priced(free, child, here, quantity, currency, is_net, pack))
        return lines

    def _priced(
        self,
        row: LineDocument,
        item: StockItem | None,
        site_id: int,
        quantity: Decimal,
        currency: str,
        class_is_net: bool,  # noqa: FBT001
        pack: int,
    ) -> PricedLine:
        tax_code = row.tax_code or (item.tax_code if item is not None else _STANDARD_TAX)
        if tax_code not in self._settings.tax_percent:
            raise KhaosFault(f"Tax rate code {tax_code} of {row.stock_code} does not exist")
        own_price = UnitPrice(
            amount=item.sell_price.decimal() if item is not None else Decimal(0),
            is_net=item.sell_price_is_net if item is not None else class_is_net,
        )
        amounts = price_line(
            row.price or own_price,
            quantity,
            class_is_net=class_is_net,
            tax_percent=Decimal(self._settings.tax_percent[tax_code]),
            discount_percent=row.discount_percent,
            currency=currency,
        )
        return PricedLine(
            document=row, item=item, site_id=site_id, quantity=quantity, tax_code=tax_code,
            amounts=amounts, pack=pack,
        )  # fmt: skip

    def _resolve(self, row: LineDocument, *, tolerant: bool) -> StockItem | None:
        """The item that a line means; None when option 019821 is going to create it."""
        code = row.stock_code
        finders = {
            1: (self._stock.find,),
            2: (self._stock.find_by_other_ref,),
            4: (self._stock.find_by_description,),
            5: (self._stock.find_by_barcode,),
            -1: (
                self._stock.find,
                self._stock.find_by_other_ref,
                self._stock.find_by_barcode,
                self._stock.find_by_description,
            ),
        }.get(row.mapping_type, ())
        for find in finders:
            item = find(code) if code else None
            if item is not None:
                return self._sellable(item, tolerant=tolerant)
        if self._settings.creates_unknown_stock:
            return None
        raise KhaosFault(f"Stock item '{code}' does not exist")

    @staticmethod
    def _sellable(item: StockItem, *, tolerant: bool) -> StockItem:
        if item.discontinued and not tolerant:
            raise KhaosFault(f"Item {item.code} is discontinued")
        if item.children:
            raise KhaosFault(f"Item {item.code} is a style: order one of its children")
        return item

    @staticmethod
    def _check_run_to_zero(lines: list[PricedLine], spoken: Spoken) -> None:
        wanted = Spoken(units=dict(spoken.units))
        for line in lines:
            item = line.item
            if item is None or not (item.run_to_zero and item.holds_stock):
                continue
            if wanted.add_units(item, line.site_id, line.quantity) > item.level(line.site_id):
                raise KhaosFault(
                    f"Item {item.code} is run to zero and would fall below 0: "
                    f"{line.quantity} ordered, {item.level(line.site_id)} available"
                )

    def _delivery(self, order: OrderDocument, currency: str) -> tuple[Money, Money]:
        """Delivery charge, net and gross: blank is the ERP's own, -1 is none."""
        standard = Decimal(self._settings.tax_percent[_STANDARD_TAX])
        net, gross = order.delivery_net, order.delivery_gross
        if -1 in (net, gross):
            return Money(0, currency), Money(0, currency)
        if net is not None:
            charge = money_of(net, currency)
            return charge, charge + money_of(order.delivery_tax or Decimal(0), currency)
        own = self._settings.own_delivery_charge.decimal()
        charge = money_of(own if gross is None else gross, currency)
        return net_of(charge, standard), charge

    def _compare_amount(self, order: OrderDocument, total: Money) -> str:
        if order.order_amount is None or order.order_amount == total.decimal():
            return ""
        message = f"Order amount {order.order_amount} differs from the total {total.decimal()}"
        if self._settings.amount_mismatch_answer == "fault":
            raise KhaosFault(message)
        return message


def _correct_rounding(checked: CheckedOrder, total: Money) -> None:
    """Let the biggest line take what rounding left: a penny a line, no more."""
    gap = total - checked.total
    if not 0 < abs(gap.amount_minor) <= len(checked.lines):
        return
    line = max(checked.lines, key=lambda priced: priced.amounts.gross.amount_minor)
    amounts = line.amounts
    line.amounts = msgspec.structs.replace(
        amounts, gross=amounts.gross + gap, tax=amounts.tax + gap
    )
