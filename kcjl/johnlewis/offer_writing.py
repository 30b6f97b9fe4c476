"""What we write of offers, and what they say of the writing.

Promises: each field of a complete offer is sent, but for those that are None; amounts are
numbers with their places, never floats; an error report is read by its columns' names.
It sends nothing. Invariant: an import's status that is not known is not final.
Called by `offers.py` only. Source: contract johnlewis b.2 (OF24, OF02, OF03).
"""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

from kcjl.errors import ProtocolSurprise
from kcjl.johnlewis import offer_wire as wire
from kcjl.johnlewis.offer_port import (
    CompleteOffer,
    OfferImport,
    OfferImportError,
    OfferImportStatus,
    OfferRemoval,
)
from kcjl.johnlewis.parts import ChannelPrice
from kcjl.johnlewis.reading import ZERO, plain_text, text, time, whole
from kcjl.johnlewis.wire import decoded
from kcjl.money import Money

__all__ = ["import_errors", "offer_asked", "offer_import", "removal_asked"]

_IMPORT_STATES = {
    "WAITING": OfferImportStatus.WAITING,
    "WAITING_SYNCHRONIZATION_PRODUCT": OfferImportStatus.WAITING,
    "QUEUED": OfferImportStatus.WAITING,
    "RUNNING": OfferImportStatus.RUNNING,
    "COMPLETE": OfferImportStatus.COMPLETE,
    "COMPLETED": OfferImportStatus.COMPLETE,
    "FAILED": OfferImportStatus.FAILED,
}


def offer_asked(offer: CompleteOffer) -> wire.WireOfferAsked:
    discount = offer.discount
    return wire.WireOfferAsked(
        shop_sku=offer.sku,
        state_code=offer.state_code,
        price=offer.price.decimal(),
        update_delete="update",
        quantity=offer.quantity,
        product_id=offer.product_id,
        product_id_type=offer.product_id_type,
        discount=wire.WireDiscountAsked(
            price=discount.price.decimal(),
            start_date=_told(discount.start_at),
            end_date=_told(discount.end_at),
        )
        if discount
        else None,
        all_prices=[_price_asked(price) for price in offer.prices],
        description=offer.description,
        internal_description=offer.internal_description,
        price_additional_info=offer.price_additional_info,
        product_tax_code=offer.product_tax_code,
        logistic_class=offer.logistic_class_code,
        leadtime_to_ship=offer.leadtime_to_ship,
        min_order_quantity=offer.min_order_quantity,
        max_order_quantity=offer.max_order_quantity,
        package_quantity=offer.package_quantity,
        min_quantity_alert=offer.min_quantity_alert,
        available_started=_told(offer.available_from),
        available_ended=_told(offer.available_until),
        allow_quote_requests=offer.allow_quote_requests,
        msrp=_decimal(offer.msrp),
        offer_additional_fields=[
            wire.WireFieldAsked(code=field.code, value=field.value)
            for field in offer.additional_fields
        ],
    )


def _price_asked(price: ChannelPrice) -> wire.WirePriceAsked:
    return wire.WirePriceAsked(
        channel_code=price.channel_code,
        unit_origin_price=price.unit_origin_price.decimal(),
        unit_discount_price=_decimal(price.unit_discount_price),
        discount_start_date=_told(price.discount_start_at),
        discount_end_date=_told(price.discount_end_at),
        volume_prices=[
            wire.WireVolumePriceAsked(
                quantity_threshold=each.quantity_threshold,
                unit_origin_price=_decimal(each.unit_origin_price),
                unit_discount_price=_decimal(each.unit_discount_price),
            )
            for each in price.volume_prices
        ],
    )


def removal_asked(removal: OfferRemoval) -> wire.WireOfferAsked:
    return wire.WireOfferAsked(
        shop_sku=removal.sku,
        state_code=removal.state_code,
        price=removal.price.decimal(),
        update_delete="delete",
    )


def _decimal(amount: Money | None) -> Decimal | None:
    return None if amount is None else amount.decimal()


def _told(when: datetime | None) -> str | None:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if when else None


def offer_import(body: bytes, import_id: int) -> OfferImport:
    read = decoded(body, wire.WireOfferImport, "OF02")
    what = f"OF02: import {import_id}"
    in_error = whole(read.lines_in_error or ZERO, what)
    reported = read.has_error_report
    return OfferImport(
        import_id=import_id,
        status=_IMPORT_STATES.get((read.status or "").upper(), OfferImportStatus.RUNNING),
        created_at=time(read.date_created, what),
        lines_read=whole(read.lines_read or ZERO, what),
        lines_in_success=whole(read.lines_in_success or ZERO, what),
        lines_in_error=in_error,
        lines_in_pending=whole(read.lines_in_pending or ZERO, what),
        offers_inserted=whole(read.offer_inserted or ZERO, what),
        offers_updated=whole(read.offer_updated or ZERO, what),
        offers_deleted=whole(read.offer_deleted or ZERO, what),
        has_error_report=in_error > 0 if reported is None else reported,
        reason=plain_text(text(read.reason_status)),
    )


def import_errors(body: bytes) -> tuple[OfferImportError, ...]:
    """OF03: the columns that were sent, then `error-line` and `error-message`.

    Read by those names, and by place where the header is another: the last two columns.
    """
    report = body.decode("utf-8-sig", errors="replace").strip("\r\n")
    header = report.partition("\n")[0]
    delimiter = max(";,\t|", key=header.count)
    try:
        rows = list(csv.reader(io.StringIO(report, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise ProtocolSurprise(f"OF03: the error report could not be read: {error}") from None
    names = [name.strip().lower().replace("_", "-") for name in rows[0]] if rows else []
    places = {name: place for place, name in enumerate(names)}
    sku_at = next(
        (places[name] for name in ("sku", "shop-sku", "offer-sku") if name in places), 0
    )
    line_at = places.get("error-line", len(names) - 2)
    message_at = places.get("error-message", len(names) - 1)
    return tuple(
        OfferImportError(
            line_number=int(line) if (line := _cell(row, line_at)).isdecimal() else 0,
            sku=_cell(row, sku_at),
            message=plain_text(_cell(row, message_at)),
        )
        for row in rows[1:]
        if any(row)
    )


def _cell(row: list[str], place: int) -> str:
    cell = row[place].strip() if 0 <= place < len(row) else ""
    return cell[:9] if cell.isdecimal() and not cell.isascii() else cell
