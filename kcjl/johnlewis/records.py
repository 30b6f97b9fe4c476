"""Translates what Mirakl answers into the records of the port.

Promises: unknown states and types are kept as they came; the shop's account (TL02, SBC11) is
exact to the last place or the read fails; amounts on orders and offers are rounded half up to
the penny where the tenant shows more places (contract b.0, e.5); no amount is ever re-signed.
It asks nobody anything. Invariant: an answer that lacks what a record cannot do without (its
id, its time, its amount) raises `ProtocolSurprise`; no row is left out silently.
Called by `seller_api.py` only. Source: contract johnlewis b, d.4.
"""

import csv
import io
from decimal import Decimal

from kcjl.errors import ProtocolSurprise
from kcjl.johnlewis import wire
from kcjl.johnlewis.port import (
    Account,
    Address,
    Carrier,
    Order,
    OrderLine,
    OrderState,
    Platform,
    Refund,
    ShippingType,
    StockImport,
    StockImportError,
    StockImportStatus,
)
from kcjl.johnlewis.reading import (
    ZERO,
    Page,
    both_times,
    given,
    holds,
    key,
    listed,
    number,
    plain_text,
    rounded,
    text,
    time,
    total,
    whole,
    words_of_refusal,
)

__all__ = [
    "account",
    "address",
    "carriers",
    "customer_number",
    "is_ours",
    "order",
    "orders",
    "platform",
    "reference_refusals",
    "shipping_types",
    "stock_import",
    "stock_import_errors",
]

_OWN_CENTRES = ("", "DEFAULT")
"""Fulfilment centres that mean the shop itself; any other is somebody else's stock (b.3)."""

_STATE_SPELLINGS = {"CANCELLED": OrderState.CANCELED}

_IMPORT_STATES = {
    "WAITING": StockImportStatus.WAITING,
    "QUEUED": StockImportStatus.WAITING,
    "RUNNING": StockImportStatus.RUNNING,
    "COMPLETE": StockImportStatus.COMPLETE,
    "COMPLETED": StockImportStatus.COMPLETE,
    "FAILED": StockImportStatus.FAILED,
}
"""A status that is not here is taken as not final: the caller asks on, and has a bound."""


# ── settings of the tenant ──────────────────────────────────────────────────────────────────


def account(body: bytes, currency: str) -> Account:
    read = wire.decoded(body, wire.WireAccount, "A01")
    return Account(
        shop_id=whole(number(read.shop_id, "A01: the shop id"), "A01: the shop id"),
        shop_name=text(read.shop_name),
        state=text(read.shop_state),
        model=text(read.model),
        currency=read.currency_iso_code or currency,
    )


def platform(body: bytes) -> Platform:
    read = wire.decoded(body, wire.WirePlatform, "PC01").features or wire.WireFeatures()
    acceptance = read.order_workflows.order_acceptance if read.order_workflows else None
    return Platform(
        acceptance_is_automatic=_is_automatic(acceptance),
        multi_shipment=bool(read.shipment and read.shipment.multi_shipment),
        listed_carriers_only=bool(read.disable_seller_alternative_carrier),
        tax_mode=read.order_tax_mode or "TAX_INCLUDED",
        timezone=wire.decoded(body, wire.WirePlatform, "PC01").timezone or "UTC",
    )


def _is_automatic(acceptance: str | None) -> bool:
    """NOT_AUTOMATIC is the one word seen; what is not said is taken as by hand."""
    word = (acceptance or "").upper()
    return "AUTOMATIC" in word and not word.startswith("NOT")


def carriers(body: bytes) -> tuple[Carrier, ...]:
    read = wire.decoded(body, wire.WireCarriers, "SH21").carriers
    return tuple(
        Carrier(
            code=key(row.code, "SH21: a carrier's code"),
            label=text(row.label),
            standard_code=row.standard_code or None,
            tracking_url=row.tracking_url or None,
        )
        for row in listed(read, body, "SH21")
    )


def shipping_types(body: bytes) -> tuple[ShippingType, ...]:
    read = wire.decoded(body, wire.WireShippingTypes, "SH12").shipping_types
    return tuple(
        ShippingType(
            code=key(row.code, "SH12: a shipping type's code"),
            label=text(row.label),
            tracking_mandatory=bool(row.mandatory_tracking),
        )
        for row in listed(read, body, "SH12")
    )


# ── stock ───────────────────────────────────────────────────────────────────────────────────


def stock_import(body: bytes, import_id: str) -> StockImport:
    read = wire.decoded(body, wire.WireImport, "STO02")
    what = f"STO02: import {import_id}"
    in_error = whole(read.lines_in_error or ZERO, what)
    reported = read.has_error_report
    return StockImport(
        import_id=text(read.import_id) or import_id,
        status=_IMPORT_STATES.get((read.status or "").upper(), StockImportStatus.RUNNING),
        lines_in_success=whole(read.lines_in_success or ZERO, what),
        lines_in_error=in_error,
        has_error_report=in_error > 0 if reported is None else reported,
    )


def stock_import_errors(body: bytes) -> tuple[StockImportError, ...]:
    """STO03, read by position: line number, reason, then the columns that were sent."""
    report = body.decode("utf-8-sig", errors="replace").strip("\r\n")
    header = report.partition("\n")[0]
    delimiter = max(";,\t|", key=header.count)
    try:
        rows = [
            row
            for row in csv.reader(io.StringIO(report, newline=""), delimiter=delimiter)
            if row
        ]
    except csv.Error as error:
        raise ProtocolSurprise(f"STO03: the error report could not be read: {error}") from None
    if rows and not rows[0][0].strip().isdecimal():
        rows = rows[1:]
    return tuple(
        StockImportError(
            line_number=int(row[0]) if row[0].strip().isdecimal() else 0,
            message=plain_text(row[1]) if len(row) > 1 else "",
            sku=row[2] if len(row) > 2 else "",  # noqa: PLR2004 - the third column, as the contract has it
        )
        for row in rows
    )


