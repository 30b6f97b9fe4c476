"""A downloaded order becomes a sales order of the warehouse, by the channel's import rules.

Promises: what the ERP would not take is a refusal that names it, and leaves no trace;
discontinued and run-to-zero items are aborted on, held, or skipped as `Config` says. It keeps
no list of what was taken. Invariant: one sales order per associated reference.
Called by the channel. Source: contract khaos b.10, c, h.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

from kcjl.clock import LONDON
from kcjl.sandbox.khaos_cloud.customers import CustomerMatching
from kcjl.sandbox.khaos_cloud.documents import (
    Address,
    Contact,
    DataItem,
    ImportConfig,
    Item,
    MappingType,
    Payment,
    Price,
    SalesOrderDocument,
)
from kcjl.sandbox.khaos_cloud.reading import ChannelRefusal
from kcjl.sandbox.khaos_cloud.settings import ChannelSettings
from kcjl.sandbox.warehouse import KhaosFault, SalesOrder, StockItem, Warehouse
from kcjl.sandbox.warehouse.documents import (
    AddressDocument,
    CustomerDocument,
    LineDocument,
    OrderDocument,
    PaymentDocument,
)
from kcjl.sandbox.warehouse.pricing import UnitPrice

__all__ = ["OrderEntry", "moment_of"]

_STOCK_CODE = 1
_HUNDRED = Decimal(100)
_CALCULATIONS: dict[Decimal, Literal["", "net", "gross"]] = {
    Decimal(0): "", Decimal(1): "net", Decimal(2): "gross",
}  # fmt: skip
_CASH, _CHEQUE, _CARD, _ACCOUNT, _VOUCHER = range(5)


def moment_of(wall: str) -> datetime:
    """A London wall time as a moment."""
    try:
        return datetime.fromisoformat(wall).replace(tzinfo=LONDON).astimezone(UTC)
    except ValueError:
        raise ChannelRefusal(f"{wall} is no date and time") from None


class OrderEntry:
    """Enters downloaded orders into the warehouse."""

    def __init__(
        self, warehouse: Warehouse, settings: ChannelSettings, customers: CustomerMatching
    ) -> None:
        self._warehouse = warehouse
        self._settings = settings
        self._customers = customers

    def enter(self, order: SalesOrderDocument, ref: str, config: ImportConfig) -> SalesOrder:
        """The sales order, under that associated reference."""
        rules = config.match_company_on
        code, is_new = self._customers.match(order, rules)
        lines, held = self._lines(order.items, config)
        document = self._document(order, ref, self._customer(order, code, is_new=is_new), lines)
        try:
            entered = self._warehouse.import_order(document, tolerant=held)
        except KhaosFault as fault:
            raise ChannelRefusal(str(fault)) from None
        self._customers.note(order, entered.customer_code, rules)
        if held or config.import_as_unconfirmed:
            self._warehouse.hold(ref)
        return entered

    def find(self, sku: str, mappings: Sequence[MappingType]) -> StockItem | None:
        """The item that a code means, by the first mapping that has one."""
        stock = self._warehouse.stock
        finders = {
            "StockCode": (stock.find,),
            "OtherRef": (stock.find_by_other_ref,),
            "Barcode": (stock.find_by_barcode,),
            "WebCode": (),
            "Automatic": (stock.find, stock.find_by_other_ref, stock.find_by_barcode),
        }
        for mapping in mappings:
            for find in finders[mapping]:
                item = find(sku)
                if item is not None:
                    return item
        return None

    # ── the parts of an order ──

    def _document(
        self,
        order: SalesOrderDocument,
        ref: str,
        customer: CustomerDocument,
        lines: tuple[LineDocument, ...],
    ) -> OrderDocument:
        header = order.header
        if header.value_discount:
            raise ChannelRefusal("ValueDiscount of a whole order is not taken here")
        if header.calc_method not in _CALCULATIONS:
            raise ChannelRefusal(f"CalcMethod is 0, 1 or 2, not {header.calc_method}")
        net, tax, gross = _delivery(header.delivery_charge, header.delivery_tax_amount)
        due = header.delivery_date.date if header.delivery_date else header.required_date
        courier = header.courier
        return OrderDocument(
            customer=customer,
            payments=self._payments(order),
            external_ref=ref,
            order_date=moment_of(header.order_date),
            delivery_date=moment_of(due).astimezone(LONDON).date() if due else None,
            order_amount=header.gross_total,
            currency=_currency(header.currency or order.customer.currency),
            site_name=self._site(header.site),
            delivery_net=net,
            delivery_tax=tax,
            delivery_gross=gross,
            courier_code=courier.code,
            courier_name=courier.name or self._courier_by_id(courier.id),
            sales_source=self._named("SalesSource", header.sales_source),
            brand=_without_code("Brand", header.brand),
            keycode=header.keycode.code or header.keycode.name,
            po_number=header.po_number,
            order_note=header.order_note,
            invoice_note=header.invoice_note,
            courier_note="",
            lines=lines,
            calculation=_CALCULATIONS[header.calc_method],
            corrects_rounding=header.gross_total is not None,
        )

    def _customer(
        self, order: SalesOrderDocument, code: str, *, is_new: bool
    ) -> CustomerDocument:
        customer = order.customer
        deliver_to = order.delivery_address
        contact = order.delivery_contact or order.invoice_contact
        return CustomerDocument(
            always_new=is_new,
            company_code=code,
            other_ref=customer.other_ref,
            web_user=customer.web_user,
            company_class=self._company_class(customer.company_class),
            company_name=customer.company_name,
            invoice_to=_address(order.invoice_address, order.invoice_contact),
            deliver_to=_address(deliver_to, contact) if deliver_to is not None else None,
        )

    def _lines(
        self, items: Sequence[Item], config: ImportConfig
    ) -> tuple[tuple[LineDocument, ...], bool]:
        """The lines that are imported, and whether the order is held for what they are."""
        kept: list[LineDocument] = []
        held = False
        for row in items:
            mappings = (row.mapping, *(other.mapping for other in row.alternate_mapping))
            item = self.find(row.sku, mappings)
            if item is None and not self._warehouse.settings.creates_unknown_stock:
                raise ChannelRefusal(f"Stock item '{row.sku}' does not exist")
            trouble, answer = _trouble(item, row.quantity, config)
            if trouble and answer == "Abort":
                raise ChannelRefusal(trouble)
            if trouble and answer == "Skip":
                continue
            held = held or bool(trouble)
            kept.append(self._line(row, item.code if item is not None else row.sku))
        if not kept:
            raise ChannelRefusal("every item of the order was skipped")
        return tuple(kept), held

    def _line(self, row: Item, code: str) -> LineDocument:
        described = row.stock_description
        explicit = described is not None and described.source == "Explicit"
        return LineDocument(
            stock_code=code,
            mapping_type=_STOCK_CODE,
            quantity=row.quantity,
            price=_unit_price(row.unit_price),
            tax_code=None,
            description=described.parameter if described is not None and explicit else "",
            extended_description="\n".join(row.extended_description),
            discount_percent=_discount_percent(row),
            import_ref=row.import_ref,
            site_name=self._site(row.site) if row.site else "",
            web_item_ref=row.web_item_ref,
        )

    def _payments(self, order: SalesOrderDocument) -> tuple[PaymentDocument, ...]:
        if order.header.remainder_on_account and not order.payments:
            return (_payment(_ACCOUNT, Decimal(0), ""),)
        return tuple(self._payment(payment) for payment in order.payments)

    def _payment(self, payment: Payment) -> PaymentDocument:
        account = self._bank_account(payment.bank_account)
        card = payment.card
        if card is None:
            kind = _CASH
            if payment.cheque is not None:
                kind = _CHEQUE
            elif payment.voucher is not None:
                kind = _VOUCHER
            return _payment(kind, payment.amount, account)
        return PaymentDocument(
            amount=payment.amount,
            payment_type=_CARD,
            card_type=card.card_type,
            card_number=card.card_number,
            is_preauth=card.is_preauth,
            auth_code=card.auth_code,
            transaction_id=card.transaction_id,
            account_name=account,
        )

    # ── what the ERP has ──

    def _bank_account(self, said: DataItem | str) -> str:
        form = self._settings.bank_account_form
        if isinstance(said, str):
            if said and form == "object":
                raise ChannelRefusal("BankAccount is an object with ID, Code or Name")
            return said
        if said and form == "text":
            raise ChannelRefusal("BankAccount is a text")
        return said.name or said.code or said.id

    def _company_class(self, said: DataItem) -> str:
        classes = self._warehouse.settings.company_classes
        by_id = {str(number): known.name for number, known in enumerate(classes, start=1)}
        return _required("CompanyClass", said.name or said.code or by_id.get(said.id, said.id))

    def _site(self, said: DataItem) -> str:
        by_id = {str(site.site_id): site.name for site in self._warehouse.settings.sites}
        return _required("Site", said.name or said.code or by_id.get(said.id, said.id))

    def _courier_by_id(self, said: str) -> str:
        couriers = self._warehouse.couriers
        by_id = {str(number): known.name for number, known in enumerate(couriers, start=1)}
        return by_id.get(said, said)

    def _named(self, what: str, said: DataItem) -> str:
        sources = self._warehouse.settings.sales_sources
        by_id = {str(number): name for number, name in enumerate(sources, start=1)}
        return by_id.get(said.id, said.id) or _without_code(what, said)


def _trouble(
    item: StockItem | None, quantity: Decimal, config: ImportConfig
) -> tuple[str, Literal["Abort", "ImportAndHold", "Skip"]]:
    """Why an item can't be sold so, and what the config says to that."""
    if item is not None and item.discontinued:
        return f"Item {item.code} is discontinued", config.discontinued_items
    short = item is not None and item.run_to_zero and item.holds_stock
    if item is not None and short and quantity > item.level():
        said = f"{quantity} ordered, {item.level()} available"
        trouble = f"Item {item.code} is run to zero and would fall below 0: {said}"
        return trouble, config.run_to_zero_error_items
    return "", "Abort"


