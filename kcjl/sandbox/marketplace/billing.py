"""Billing cycles: what is payable is paid, at London's hour, with a voucher and an invoice.

Promises: the payout is the sum of all lines of the cycle but PAYMENT, exactly (contract e.4); a
sum of nothing or less makes no cycle: its lines stay payable and carry over. Invoices say what
the operator charges, which is never the payout. It makes no lines of orders.
Invariant: a line is on one cycle at most. Called by the agenda; read by the door.
"""

from datetime import datetime, timedelta

from kcjl.errors import Misuse
from kcjl.money import Money, half_up
from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.marketplace.ledger import Ledger
from kcjl.sandbox.marketplace.moments import cycle_after, first_cycle_after, seconds
from kcjl.sandbox.marketplace.records import (
    BillingCycle,
    Invoice,
    InvoiceDetail,
    Order,
    TransactionLine,
)
from kcjl.sandbox.marketplace.settings import MarketplaceSettings
from kcjl.sandbox.marketplace.tenant import Tenant

__all__ = ["PAIRED_TOTALS", "UNPAIRED_TOTALS", "Billing"]

PAIRED_TOTALS = (
    "payable_orders",
    "non_payable_orders",
    "refund_orders",
    "refund_payable_orders",
    "refund_non_payable_orders",
    "commissions",
    "refund_commissions",
    "subscription",
    "other_credits",
    "other_invoices",
    "fee",
    "refund_fee",
    "fee_operator_remitted",
    "refund_fee_operator_remitted",
    "operator_paid_shipping_charges",
    "refund_operator_paid_shipping_charges",
    "seller_fees_on_orders",
    "seller_penalty_fees",
)
"""SBC11's totals that come without and with tax."""

UNPAIRED_TOTALS = (
    "operator_remitted_taxes",
    "refund_operator_remitted_taxes",
    "purchase_taxes",
    "refund_purchase_taxes",
)

_TOTAL_OF_KIND = {
    "ORDER_AMOUNT": "payable_orders",
    "ORDER_AMOUNT_TAX": "payable_orders",
    "ORDER_SHIPPING_AMOUNT": "payable_orders",
    "ORDER_SHIPPING_AMOUNT_TAX": "payable_orders",
    "REFUND_ORDER_AMOUNT": "refund_payable_orders",
    "REFUND_ORDER_AMOUNT_TAX": "refund_payable_orders",
    "REFUND_ORDER_SHIPPING_AMOUNT": "refund_payable_orders",
    "REFUND_ORDER_SHIPPING_AMOUNT_TAX": "refund_payable_orders",
    "COMMISSION_FEE": "commissions",
    "COMMISSION_VAT": "commissions",
    "REFUND_COMMISSION_FEE": "refund_commissions",
    "REFUND_COMMISSION_VAT": "refund_commissions",
    "SUBSCRIPTION_FEE": "subscription",
    "SUBSCRIPTION_VAT": "subscription",
    "MANUAL_CREDIT": "other_credits",
    "MANUAL_CREDIT_VAT": "other_credits",
    "MANUAL_INVOICE": "other_invoices",
    "MANUAL_INVOICE_VAT": "other_invoices",
}
EXTRAS = {
    "INVOICEABLE_ONE_OFF_DEBIT": (-1, "other_invoices"),
    "INVOICEABLE_ONE_OFF_CREDIT": (1, "other_credits"),
    "SELLER_PENALTY_FEE": (-1, "seller_penalty_fees"),
    "SELLER_FEE_ON_ORDER": (-1, "seller_fees_on_orders"),
}
"""What the operator may charge beside commission: its sign (e.3), and its total."""
_TOTAL_OF_KIND |= {
    name: total for kind, (_, total) in EXTRAS.items() for name in (kind, f"{kind}_TAX")
}
_OPERATORS = (
    "commissions",
    "refund_commissions",
    "subscription",
    "seller_fees_on_orders",
    "seller_penalty_fees",
)
"""Totals that make the operator's share, and its invoice."""
_DESCRIPTIONS = {
    "commissions": "Commission",
    "refund_commissions": "Refunded commission",
    "subscription": "Subscription",
    "seller_fees_on_orders": "Fees on orders",
    "seller_penalty_fees": "Penalty fees",
}
FIRST_INVOICE_ID = 980


