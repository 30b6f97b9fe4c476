"""Orders and parcels of the sandbox's marketplace as the port's records, in one step.

Promises: what OR11 and ST11 of the sandbox, read by the seller API's adapter, would give for
the same world: equal records (test_outside_twins.py compares them); `stamp` says what the
outside's own clock showed at a moment. No JSON, no text between. It decides nothing.
Invariant: an order that was not touched is the same record as before.
Called by the simulated marketplace.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeAlias

from kcjl.johnlewis import order_port as port
from kcjl.johnlewis.port import Shipment as ShownShipment
from kcjl.money import Money
from kcjl.sandbox.johnlewis.order_view import DELIVERY_DAYS, HIDDEN_UNTIL, NEVER_SHOWN
from kcjl.sandbox.johnlewis.shipments import DEBIT_STATE
from kcjl.sandbox.marketplace import Marketplace, MarketplaceSettings
from kcjl.sandbox.marketplace.inputs import PostalAddress
from kcjl.sandbox.marketplace.records import (
    Cancelation,
    Charge,
    Order,
    OrderLine,
    Refund,
    Shipment,
    Tax,
)
from kcjl.sandbox.marketplace.refunds import REFUNDABLE_STATES

__all__ = ["ShownOrders", "Stamp", "milliseconds", "same_stamp", "seconds", "shown_shipment"]

Stamp: TypeAlias = Callable[[datetime], datetime]
"""From a moment to what the outside's clock showed then."""

_RULE = "PROPORTIONAL_TO_AMOUNT"


def same_stamp(moment: datetime) -> datetime:
    """The outside's clock is right."""
    return moment


def seconds(moment: datetime | None, stamp: Stamp) -> datetime | None:
    return None if moment is None else stamp(moment).replace(microsecond=0)


