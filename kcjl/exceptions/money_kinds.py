"""The kinds of exceptions of money: see `catalogue.py`.

Promises: plain records. Called by `catalogue.py`.
"""

from kcjl.exceptions.kind import Kind

__all__ = ["MONEY_KINDS"]

MONEY_KINDS: tuple[Kind, ...] = (
    Kind(
        name="refund_to_enter",
        severity="medium",
        lane="Money",
        owner="finance",
        clears="a person says that it is done, or it is moot",
        next_step="do what the message says; Khaos Control tells no credit notes, so say "
        "it: kcjl orders done ORDER TASK --note NUMBER",
        commands=("kcjl orders done {order} {rest} --note NUMBER",),
    ),
    Kind(
        name="reversal_refused",
        severity="high",
        lane="Money",
        owner="customer service",
        clears="it is ordered anew, or withdrawn",
        next_step="the money has not gone back: read why, then order it anew with a fresh "
        "preview (kcjl orders refund ORDER), or give it back in the marketplace's"
        " back office",
        commands=("kcjl orders refund {order}",),
    ),
    Kind(
        name="reversal_waits",
        severity="medium",
        lane="Money",
        owner="finance",
        clears="it is taken, refused or withdrawn",
        next_step="nothing: it is tried again every six hours, as the shop's balance at the"
        " marketplace grows; or end it: kcjl orders withdraw REVERSAL",
        commands=("kcjl orders withdraw REVERSAL --reason WHY",),
    ),
    Kind(
        name="reversal_unclear",
        severity="critical",
        lane="Money",
        owner="finance",
        clears="it is ordered anew, or withdrawn",
        next_step="compare the order's refunds at the marketplace with what was ordered; it"
        " is never sent again. When you have looked: kcjl orders withdraw "
        "REVERSAL, and order anew what is missing",
        commands=("kcjl orders withdraw REVERSAL --reason WHY",),
        stays="nobody knows whether the money went back: look, then withdraw it",
    ),
    Kind(
        name="reversal_differs",
        severity="high",
        lane="Money",
        owner="finance",
        clears="it is ordered anew, or withdrawn",
        next_step="compare the order's refunds at the marketplace with what was ordered, "
        "and order anew what is missing; then: kcjl orders withdraw REVERSAL",
        commands=("kcjl orders withdraw REVERSAL --reason WHY",),
    ),
    Kind(
        name="payout_open",
        severity="high",
        lane="Money",
        owner="finance",
        clears="the payout closes",
        next_step="look at the named lines: each needs its order, or a word from the "
        "operator (kcjl payouts show PAYOUT). If it is as it should be: kcjl "
        "payouts accept PAYOUT --reason WHY",
        commands=(
            "kcjl payouts show {subject}",
            "kcjl payouts accept {subject} --reason WHY",
        ),
        stays="the payout itself is accepted, not the exception: kcjl payouts accept",
    ),
    Kind(
        name="payout_gaps",
        severity="medium",
        lane="Money",
        owner="finance",
        clears="each of its gaps is gone",
        next_step="look at each gap (kcjl payouts show PAYOUT) and claim from the "
        "marketplace what it owes; the payout itself is closed and booked as it "
        "was paid",
        commands=("kcjl payouts show {subject}",),
    ),
    Kind(
        name="payout_not_received",
        severity="high",
        lane="Money",
        owner="finance",
        clears="it is received",
        next_step="look for it in the bank: kcjl payouts bank FILE reads a statement, kcjl "
        "payouts received PAYOUT AMOUNT --on DATE says it by hand; if it is not there, ask the "
        "operator. It clears when it is received",
        commands=("kcjl payouts received {subject} AMOUNT --on DATE",),
    ),
    Kind(
        name="payout_received_differs",
        severity="high",
        lane="Money",
        owner="finance",
        clears="what is received comes to what was transferred",
        next_step="ask operator and bank for the difference (kcjl payouts show PAYOUT); what "
        "comes later is added to it, and a slip is taken back: kcjl payouts received "
        "PAYOUT --withdraw --reason WHY",
        commands=(
            "kcjl payouts show {subject}",
            "kcjl payouts received {subject} --withdraw --reason WHY",
        ),
    ),
    Kind(
        name="journal_refused",
        severity="high",
        lane="Money",
        owner="finance",
        clears="the ledger has it, or a journal that stands instead",
        next_step="mend in the ledger what its words name (an account's code, a locked "
        "period): it is tried again by itself, within four hours. Or name another account "
        "(kcjl settlement account ROLE CODE), then: kcjl payouts reverse PAYOUT --reason WHY. "
        "Or enter it by hand: kcjl payouts ack JOURNAL NUMBER",
        commands=(
            "kcjl payouts show {subject}",
            "kcjl settlement account ROLE CODE",
            "kcjl payouts ack {subject} NUMBER",
        ),
        stays="the payout is not in the books: enter it, or have it entered",
    ),
    Kind(
        name="journal_differs",
        severity="high",
        lane="Money",
        owner="finance",
        clears="the ledger shows it as it was entered, or a journal stands instead",
        next_step="see in the ledger who changed it, and why. Put back, it clears by itself. "
        "If it was voided, or is to be booked anew: kcjl payouts reverse PAYOUT --reason WHY",
        commands=(
            "kcjl payouts show {subject}",
            "kcjl payouts reverse {subject} --reason WHY",
        ),
    ),
    Kind(
        name="late_line",
        severity="high",
        lane="Money",
        owner="finance",
        clears="a journal of correction has it",
        next_step="compare it with the marketplace's statement; to book it now: kcjl "
        "payouts reverse PAYOUT --reason WHY, which undoes the journal and makes "
        "it anew, dated today",
        commands=("kcjl payouts reverse {subject} --reason WHY",),
    ),
    Kind(
        name="billing_cycle_overdue",
        severity="high",
        lane="Money",
        owner="finance",
        clears="a cycle comes",
        next_step="ask the operator why no billing cycle has come: an incomplete KYC or "
        "blocked shop stops them; where cycles last longer, set "
        "settlement.cycle_days",
    ),
    Kind(
        name="invoice_document_missing",
        severity="low",
        lane="Money",
        owner="finance",
        clears="the document is filed",
        next_step="nothing: it is asked for again every day; or load the PDF from the "
        "marketplace's back office",
    ),
    Kind(
        name="unknown_line_type",
        severity="low",
        lane="Money",
        owner="finance",
        clears="its account is named",
        next_step="say which account it belongs to: kcjl settlement account TYPE NOMINAL; "
        "until then it is booked to suspense",
        commands=("kcjl settlement account {subject} NOMINAL",),
    ),
)
