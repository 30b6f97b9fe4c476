"""The kinds of exceptions of dispatch: see `catalogue.py`.

Promises: plain records. Called by `catalogue.py`.
"""

from kcjl.exceptions.kind import Kind

__all__ = ["DISPATCH_KINDS"]

DISPATCH_KINDS: tuple[Kind, ...] = (
    Kind(
        name="courier_unmapped",
        severity="high",
        lane="Dispatch",
        owner="warehouse",
        clears="the courier is mapped, its parcels go out, or none waits for it",
        next_step="map it: kcjl dispatch map set COURIER CARRIER; what waits is then sent",
        commands=(
            "kcjl dispatch map suggest",
            "kcjl dispatch map set {subject} CARRIER",
        ),
        stays="its parcels wait: map the courier",
    ),
    Kind(
        name="carrier_gone",
        severity="high",
        lane="Dispatch",
        owner="warehouse",
        clears="the courier is mapped anew, or the marketplace lists the carrier again",
        next_step="map the courier to another carrier: kcjl dispatch map set COURIER "
        "CARRIER; kcjl dispatch map suggest names near ones",
        commands=("kcjl dispatch map set {subject} CARRIER",),
    ),
    Kind(
        name="tracking_missing",
        severity="medium",
        lane="Dispatch",
        owner="warehouse",
        clears="the ERP shows a number, or the parcel is confirmed or gone",
        next_step="enter the consignment number in Khaos Control; it is then confirmed",
    ),
    Kind(
        name="tracking_malformed",
        severity="high",
        lane="Dispatch",
        owner="warehouse",
        clears="another number comes, it is let through, or the parcel is confirmed or gone",
        next_step="correct the number, or the courier, in Khaos Control; where it is right:"
        " kcjl dispatch retry ORDER --as-is",
        commands=("kcjl dispatch retry {order} --as-is",),
    ),
    Kind(
        name="tracking_not_sent",
        severity="medium",
        lane="Dispatch",
        owner="operations",
        clears="another number is taken",
        next_step="the parcel is confirmed, and the marketplace has another number or none. Do "
        "what the message says; or enter it in the back office, or mend what is named and "
        "kcjl dispatch retry ORDER. It clears when the marketplace has the number",
        commands=("kcjl dispatch retry {order}",),
        retry="dispatch-retry",
    ),
    Kind(
        name="parcel_unmatched",
        severity="high",
        lane="Dispatch",
        owner="warehouse",
        clears="the parcel is confirmed, or gone",
        next_step="compare the parcel with the order's lines; correct it in Khaos Control",
        commands=("kcjl dispatch show {order}",),
    ),
    Kind(
        name="unwanted_units_sent",
        severity="high",
        lane="Dispatch",
        owner="warehouse",
        clears="the parcel is un-shipped, or a return is received",
        next_step="stop the parcel if it is still in the house, and take the units out "
        "(un-ship it in Khaos Control); else ask the carrier to bring it back, or customer "
        "service to ask the customer. It clears when the parcel is un-shipped, or a "
        "return is received",
        commands=("kcjl dispatch show {order}",),
    ),
    Kind(
        name="confirmation_refused",
        severity="high",
        lane="Dispatch",
        owner="operations",
        clears="the parcel is confirmed, here or in the back office, or gone",
        next_step="nothing yet: it is tried again with pauses; near the deadline, or when "
        "it is given up, mend what it names and kcjl dispatch retry ORDER, or "
        "confirm it in the marketplace's back office, which is noticed by itself",
        commands=("kcjl dispatch retry {order}",),
        retry="dispatch-retry",
    ),
    Kind(
        name="confirmations_stopped",
        severity="high",
        lane="Dispatch",
        owner="operations",
        clears="the marketplace answers again, or nothing waits for it",
        next_step="nothing: one parcel at a time is tried, and all go out by themselves "
        "when the marketplace answers; near deadlines ask the marketplace",
        stays="parcels wait for the marketplace to answer",
    ),
    Kind(
        name="cancelled_in_erp",
        severity="critical",
        lane="Dispatch",
        owner="operations",
        clears="the order ends at the marketplace, too",
        next_step="refund the customer on the marketplace, or enter the order again",
        commands=("kcjl orders cancel {order}",),
    ),
    Kind(
        name="dispatch_at_risk",
        severity="medium",
        lane="Dispatch",
        owner="warehouse",
        clears="the order is confirmed or ended, or late",
        next_step="see who has it: kcjl dispatch show ORDER; what the warehouse has goes "
        "first tonight. It clears when it is confirmed; all of them: kcjl "
        "dispatch list --at-risk",
        commands=("kcjl dispatch show {order}",),
    ),
    Kind(
        name="dispatch_late",
        severity="high",
        lane="Dispatch",
        owner="operations",
        clears="the order is confirmed or ended",
        next_step="see who has it: kcjl dispatch show ORDER; send it today, and tell the "
        "customer on the marketplace. All of them: kcjl dispatch list --late",
        commands=("kcjl dispatch show {order}",),
    ),
    Kind(
        name="seller_metric_near",
        severity="medium",
        lane="Dispatch",
        owner="operations",
        clears="the metric is better, or crossed",
        next_step="see which orders made it: kcjl dispatch metrics, and kcjl dispatch "
        "report; it clears when the metric is better",
        commands=("kcjl dispatch metrics",),
    ),
    Kind(
        name="seller_metric_crossed",
        severity="high",
        lane="Dispatch",
        owner="operations",
        clears="the metric is better",
        next_step="see which orders made it: kcjl dispatch metrics, and kcjl dispatch "
        "report; the operator may restrict the shop. It clears when the metric is"
        " better",
        commands=("kcjl dispatch metrics",),
    ),
)
