"""What the events of settlement say about conditions: payouts, lines, gaps, cycles, invoices.

Promises: pure; gaps that have an exception of their own, and those that cost nothing or are
nobody's mistake, raise none here; the payout shows them all. Called by `decide.py`.
Source: design 9, 10.
"""

from collections.abc import Sequence

from kcjl.exceptions.conditions import Condition, Raise, clear
from kcjl.settlement import events as settlement
from kcjl.settlement import gap_events as gaps
from kcjl.settlement import intake_events as intake
from kcjl.settlement import received_events as received
from kcjl.vocabulary import Event

__all__ = ["conditions"]

CYCLES = "billing cycles"
TOLD_OTHERWISE = frozenset(
    {
        "rounding",
        "refund_without_return",
        "unknown_type",  # unknown_line_type
        "erp_total_differs",  # total_differs
        "order_not_in_erp",  # payout_open, until a person accepts it
    }
)


def conditions(event: Event) -> tuple[Condition, ...]:
    """Of payouts and of what they are made of."""
    match event:
        case settlement.PayoutHeld():
            return (
                Raise(
                    kind="payout_open",
                    subject=event.cycle_id,
                    message=f"{event.reason}; stated {event.stated}, lines {event.lines_total}",
                    money=abs(event.residue),
                ),
            )
        case settlement.PayoutClosed():
            excepted = f", {event.excepted} lines excepted" if event.excepted else ""
            named = f"residue {event.residue} has its name" if event.residue else "residue 0"
            return (clear(event.cycle_id, "payout_open", f"closed: {named}{excepted}"),)
        case gaps.PayoutReconciled():
            return _gaps(event.cycle_id, event.gaps)
        case gaps.GapEnded():
            stand = _gaps(event.cycle_id, event.still)
            return stand or (clear(event.cycle_id, "payout_gaps", f"gone: {event.reason}"),)
        case settlement.LateLineFound():
            message = (
                f"line {event.line_id} ({event.kind}) makes {event.amount} after the payout "
                "was closed: it goes to the open month"
            )
            return (
                Raise(
                    kind="late_line",
                    subject=event.cycle_id,
                    message=message,
                    money=abs(event.amount),
                ),
            )
        case settlement.JournalIntended() if event.kind == "correction":
            reason = f"journal {event.reference} has it"
            return (clear(event.cycle_id, "late_line", reason),)
        case settlement.AccountMapSet():
            return tuple(
                clear(each.role, "unknown_line_type", "its account is named")
                for each in event.accounts
                if each.role.isupper()
            )
        case settlement.SettlementLineSeen() if (
            event.kind not in settlement.ROLE_OF_KIND
            and event.kind != settlement.PAYMENT
            and not event.own_account
        ):
            return (
                Raise(
                    kind="unknown_line_type",
                    subject=event.kind,
                    message=f"lines of type {event.kind} have no account of their own",
                ),
            )
        case _:
            return _received(event) or _intake(event)


def _gaps(cycle_id: str, found: Sequence[gaps.GapTotal]) -> tuple[Condition, ...]:
    told = [each for each in found if each.kind not in TOLD_OTHERWISE]
    if not told:
        return ()
    named = "; ".join(
        f"{each.kind.replace('_', ' ')} {each.amount} in {each.gaps}" for each in told
    )
    at_risk = sum((abs(each.amount) for each in told[1:]), abs(told[0].amount))
    return (Raise(kind="payout_gaps", subject=cycle_id, message=named, money=at_risk),)


def _received(event: Event) -> tuple[Condition, ...]:
    match event:
        case received.PayoutReceiptOverdue():
            return (
                Raise(
                    kind="payout_not_received",
                    subject=event.cycle_id,
                    message=f"{event.transferred} was paid on {event.paid_on} and should have "
                    f"been in the bank on {event.due_on}",
                    money=event.transferred,
                ),
            )
        case received.PayoutReceived() | received.PayoutReceiptWithdrawn():
            return (*_differs(event), *_came(event))
        case _:
            return ()


def _came(
    event: received.PayoutReceived | received.PayoutReceiptWithdrawn,
) -> tuple[Condition, ...]:
    if not event.received:
        return ()
    return (clear(event.cycle_id, "payout_not_received", f"{event.received} is in the bank"),)


def _differs(
    event: received.PayoutReceived | received.PayoutReceiptWithdrawn,
) -> tuple[Condition, ...]:
    kind, off = "payout_received_differs", event.received - event.transferred
    if not event.received:
        return (
            clear(event.cycle_id, kind, "nothing of it is in the bank, by a person's word"),
        )
    if not off:
        return (clear(event.cycle_id, kind, f"{event.received} is in the bank, to the penny"),)
    message = f"{event.received} is in the bank, {event.transferred} was paid: {off} off"
    return (Raise(kind=kind, subject=event.cycle_id, message=message, money=abs(off)),)


def _intake(event: Event) -> tuple[Condition, ...]:
    match event:
        case intake.BillingCycleOverdue():
            last = f"{event.last_cycle_at:%Y-%m-%d}" if event.last_cycle_at else "never"
            return (
                Raise(
                    kind="billing_cycle_overdue",
                    subject=CYCLES,
                    message=f"{event.payable} in {event.lines} lines is payable since "
                    f"{event.payable_since:%Y-%m-%d}; the last cycle came {last}",
                    money=event.payable,
                ),
            )
        case intake.BillingCycleCame():
            return (clear(CYCLES, "billing_cycle_overdue", "a cycle has come"),)
        case intake.InvoiceDocumentMissing():
            return (
                Raise(
                    kind="invoice_document_missing",
                    subject=f"invoice {event.invoice_id}",
                    message=event.message,
                ),
            )
        case intake.InvoiceDocumentKept():
            subject = f"invoice {event.invoice_id}"
            return (clear(subject, "invoice_document_missing", f"filed as {event.name}"),)
        case _:
            return ()
