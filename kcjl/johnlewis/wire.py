"""What Mirakl writes and reads, field by field, as far as kcjl needs it.

Promises: fields that are not named here are passed over, absent and null are both None; ids may
be numbers or strings; numbers are decimals from the first byte on, never floats; codes are kept
as they come. It judges nothing: `records.py` says what a record cannot do without.
Invariant: every field of an answer is optional, so that no surprise outside what we use can
break a read. Orders and the tenant stand in `order_wire.py` and `tenant_wire.py`.
Called by the translating modules and `seller_api.py` only. Source: contract johnlewis b.
"""

from typing import TypeVar

import msgspec

from kcjl.errors import ProtocolSurprise
from kcjl.johnlewis.reading import BYTE_ORDER_MARK
from kcjl.johnlewis.unknown import compare_now_and_then
from kcjl.johnlewis.wire_values import WireAsked as _Asked
from kcjl.johnlewis.wire_values import WireId as _Id
from kcjl.johnlewis.wire_values import WireNumber as _Number
from kcjl.johnlewis.wire_values import WireRead as _Wire
from kcjl.johnlewis.wire_values import WireText as _Text

__all__ = [
    "WireAcceptance",
    "WireCodeEntity",
    "WireCycle",
    "WireCycles",
    "WireEntity",
    "WireImport",
    "WireReferenceAnswer",
    "WireReferenceAsked",
    "WireReferences",
    "WireShipment",
    "WireShipmentAsked",
    "WireShipments",
    "WireTracking",
    "WireTrackingAsked",
    "WireTransaction",
    "WireTransactions",
    "decoded",
]

_Body = TypeVar("_Body")


