"""Translates OR11: what Mirakl tells of an order, into the records of `order_port.py`.

Promises: amounts are rounded half up to the penny where the tenant shows more places (contract
b.0, e.5) and never re-signed; unknown states are UNKNOWN beside the word as it came; an order
without its id, its time or its price, or a line without id, quantity or price, raises
`ProtocolSurprise` that names it. It asks nobody anything.
Invariant: equal codes are one text in memory, so that ten thousand orders stay small.
Called by `seller_api.py` and `reversals.py`. Source: contract johnlewis b.3, c.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import lru_cache
from sys import intern

from kcjl.johnlewis import order_wire, wire
from kcjl.johnlewis.order_port import (
    AdditionalField,
    Address,
    Cancelation,
    Customer,
    Order,
    OrderLine,
    OrderState,
    OrderTracking,
    Refund,
    TaxAmount,
)
from kcjl.johnlewis.reading import (
    ZERO,
    Page,
    both_times,
    given,
    key,
    listed,
    optional,
    rounded,
    sound,
    text,
    time,
    told_as_text,
    total,
    whole,
)
from kcjl.johnlewis.unknown import unknown_word
from kcjl.money import Money

__all__ = ["address", "customer_number", "is_ours", "order", "orders", "tax_amounts"]

_OWN_CENTRES = ("", "DEFAULT")
"""Fulfilment centres that mean the shop itself; any other is somebody else's stock (b.3)."""

_STATE_SPELLINGS = {"CANCELLED": OrderState.CANCELED}
_CODES_KEPT = 4_096
_RATES_KEPT = 256
_AMOUNTS_KEPT = 4_096
_AMOUNTS: dict[tuple[Decimal, str], Money] = {}


def orders(body: bytes, currency: str) -> Page[Order]:
    read = wire.decoded(body, order_wire.WireOrders, "OR11")
    rows = [
        (key(row.order_id, "OR11: an order's id"), order(row, currency))
        for row in listed(read.orders, body, "OR11")
    ]
    return Page(rows=rows, total=total(read.total_count))


def customer_number(references: wire.WireReferences, commercial_id: str | int | None) -> str:
    return text(references.order_reference_for_customer) or text(commercial_id)


# ── the order ───────────────────────────────────────────────────────────────────────────────


def order(row: order_wire.WireOrder, currency: str, operation: str = "OR11") -> Order:
    order_id = key(row.order_id, f"{operation}: an order's id")
    what = f"{operation}: order {order_id}"
    in_currency = intern(row.currency_iso_code or currency)
    price = _amount(given(row.price, f"{what}: its price"), in_currency, what)
    shipping = _amount(row.shipping_price or ZERO, in_currency, what)
    in_all = row.total_price
    references = row.references or wire.WireReferences()
    customer = row.customer
    delivery = row.delivery_date
    delivery_address, billing_address = _addresses(customer) if customer else (None, None)
    created, updated = both_times(row.created_date, row.last_updated_date, what)
    return Order(
        order_id=order_id,
        commercial_id=text(row.commercial_id) or order_id,
        customer_order_number=customer_number(references, row.commercial_id) or order_id,
        seller_reference=text(references.order_reference_for_seller) or None,
        state=_state(row.order_state, "orders[].order_state"),
        state_raw=_code(row.order_state) or "",
        state_reason_code=_code(row.order_state_reason_code),
        created_at=created,
        updated_at=updated,
        acceptance_decided_at=time(row.acceptance_decision_date, what),
        debited_at=time(row.customer_debited_date, what),
        ship_by=time(row.shipping_deadline, what),
        deliver_from=time(delivery.earliest, what) if delivery else None,
        deliver_until=time(delivery.latest, what) if delivery else None,
        currency=in_currency,
        price=price,
        shipping_price=shipping,
        total_price=price + shipping if in_all is None else _amount(in_all, in_currency, what),
        total_commission=_money(row.total_commission, in_currency, what),
        promotions_total=_money(
            row.promotions.total_deduced_amount if row.promotions else None, in_currency, what
        ),
        tax_mode=_code(row.order_tax_mode) or "TAX_INCLUDED",
        order_taxes=tax_amounts(row.order_taxes, in_currency, what),
        payment_workflow=_code(row.payment_workflow),
        payment_type=_code(row.payment_type) or _code(row.payment_type_before),
        transaction_number=optional(row.transaction_number),
        transaction_at=time(row.transaction_date, what),
        channel_code=_code(row.channel.code) if row.channel else None,
        shipping_type_code=_code(row.shipping_type_code) or "",
        shipping_zone_code=_code(row.shipping_zone_code),
        pickup_point_id=optional(row.shipping_pudo_id),
        tracking=_tracking(row),
        can_cancel=row.can_cancel,
        can_ship=row.can_shop_ship,
        has_incident=bool(row.has_incident),
        has_invoice=bool(row.has_invoice),
        has_customer_message=bool(row.has_customer_message),
        fully_refunded=bool(row.fully_refunded),
        fulfilled_by_us=is_ours(row.fulfillment),
        lines=tuple(_order_line(line, in_currency, what) for line in row.order_lines or ()),
        delivery_address=delivery_address,
        billing_address=billing_address,
        customer=_customer(customer) if customer else None,
        notification_email=row.customer_notification_email or None,
        additional_fields=_additional(row.order_additional_fields),
    )


