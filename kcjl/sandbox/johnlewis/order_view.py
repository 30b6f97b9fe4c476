"""An order as OR11 shows it, field by field (contract b.3).

Promises: every field that the contract lists is there, null where there is nothing to say; a
refused line keeps its amounts but is left out of the order's; addresses are null until the
tenant shows them; amounts can be given in the other tax mode. It decides nothing.
Called by the order operations of the John Lewis face.
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from kcjl.money import Money, half_up
from kcjl.sandbox.johnlewis.answers import Json, amount, instant, second
from kcjl.sandbox.marketplace.additional_fields import shown_fields
from kcjl.sandbox.marketplace.inputs import PostalAddress
from kcjl.sandbox.marketplace.model import Marketplace
from kcjl.sandbox.marketplace.records import Cancelation, Charge, Order, OrderLine, Refund, Tax
from kcjl.sandbox.marketplace.refunds import REFUNDABLE_STATES

__all__ = ["OrderView", "address", "references", "tax_parts", "taxes"]

HIDDEN_UNTIL: dict[str, frozenset[str]] = {
    "CREATION": frozenset(),
    "ACCEPTANCE": frozenset({"STAGING", "WAITING_ACCEPTANCE"}),
    "SHIPPING": frozenset(
        {"STAGING", "WAITING_ACCEPTANCE", "WAITING_DEBIT", "WAITING_DEBIT_PAYMENT"}
    ),
}
NEVER_SHOWN = frozenset({"REFUSED", "CANCELED"})
DELIVERY_DAYS = 3
NEW = "11"
"""The offer state of new goods, by convention."""


class OrderView:
    """Orders in one tax mode; None is each order's own."""

    def __init__(self, marketplace: Marketplace, tax_mode: str | None = None) -> None:
        self._marketplace = marketplace
        self._settings = marketplace.settings
        self._tax_mode = tax_mode

    def order(self, order: Order) -> Json:
        settings = self._settings
        counted = [line for line in order.lines if line.state != "REFUSED"]
        price = self._sum([self._taxed(order, line.price, line.taxes) for line in counted])
        shipping = self._sum(
            [self._taxed(order, line.shipping_price, line.shipping_taxes) for line in counted]
        )
        commission = self._sum([line.commission_fee + line.commission_vat for line in counted])
        return {
            "order_id": order.order_id,
            "commercial_id": order.commercial_id,
            "references": references(order),
            "order_state": order.state,
            "order_state_reason_code": order.reason.code if order.reason else None,
            "order_state_reason_label": order.reason.label if order.reason else None,
            "created_date": second(order.created_at),
            "last_updated_date": second(order.updated_at),
            "acceptance_decision_date": second(order.decided_at),
            "customer_debited_date": instant(order.customer_debited_at),
            "shipping_deadline": instant(order.shipping_deadline),
            "delivery_date": {
                "earliest": second(order.shipping_deadline.replace(hour=0, minute=0, second=0)),
                "latest": second(
                    order.shipping_deadline.replace(hour=0, minute=0, second=0)
                    + timedelta(days=DELIVERY_DAYS)
                ),
            },
            "leadtime_to_ship": settings.shipping_deadline_days,
            "currency_iso_code": settings.currency,
            "price": amount(price),
            "shipping_price": amount(shipping),
            "total_price": amount(price + shipping),
            "total_commission": amount(commission),
            "order_tax_mode": self._tax_mode or order.tax_mode,
            "order_taxes": [],
            **self._payment(order),
            "channel": {"code": settings.channel_code, "label": settings.channel_label},
            **self._flags(order, counted),
            **self._shipping(order),
            "fulfillment": {"center": {"code": "DEFAULT"}},
            "customer": self._customer(order),
            "customer_notification_email": order.notification_email,
            "order_additional_fields": shown_fields(order.additional_fields, settings),
            "promotions": {"applied_promotions": [], "total_deduced_amount": 0},
            "discount_campaigns": [],
            "invoice_details": None,
            "quote_id": None,
            "order_refunds": [],
            "order_lines": [self._line(order, line) for line in order.lines],
        }

    # ── parts of the order ─────────────────────────────────────────────────────────────────

    def _payment(self, order: Order) -> Json:
        debited_at = order.customer_debited_at
        is_due_later = order.payment_workflow == "PAY_ON_DUE_DATE"
        return {
            "payment_type": "CARD",
            "paymentType": "CARD",
            "payment_workflow": order.payment_workflow,
            "payment_duration": int(self._settings.due_date_days) if is_due_later else None,
            "transaction_number": order.transaction_number if debited_at else None,
            "transaction_date": second(debited_at),
        }

    def _flags(self, order: Order, counted: Sequence[OrderLine]) -> Json:
        return {
            "can_cancel": self._marketplace.counter.can_cancel(order),
            "can_shop_ship": any(line.to_ship for line in order.lines),
            "fully_refunded": bool(counted) and all(line.is_fully_refunded for line in counted),
            "has_customer_message": False,
            "has_incident": order.has_incident,
            "has_invoice": self._marketplace.documents.has_invoice(order.order_id),
            "customer_directly_pays_seller": False,
        }

    def _shipping(self, order: Order) -> Json:
        kind = next(
            (
                kind
                for kind in self._settings.shipping_types
                if kind.code == order.shipping_type
            ),
            None,
        )
        tracking = order.tracking
        return {
            "shipping_type_code": order.shipping_type,
            "shipping_type_label": kind.label if kind else order.shipping_type,
            "shipping_type_standard_code": kind.standard_code if kind else None,
            "shipping_zone_code": "UK",
            "shipping_zone_label": "United Kingdom",
            "shipping_carrier_code": tracking.carrier_code if tracking else None,
            "shipping_carrier_standard_code": (
                tracking.carrier_standard_code if tracking else None
            ),
            "shipping_company": tracking.carrier_name if tracking else None,
            "shipping_tracking": tracking.number if tracking else None,
            "shipping_tracking_url": tracking.url if tracking else None,
            "shipping_pudo_id": None,
        }

    def _customer(self, order: Order) -> Json:
        customer = order.customer
        hidden = HIDDEN_UNTIL[self._settings.addresses_visible_from] | NEVER_SHOWN
        shown = order.state not in hidden
        delivery = {
            **address(customer.delivery),
            "additional_info": customer.delivery.additional,
        }
        return {
            "customer_id": customer.customer_id,
            "civility": customer.delivery.civility,
            "firstname": customer.first_name,
            "lastname": customer.last_name,
            "locale": customer.locale,
            "billing_address": address(customer.billing or customer.delivery)
            if shown
            else None,
            "shipping_address": delivery if shown else None,
            "organization": None,
            "accounting_contact": None,
            "delivery_contact": None,
        }

    # ── lines ──────────────────────────────────────────────────────────────────────────────

    def _line(self, order: Order, line: OrderLine) -> Json:
        price = self._taxed(order, line.price, line.taxes)
        shipping = self._taxed(order, line.shipping_price, line.shipping_taxes)
        unit = self._unit(order, line)
        return {
            "order_line_id": line.line_id,
            "order_line_index": line.index,
            "order_line_state": line.state,
            "order_line_state_reason_code": line.reason.code if line.reason else None,
            "order_line_state_reason_label": line.reason.label if line.reason else None,
            "offer_id": line.offer_id,
            "offer_sku": line.sku,
            "offer_state_code": NEW,
            "product_sku": line.product_sku,
            "product_shop_sku": line.sku,
            "product_title": line.title,
            "product_medias": [],
            "description": None,
            "category_code": line.category_code,
            "category_label": line.category_code.capitalize(),
            "quantity": line.quantity,
            "price_unit": amount(unit),
            "origin_unit_price": amount(unit),
            "price": amount(price),
            "shipping_price": amount(shipping),
            "total_price": amount(price + shipping),
            **self._commission(line),
            "taxes": taxes(line.taxes),
            "shipping_taxes": taxes(line.shipping_taxes),
            "fees": [],
            "promotions": [],
            "can_refund": self._can_refund(order, line),
            "refunds": [self._refund(order, refund) for refund in line.refunds],
            "cancelations": [self._cancelation(order, part) for part in line.cancelations],
            "shipping_from": None,
            "purchase_information": None,
            "order_line_additional_fields": shown_fields(
                line.additional_fields, self._settings
            ),
            "tax_legal_notice": None,
            "measurement": None,
            "eco_contributions": [],
            "discount_campaign": None,
            "price_additional_info": None,
            "created_date": second(line.created_at),
            "last_updated_date": second(line.updated_at),
            "debited_date": second(line.debited_at),
            "shipped_date": second(line.shipped_at),
            "received_date": second(line.received_at),
        }

    def _commission(self, line: OrderLine) -> Json:
        rate = self._settings.commission_vat_rate
        return {
            "commission_fee": amount(line.commission_fee),
            "commission_taxes": [
                {
                    "code": self._settings.commission_tax_code,
                    "amount": amount(line.commission_vat),
                    "rate": rate,
                }
            ],
            "commission_vat": amount(line.commission_vat),
            "commission_rate_vat": rate,
            "total_commission": amount(line.commission_fee + line.commission_vat),
        }

    def _can_refund(self, order: Order, line: OrderLine) -> bool:
        return (
            order.state in REFUNDABLE_STATES
            and line.is_live
            and line.debited_at is not None
            and not line.refunds
        )

    def _refund(self, order: Order, refund: Refund) -> Json:
        return {
            "id": refund.refund_id,
            "order_refund_id": refund.order_refund_id,
            **self._charge(order, refund.charge),
            "quantity": refund.quantity,
            "reason_code": refund.reason_code,
            "refund_state": refund.state,
            "state": refund.state,
            "created_date": second(refund.created_at),
            "transaction_number": refund.transaction_number,
            "transaction_date": second(refund.transaction_at),
        }

    def _cancelation(self, order: Order, cancelation: Cancelation) -> Json:
        return {
            "id": cancelation.cancelation_id,
            **self._charge(order, cancelation.charge),
            "quantity": cancelation.quantity,
            "reason_code": cancelation.reason_code,
            "created_date": second(cancelation.created_at),
        }

    def _charge(self, order: Order, charge: Charge) -> Json:
        settings = self._settings
        return {
            "amount": amount(self._taxed(order, charge.amount, charge.taxes)),
            "shipping_amount": amount(
                self._taxed(order, charge.shipping_amount, charge.shipping_taxes)
            ),
            "commission_amount": amount(charge.commission_fee),
            "commission_taxes": [
                {
                    "code": settings.commission_tax_code,
                    "amount": amount(charge.commission_vat),
                    "rate": settings.commission_vat_rate,
                }
            ],
            "commission_total_amount": amount(charge.commission_fee + charge.commission_vat),
            "taxes": taxes(charge.taxes),
            "shipping_taxes": taxes(charge.shipping_taxes),
            "fees": [],
        }

    # ── tax modes ──────────────────────────────────────────────────────────────────────────

    def _taxed(self, order: Order, money: Money, on_it: Sequence[Tax]) -> Money:
        """The amount in the mode that was asked for."""
        if self._tax_mode in {None, order.tax_mode}:
            return money
        tax = self._sum([part.amount for part in on_it])
        return money + tax if self._tax_mode == "TAX_INCLUDED" else money - tax

    def _unit(self, order: Order, line: OrderLine) -> Money:
        unit = line.unit_price
        if self._tax_mode in {None, order.tax_mode} or not line.taxes:
            return unit
        factor = Decimal(1) + sum((tax.rate for tax in line.taxes), Decimal(0)) / 100
        minor = (
            unit.amount_minor * factor
            if self._tax_mode == "TAX_INCLUDED"
            else unit.amount_minor / factor
        )
        return Money(half_up(minor), unit.currency)

    def _sum(self, parts: Sequence[Money]) -> Money:
        return Money(sum(part.amount_minor for part in parts), self._settings.currency)


def references(order: Order) -> Json:
    return {
        "order_reference_for_customer": order.customer_order_number,
        "order_reference_for_seller": order.seller_reference,
    }


def taxes(on_it: Sequence[Tax]) -> list[Json]:
    return [
        {
            "code": tax.code,
            "amount": amount(tax.amount),
            "rate": tax.rate,
            "tax_calculation_rule": "PROPORTIONAL_TO_AMOUNT",
        }
        for tax in on_it
    ]


def tax_parts(on_it: Sequence[Tax]) -> list[Json]:
    """Taxes as the writing operations answer them: {code, amount}."""
    return [{"code": tax.code, "amount": amount(tax.amount)} for tax in on_it]


def address(place: PostalAddress) -> Json:
    return {
        "civility": place.civility,
        "firstname": place.first_name,
        "lastname": place.last_name,
        "company": place.company,
        "company_2": None,
        "street_1": place.street_1,
        "street_2": place.street_2,
        "zip_code": place.postcode,
        "city": place.city,
        "state": place.county,
        "country": place.country,
        "country_iso_code": place.country_code,
        "phone": place.phone,
        "phone_secondary": None,
    }