def decoded(body: bytes, kind: type[_Body], what: str) -> _Body:
    """The JSON of an answer.

    The message tells where it broke, never what stood there: bodies hold names and addresses.
    """
    try:
        read = msgspec.json.decode(body.removeprefix(BYTE_ORDER_MARK), type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise ProtocolSurprise(
            f"{what}: an answer of {len(body)} bytes could not be read: {error}"
        ) from None
    compare_now_and_then(what, body, kind)
    return read


# ── offers and stock ────────────────────────────────────────────────────────────────────────


class WireImport(_Wire, frozen=True, kw_only=True):
    import_id: _Id = None
    status: str | None = None
    lines_in_success: _Number = None
    lines_in_error: _Number = None
    has_error_report: bool | None = None


# ── writing on orders ───────────────────────────────────────────────────────────────────────


class WireReferences(_Wire, frozen=True, kw_only=True):
    order_reference_for_customer: _Text = None
    order_reference_for_seller: _Text = None


class WireReferenceOutcome(_Wire, frozen=True, kw_only=True):
    order_id: _Id = None
    errors: msgspec.Raw = msgspec.Raw(b"")


class WireReferenceAnswer(_Wire, frozen=True, kw_only=True):
    updated_orders: list[WireReferenceOutcome] | None = None


class WireReferenceAsked(_Asked, frozen=True, kw_only=True):
    order_reference_for_seller: str


class WireOrderAsked(_Asked, frozen=True, kw_only=True):
    """OR04: what we write, one order."""

    order_id: str
    references: WireReferenceAsked


class WireDecision(_Asked, frozen=True, kw_only=True):
    id: str
    accepted: bool


class WireAcceptance(_Asked, frozen=True, kw_only=True):
    """OR21: what we write."""

    order_lines: list[WireDecision]


# ── parcels ─────────────────────────────────────────────────────────────────────────────────


class WireTracking(_Wire, frozen=True, kw_only=True):
    carrier_code: _Text = None
    tracking_number: _Text = None
    tracking_url: _Text = None
    validity_status: str | None = None


class WireShipmentLine(_Wire, frozen=True, kw_only=True):
    order_line_id: _Id = None
    quantity: _Number = None
    package_reference: _Text = None


class WireShipment(_Wire, frozen=True, kw_only=True):
    id: _Id = None
    order_id: _Id = None
    status: str | None = None
    shipment_lines: list[WireShipmentLine] | None = None
    tracking: WireTracking | None = None
    status_customer_debit: str | None = None
    invoice_reference: _Text = None
    created_date: str | None = None
    last_updated_date: str | None = None
    shipped_date: str | None = None


class WireShipments(_Wire, frozen=True, kw_only=True):
    data: list[WireShipment] | None = None
    next_page_token: _Text = None


class WireTrackingAsked(_Asked, frozen=True, kw_only=True):
    """OR23, and the tracking of ST01: what we write."""

    carrier_code: str | None = None
    carrier_name: str | None = None
    tracking_number: str | None = None


class WireShipmentLineAsked(_Asked, frozen=True, kw_only=True):
    order_line_id: str
    quantity: int
    package_reference: str | None = None


class WireShipmentAsked(_Asked, frozen=True, kw_only=True):
    """ST01: what we write, one parcel."""

    order_id: str
    shipment_lines: list[WireShipmentLineAsked]
    shipped: bool
    tracking: WireTrackingAsked | None = None
    invoice_reference: str | None = None


# ── the shop's account ──────────────────────────────────────────────────────────────────────


class WireTax(_Wire, frozen=True, kw_only=True):
    amount: _Number = None


class WireEntity(_Wire, frozen=True, kw_only=True):
    id: _Id = None


class WireOrderEntity(_Wire, frozen=True, kw_only=True):
    id: _Id = None
    commercial_id: _Id = None
    references: WireReferences | None = None


class WireCodeEntity(_Wire, frozen=True, kw_only=True):
    """A tax, a fee or a channel."""

    code: _Text = None
    rate: _Number = None
    cancelations: list[WireEntity] | None = None
    refunds: list[WireEntity] | None = None


class WireNumberEntity(_Wire, frozen=True, kw_only=True):
    number: _Id = None


class WireOneOffItem(_Wire, frozen=True, kw_only=True):
    description: _Text = None
    quantity: _Number = None
    unit_price: _Number = None
    operation_date: str | None = None
    references: list[msgspec.Raw] | None = None


class WireEntities(_Wire, frozen=True, kw_only=True):
    order: WireOrderEntity | None = None
    order_line: WireEntity | None = None
    refund: WireEntity | None = None
    shipment: WireEntity | None = None
    debit: WireEntity | None = None
    order_tax: WireCodeEntity | None = None
    shop_tax: WireCodeEntity | None = None
    order_fee: WireCodeEntity | None = None
    fee: WireCodeEntity | None = None
    manual_accounting_document: WireNumberEntity | None = None
    one_off_item: WireOneOffItem | None = None
    transaction_info: WireNumberEntity | None = None
    channel: WireCodeEntity | None = None


class WireTransaction(_Wire, frozen=True, kw_only=True):
    id: _Id = None
    type: str | None = None
    amount: _Number = None
    amount_credited: _Number = None
    amount_debited: _Number = None
    currency_iso_code: str | None = None
    date_created: str | None = None
    last_updated: str | None = None
    payment_state: str | None = None
    payment_voucher_number: _Id = None
    seller_billing_cycle_id: _Id = None
    accounting_document_number: _Id = None
    accounting_document_id: _Id = None
    accounting_document_creation_date: str | None = None
    balance: _Number = None
    entities: WireEntities | None = None


class WireTransactions(_Wire, frozen=True, kw_only=True):
    data: list[WireTransaction] | None = None
    next_page_token: _Text = None


class WirePayOut(_Wire, frozen=True, kw_only=True):
    state: str | None = None
    reference: _Id = None
    transaction_date: str | None = None
    failure_reason: _Text = None


class WireCycle(_Wire, frozen=True, kw_only=True):
    id: _Id = None
    date_created: str | None = None
    payment_voucher_number: _Id = None
    currency_iso_code: str | None = None
    amount_transferred_to_seller: _Number = None
    amount_transferred_to_operator: _Number = None
    pay_out: WirePayOut | None = None
    summary: dict[str, msgspec.Raw] | None = None


class WireCycles(_Wire, frozen=True, kw_only=True):
    data: list[WireCycle] | None = None
    next_page_token: _Text = None
