"""What the marketplace tells of the shop's account, as settlement's events.

Promises: field by field, nothing re-signed and nothing worked out. Called by `actor.py`.
"""

from kcjl.johnlewis.account_port import Invoice
from kcjl.johnlewis.port import BillingCycle, TransactionLine
from kcjl.settlement.events import BillingCycleSeen, SettlementLineSeen
from kcjl.settlement.intake_events import InvoiceSeen

__all__ = ["cycle_seen", "invoice_seen", "line_seen"]


def line_seen(line: TransactionLine, *, own_account: bool) -> SettlementLineSeen:
    return SettlementLineSeen(
        line_id=line.line_id,
        kind=line.kind,
        amount=line.amount,
        payment_state=line.payment_state,
        cycle_id=line.cycle_id,
        voucher=line.voucher,
        document_number=line.document_number,
        order_id=line.order_id,
        order_line_id=line.order_line_id,
        refund_id=line.refund_id,
        customer_order_number=line.customer_order_number,
        created_at=line.created_at,
        shipment_id=line.shipment_id,
        debit_id=line.debit_id,
        manual_document=line.manual_document_number,
        own_account=own_account,
        occurred_at=line.updated_at,
    )


def cycle_seen(cycle: BillingCycle) -> BillingCycleSeen:
    return BillingCycleSeen(
        cycle_id=cycle.cycle_id,
        currency=cycle.currency,
        amount_to_seller=cycle.amount_to_seller,
        amount_to_operator=cycle.amount_to_operator,
        payout_state=cycle.payout_state,
        payout_reference=cycle.payout_reference,
        paid_at=cycle.paid_at,
        failure_reason=cycle.failure_reason,
        voucher=cycle.voucher,
        occurred_at=cycle.created_at,
    )


def invoice_seen(invoice: Invoice) -> InvoiceSeen:
    return InvoiceSeen(
        invoice_id=invoice.invoice_id,
        kind=invoice.kind,
        state=invoice.state,
        document_id=invoice.document_id,
        cycle_id=invoice.cycle_id,
        voucher=invoice.voucher,
        total_excluding_tax=invoice.total_excluding_tax,
        total_including_tax=invoice.total_including_tax,
        amount_transferred=invoice.amount_transferred,
        order_ids=tuple(each.order_id for each in invoice.details if each.order_id),
        occurred_at=invoice.created_at,
    )
