"""The kinds of exceptions of orders: see `catalogue.py`.

Promises: plain records. Called by `catalogue.py`.
"""

from kcjl.exceptions.kind import Kind

__all__ = ["ORDER_KINDS"]

ORDER_KINDS: tuple[Kind, ...] = (
    Kind(
        name="order_held",
        severity="high",
        lane="Orders",
        owner="operations",
        clears="what held it is gone, or the order is released, refused or ended",
        next_step="mend what it names: make the codes known in Khaos Control, name the code"
        " that a SKU stands for (kcjl stock alias SKU CODE), or bring the stock "
        "in: the order then goes on by itself. Held by a rule or a person: kcjl "
        "orders release ORDER. Or refuse it before its time is up: kcjl orders "
        "refuse ORDER --reason WHY",
        commands=(
            "kcjl orders release {order} --reason WHY",
            "kcjl orders refuse {order} --reason WHY",
        ),
        stays="the order waits: release or refuse it",
    ),
    Kind(
        name="acceptance_half_gone",
        severity="medium",
        lane="Orders",
        owner="operations",
        clears="it is answered, or nearly over",
        next_step="nothing yet: see what it waits for; kcjl orders accept ORDER or kcjl "
        "orders refuse ORDER --reason WHY decides it",
        commands=(
            "kcjl orders accept {order}",
            "kcjl orders refuse {order} --reason WHY",
        ),
    ),
    Kind(
        name="acceptance_nearly_over",
        severity="critical",
        lane="Orders",
        owner="operations",
        clears="it is answered, or the marketplace has ended it",
        next_step="decide it now: kcjl orders accept ORDER, or kcjl orders refuse ORDER "
        "--reason WHY; refused too late counts against the shop",
        commands=(
            "kcjl orders accept {order}",
            "kcjl orders refuse {order} --reason WHY",
        ),
        stays="the order waits for an answer: accept or refuse it",
    ),
    Kind(
        name="acceptance_refused",
        severity="high",
        lane="Orders",
        owner="operations",
        clears="it is sent again and taken, or the marketplace has ended it",
        next_step="see what the marketplace said: kcjl orders retry ORDER sends it again, "
        "accept or refuse ORDER another answer; or answer it in the marketplace's"
        " back office",
        commands=(
            "kcjl orders retry {order} --reason WHY",
            "kcjl orders accept {order}",
            "kcjl orders refuse {order} --reason WHY",
        ),
        retry="order-retry",
        stays="the order waits for an answer: answer it again, or in the marketplace's "
        "back office",
    ),
    Kind(
        name="posting_refused",
        severity="high",
        lane="Orders",
        owner="operations",
        clears="it is posted, or sent again, or the order has ended",
        next_step="mend what is named. What Khaos Control refused is sent again by itself six "
        "times; what could not be sent at all, as soon as the order or the settings change. "
        "After that, or at once: kcjl orders retry ORDER --reason WHY",
        commands=("kcjl orders retry {order} --reason WHY",),
        retry="order-retry",
        stays="a paid order is not in the ERP: post it, or have it cancelled at the "
        "marketplace",
    ),
    Kind(
        name="posting_overdue",
        severity="high",
        lane="Orders",
        owner="operations",
        clears="the ERP fetches the order",
        next_step="see in Khaos Control whether the channel is on and why the order was not"
        " imported, and retry it there; it goes on by itself when a status comes",
        stays="a paid order is not in the ERP: see why its channel does not fetch it",
    ),
    Kind(
        name="total_differs",
        severity="medium",
        lane="Orders",
        owner="finance",
        clears="the totals agree, or both sides have ended it",
        next_step="put the line or the delivery that differs right in Khaos Control; it is "
        "looked at every ten minutes, and clears when the totals agree",
        commands=("kcjl orders show {order}",),
    ),
    Kind(
        name="reference_taken",
        severity="high",
        lane="Orders",
        owner="operations",
        clears="the reference is free, or the order is posted or ended",
        next_step="nothing was posted. In Khaos Control give the order that holds the "
        "reference another associated ref, then: kcjl orders retry ORDER --reason"
        " WHY. Or enter this one by hand under another reference, and ship it by "
        "hand",
        commands=("kcjl orders retry {order} --reason WHY",),
        retry="order-retry",
    ),
    Kind(
        name="reference_not_written",
        severity="low",
        lane="Orders",
        owner="operations",
        clears="it is written",
        next_step="nothing: it is tried again; the sales order itself is fine",
    ),
    Kind(
        name="cancelled_after_posting",
        severity="high",
        lane="Orders",
        owner="operations",
        clears="the ERP shows the sales order as cancelled",
        next_step="cancel the sales order in Khaos Control by hand before it is packed",
        commands=("kcjl orders show {order}",),
    ),
    Kind(
        name="order_without_sales_order",
        severity="critical",
        lane="Orders",
        owner="operations",
        clears="the sales order is there, or a later count finds no gap",
        next_step="look for the reference in Khaos Control, and in the order's log for why "
        "it was not posted (kcjl log tail --stream order-ORDER). It clears when "
        "the sales order is there",
        commands=(
            "kcjl log tail --stream order-{order}",
            "kcjl orders look {order}",
        ),
    ),
    Kind(
        name="order_unreadable",
        severity="critical",
        lane="Orders",
        owner="engineering",
        clears="the order can be read",
        next_step="look at the order on the marketplace, accept and ship it by hand if its "
        "time runs out, and report the field that is named; it goes on by itself "
        "when it can be read",
        stays="of what it holds nothing is offered meanwhile: it has to be readable again",
    ),
    Kind(
        name="sales_order_without_order",
        severity="high",
        lane="Orders",
        owner="operations",
        clears="a later count does not find it any more",
        next_step="look for an order with this reference on the marketplace. If there is "
        "none, stop the sales order in Khaos Control before it is packed; the "
        "next count clears it",
    ),
    Kind(
        name="order_unaccounted",
        severity="critical",
        lane="Orders",
        owner="engineering",
        clears="a later count does not find it any more",
        next_step="settle the order on the marketplace and report it: nothing waits for it "
        "and nobody was told, which must not be; the next count clears it",
        commands=("kcjl orders show {order}",),
    ),
    Kind(
        name="sales_order_to_reduce",
        severity="high",
        lane="Orders",
        owner="operations",
        clears="the ERP shows it, a person says that it is done, or it is moot",
        next_step="do what the message says before it is packed; it clears when Khaos "
        "Control shows it, or: kcjl orders done ORDER TASK --note WHAT",
        commands=("kcjl orders done {order} {rest} --note WHAT",),
    ),
    Kind(
        name="return_to_book",
        severity="medium",
        lane="Orders",
        owner="warehouse",
        clears="a person says that it is done, or it is moot",
        next_step="do what the message says; Khaos Control tells no returns, so say it: "
        "kcjl orders done ORDER TASK --note NUMBER",
        commands=("kcjl orders done {order} {rest} --note NUMBER",),
    ),
    Kind(
        name="return_expected",
        severity="low",
        lane="Orders",
        owner="warehouse",
        clears="the goods are back, or the return is closed",
        next_step="nothing until the parcel comes; then receive it on the marketplace",
    ),
    Kind(
        name="incident_open",
        severity="high",
        lane="Orders",
        owner="customer service",
        clears="the incident is closed at the marketplace",
        next_step="answer the customer on the marketplace; it clears when that is closed",
    ),
    Kind(
        name="sales_order_vanished",
        severity="critical",
        lane="Orders",
        owner="operations",
        clears="the ERP shows it again, it is posted again, or nobody needs it any more",
        next_step="look for the reference in Khaos Control. If it is gone: kcjl orders "
        "post-again ORDER, or enter it there by hand under the same reference. If"
        " it is there: kcjl orders look ORDER. It is never posted again by itself",
        commands=(
            "kcjl orders look {order}",
            "kcjl orders post-again {order} --reason WHY",
        ),
        retry="look-for-order",
        stays="a paid order is not in the ERP: find it there, or post it again",
    ),
)
