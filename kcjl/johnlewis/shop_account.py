"""Translates the shop's account there: transaction lines and billing cycles.

Promises: amounts are exact to the last place or the read fails; they are added up as they came
and never re-signed by their type; types that nobody knows are kept (contract e.3).
It ties and judges nothing; settlement does. Invariant: one row, one record, none left out.
Called by `seller_api.py` only. Source: contract johnlewis b.6, e.
"""

from decimal import Decimal

import msgspec

from kcjl.johnlewis import wire
from kcjl.johnlewis.invoices import day
from kcjl.johnlewis.order_records import customer_number
from kcjl.johnlewis.parts import CycleSummary, OneOffItem, TaxedTotal, TaxRate
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
    whole,
)
from kcjl.money import Money

__all__ = ["billing_cycles", "transaction_line", "transaction_lines"]


def transaction_lines(body: bytes, currency: str) -> Page[TransactionLine]:
    read = wire.decoded(body, wire.WireTransactions, "TL02")
    rows = [
        (key(row.id, "TL02: a line's id"), transaction_line(row, currency))
        for row in listed(read.data, body, "TL02")
    ]
    return Page(rows=rows, next_token=optional(read.next_page_token))


def transaction_line(
    row: wire.WireTransaction, currency: str, operation: str = "TL02"
) -> TransactionLine:
    line_id = key(row.id, f"{operation}: a line's id")
    what = f"{operation}: line {line_id}"
    in_currency = row.currency_iso_code or currency
    entities = row.entities or wire.WireEntities()
    order = entities.order or wire.WireOrderEntity()
    references = order.references or wire.WireReferences()
    fee = entities.fee or wire.WireCodeEntity()
    created, updated = both_times(row.date_created, row.last_updated, what)
    return TransactionLine(
        line_id=line_id,
        kind=row.type or "UNKNOWN",
        amount=exact(_signed(row, what), in_currency, what),
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
        balance=_money(row.balance, in_currency, what),
        document_id=optional(row.accounting_document_id),
        document_at=time(row.accounting_document_creation_date, what),
        shipment_id=_id(entities.shipment),
        debit_id=_id(entities.debit),
        order_tax=_tax(entities.order_tax),
        shop_tax=_tax(entities.shop_tax),
        order_fee_code=_code(entities.order_fee),
        fee_code=_code(fee),
        fee_cancelation_ids=_ids(fee.cancelations),
        fee_refund_ids=_ids(fee.refunds),
        manual_document_number=_number(entities.manual_accounting_document),
        one_off_item=_one_off_item(entities.one_off_item, in_currency, what),
        transaction_number=_number(entities.transaction_info),
        channel_code=_code(entities.channel),
    )


def _money(amount: Decimal | None, currency: str, what: str) -> Money | None:
    return None if amount is None else exact(amount, currency, what)


def _tax(told: wire.WireCodeEntity | None) -> TaxRate | None:
    code = _code(told)
    if told is None or code is None:
        return None
    rate = told.rate
    return TaxRate(code=code, rate=rate if rate is not None and rate.is_finite() else None)


def _code(told: wire.WireCodeEntity | None) -> str | None:
    return optional(told.code) if told else None


def _number(told: wire.WireNumberEntity | None) -> str | None:
    return optional(told.number) if told else None


def _ids(told: list[wire.WireEntity] | None) -> tuple[str, ...]:
    return tuple(text(each.id) for each in told or () if text(each.id))


def _one_off_item(
    told: wire.WireOneOffItem | None, currency: str, what: str
) -> OneOffItem | None:
    if told is None:
        return None
    quantity = told.quantity
    return OneOffItem(
        description=text(told.description),
        quantity=None if quantity is None else whole(quantity, what),
        unit_price=_money(told.unit_price, currency, what),
        operation_date=day(told.operation_date, what),
        references=_references(told.references),
    )


def _references(told: list[msgspec.Raw] | None) -> tuple[str, ...]:
    """Texts, or objects that hold one by a name that the contract does not say."""
    found: list[str] = []
    for raw in told or ():
        value = msgspec.json.decode(raw)
        values = value.values() if isinstance(value, dict) else [value]
        found += [text(each) for each in values if isinstance(each, str | int) and each]
    return tuple(found)


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
        summary=_summary(row.summary, in_currency, what),
    )


def _summary(
    told: dict[str, msgspec.Raw] | None, currency: str, what: str
) -> CycleSummary | None:
    """The totals by their names; those that nobody knows are passed over."""
    if told is None:
        return None

    def amount(name: str) -> Money | None:
        raw = told.get(f"total_{name}")
        if raw is None:
            return None
        where = f"{what}: total_{name}"
        total = wire.decoded(b'{"amount":%b}' % bytes(raw), wire.WireTax, where)
        return _money(total.amount, currency, where)

    totals: dict[str, TaxedTotal | Money | None] = {}
    for field in msgspec.structs.fields(CycleSummary):
        totals[field.name] = (
            TaxedTotal(
                excluding_tax=amount(f"{field.name}_excl_tax"),
                including_tax=amount(f"{field.name}_incl_tax"),
            )
            if field.type is TaxedTotal
            else amount(field.name)
        )
    return msgspec.convert(totals, CycleSummary)
