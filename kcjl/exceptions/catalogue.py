"""The kinds of exceptions: severity, owner, and the next step, in one table.

Promises: every kind that `decide.py` raises is here. A later page of the manual stands behind
each. Called by `decide.py`.
"""

import msgspec

__all__ = ["KINDS", "Kind"]


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    severity: str
    """critical, high, medium, low."""
    owner: str
    next_step: str


KINDS: dict[str, Kind] = {
    "sku_unmatched": Kind(
        severity="medium",
        owner="catalogue",
        next_step="create the product in Khaos Control under this code, rename the offer, or "
        "name the code that it stands for (kcjl stock alias SKU CODE); it is offered at 0 "
        "until then and goes on by itself",
    ),
    "order_held": Kind(
        severity="high",
        owner="operations",
        next_step="mend what it names: make the codes known in Khaos Control, name the code "
        "that a SKU stands for (kcjl stock alias SKU CODE), or bring the stock in: the order "
        "then goes on by itself. Held by a rule or a person: kcjl orders release ORDER. Or "
        "refuse it before its time is up: kcjl orders refuse ORDER --reason WHY",
    ),
    "acceptance_half_gone": Kind(
        severity="medium",
        owner="operations",
        next_step="nothing yet: see what it waits for; kcjl orders accept ORDER or "
        "kcjl orders refuse ORDER --reason WHY decides it",
    ),
    "acceptance_nearly_over": Kind(
        severity="critical",
        owner="operations",
        next_step="decide it now: kcjl orders accept ORDER, or "
        "kcjl orders refuse ORDER --reason WHY; refused too late counts against the shop",
    ),
    "acceptance_refused": Kind(
        severity="high",
        owner="operations",
        next_step="see what the marketplace said: kcjl orders retry ORDER sends it again, "
        "accept or refuse ORDER another answer; or answer it in the marketplace's back office",
    ),
    "posting_refused": Kind(
        severity="high",
        owner="operations",
        next_step="mend what is named. What Khaos Control refused is sent again by itself six "
        "times; what could not be sent at all, as soon as the order or the settings change. "
        "After that, or at once: kcjl orders retry ORDER --reason WHY",
    ),
    "posting_overdue": Kind(
        severity="high",
        owner="operations",
        next_step="see in Khaos Control whether the channel is on and why the order was not "
        "imported, and retry it there; it goes on by itself when a status comes",
    ),
    "total_differs": Kind(
        severity="medium",
        owner="finance",
        next_step="put the line or the delivery that differs right in Khaos Control; it is "
        "looked at every ten minutes, and clears when the totals agree",
    ),
    "reference_taken": Kind(
        severity="high",
        owner="operations",
        next_step="nothing was posted. In Khaos Control give the order that holds the "
        "reference another associated ref, then: kcjl orders retry ORDER --reason WHY. Or "
        "enter this one by hand under another reference, and ship it by hand",
    ),
    "reference_not_written": Kind(
        severity="low",
        owner="operations",
        next_step="nothing: it is tried again; the sales order itself is fine",
    ),
    "cancelled_after_posting": Kind(
        severity="high",
        owner="operations",
        next_step="cancel the sales order in Khaos Control by hand before it is packed",
    ),
    "order_without_sales_order": Kind(
        severity="critical",
        owner="operations",
        next_step="look for the reference in Khaos Control, and in the order's log for why it "
        "was not posted (kcjl log tail --stream order-ORDER). It clears when the sales "
        "order is there",
    ),
    "order_unreadable": Kind(
        severity="critical",
        owner="engineering",
        next_step="look at the order on the marketplace, accept and ship it by hand if its "
        "time runs out, and report the field that is named; it goes on by itself when it can "
        "be read",
    ),
    "sales_order_without_order": Kind(
        severity="high",
        owner="operations",
        next_step="look for an order with this reference on the marketplace. If there is none, "
        "stop the sales order in Khaos Control before it is packed; the next count clears it",
    ),
    "order_unaccounted": Kind(
        severity="critical",
        owner="engineering",
        next_step="settle the order on the marketplace and report it: nothing waits for it and "
        "nobody was told, which must not be; the next count clears it",
    ),
    "sales_order_to_reduce": Kind(
        severity="high",
        owner="operations",
        next_step="do what the message says before it is packed; it clears when Khaos Control "
        "shows it, or: kcjl orders done ORDER TASK --note WHAT",
    ),
    "refund_to_enter": Kind(
        severity="medium",
        owner="finance",
        next_step="do what the message says; Khaos Control tells no credit notes, so say it: "
        "kcjl orders done ORDER TASK --note NUMBER",
    ),
    "return_to_book": Kind(
        severity="medium",
        owner="warehouse",
        next_step="do what the message says; Khaos Control tells no returns, so say it: "
        "kcjl orders done ORDER TASK --note NUMBER",
    ),
    "return_expected": Kind(
        severity="low",
        owner="warehouse",
        next_step="nothing until the parcel comes; then receive it on the marketplace",
    ),
    "incident_open": Kind(
        severity="high",
        owner="customer service",
        next_step="answer the customer on the marketplace; it clears when that is closed",
    ),
    "sales_order_vanished": Kind(
        severity="critical",
        owner="operations",
        next_step="look for the reference in Khaos Control. If it is gone: "
        "kcjl orders post-again ORDER, or enter it there by hand under the same reference. If "
        "it is there: kcjl orders look ORDER. It is never posted again by itself",
    ),
    "reversal_refused": Kind(
        severity="high",
        owner="customer service",
        next_step="the money has not gone back: read why, then order it anew with a fresh "
        "preview (kcjl orders refund ORDER), or give it back in the marketplace's back office",
    ),
    "reversal_waits": Kind(
        severity="medium",
        owner="finance",
        next_step="nothing: it is tried again every six hours, as the shop's balance at the "
        "marketplace grows; or end it: kcjl orders withdraw REVERSAL",
    ),
    "reversal_unclear": Kind(
        severity="critical",
        owner="finance",
        next_step="compare the order's refunds at the marketplace with what was ordered; it is "
        "never sent again. When you have looked: kcjl orders withdraw REVERSAL, and order anew "
        "what is missing",
    ),
    "reversal_differs": Kind(
        severity="high",
        owner="finance",
        next_step="compare the order's refunds at the marketplace with what was ordered, and "
        "order anew what is missing; then: kcjl orders withdraw REVERSAL",
    ),
    "stock_import_failed": Kind(
        severity="high",
        owner="operations",
        next_step="nothing: fresh figures are sent in the next cycle; if it stays, ask the "
        "operator's support",
    ),
    "stock_line_refused": Kind(
        severity="medium",
        owner="catalogue",
        next_step="mend the offer as the marketplace's message says, then: kcjl stock retry "
        "SKU; a passing trouble is tried again by itself",
    ),
    "stock_import_stuck": Kind(
        severity="high",
        owner="operations",
        next_step="nothing: fresh figures are sent; if it stays, ask the operator's support "
        "why stock imports do not end",
    ),
    "publish_held": Kind(
        severity="critical",
        owner="operations",
        next_step="look at the named SKUs in Khaos Control. Right: kcjl stock release HOLD. "
        "Wrong: mend the ERP; the hold ends by itself when the figures are sane again",
    ),
    "publishing_off": Kind(
        severity="critical",
        owner="operations",
        next_step="when the reason is gone: kcjl stock publishing on; what waited "
        "then goes out",
    ),
    "stock_feed_stale": Kind(
        severity="high",
        owner="engineering",
        next_step="see why Khaos Control's levels can't be read; figures shrink meanwhile, and "
        "grow again by themselves when it is read",
    ),
    "offer_drifted": Kind(
        severity="medium",
        owner="catalogue",
        next_step="find who else writes stock at the marketplace (another tool, the back "
        "office) and stop it; ours is said again each time",
    ),
    "shop_closed": Kind(
        severity="critical",
        owner="operations",
        next_step="open the shop in the marketplace's back office, or ask the operator why it "
        "is closed; what is ordered still has to be sent in time. The account is read once a "
        "day: it clears at the reading after it is open again",
    ),
    "offer_inactive": Kind(
        severity="medium",
        owner="catalogue",
        next_step="mend the offer at the marketplace as the reasons say; nobody can buy it now",
    ),
    "courier_unmapped": Kind(
        severity="high",
        owner="warehouse",
        next_step="map it: kcjl dispatch map set COURIER CARRIER; what waits is then sent",
    ),
    "carrier_gone": Kind(
        severity="high",
        owner="warehouse",
        next_step="map the courier to another carrier: kcjl dispatch map set COURIER CARRIER; "
        "kcjl dispatch map suggest names near ones",
    ),
    "tracking_missing": Kind(
        severity="medium",
        owner="warehouse",
        next_step="enter the consignment number in Khaos Control; it is then confirmed",
    ),
    "tracking_malformed": Kind(
        severity="high",
        owner="warehouse",
        next_step="correct the number, or the courier, in Khaos Control; where it is right: "
        "kcjl dispatch retry ORDER --as-is",
    ),
    "tracking_not_sent": Kind(
        severity="medium",
        owner="operations",
        next_step="the parcel is confirmed, and the marketplace has another number or none. Do "
        "what the message says; or enter it in the back office, or mend what is named and "
        "kcjl dispatch retry ORDER. It clears when the marketplace has the number",
    ),
    "parcel_unmatched": Kind(
        severity="high",
        owner="warehouse",
        next_step="compare the parcel with the order's lines; correct it in Khaos Control",
    ),
    "unwanted_units_sent": Kind(
        severity="high",
        owner="warehouse",
        next_step="stop the parcel if it is still in the house, and take the units out "
        "(un-ship it in Khaos Control); else ask the carrier to bring it back, or customer "
        "service to ask the customer. It clears when the parcel is un-shipped, or a "
        "return is received",
    ),
    "confirmation_refused": Kind(
        severity="high",
        owner="operations",
        next_step="nothing yet: it is tried again with pauses; near the deadline, or when it "
        "is given up, mend what it names and kcjl dispatch retry ORDER, or confirm it in the "
        "marketplace's back office, which is noticed by itself",
    ),
    "confirmations_stopped": Kind(
        severity="high",
        owner="operations",
        next_step="nothing: one parcel at a time is tried, and all go out by themselves when "
        "the marketplace answers; near deadlines ask the marketplace",
    ),
    "cancelled_in_erp": Kind(
        severity="critical",
        owner="operations",
        next_step="refund the customer on the marketplace, or enter the order again",
    ),
    "dispatch_at_risk": Kind(
        severity="medium",
        owner="warehouse",
        next_step="see who has it: kcjl dispatch show ORDER; what the warehouse has goes first "
        "tonight. It clears when it is confirmed; all of them: kcjl dispatch list --at-risk",
    ),
    "dispatch_late": Kind(
        severity="high",
        owner="operations",
        next_step="see who has it: kcjl dispatch show ORDER; send it today, and tell the "
        "customer on the marketplace. All of them: kcjl dispatch list --late",
    ),
    "seller_metric_near": Kind(
        severity="medium",
        owner="operations",
        next_step="see which orders made it: kcjl dispatch metrics, and kcjl dispatch report; "
        "it clears when the metric is better",
    ),
    "seller_metric_crossed": Kind(
        severity="high",
        owner="operations",
        next_step="see which orders made it: kcjl dispatch metrics, and kcjl dispatch report; "
        "the operator may restrict the shop. It clears when the metric is better",
    ),
    "payout_open": Kind(
        severity="high",
        owner="finance",
        next_step="look at the named lines: each needs its order, or a word from the operator "
        "(kcjl payouts show PAYOUT). If it is as it should be: kcjl payouts accept PAYOUT "
        "--reason WHY",
    ),
    "payout_gaps": Kind(
        severity="medium",
        owner="finance",
        next_step="look at each gap (kcjl payouts show PAYOUT) and claim from the marketplace "
        "what it owes; the payout itself is closed and booked as it was paid",
    ),
    "payout_not_received": Kind(
        severity="high",
        owner="finance",
        next_step="look for it in the bank: kcjl payouts bank FILE reads a statement, kcjl "
        "payouts received PAYOUT AMOUNT --on DATE says it by hand; if it is not there, ask the "
        "operator. It clears when it is received",
    ),
    "payout_received_differs": Kind(
        severity="high",
        owner="finance",
        next_step="ask operator and bank for the difference (kcjl payouts show PAYOUT); what "
        "comes later is added to it, and a slip is taken back: kcjl payouts received "
        "PAYOUT --withdraw --reason WHY",
    ),
    "late_line": Kind(
        severity="high",
        owner="finance",
        next_step="compare it with the marketplace's statement; to book it now: kcjl payouts "
        "reverse PAYOUT --reason WHY, which undoes the journal and makes it anew, dated today",
    ),
    "billing_cycle_overdue": Kind(
        severity="high",
        owner="finance",
        next_step="ask the operator why no billing cycle has come: an incomplete KYC or "
        "blocked shop stops them; where cycles last longer, set settlement.cycle_days",
    ),
    "invoice_document_missing": Kind(
        severity="low",
        owner="finance",
        next_step="nothing: it is asked for again every day; or load the PDF from the "
        "marketplace's back office",
    ),
    "unknown_line_type": Kind(
        severity="low",
        owner="finance",
        next_step="say which account it belongs to: kcjl settlement account TYPE NOMINAL; "
        "until then it is booked to suspense",
    ),
    "writes_off": Kind(
        severity="critical",
        owner="operations",
        next_step="when the reason is gone: kcjl writes on; what waited then goes out",
    ),
    "job_interrupted": Kind(
        severity="high",
        owner="engineering",
        next_step="nothing if it passes: it is tried again with growing pauses; if it stays, "
        "check the named system",
    ),
}