def _state(word: str | None, field: str) -> OrderState:
    try:
        return OrderState(word or "")
    except ValueError:
        state = _STATE_SPELLINGS.get(word or "", OrderState.UNKNOWN)
        if word and state is OrderState.UNKNOWN:
            unknown_word("OR11", field)
        return state


def is_ours(fulfilment: order_wire.WireFulfilment | None) -> bool:
    centre = fulfilment.center if fulfilment else None
    return centre is None or text(centre.code) in _OWN_CENTRES


def _tracking(row: order_wire.WireOrder) -> OrderTracking | None:
    told = OrderTracking(
        carrier_code=_code(row.shipping_carrier_code),
        carrier_standard_code=_code(row.shipping_carrier_standard_code),
        carrier_name=_code(row.shipping_company),
        tracking_number=optional(row.shipping_tracking),
        tracking_url=optional(row.shipping_tracking_url),
    )
    return None if told == OrderTracking() else told


def _customer(told: order_wire.WireCustomer) -> Customer | None:
    customer = Customer(
        customer_id=text(told.customer_id),
        civility=text(told.civility),
        first_name=text(told.firstname),
        last_name=text(told.lastname),
        locale=_code(told.locale) or "",
    )
    return None if customer == Customer() else customer


def _addresses(customer: order_wire.WireCustomer) -> tuple[Address | None, Address | None]:
    """Of the delivery and of the bill: one record where they are alike."""
    delivery = address(customer.shipping_address, customer)
    billing = address(customer.billing_address, customer)
    return delivery, delivery if billing == delivery else billing


def address(
    told: order_wire.WireAddress | None, customer: order_wire.WireCustomer
) -> Address | None:
    """None before the tenant shows it, also for an empty shell."""
    if told is None or told == order_wire.WireAddress():
        return None
    named = told if text(told.firstname) or text(told.lastname) else customer
    return Address(
        first_name=text(named.firstname),
        last_name=text(named.lastname),
        company=", ".join(filter(None, (text(told.company), text(told.company_2)))),
        street_1=text(told.street_1),
        street_2=text(told.street_2),
        postcode=text(told.zip_code),
        city=text(told.city),
        county=text(told.state),
        country=_code(told.country) or "",
        country_code=_code(told.country_iso_code),
        phone=text(told.phone) or text(told.phone_secondary),
        additional=text(told.additional_info),
        civility=text(named.civility),
    )


