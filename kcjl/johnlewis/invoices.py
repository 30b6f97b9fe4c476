"""Translates the operator's invoices.

Promises: amounts are exact to the last place or the read fails; the summary is taken where it
was told and missed nowhere; an invoice's total is never taken for a payout (contract f.24).
It fetches nothing. Invariant: one row, one record, none left out.
Called by `account_calls.py` only. Source: contract johnlewis b.6 (IV01), e.4.
"""

from datetime import date
from decimal import Decimal

import msgspec

from kcjl.johnlewis.account_port import Invoice, InvoiceDetail, InvoiceTax
from kcjl.johnlewis.reading import (
    ZERO,
    Page,
    exact,
    given,
    key,
    listed,
    number,
    optional,
    text,
    time,
    total,
    whole,
)
from kcjl.johnlewis.wire import decoded
from kcjl.money import Money

__all__ = ["day", "invoices"]

_Id = int | str | None
_Number = Decimal | None


class _Wire(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what is read."""


class WireTaxAmount(_Wire, frozen=True, kw_only=True):
    code: _Id = None
    amount: _Number = None


class WireDetail(_Wire, frozen=True, kw_only=True):
    description: _Id = None
    quantity: _Number = None
    amount_excl_taxes: _Number = None
    taxes: list[WireTaxAmount] | None = None
    order_id: _Id = None
    operation_date: str | None = None


class WirePayment(_Wire, frozen=True, kw_only=True):
    state: str | None = None
    reference: _Id = None
    transaction_date: str | None = None
    failure_reason: _Id = None


class WireInvoiceSummary(_Wire, frozen=True, kw_only=True):
    amount_transferred: _Number = None
    amount_transferred_to_operator: _Number = None


class WireInvoice(_Wire, frozen=True, kw_only=True):
    invoice_id: _Id = None
    id: _Id = None
    type: str | None = None
    state: str | None = None
    date_created: str | None = None
    issue_date: str | None = None
    due_date: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    currency_iso_code: str | None = None
    payment: WirePayment | None = None
    payment_voucher_number: _Id = None
    seller_billing_cycle_id: _Id = None
    summary: WireInvoiceSummary | None = None
    details: list[WireDetail] | None = None
    total_amount_excl_taxes: _Number = None
    total_amount_incl_taxes: _Number = None
    total_charged_amount: _Number = None
    total_taxes: list[WireTaxAmount] | None = None


class WireInvoices(_Wire, frozen=True, kw_only=True):
    invoices: list[WireInvoice] | None = None
    total_count: _Number = None


def invoices(body: bytes, currency: str) -> Page[Invoice]:
    read = decoded(body, WireInvoices, "IV01")
    rows = [
        (key(row.invoice_id, "IV01: an invoice's id"), _invoice(row, currency))
        for row in listed(read.invoices, body, "IV01")
    ]
    return Page(rows=rows, total=total(read.total_count))


def _invoice(row: WireInvoice, currency: str) -> Invoice:
    what = f"IV01: invoice {row.invoice_id}"
    in_currency = row.currency_iso_code or currency
    payment = row.payment or WirePayment()
    summary = row.summary or WireInvoiceSummary()
    charged = row.total_amount_incl_taxes
    return Invoice(
        invoice_id=whole(number(row.invoice_id, what), what),
        document_id=optional(row.id),
        kind=row.type or "UNKNOWN",
        state=text(row.state),
        created_at=given(
            time(row.date_created, what) or time(row.issue_date, what), f"{what}: its date"
        ),
        currency=in_currency,
        issued_at=time(row.issue_date, what),
        due_at=time(row.due_date, what),
        starts_at=time(row.start_time, what),
        ends_at=time(row.end_time, what),
        total_excluding_tax=_money(row.total_amount_excl_taxes, in_currency, what),
        total_including_tax=_money(
            row.total_charged_amount if charged is None else charged, in_currency, what
        ),
        taxes=_taxes(row.total_taxes, in_currency, what),
        details=tuple(_detail(each, in_currency, what) for each in row.details or ()),
        payment_state=text(payment.state),
        payment_reference=optional(payment.reference),
        paid_at=time(payment.transaction_date, what),
        failure_reason=optional(payment.failure_reason),
        voucher=optional(row.payment_voucher_number),
        cycle_id=optional(row.seller_billing_cycle_id),
        amount_transferred=_money(summary.amount_transferred, in_currency, what),
        amount_to_operator=_money(summary.amount_transferred_to_operator, in_currency, what),
    )


def _detail(row: WireDetail, currency: str, what: str) -> InvoiceDetail:
    quantity = row.quantity
    amount = given(row.amount_excl_taxes, f"{what}: a detail's amount")
    return InvoiceDetail(
        description=text(row.description),
        amount_excluding_tax=exact(amount, currency, what),
        quantity=None if quantity is None else whole(quantity, what),
        taxes=_taxes(row.taxes, currency, what),
        order_id=optional(row.order_id),
        operation_date=day(row.operation_date, what),
    )


def _taxes(
    rows: list[WireTaxAmount] | None, currency: str, what: str
) -> tuple[InvoiceTax, ...]:
    return tuple(
        InvoiceTax(code=text(row.code), amount=exact(row.amount or ZERO, currency, what))
        for row in rows or ()
    )


def _money(amount: Decimal | None, currency: str, what: str) -> Money | None:
    return None if amount is None else exact(amount, currency, what)


def day(value: str | None, what: str) -> date | None:
    """A day, also where it comes as a time."""
    moment = time(value, what)
    return moment.date() if moment else None
