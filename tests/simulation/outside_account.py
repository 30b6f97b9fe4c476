"""The shop's account and offers at the sandbox's marketplace as the port's records.

Promises: what TL02, SBC11, OF21 and the once-a-day lists of the sandbox, read by the seller
API's adapter, would give for the same world (compared by a test). Transaction lines and offers
are made in one step; what is read once a day goes through the face's own operation and the
adapter's own reading, without HTTP. It decides nothing. Called by the simulated marketplace.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from aiohttp import web

from kcjl.errors import Misuse
from kcjl.johnlewis.parts import (
    AdditionalField,
    ChannelPrice,
    Labelled,
    OneOffItem,
    ProductReference,
    TaxRate,
    VolumePrice,
    WarehouseStock,
)
from kcjl.johnlewis.port import Offer as ShownOffer
from kcjl.johnlewis.port import TransactionLine as ShownLine
from kcjl.sandbox.gate import DirectGate
from kcjl.sandbox.johnlewis.asking import Asked, Operation
from kcjl.sandbox.johnlewis.offer_view import LOGISTIC_CLASS
from kcjl.sandbox.marketplace import Marketplace, MarketplaceSettings, Offer, TransactionLine
from kcjl.sandbox.marketplace.records import Order
from tests.simulation.outside_orders import Stamp, milliseconds, seconds

__all__ = ["body_of", "shown_line", "shown_offer"]


def body_of(
    marketplace: Marketplace,
    operation: Operation,
    query: Sequence[tuple[str, str]] = (),
    path: Mapping[str, str] | None = None,
) -> bytes:
    """What the face's operation answers, without a face."""
    gate = DirectGate(marketplace.agenda, {"johnlewis": marketplace})
    asked = Asked(
        marketplace, gate, url="http://simulated/", path=dict(path or {}), query=list(query)
    )
    answer: web.Response = operation(asked)
    if not isinstance(answer.body, bytes):
        raise TypeError(f"{operation.__name__} answered without a body")
    return answer.body


def shown_line(
    line: TransactionLine, order: Order | None, settings: MarketplaceSettings, stamp: Stamp
) -> ShownLine:
    """TL02."""
    of_order = line.kind.startswith(("ORDER_", "REFUND_ORDER_"))
    tax = None if line.tax is None else TaxRate(code=line.tax.code, rate=line.tax.rate)
    item = None
    if line.one_off is not None:
        item = OneOffItem(
            description=line.one_off,
            quantity=1,
            unit_price=line.amount,
            operation_date=stamp(line.created_at).date(),
        )
    return ShownLine(
        line_id=line.line_id,
        kind=line.kind,
        amount=line.amount,
        created_at=_exactly(line.created_at, stamp),
        updated_at=_exactly(line.updated_at, stamp),
        payment_state=line.payment_state,
        cycle_id=line.cycle_id or None,
        voucher=line.voucher or None,
        document_number=line.document_number or None,
        order_id=order.order_id if order else None,
        order_line_id=line.order_line_id or None,
        refund_id=line.refund_id or None,
        customer_order_number=order.customer_order_number if order else None,
        seller_reference=(order.seller_reference or None) if order else None,
        balance=line.balance,
        document_id=line.document_id or None,
        document_at=seconds(line.document_at, stamp),
        order_tax=tax if of_order else None,
        shop_tax=None if of_order else tax,
        fee_code=line.fee_code or None,
        manual_document_number=line.manual_document or None,
        one_off_item=item,
        transaction_number=line.transaction_number or None,
        channel_code=settings.channel_code,
    )


def _exactly(moment: datetime, stamp: Stamp) -> datetime:
    shown = milliseconds(moment, stamp)
    return moment if shown is None else shown


def shown_offer(offer: Offer, settings: MarketplaceSettings, now: datetime) -> ShownOffer:
    """OF21, of an offer at one price: no world of the simulation has others."""
    if offer.discount or offer.ranges or offer.further_prices:
        raise Misuse(f"offer {offer.sku} has several prices: the simulation shows only one")
    reasons = offer.inactive_because(now)
    kind, product = offer.product_reference or ("SKU", offer.product_sku)
    days = offer.leadtime_to_ship
    named = offer.logistic_class
    return ShownOffer(
        offer_id=offer.offer_id,
        sku=offer.sku,
        quantity=offer.quantity,
        price=offer.price,
        active=not reasons,
        product_title=offer.title,
        category_code=offer.category_code,
        product_sku=offer.product_sku,
        product_references=(ProductReference(kind=kind, reference=product),),
        currency=settings.currency,
        origin_price=offer.price,
        prices=(
            ChannelPrice(
                channel_code=None,
                unit_origin_price=offer.price,
                volume_prices=(
                    VolumePrice(quantity_threshold=1, unit_origin_price=offer.price),
                ),
            ),
        ),
        msrp=offer.msrp,
        state_code=offer.state_code,
        inactivity_reasons=tuple(reasons),
        warehouses=tuple(
            WarehouseStock(code=code, quantity=units)
            for code, units in offer.warehouses.items()
        ),
        leadtime_to_ship=max(1, settings.shipping_deadline_days if days is None else days),
        logistic_class=Labelled(code=named or LOGISTIC_CLASS, label=named or "Standard"),
        min_order_quantity=offer.min_order_quantity or 1,
        max_order_quantity=offer.max_order_quantity or 0,
        package_quantity=offer.package_quantity or 1,
        min_quantity_alert=offer.min_quantity_alert or 0,
        channels=(settings.channel_code,),
        available_from=offer.available_from,
        available_until=offer.available_until,
        description=offer.description or "",
        internal_description=offer.internal_description or "",
        price_additional_info=offer.price_additional_info or "",
        product_tax_code=offer.product_tax_code or "",
        allow_quote_requests=offer.allow_quote_requests,
        additional_fields=tuple(
            AdditionalField(code=code, value=value)
            for code, value in offer.additional_fields.items()
        ),
    )
