"""The shop's account: transaction lines, and which of them wait to be paid.

Promises: a debit, a refund, a cancelation after the debit, a fee and a manual document make
their lines, signed, with the shop's running balance (contract e.3); lines are PENDING until the
order is RECEIVED, then PAYABLE, and PAID at a cycle. Nothing is ever taken back from it.
It runs no cycle. Invariant: amounts are added up as they stand, never re-signed.
Called by the order book, the refunds and the billing cycles.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from kcjl.money import Money
from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.marketplace.moments import milliseconds
from kcjl.sandbox.marketplace.recency import Recency
from kcjl.sandbox.marketplace.records import (
    Cancelation,
    Charge,
    Invoice,
    Order,
    OrderLine,
    Refund,
    Tax,
    TransactionLine,
)
from kcjl.sandbox.marketplace.settings import MarketplaceSettings
from kcjl.sandbox.marketplace.tenant import Tenant

__all__ = ["Ledger"]

SETTLED = frozenset({"RECEIVED", "CLOSED", "CANCELED"})
"""States of an order in which its lines can be paid."""


class Ledger:
    """Transaction lines by id, by order, by cycle, by creation and by last change."""

    def __init__(self, agenda: Agenda, tenant: Tenant) -> None:
        self._agenda = agenda
        self._tenant = tenant
        self.lines: dict[str, TransactionLine] = {}
        self.by_creation = Recency()
        self.by_update = Recency()
        self.by_order: defaultdict[str, list[str]] = defaultdict(list)
        self.by_cycle: defaultdict[str, list[str]] = defaultdict(list)
        self._pending: defaultdict[str, list[str]] = defaultdict(list)
        self._payable: dict[str, None] = {}
        self._balance = 0
        self._paid_out = 0
        self._state_totals: defaultdict[str, int] = defaultdict(int)
        self._held: dict[str, None] = {}
        """Order lines whose billing is held."""

    @property
    def _settings(self) -> MarketplaceSettings:
        return self._tenant.settings

    # ── balances ───────────────────────────────────────────────────────────────────────────

    def total(self, payment_state: str) -> Money:
        """The sum of all lines in a payment state."""
        return self._money(self._state_totals[payment_state])

    @property
    def paid_out(self) -> Money:
        """The sum of all payouts."""
        return self._money(self._paid_out)

    @property
    def payable(self) -> list[TransactionLine]:
        """Lines that the next cycle pays, oldest first."""
        return [self.lines[line_id] for line_id in self._payable]

    # ── what makes lines ───────────────────────────────────────────────────────────────────

    def debit(self, order: Order) -> None:
        """The customer has paid: each live line's amounts, and the commission on them."""
        for line in order.live_lines:
            self._pair(order, line, "ORDER_AMOUNT", line.price, line.taxes)
            self._pair(
                order, line, "ORDER_SHIPPING_AMOUNT", line.shipping_price, line.shipping_taxes
            )
            self._commission(order, line, "", -line.commission_fee, -line.commission_vat)

    def refund(self, order: Order, line: OrderLine, refund: Refund) -> None:
        """The customer has money back; so has the shop, of its commission."""
        self._give_back(order, line, refund.charge, refund_id=refund.refund_id)

    def reverse(self, order: Order, line: OrderLine, cancelation: Cancelation) -> None:
        """Units that were paid for are cancelled; there is no refund to name."""
        self._give_back(order, line, cancelation.charge, refund_id=None)

    def _give_back(
        self, order: Order, line: OrderLine, charge: Charge, *, refund_id: str | None
    ) -> None:
        for kind, amount, taxes in (
            ("REFUND_ORDER_AMOUNT", charge.amount, charge.taxes),
            ("REFUND_ORDER_SHIPPING_AMOUNT", charge.shipping_amount, charge.shipping_taxes),
        ):
            negative = [Tax(code=tax.code, amount=-tax.amount, rate=tax.rate) for tax in taxes]
            self._pair(order, line, kind, -amount, negative, refund_id=refund_id)
        self._commission(
            order,
            line,
            "REFUND_",
            charge.commission_fee,
            charge.commission_vat,
            refund_id=refund_id,
        )

    def _pair(
        self,
        order: Order,
        line: OrderLine,
        kind: str,
        amount: Money,
        taxes: Sequence[Tax],
        *,
        refund_id: str | None = None,
    ) -> None:
        """An amount and, where they stand apart, the taxes on it."""
        tax = self._money(sum(tax.amount.amount_minor for tax in taxes))
        included = order.tax_mode == "TAX_INCLUDED"
        apart = not included or self._settings.separate_tax_lines
        self._add(
            kind,
            amount - tax if included and apart else amount,
            order=order,
            line=line,
            refund_id=refund_id,
            tax_inside=self._money(0) if apart else tax,
        )
        if apart:
            for part in taxes:
                self._add(
                    f"{kind}_TAX",
                    part.amount,
                    order=order,
                    line=line,
                    refund_id=refund_id,
                    tax=part,
                    tax_inside=part.amount,
                )

    def _commission(
        self,
        order: Order,
        line: OrderLine,
        prefix: str,
        fee: Money,
        vat: Money,
        *,
        refund_id: str | None = None,
    ) -> None:
        for kind, amount in (("COMMISSION_FEE", fee), ("COMMISSION_VAT", vat)):
            self._add(
                prefix + kind,
                amount,
                order=order,
                line=line,
                refund_id=refund_id,
                tax=self._fee_tax(amount),
            )

    def charge_fee(
        self, kind: str, fee: Money, vat: Money, *, invoice: Invoice | None = None
    ) -> None:
        """A fee or a document of no order, signed as given, and its VAT line beside it."""
        vat_kind = kind.removesuffix("_FEE") + "_VAT"
        for made in (
            self._add(kind, fee, tax=None),
            self._add(vat_kind, vat, tax=self._fee_tax(vat)),
        ):
            if invoice is not None:
                made.manual_document = invoice.number
                made.document_number = invoice.number
                made.document_id = invoice.document_id
                made.document_at = invoice.created_at

    def charge_extra(
        self, kind: str, amount: Money, tax: Money, *, description: str, order: Order | None
    ) -> None:
        """A one-off of no order, or a fee on an order; signed as given, its tax beside it."""
        for made in (
            self._add(kind, amount, order=order),
            self._add(f"{kind}_TAX", tax, order=order, tax=self._fee_tax(tax)),
        ):
            if order is None:
                made.one_off = description
            else:
                made.fee_code = description

    def _fee_tax(self, amount: Money) -> Tax:
        settings = self._settings
        return Tax(
            code=settings.commission_tax_code, amount=amount, rate=settings.commission_vat_rate
        )

    # ── keeping ────────────────────────────────────────────────────────────────────────────

    def _add(
        self,
        kind: str,
        amount: Money,
        *,
        order: Order | None = None,
        line: OrderLine | None = None,
        refund_id: str | None = None,
        tax: Tax | None = None,
        tax_inside: Money | None = None,
    ) -> TransactionLine:
        now = milliseconds(self._agenda.now)
        self._balance += amount.amount_minor
        held = line is not None and line.line_id in self._held
        settled = order is None or (order.state in SETTLED and not held)
        added = TransactionLine(
            line_id=self._agenda.new_id(),
            kind=kind,
            amount=amount,
            balance=self._money(self._balance),
            created_at=now,
            updated_at=now,
            payment_state="PAYABLE" if settled else "PENDING",
            order_id=order.order_id if order else None,
            order_line_id=line.line_id if line else None,
            refund_id=refund_id,
            tax=tax,
            tax_inside=tax_inside or self._money(0),
            transaction_number=order.transaction_number if order else None,
            transaction_at=order.debited_at if order else None,
        )
        self.lines[added.line_id] = added
        self.by_creation.touch(added.line_id, now)
        self.by_update.touch(added.line_id, now)
        self._state_totals[added.payment_state] += amount.amount_minor
        if order is not None:
            self.by_order[order.order_id].append(added.line_id)
        if settled:
            self._payable[added.line_id] = None
        elif order is not None:
            self._pending[order.order_id].append(added.line_id)
        return added

    def make_payable(self, order_id: str) -> None:
        """The order has been received, or is over: its lines wait for the next cycle."""
        for line_id in self._pending.pop(order_id, ()):
            if self.lines[line_id].order_line_id in self._held:
                self._pending[order_id].append(line_id)
                continue
            self._set_state(self.lines[line_id], "PAYABLE")
            self._payable[line_id] = None

    def hold(self, order: Order, order_line_id: str) -> None:
        """The billing of an order line waits: what is not on a cycle yet is PENDING."""
        self._held[order_line_id] = None
        for line_id in self.by_order.get(order.order_id, ()):
            line = self.lines[line_id]
            if line.order_line_id == order_line_id and line_id in self._payable:
                del self._payable[line_id]
                self._pending[order.order_id].append(line_id)
                self._set_state(line, "PENDING")

    def release(self, order: Order, order_line_id: str) -> None:
        """The billing of an order line goes on from where the order stands now."""
        self._held.pop(order_line_id, None)
        if order.state in SETTLED:
            self.make_payable(order.order_id)

    def pay(
        self,
        lines: Iterable[TransactionLine],
        *,
        cycle_id: str,
        voucher: str,
        document_number: str,
        document_id: str,
    ) -> Money:
        """Put payable lines on a cycle; returns their sum and adds the PAYMENT line."""
        paid = 0
        now = milliseconds(self._agenda.now)
        for line in lines:
            paid += line.amount.amount_minor
            if line.document_number is None:
                line.document_number = document_number
                line.document_id = document_id
                line.document_at = now
            self._put_on_cycle(line, cycle_id, voucher)
        self._paid_out += paid
        payment = self._add("PAYMENT", self._money(-paid))
        self._put_on_cycle(payment, cycle_id, voucher)
        return self._money(paid)

    def _put_on_cycle(self, line: TransactionLine, cycle_id: str, voucher: str) -> None:
        line.cycle_id = cycle_id
        line.voucher = voucher
        self._payable.pop(line.line_id, None)
        self.by_cycle[cycle_id].append(line.line_id)
        self._set_state(line, "PAID")

    def _set_state(self, line: TransactionLine, state: str) -> None:
        self._state_totals[line.payment_state] -= line.amount.amount_minor
        self._state_totals[state] += line.amount.amount_minor
        line.payment_state = state
        line.updated_at = milliseconds(self._agenda.now)
        self.by_update.touch(line.line_id, line.updated_at)

    def _money(self, minor: int) -> Money:
        return Money(minor, self._settings.currency)