# ── its lines ───────────────────────────────────────────────────────────────────────────────


def _order_line(line: order_wire.WireOrderLine, currency: str, order: str) -> OrderLine:
    line_id = key(line.order_line_id, f"{order}: a line's id")
    what = f"{order}, line {line_id}"
    quantity = whole(given(line.quantity, f"{what}: its quantity"), what)
    price = given(line.price, f"{what}: its price")
    unit = line.price_unit
    if unit is None:
        unit = sound(price, what) / quantity if quantity else price
    return OrderLine(
        line_id=line_id,
        sku=_code(line.offer_sku) or "",
        title=_code(line.product_title) or "",
        category_code=_code(line.category_code) or "",
        quantity=quantity,
        unit_price=_amount(unit, currency, what),
        original_unit_price=_money(line.origin_unit_price, currency, what),
        price=_amount(price, currency, what),
        shipping_price=_amount(line.shipping_price or ZERO, currency, what),
        commission=_amount(line.commission_fee or ZERO, currency, what),
        commission_tax=_amount(_commission_tax(line, what), currency, what),
        commission_taxes=tax_amounts(line.commission_taxes, currency, what),
        taxes=tax_amounts(line.taxes, currency, what),
        shipping_taxes=tax_amounts(line.shipping_taxes, currency, what),
        promotions_total=_in_all(line.promotions, currency, what),
        fees=_in_all(line.fees, currency, what),
        state=_state(line.order_line_state, "orders[].order_lines[].order_line_state"),
        state_raw=_code(line.order_line_state) or "",
        state_reason_code=_code(line.order_line_state_reason_code),
        line_index=_count(line.order_line_index, what),
        offer_id=optional(line.offer_id),
        product_sku=_code(line.product_sku),
        can_refund=line.can_refund,
        debited_at=time(line.debited_date, what),
        shipped_at=time(line.shipped_date, what),
        received_at=time(line.received_date, what),
        updated_at=time(line.last_updated_date, what),
        refunds=tuple(_refund(refund, currency, what) for refund in line.refunds or ()),
        cancelations=tuple(
            _cancelation(each, currency, what) for each in line.cancelations or ()
        ),
        additional_fields=_additional(line.order_line_additional_fields),
    )


def _commission_tax(line: order_wire.WireOrderLine, what: str) -> Decimal:
    """The taxes as listed, else the deprecated sum, else what is left of the total."""
    if line.commission_taxes:
        return _sum([tax.amount for tax in line.commission_taxes], what)
    if line.commission_vat is not None:
        return line.commission_vat
    if line.total_commission is not None and line.commission_fee is not None:
        return _sum([line.total_commission, -sound(line.commission_fee, what)], what)
    return ZERO


def _in_all(
    told: Sequence[order_wire.WirePromotion | order_wire.WireFee] | None,
    currency: str,
    what: str,
) -> Money | None:
    """What is listed, added up; None where nothing is."""
    if not told:
        return None
    return _amount(_sum([each.amount for each in told], what), currency, what)


def _refund(refund: order_wire.WireRefund, currency: str, line: str) -> Refund:
    refund_id = key(refund.id, f"{line}: a refund's id")
    what = f"{line}, refund {refund_id}"
    return Refund(
        refund_id=refund_id,
        order_refund_id=optional(refund.order_refund_id),
        amount=_amount(refund.amount or ZERO, currency, what),
        shipping_amount=_amount(refund.shipping_amount or ZERO, currency, what),
        quantity=_count(refund.quantity, what),
        state=_code(refund.refund_state) or _code(refund.state) or "",
        reason_code=_code(refund.reason_code) or "",
        created_at=time(refund.created_date, what),
        commission=_money(refund.commission_amount, currency, what),
        commission_tax=_reversed_tax(refund, currency, what),
        commission_total=_money(refund.commission_total_amount, currency, what),
        taxes=tax_amounts(refund.taxes, currency, what),
        shipping_taxes=tax_amounts(refund.shipping_taxes, currency, what),
        fees=_in_all(refund.fees, currency, what),
        transaction_number=optional(refund.transaction_number),
        transaction_at=time(refund.transaction_date, what),
    )


