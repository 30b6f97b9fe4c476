"""John Lewis Marketplace as one thing: offers, orders, parcels, and the shop's account.

Promises: a pure model driven by its agenda; the same seed and the same calls at the same times
give the same marketplace. Each method that changes it takes plain values (or records made of
them), and either does all it says or raises `ApiError` and does nothing; the shipment and
reference calls answer per item. It speaks no HTTP. Invariant: only methods here change it.
Called by the trade, by the HTTP face through a gate, and by checks.
"""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from kcjl.money import Money
from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.marketplace.additional_fields import AdditionalFields
from kcjl.sandbox.marketplace.after_sales import AfterSales
from kcjl.sandbox.marketplace.billing import Billing
from kcjl.sandbox.marketplace.book import Book
from kcjl.sandbox.marketplace.cancelations import Cancelations
from kcjl.sandbox.marketplace.catalogue import Catalogue
from kcjl.sandbox.marketplace.counter import Counter
from kcjl.sandbox.marketplace.customers import Customers
from kcjl.sandbox.marketplace.documents import Documents
from kcjl.sandbox.marketplace.errors import ApiError
from kcjl.sandbox.marketplace.exports import ExportAsked, Exports
from kcjl.sandbox.marketplace.incidents import Incidents
from kcjl.sandbox.marketplace.inputs import (
    BasketLine,
    Customer,
    PlacedOrder,
)
from kcjl.sandbox.marketplace.ledger import Ledger
from kcjl.sandbox.marketplace.offer_imports import OfferImports
from kcjl.sandbox.marketplace.offer_lines import WrittenOffer
from kcjl.sandbox.marketplace.offer_records import Offer
from kcjl.sandbox.marketplace.parcels import Parcels
from kcjl.sandbox.marketplace.price_imports import PriceImports
from kcjl.sandbox.marketplace.records import (
    BillingCycle,
    Invoice,
    Order,
    Refund,
    Shipment,
    ShipmentOutcome,
    TransactionLine,
)
from kcjl.sandbox.marketplace.refunds import Refunds
from kcjl.sandbox.marketplace.return_records import Return
from kcjl.sandbox.marketplace.returns import Returns
from kcjl.sandbox.marketplace.settings import MarketplaceSettings
from kcjl.sandbox.marketplace.shipment_changes import ShipmentChanges
from kcjl.sandbox.marketplace.tenant import Tenant

__all__ = ["Marketplace"]