def _required(what: str, name: str) -> str:
    if not name.strip():
        raise ChannelRefusal(f"{what} is required")
    return name


def _without_code(what: str, said: DataItem) -> str:
    if said.code:
        raise ChannelRefusal(f"{what} can't be matched by Code: give its ID or Name")
    return said.name or said.id


def _currency(said: DataItem) -> str:
    return _required("Currency", said.code or said.name)


def _unit_price(price: Price) -> UnitPrice:
    if price.net is not None:
        return UnitPrice(amount=price.net, is_net=True)
    return UnitPrice(amount=price.gross or Decimal(0), is_net=False)


def _discount_percent(row: Item) -> Decimal:
    """The line's discount; a value becomes the percentage that comes to it."""
    if not row.value_discount:
        return row.percent_discount
    unit = _unit_price(row.unit_price).amount
    return row.value_discount * _HUNDRED / (unit * row.quantity) if unit else Decimal(0)


def _delivery(
    charge: Price | None, tax: Decimal | None
) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    """Net, tax and gross as an order document has them; left out, the ERP's own charge."""
    if charge is None:
        return None, None, None
    if min(charge.net or 0, charge.gross or 0) < 0:
        raise ChannelRefusal("DeliveryCharge can't be below 0")
    if charge.net is not None:
        return charge.net, tax, None
    if tax is not None and charge.gross is not None:
        return charge.gross - tax, tax, None
    return None, None, charge.gross


def _payment(kind: int, amount: Decimal, account: str) -> PaymentDocument:
    return PaymentDocument(
        amount=amount, payment_type=kind, card_type="", card_number="", is_preauth=False,
        auth_code="", transaction_id="", account_name=account,
    )  # fmt: skip


def _address(address: Address, contact: Contact) -> AddressDocument:
    country = address.country
    if not country:
        raise ChannelRefusal("Country is required")
    return AddressDocument(
        line1=address.line1, line2=address.line2, line3=address.line3, town=address.town,
        county=address.county, postcode=address.postcode, country_code=country.code,
        country_name=country.name or country.id, title=contact.title,
        forename=contact.forename, surname=contact.surname, telephone=address.telephone,
        fax=address.fax, mobile=contact.mobile, email=contact.email or address.email,
        organisation=address.organisation,
    )  # fmt: skip