def _cancelation(row: order_wire.WireCancelation, currency: str, line: str) -> Cancelation:
    cancelation_id = key(row.id, f"{line}: a cancelation's id")
    what = f"{line}, cancelation {cancelation_id}"
    return Cancelation(
        cancelation_id=cancelation_id,
        amount=_amount(row.amount or ZERO, currency, what),
        shipping_amount=_amount(row.shipping_amount or ZERO, currency, what),
        quantity=_count(row.quantity, what),
        reason_code=_code(row.reason_code) or "",
        created_at=time(row.created_date, what),
        commission=_money(row.commission_amount, currency, what),
        commission_tax=_reversed_tax(row, currency, what),
        commission_total=_money(row.commission_total_amount, currency, what),
        taxes=tax_amounts(row.taxes, currency, what),
        shipping_taxes=tax_amounts(row.shipping_taxes, currency, what),
        fees=_in_all(row.fees, currency, what),
    )


def _reversed_tax(
    row: order_wire.WireRefund | order_wire.WireCancelation, currency: str, what: str
) -> Money | None:
    """The tax on the fee given back: as listed, else what the total is above the fee."""
    if row.commission_taxes:
        return _amount(_sum([tax.amount for tax in row.commission_taxes], what), currency, what)
    if row.commission_total_amount is None or row.commission_amount is None:
        return None
    fee = sound(row.commission_amount, what)
    return _amount(_sum([row.commission_total_amount, -fee], what), currency, what)


# ── single values ───────────────────────────────────────────────────────────────────────────


def tax_amounts(
    told: Sequence[order_wire.WireTax] | None, currency: str, what: str
) -> tuple[TaxAmount, ...]:
    """The taxes as listed; a tax without an amount is one of zero."""
    return tuple(
        TaxAmount(
            code=_code(tax.code) or "",
            amount=_amount(tax.amount or tax.total_amount or ZERO, currency, what),
            rate=None if tax.rate is None else _one_rate(sound(tax.rate, what), str(tax.rate)),
            rule=_code(tax.tax_calculation_rule) or "",
        )
        for tax in told or ()
    )


def _additional(
    told: Sequence[order_wire.WireAdditionalField] | None,
) -> tuple[AdditionalField, ...]:
    return tuple(
        AdditionalField(
            code=_code(field.code) or "",
            value=told_as_text(field.value),
            kind=_code(field.type) or "",
        )
        for field in told or ()
    )


def _money(amount: Decimal | None, currency: str, what: str) -> Money | None:
    return None if amount is None else _amount(amount, currency, what)


def _amount(amount: Decimal, currency: str, what: str) -> Money:
    """As `rounded`; an amount that comes again is the same `Money`."""
    kept = (sound(amount, what), currency)
    if (money := _AMOUNTS.get(kept)) is None:
        money = rounded(amount, currency, what)
        if len(_AMOUNTS) >= _AMOUNTS_KEPT:
            _AMOUNTS.clear()
        _AMOUNTS[kept] = money
    return money


def _sum(amounts: Iterable[Decimal | None], what: str) -> Decimal:
    return sum((sound(each, what) for each in amounts if each is not None), ZERO)


def _count(value: Decimal | None, what: str) -> int | None:
    return None if value is None else whole(value, what)


@lru_cache(maxsize=_CODES_KEPT)
def _code(value: str | int | None) -> str | None:
    """A word that comes again and again; the same text each time."""
    return optional(value)


@lru_cache(maxsize=_RATES_KEPT)
def _one_rate(rate: Decimal, _written: str) -> Decimal:
    return rate  # 20 and 20.0 are two