class Marketplace(AfterSales):
    """One shop's account on the marketplace."""

    def __init__(self, agenda: Agenda, settings: MarketplaceSettings) -> None:
        self.agenda = agenda
        self.tenant = Tenant(settings)
        self.catalogue = Catalogue(agenda, self.tenant)
        self.ledger = Ledger(agenda, self.tenant)
        self.book = Book(agenda, self.tenant, self.catalogue, self.ledger)
        self.counter = Counter(self.book)
        self.refunds = Refunds(self.book)
        self.parcels = Parcels(self.book)
        self.billing = Billing(agenda, self.tenant, self.ledger)
        self.cancelations = Cancelations(self.book, self.counter)
        self.incidents = Incidents(self.book)
        self.returns = Returns(self.book)
        self.shipment_changes = ShipmentChanges(self.book, self.parcels)
        self.documents = Documents(self.book)
        self.additional_fields = AdditionalFields(self.book)
        self.customers = Customers(self.book, self.counter, self.refunds, self.incidents)
        self.refunds.on_refunded.append(self.incidents.refunded)
        self.counter.on_order_placed.append(self.customers.note_placed)
        self.book.on_order_state.append(self.customers.note_state)
        self.offer_imports = OfferImports(agenda, self.tenant, self.catalogue)
        self.price_imports = PriceImports(agenda, self.tenant, self.catalogue)
        self.exports = Exports(agenda, self.tenant, self.book, self.ledger)

    # ── the readable truth ─────────────────────────────────────────────────────────────────

    @property
    def settings(self) -> MarketplaceSettings:
        """As they hold now."""
        return self.tenant.settings

    @property
    def offers(self) -> Mapping[str, Offer]:
        """By SKU."""
        return self.catalogue.offers

    @property
    def orders(self) -> Mapping[str, Order]:
        return self.book.orders

    @property
    def shipments(self) -> Mapping[str, Shipment]:
        return self.book.shipments

    @property
    def transactions(self) -> Mapping[str, TransactionLine]:
        """By line id, oldest first."""
        return self.ledger.lines

    @property
    def cycles(self) -> Mapping[str, BillingCycle]:
        return self.billing.cycles

    @property
    def invoices(self) -> Mapping[int, Invoice]:
        return self.billing.invoices

    @property
    def on_return_state(self) -> list[Callable[[Return], None]]:
        """Called with a return that has come into a state."""
        return self.returns.on_return_state

    @property
    def on_order_placed(self) -> list[Callable[[PlacedOrder], None]]:
        """Called with each order as it is placed, before the shop can see it decided."""
        return self.counter.on_order_placed

    @property
    def on_order_state(self) -> list[Callable[[str, str], None]]:
        """Called with an order's id and its new state."""
        return self.book.on_order_state

    def offered(self, sku: str) -> int:
        """Units shown to customers; 0 where nothing is on offer."""
        offer = self.catalogue.offers.get(sku)
        return 0 if offer is None else offer.quantity

    def picture(self) -> bytes:
        """All that the marketplace keeps, as JSON: equal worlds have equal pictures."""
        return msgspec.json.encode(
            [
                self.agenda.now,
                list(self.catalogue.offers.values()),
                list(self.catalogue.imports.values()),
                list(self.orders.values()),
                list(self.shipments.values()),
                list(self.transactions.values()),
                list(self.cycles.values()),
                list(self.invoices.values()),
                list(self.catalogue.deleted.values()),
                list(self.offer_imports.imports.values()),
                list(self.price_imports.imports.values()),
                list(self.exports.exports.values()),
                list(self.returns.by_id.values()),
                list(self.documents.by_id.values()),
            ]
        )

    # ── customers and the operator ─────────────────────────────────────────────────────────

    def list_offer(
        self, sku: str, *, price: Money, title: str, category: str = "GENERAL"
    ) -> int:
        """Put a SKU on offer with quantity 0; returns the offer's id."""
        return self.catalogue.list_offer(
            sku, price=msgspec.convert(price, Money), title=title, category=category
        )

    def place_order(
        self,
        basket: Sequence[BasketLine],
        customer: Customer,
        *,
        beyond_the_window: bool = False,
        shipping_type: str | None = None,
    ) -> PlacedOrder | None:
        """A customer orders; None where nothing of the basket could be sold.

        Lines whose offer shows less than wanted are not sold, but `beyond_the_window`: then
        they are sold whatever is shown (a basket that was filled before the offer ran out).
        """
        return self.counter.place(
            [msgspec.convert(line, BasketLine) for line in basket],
            msgspec.convert(customer, Customer),
            beyond_the_window=beyond_the_window,
            shipping_type=shipping_type,
        )

    def customer_returns(
        self,
        order_line_id: str,
        quantity: int,
        *,
        reason_code: str = "17",
        with_shipping: bool = False,
    ) -> Refund:
        """The operator refunds delivered units that came back."""
        return self.refunds.customer_returns(
            order_line_id, quantity, reason_code=reason_code, with_shipping=with_shipping
        )

    def operator_cancels(
        self,
        order_id: str,
        reason_code: str = "35",
        reason_label: str = "Cancelled by customer",
    ) -> None:
        """The customer or the operator cancels an order that has not been shipped."""
        self.counter.operator_cancels(order_id, reason_code, reason_label)

    def operator_credits(
        self, amount: Money, description: str, order_id: str | None = None
    ) -> Invoice:
        """A manual credit to the shop, without its VAT."""
        money = msgspec.convert(amount, Money)
        return self.billing.operator_document("MANUAL_CREDIT", money, description, order_id)

    def operator_invoices(
        self, amount: Money, description: str, order_id: str | None = None
    ) -> Invoice:
        """A manual invoice to the shop, without its VAT."""
        money = msgspec.convert(amount, Money)
        return self.billing.operator_document("MANUAL_INVOICE", money, description, order_id)

    def operator_charges(
        self, kind: str, amount: Money, description: str, order_id: str | None = None
    ) -> None:
        """A one-off debit or credit, a fee on an order or a penalty, without its tax."""
        order = None if order_id is None else self.book.order(order_id)
        money = msgspec.convert(amount, Money)
        self.billing.operator_charge(kind, money, description, order)

    def switch(self, settings: Mapping[str, object]) -> None:
        """The operator sets the tenant up otherwise, from now on."""
        self.tenant.switch(settings)

    def run_cycle(self) -> BillingCycle | None:
        """A billing cycle out of turn; None where nothing is to be paid."""
        return self.billing.run_cycle()

    # ── the shop's calls ───────────────────────────────────────────────────────────────────

    def import_stock(self, csv_text: str) -> str:
        """STO01: returns the import's id."""
        return self.catalogue.import_stock(csv_text)

    def accept(self, order_id: str, decisions: Sequence[Mapping[str, object] | None]) -> None:
        """OR21; a decision is {"id": …, "accepted": …}."""
        self.counter.accept(order_id, decisions)

    def cancel(self, order_id: str) -> None:
        """OR29."""
        self.counter.cancel(order_id)

    def write_references(
        self, references: Sequence[Mapping[str, str | None]]
    ) -> list[tuple[str, ApiError | None]]:
        """OR04; an item is {"order_id": …, "order_reference_for_seller": …}."""
        return self.counter.write_references(references)

    def set_tracking(self, order_id: str, tracking: Mapping[str, str | None]) -> None:
        """OR23; the contract's field names."""
        self.parcels.set_tracking(order_id, tracking)

    def ship(self, order_id: str) -> None:
        """OR24."""
        self.parcels.ship(order_id)

    def refund(
        self, refunds: Sequence[Mapping[str, object]], order_tax_mode: str | None = None
    ) -> list[Refund]:
        """OR28; the contract's field names, amounts written out as decimal numbers."""
        return self.refunds.refund(refunds, order_tax_mode)

    def create_shipments(
        self, shipments: Sequence[Mapping[str, object]]
    ) -> list[ShipmentOutcome]:
        """ST01; the contract's field names."""
        return self.parcels.create_shipments(shipments)

    def track_shipments(
        self, shipments: Sequence[Mapping[str, object]]
    ) -> list[ShipmentOutcome]:
        """ST23; an item is {"id": …, "tracking": {…}}."""
        return self.parcels.track_shipments(shipments)

    def ship_shipments(self, shipment_ids: Sequence[str]) -> list[ShipmentOutcome]:
        """ST24."""
        return self.parcels.ship_shipments(shipment_ids)

    # ── the shop's imports and exports ─────────────────────────────────────────────────────

    def import_offers(self, offers: Sequence[Mapping[str, object]]) -> int:
        """OF24; the contract's field names. Returns the import's id."""
        return self.offer_imports.take_offers(msgspec.convert(offers, list[WrittenOffer]))

    def import_offer_file(self, csv_text: str, mode: str) -> int:
        """OF01. Returns the import's id."""
        return self.offer_imports.take_file(csv_text, mode)

    def import_prices(self, csv_text: str) -> str:
        """PRI01. Returns the import's id."""
        return self.price_imports.take(csv_text)

    def start_export(self, asked: Mapping[str, object]) -> str:
        """OF52, OR13, TL03; the fields of `ExportAsked`. Returns the tracking id."""
        return self.exports.take(msgspec.convert(asked, ExportAsked))

    # ── troubles with them, by hand ────────────────────────────────────────────────────────

    def slow_imports(self, seconds_each: float, count: int = 1) -> None:
        """The next imports, of stock, offers or prices, take so long."""
        self.catalogue.slow_imports(seconds_each, count)

    def fail_exports(self, count: int = 1) -> None:
        """So many of the next exports end FAILED."""
        self.exports.fail_next(count)
