"""Orders, the border: the marketplace's record into what our events say, and to the ERP's.

Promises: pure; personal data goes into the sealed address only. It decides nothing.
Called by `actor.py`.
"""

from datetime import timedelta

import msgspec

from kcjl.johnlewis.port import Address, Order, OrderLine
from kcjl.khaos.port import DeliveryAddress, NewOrder, NewOrderLine
from kcjl.money import Money
from kcjl.orders.as_paid import tax_of
from kcjl.orders.changes_state import CancelationSeen, LineSeen, OrderSeen, RefundSeen
from kcjl.orders.events import (
    LineOrdered,
    LineStanding,
    OrderChanged,
    OrderReceived,
    PostingIntended,
)
from kcjl.orders.state import OrderEntry

__all__ = [
    "SealedBuyer",
    "changed",
    "country",
    "delivery",
    "received",
    "sales_order",
    "seen",
]

_COUNTRY_CODES = (2, 3)
"""Letters of a country's code; anything else in that place may be part of an address."""


class SealedBuyer(msgspec.Struct, frozen=True, kw_only=True):
    """What the vault keeps of a buyer."""

    address: Address
    email: str | None = None


def received(order: Order, *, acceptance: timedelta) -> OrderReceived:
    return OrderReceived(
        order_id=order.order_id,
        commercial_id=order.commercial_id,
        customer_order_number=order.customer_order_number,
        state=order.state_raw,
        accept_by=order.created_at + acceptance,
        ship_by=order.ship_by,
        currency=order.currency,
        price=order.price,
        shipping_price=order.shipping_price,
        total_price=order.total_price,
        tax_mode=order.tax_mode,
        shipping_type_code=order.shipping_type_code,
        fulfilled_by_us=order.fulfilled_by_us,
        lines=tuple(
            LineOrdered(
                line_id=line.line_id,
                sku=line.sku,
                title=line.title,
                category_code=line.category_code,
                quantity=line.quantity,
                unit_price=line.unit_price,
                price=line.price,
                shipping_price=line.shipping_price,
                commission=line.commission,
                commission_tax=line.commission_tax,
                tax=tax_of(line),
            )
            for line in order.lines
        ),
        updated_at=order.updated_at,
        country=country(order),
        occurred_at=order.created_at,
    )


def changed(order: Order) -> OrderChanged:
    return OrderChanged(
        order_id=order.order_id,
        state=order.state_raw,
        ship_by=order.ship_by,
        total_price=order.total_price,
        lines=tuple(
            LineStanding(
                line_id=line.line_id,
                sku=line.sku,
                state=line.state.value,
                price=line.price,
                refunded=sum(
                    (refund.amount + refund.shipping_amount for refund in line.refunds),
                    Money(0, order.currency),
                ),
            )
            for line in order.lines
        ),
        occurred_at=order.updated_at,
    )


def country(order: Order) -> str:
    """The code of the country that it goes to; empty: it is not told, or it is no code."""
    for address in (order.delivery_address, order.billing_address):
        for told in (address.country_code, address.country) if address else ():
            if told and told.isalpha() and len(told) in _COUNTRY_CODES:
                return told.upper()
    return ""


def seen(order: Order) -> OrderSeen:
    """What the rules after intake look at."""
    return OrderSeen(
        order_id=order.order_id,
        state=order.state_raw,
        updated_at=order.updated_at,
        lines=tuple(_line_seen(line) for line in order.lines),
    )


def _line_seen(line: OrderLine) -> LineSeen:
    return LineSeen(
        line_id=line.line_id,
        sku=line.sku,
        state=line.state.value,
        reason_code=line.state_reason_code or "",
        quantity=line.quantity,
        paid=line.price + line.shipping_price,
        price=line.price,
        shipping_price=line.shipping_price,
        refunds=tuple(
            RefundSeen(
                refund_id=each.refund_id,
                units=each.quantity,
                amount=each.amount,
                shipping_amount=each.shipping_amount,
                state=each.state,
                reason_code=each.reason_code,
            )
            for each in line.refunds
        ),
        cancelations=tuple(
            CancelationSeen(
                cancelation_id=each.cancelation_id,
                units=each.quantity,
                amount=each.amount,
                shipping_amount=each.shipping_amount,
                reason_code=each.reason_code,
            )
            for each in line.cancelations
        ),
    )


def delivery(buyer: SealedBuyer) -> DeliveryAddress:
    """The marketplace's address as the ERP's; the adapter splits it, or refuses it whole."""
    address = buyer.address
    return DeliveryAddress(
        line1=address.street_1,
        line2=address.street_2,
        line3=address.additional,
        town=address.city,
        county=address.county,
        postcode=address.postcode,
        country_code=address.country_code or address.country,
        forename=address.first_name,
        surname=address.last_name,
        phone=address.phone,
        email=buyer.email or "",
        organisation=address.company,
    )


def sales_order(entry: OrderEntry, intended: PostingIntended, buyer: SealedBuyer) -> NewOrder:
    return NewOrder(
        external_ref=intended.reference,
        ordered_at=entry.created_at,
        currency=intended.gross_total.currency,
        deliver_to=delivery(buyer),
        lines=tuple(
            NewOrderLine(
                external_line_ref=line.line_id,
                stock_code=line.stock_code,
                quantity=line.quantity,
                unit_gross=line.unit_gross,
                units_a_penny_more=line.units_a_penny_more,
            )
            for line in intended.lines
        ),
        delivery_gross=intended.delivery_gross,
        gross_total=intended.gross_total,
        note=f"John Lewis order {entry.order_id}",
        shipping_type=entry.shipping_type,
    )
