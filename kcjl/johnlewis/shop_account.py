"""Translates the shop's account there: transaction lines and billing cycles.

Promises: amounts are exact to the last place or the read fails; they are added up as they came
and never re-signed by their type; types that nobody knows are kept (contract e.3).
It ties and judges nothing; settlement does. Invariant: one row, one record, none left out.
Called by `seller_api.py` only. Source: contract johnlewis b.6, e.
"""

from decimal import Decimal

from kcjl.johnlewis import wire
from kcjl.johnlewis.order_records import customer_number
from kcjl.johnlewis.port import BillingCycle, TransactionLine
from kcjl.johnlewis.reading import (
    ZERO,
    Page,
    both_times,
    exact,
    given,
    key,
    listed,
    optional,
    sound,
    text,
    time,
)

__all__ = ["billing_cycles", "transaction_lines"]


def transaction_lines(body: bytes, currency: str) -> Page[TransactionLine]:
    read = wire.decoded(body, wire.WireTransactions, "TL02")
    rows = [
        (key(row.id, "TL02: a line's id"), _transaction_line(row, currency))
        for row in listed(read.data, body, "TL02")
    ]
    return Page(rows=rows, next_token=optional(read.next_page_token))


def _transaction_line(row: wire.WireTransaction, currency: str) -> TransactionLine:
    what = f"TL02: line {row.id}"
    entities = row.entities or wire.WireEntities()
    order = entities.order or wire.WireOrderEntity()
    references = order.references or wire.WireReferences()
    created, updated = both_times(row.date_created, row.last_updated, what)
    return TransactionLine(
        line_id=text(row.id),
        kind=row.type or "UNKNOWN",
        amount=exact(_signed(row, what), row.currency_iso_code or currency, what),
        created_at=created,
        updated_at=updated,
        payment_state=text(row.payment_state),
        cycle_id=optional(row.seller_billing_cycle_id),
        voucher=optional(row.payment_voucher_number),
        document_number=optional(row.accounting_document_number),
        order_id=optional(order.id),
        order_line_id=_id(entities.order_line),
        refund_id=_id(entities.refund),
        customer_order_number=customer_number(references, order.commercial_id) or None,
        seller_reference=optional(references.order_reference_for_seller),
    )


def _signed(row: wire.WireTransaction, what: str) -> Decimal:
    """The amount as it came; without it, credited less debited, which is the same (b.6)."""
    if row.amount is not None:
        return row.amount
    if row.amount_credited is None:
        return -sound(given(row.amount_debited, f"{what}: its amount"), what)
    return sound(row.amount_credited, what) - sound(row.amount_debited or ZERO, what)


def _id(entity: wire.WireEntity | None) -> str | None:
    return optional(entity.id) if entity else None


def billing_cycles(body: bytes, currency: str) -> Page[BillingCycle]:
    read = wire.decoded(body, wire.WireCycles, "SBC11")
    rows = [
        (key(row.id, "SBC11: a cycle's id"), _billing_cycle(row, currency))
        for row in listed(read.data, body, "SBC11")
    ]
    return Page(rows=rows, next_token=optional(read.next_page_token))


def _billing_cycle(row: wire.WireCycle, currency: str) -> BillingCycle:
    what = f"SBC11: cycle {row.id}"
    in_currency = row.currency_iso_code or currency
    payout = row.pay_out or wire.WirePayOut()
    to_seller = given(row.amount_transferred_to_seller, f"{what}: the amount to the seller")
    return BillingCycle(
        cycle_id=text(row.id),
        created_at=given(time(row.date_created, what), f"{what}: its date"),
        currency=in_currency,
        amount_to_seller=exact(to_seller, in_currency, what),
        amount_to_operator=exact(row.amount_transferred_to_operator or ZERO, in_currency, what),
        payout_state=payout.state or "TO_PAY",
        payout_reference=optional(payout.reference),
        paid_at=time(payout.transaction_date, what),
        failure_reason=optional(payout.failure_reason),
        voucher=optional(row.payment_voucher_number),
    )