def milliseconds(moment: datetime | None, stamp: Stamp) -> datetime | None:
    if moment is None:
        return None
    shown = stamp(moment)
    return shown.replace(microsecond=shown.microsecond // 1000 * 1000)


class ShownOrders:
    """Orders as they are shown now; what has not changed since is not made again."""

    def __init__(self, marketplace: Marketplace, stamp: Stamp = same_stamp) -> None:
        self._marketplace = marketplace
        self._stamp = stamp
        self._settings = marketplace.settings
        self._shown: dict[str, tuple[int, datetime | None, port.Order]] = {}
        self._before: dict[str, list[port.Order]] = {}
        """How an order was shown earlier, oldest first."""
        self._rates: tuple[str, Decimal] = _commission_rate(self._settings)

    def of(self, order: Order) -> port.Order:
        if self._marketplace.settings is not self._settings:
            self._settings = self._marketplace.settings
            self._rates = _commission_rate(self._settings)
            self._shown.clear()
        place = self._marketplace.book.by_update.place(order.order_id)
        known = self._shown.get(order.order_id)
        if known is not None and known[0] == place and known[1] == order.debited_at:
            return known[2]
        shown = self._order(order)
        if known is not None:
            self._before.setdefault(order.order_id, []).append(known[2])
        self._shown[order.order_id] = place, order.debited_at, shown
        return shown

    def as_of(self, order: port.Order, moment: datetime) -> port.Order | None:
        """The order as a copy that was behind had it; None where that had it not."""
        versions = (*self._before.get(order.order_id, ()), order)
        return next((each for each in reversed(versions) if each.updated_at < moment), None)

    # ── the order ──

    def _order(self, order: Order) -> port.Order:
        currency = self._settings.currency
        counted = [line for line in order.lines if line.state != "REFUSED"]
        price = sum(line.price.amount_minor for line in counted)
        shipping = sum(line.shipping_price.amount_minor for line in counted)
        commission = sum(
            line.commission_fee.amount_minor + line.commission_vat.amount_minor
            for line in counted
        )
        stamp = self._stamp
        debited = order.customer_debited_at
        day = order.shipping_deadline.replace(hour=0, minute=0, second=0, microsecond=0)
        delivery, billing = self._addresses(order)
        customer = order.customer
        return port.Order(
            order_id=order.order_id,
            commercial_id=order.commercial_id,
            customer_order_number=order.customer_order_number,
            seller_reference=order.seller_reference or None,
            state=port.OrderState(order.state),
            state_raw=order.state,
            state_reason_code=order.reason.code if order.reason else None,
            created_at=stamp(order.created_at).replace(microsecond=0),
            updated_at=stamp(order.updated_at).replace(microsecond=0),
            acceptance_decided_at=seconds(order.decided_at, stamp),
            debited_at=milliseconds(debited, stamp),
            ship_by=order.shipping_deadline,
            deliver_from=day,
            deliver_until=day + timedelta(days=DELIVERY_DAYS),
            currency=currency,
            price=Money(price, currency),
            shipping_price=Money(shipping, currency),
            total_price=Money(price + shipping, currency),
            total_commission=Money(commission, currency),
            promotions_total=Money(0, currency),
            tax_mode=order.tax_mode,
            payment_workflow=order.payment_workflow,
            payment_type="CARD",
            transaction_number=order.transaction_number if debited else None,
            transaction_at=seconds(debited, stamp),
            channel_code=self._settings.channel_code,
            shipping_type_code=order.shipping_type,
            shipping_zone_code="UK",
            tracking=_tracking(order),
            can_cancel=self._marketplace.counter.can_cancel(order),
            can_ship=any(line.to_ship for line in order.lines),
            has_incident=order.has_incident,
            has_invoice=self._marketplace.documents.has_invoice(order.order_id),
            fully_refunded=bool(counted) and all(line.is_fully_refunded for line in counted),
            fulfilled_by_us=True,
            lines=tuple(self._line(order, line) for line in order.lines),
            delivery_address=delivery,
            billing_address=billing,
            customer=port.Customer(
                customer_id=customer.customer_id,
                civility=customer.delivery.civility or "",
                first_name=customer.first_name,
                last_name=customer.last_name,
                locale=customer.locale,
            ),
            notification_email=order.notification_email or None,
            additional_fields=self._additional(order.additional_fields),
        )

    def _addresses(self, order: Order) -> tuple[port.Address | None, port.Address | None]:
        if order.state in NEVER_SHOWN:
            return None, None
        if order.state in HIDDEN_UNTIL[self._settings.addresses_visible_from]:
            return None, None
        customer = order.customer
        names = customer.first_name, customer.last_name
        civility = customer.delivery.civility or ""
        delivery = _address(
            customer.delivery, names, civility, additional=customer.delivery.additional
        )
        billing = _address(customer.billing or customer.delivery, names, civility)
        return delivery, billing

    def _additional(self, fields: dict[str, str]) -> tuple[port.AdditionalField, ...]:
        if not fields:
            return ()
        kinds = {each.code: each.type for each in self._settings.additional_fields}
        return tuple(
            port.AdditionalField(code=code, value=value, kind=kinds.get(code, "STRING"))
            for code, value in fields.items()
        )

    # ── its lines ──

    def _line(self, order: Order, line: OrderLine) -> port.OrderLine:
        stamp = self._stamp
        code, rate = self._rates
        return port.OrderLine(
            line_id=line.line_id,
            sku=line.sku,
            title=line.title,
            category_code=line.category_code,
            quantity=line.quantity,
            unit_price=line.unit_price,
            original_unit_price=line.unit_price,
            price=line.price,
            shipping_price=line.shipping_price,
            commission=line.commission_fee,
            commission_tax=line.commission_vat,
            commission_taxes=(
                port.TaxAmount(code=code, amount=line.commission_vat, rate=rate),
            ),
            taxes=_taxes(line.taxes),
            shipping_taxes=_taxes(line.shipping_taxes),
            state=port.OrderState(line.state),
            state_raw=line.state,
            state_reason_code=line.reason.code if line.reason else None,
            line_index=line.index,
            offer_id=str(line.offer_id),
            product_sku=line.product_sku,
            can_refund=(
                order.state in REFUNDABLE_STATES
                and line.is_live
                and line.debited_at is not None
                and not line.refunds
            ),
            debited_at=seconds(line.debited_at, stamp),
            shipped_at=seconds(line.shipped_at, stamp),
            received_at=seconds(line.received_at, stamp),
            updated_at=seconds(line.updated_at, stamp),
            refunds=tuple(self._refund(refund) for refund in line.refunds),
            cancelations=tuple(self._cancelation(part) for part in line.cancelations),
            additional_fields=self._additional(line.additional_fields),
        )

    def _refund(self, refund: Refund) -> port.Refund:
        charge = refund.charge
        return port.Refund(
            refund_id=refund.refund_id,
            order_refund_id=refund.order_refund_id or None,
            amount=charge.amount,
            shipping_amount=charge.shipping_amount,
            quantity=refund.quantity,
            state=refund.state,
            reason_code=refund.reason_code,
            created_at=seconds(refund.created_at, self._stamp),
            commission=charge.commission_fee,
            commission_tax=charge.commission_vat,
            commission_total=_commission(charge),
            taxes=_taxes(charge.taxes),
            shipping_taxes=_taxes(charge.shipping_taxes),
            transaction_number=refund.transaction_number or None,
            transaction_at=seconds(refund.transaction_at, self._stamp),
        )

    def _cancelation(self, part: Cancelation) -> port.Cancelation:
        charge = part.charge
        return port.Cancelation(
            cancelation_id=part.cancelation_id,
            amount=charge.amount,
            shipping_amount=charge.shipping_amount,
            quantity=part.quantity,
            reason_code=part.reason_code,
            created_at=seconds(part.created_at, self._stamp),
            commission=charge.commission_fee,
            commission_tax=charge.commission_vat,
            commission_total=_commission(charge),
            taxes=_taxes(charge.taxes),
            shipping_taxes=_taxes(charge.shipping_taxes),
        )


# ── parcels ──


def shown_shipment(shipment: Shipment, stamp: Stamp = same_stamp) -> ShownShipment:
    tracking = shipment.tracking
    number = tracking.number if tracking else None
    packages = [line.package_reference for line in shipment.lines if line.package_reference]
    return ShownShipment(
        shipment_id=shipment.shipment_id,
        order_id=shipment.order_id,
        status=shipment.status,
        lines=tuple((line.order_line_id, line.quantity) for line in shipment.lines),
        tracking_number=number or None,
        carrier_code=(tracking.carrier_code if tracking else None) or None,
        tracking_url=(tracking.url if tracking else None) or None,
        validity="UNVERIFIED" if number else "MISSING_TRACKING",
        debit_status=DEBIT_STATE,
        packages=tuple(dict.fromkeys(packages)),
        invoice_reference=shipment.invoice_reference or None,
        created_at=milliseconds(shipment.created_at, stamp),
        updated_at=milliseconds(shipment.updated_at, stamp),
        shipped_at=milliseconds(shipment.shipped_at, stamp),
    )


# ── single values ──


def _commission_rate(settings: MarketplaceSettings) -> tuple[str, Decimal]:
    return settings.commission_tax_code, settings.commission_vat_rate


def _commission(charge: Charge) -> Money:
    return charge.commission_fee + charge.commission_vat


def _taxes(taxes: Sequence[Tax]) -> tuple[port.TaxAmount, ...]:
    return tuple(
        port.TaxAmount(code=tax.code, amount=tax.amount, rate=tax.rate, rule=_RULE)
        for tax in taxes
    )


def _tracking(order: Order) -> port.OrderTracking | None:
    told = order.tracking
    if told is None:
        return None
    shown = port.OrderTracking(
        carrier_code=told.carrier_code or None,
        carrier_standard_code=told.carrier_standard_code or None,
        carrier_name=told.carrier_name or None,
        tracking_number=told.number or None,
        tracking_url=told.url or None,
    )
    return None if shown == port.OrderTracking() else shown


def _address(
    place: PostalAddress,
    customer: tuple[str, str],
    civility: str,
    additional: str | None = None,
) -> port.Address:
    """Of a place without a name, the customer's."""
    named = place.first_name or place.last_name
    first, last = (place.first_name, place.last_name) if named else customer
    return port.Address(
        first_name=first,
        last_name=last,
        company=place.company or "",
        street_1=place.street_1,
        street_2=place.street_2 or "",
        postcode=place.postcode,
        city=place.city,
        county=place.county or "",
        country=place.country,
        country_code=place.country_code,
        phone=place.phone or "",
        additional=additional or "",
        civility=(place.civility or "") if named else civility,
    )