class Billing:
    """The cycles, their payouts and their invoices."""

    def __init__(self, agenda: Agenda, tenant: Tenant, ledger: Ledger) -> None:
        self._agenda = agenda
        self._tenant = tenant
        self._ledger = ledger
        self.cycles: dict[str, BillingCycle] = {}
        self.invoices: dict[int, Invoice] = {}
        self._last_cycle_at = agenda.now
        self._runs = 0
        self._plans = 0
        self._plan(first_cycle_after(agenda.now, self._settings))
        tenant.on_switch.append(self._plan_anew)

    @property
    def _settings(self) -> MarketplaceSettings:
        return self._tenant.settings

    def _plan(self, when: datetime) -> None:
        self._plans += 1
        number = self._plans
        self._agenda.at(when, lambda: self._run(number))

    def _run(self, number: int) -> None:
        if number != self._plans:
            return  # the cycle was put to another time meanwhile
        now = self._agenda.now
        self.run_cycle()
        self._plan(cycle_after(now, self._settings))

    def _plan_anew(self, before: MarketplaceSettings) -> None:
        """Where the cycle's days or hour were switched, the next one is by the new ones."""
        if _rhythm(before) != _rhythm(self._settings):
            self._plan(first_cycle_after(self._agenda.now, self._settings))

    def run_cycle(self) -> BillingCycle | None:
        """Pay what is payable; None where that comes to nothing or less.

        A voucher is one number for all shops of a run (e.2); runs without a payout use one.
        """
        self._runs += 1
        self._charge_subscription()
        lines = self._ledger.payable
        payout = sum(line.amount.amount_minor for line in lines)
        if payout <= 0:
            return None
        agenda = self._agenda
        cycle_id = agenda.new_id()
        voucher = f"{self._runs:06d}"
        summary = self._summary(lines)
        invoice = self._invoice(summary, cycle_id)
        cycle = BillingCycle(
            cycle_id=cycle_id,
            created_at=seconds(agenda.now),
            voucher=voucher,
            amount_to_seller=self._ledger.pay(
                lines,
                cycle_id=cycle_id,
                voucher=voucher,
                document_number=invoice.number,
                document_id=invoice.document_id,
            ),
            amount_to_operator=self._money(invoice.amount + invoice.tax),
            summary=summary,
        )
        self.cycles[cycle_id] = cycle
        numbers = {line.manual_document for line in lines}
        for document in self.invoices.values():
            if document.number in numbers:
                document.cycle_id = cycle_id
        self._last_cycle_at = agenda.now
        self._plan_payout(cycle)
        return cycle

    def _plan_payout(self, cycle: BillingCycle) -> None:
        delay = timedelta(hours=self._settings.payout_paid_after_hours)
        self._agenda.after(delay, lambda: self._pay_out(cycle))

    def _pay_out(self, cycle: BillingCycle) -> None:
        """The bank transfer; one that fails is tried again, so that a switch can mend it."""
        cycle.failure_reason = self._settings.payout_failure
        if cycle.failure_reason is not None:
            cycle.payout_state = "FAILED"
            self._plan_payout(cycle)
            return
        cycle.payout_state = "PAID"
        cycle.paid_at = seconds(self._agenda.now)
        cycle.payout_reference = f"BACS-{889_000 + int(cycle.voucher)}"

    def _charge_subscription(self) -> None:
        fee = self._settings.subscription_fee
        if fee is not None:
            self._ledger.charge_fee("SUBSCRIPTION_FEE", -fee, -self._vat(fee))

    def _summary(self, lines: list[TransactionLine]) -> dict[str, Money]:
        """The totals of a cycle, signed as its lines are (SBC11)."""
        without: dict[str, int] = dict.fromkeys(PAIRED_TOTALS, 0)
        including: dict[str, int] = dict.fromkeys(PAIRED_TOTALS, 0)
        for line in lines:
            total = _TOTAL_OF_KIND.get(line.kind, "other_credits")
            amount = line.amount.amount_minor
            including[total] += amount
            if not line.kind.endswith(("_VAT", "_TAX")):
                without[total] += amount - line.tax_inside.amount_minor
        summary = {}
        for total in PAIRED_TOTALS:
            summary[f"total_{total}_excl_tax"] = self._money(without[total])
            summary[f"total_{total}_incl_tax"] = self._money(including[total])
        for total in UNPAIRED_TOTALS:
            summary[f"total_{total}"] = self._money(0)
        return summary

    def _invoice(self, summary: dict[str, Money], cycle_id: str) -> Invoice:
        """What the operator charges for a cycle (AUTO_INVOICE)."""
        details = []
        for total in _OPERATORS:
            fee = -summary[f"total_{total}_excl_tax"]
            tax = -summary[f"total_{total}_incl_tax"] - fee
            if fee or tax:
                description = _DESCRIPTIONS[total]
                details.append(InvoiceDetail(description=description, amount=fee, tax=tax))
        return self._issue("AUTO_INVOICE", details, cycle_id)

    def operator_document(
        self, kind: str, amount: Money, description: str, order_id: str | None
    ) -> Invoice:
        """A manual credit or invoice of the operator: its lines are payable at once."""
        sign = 1 if kind == "MANUAL_CREDIT" else -1
        vat = self._vat(amount)
        detail = InvoiceDetail(
            description=description, amount=amount, tax=vat, order_id=order_id
        )
        invoice = self._issue(kind, [detail], None)
        self._ledger.charge_fee(kind, amount.times(sign), vat.times(sign), invoice=invoice)
        return invoice

    def operator_charge(
        self, kind: str, amount: Money, description: str, order: Order | None
    ) -> None:
        """A one-off, a fee on an order or a penalty, without its tax."""
        if kind not in EXTRAS:
            raise Misuse(f"{kind!r} is none of {', '.join(EXTRAS)}")
        if (order is None) != kind.startswith("INVOICEABLE_ONE_OFF"):
            raise Misuse(f"{kind} {'has no' if order else 'needs an'} order")
        sign, _ = EXTRAS[kind]
        self._ledger.charge_extra(
            kind,
            amount.times(sign),
            self._vat(amount).times(sign),
            description=description,
            order=order,
        )

    def _issue(self, kind: str, details: list[InvoiceDetail], cycle_id: str | None) -> Invoice:
        number = FIRST_INVOICE_ID + len(self.invoices) + 1
        invoice = Invoice(
            invoice_id=number,
            document_id=self._agenda.new_id(),
            number=f"INV-JL-{number:06d}",
            kind=kind,
            created_at=seconds(self._agenda.now),
            start_at=seconds(self._last_cycle_at),
            end_at=seconds(self._agenda.now),
            cycle_id=cycle_id,
            details=details,
        )
        self.invoices[number] = invoice
        return invoice

    def _vat(self, amount: Money) -> Money:
        return self._money(
            half_up(amount.amount_minor * self._settings.commission_vat_rate / 100)
        )

    def _money(self, minor: int) -> Money:
        return Money(minor, self._settings.currency)


def _rhythm(settings: MarketplaceSettings) -> tuple[object, ...]:
    return (
        settings.time_zone,
        settings.cycle_time,
        settings.cycle_every_days,
        settings.cycle_days_of_month,
        settings.cycle_every_hours,
    )