# ── orders ──────────────────────────────────────────────────────────────────────────────────


def orders(body: bytes, currency: str) -> Page[Order]:
    read = wire.decoded(body, wire.WireOrders, "OR11")
    rows = [
        (key(row.order_id, "OR11: an order's id"), order(row, currency))
        for row in listed(read.orders, body, "OR11")
    ]
    return Page(rows=rows, total=total(read.total_count))


def order(row: wire.WireOrder, currency: str, operation: str = "OR11") -> Order:
    order_id = key(row.order_id, f"{operation}: an order's id")
    what = f"{operation}: order {order_id}"
    in_currency = row.currency_iso_code or currency
    price = rounded(given(row.price, f"{what}: its price"), in_currency, what)
    shipping = rounded(row.shipping_price or ZERO, in_currency, what)
    in_all = row.total_price
    references = row.references or wire.WireReferences()
    customer = row.customer
    created, updated = both_times(row.created_date, row.last_updated_date, what)
    return Order(
        order_id=order_id,
        commercial_id=text(row.commercial_id) or order_id,
        customer_order_number=customer_number(references, row.commercial_id) or order_id,
        seller_reference=text(references.order_reference_for_seller) or None,
        state=_state(row.order_state),
        state_raw=text(row.order_state),
        created_at=created,
        updated_at=updated,
        ship_by=time(row.shipping_deadline, what),
        currency=in_currency,
        price=price,
        shipping_price=shipping,
        total_price=price + shipping if in_all is None else rounded(in_all, in_currency, what),
        tax_mode=row.order_tax_mode or "TAX_INCLUDED",
        shipping_type_code=text(row.shipping_type_code),
        fulfilled_by_us=is_ours(row.fulfillment),
        lines=tuple(_order_line(line, in_currency, what) for line in row.order_lines or ()),
        delivery_address=address(customer) if customer else None,
        notification_email=row.customer_notification_email or None,
    )


def customer_number(references: wire.WireReferences, commercial_id: str | int | None) -> str:
    return text(references.order_reference_for_customer) or text(commercial_id)


def _state(word: str | None) -> OrderState:
    try:
        return OrderState(word or "")
    except ValueError:
        return _STATE_SPELLINGS.get(word or "", OrderState.UNKNOWN)


def is_ours(fulfilment: wire.WireFulfilment | None) -> bool:
    centre = fulfilment.center if fulfilment else None
    return centre is None or text(centre.code) in _OWN_CENTRES


def _order_line(line: wire.WireOrderLine, currency: str, order: str) -> OrderLine:
    line_id = key(line.order_line_id, f"{order}: a line's id")
    what = f"{order}, line {line_id}"
    quantity = whole(given(line.quantity, f"{what}: its quantity"), what)
    price = given(line.price, f"{what}: its price")
    unit = line.price_unit
    if unit is None:
        unit = price / quantity if quantity else price
    return OrderLine(
        line_id=line_id,
        sku=text(line.offer_sku),
        title=text(line.product_title),
        category_code=text(line.category_code),
        quantity=quantity,
        unit_price=rounded(unit, currency, what),
        price=rounded(price, currency, what),
        shipping_price=rounded(line.shipping_price or ZERO, currency, what),
        commission=rounded(line.commission_fee or ZERO, currency, what),
        commission_tax=rounded(_commission_tax(line), currency, what),
        state=_state(line.order_line_state),
        refunds=tuple(_refund(refund, currency, what) for refund in line.refunds or ()),
    )


def _commission_tax(line: wire.WireOrderLine) -> Decimal:
    """The taxes as listed, else the deprecated sum, else what is left of the total."""
    if line.commission_taxes:
        return sum((tax.amount or ZERO for tax in line.commission_taxes), ZERO)
    if line.commission_vat is not None:
        return line.commission_vat
    if line.total_commission is not None and line.commission_fee is not None:
        return line.total_commission - line.commission_fee
    return ZERO


def _refund(refund: wire.WireRefund, currency: str, line: str) -> Refund:
    refund_id = key(refund.id, f"{line}: a refund's id")
    what = f"{line}, refund {refund_id}"
    return Refund(
        refund_id=refund_id,
        amount=rounded(refund.amount or ZERO, currency, what),
        shipping_amount=rounded(refund.shipping_amount or ZERO, currency, what),
        state=refund.refund_state or refund.state or "",
        reason_code=text(refund.reason_code),
        created_at=time(refund.created_date, what),
    )


def address(customer: wire.WireCustomer) -> Address | None:
    """Where the parcel goes; None before the tenant shows it, also for an empty shell."""
    told = customer.shipping_address
    if told is None or told == wire.WireAddress():
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
        country=text(told.country),
        country_code=told.country_iso_code or None,
        phone=text(told.phone) or text(told.phone_secondary),
        additional=text(told.additional_info),
    )


def reference_refusals(body: bytes, asked: tuple[str, ...]) -> dict[str, str]:
    """OR04: which of the orders kept their old reference, and why."""
    told = wire.decoded(body, wire.WireReferenceAnswer, "OR04").updated_orders
    outcomes: dict[str, str | None] = {}
    for row in given(told, "OR04: the list of updated orders"):
        errors = holds(row.errors)
        outcomes[text(row.order_id)] = (
            None
            if errors is None
            else words_of_refusal(errors)[0] or "refused without a reason"
        )
    unnamed = "the answer did not name this order"
    return {order: why for order in asked if (why := outcomes.get(order, unnamed)) is not None}
