"""How much each law had to judge in a run: a law that nothing comes before proves nothing.

Promises: counts what was there for each checker (orders in the ERP, parcels, payouts, versions
of policies, …), and how often each situation came up that the laws were written for. Every
checker and every situation is named, also where it is 0. It judges nothing.
Called by `run.py` after the laws; told by the command, added up by `seeds.py`.
"""

from collections import Counter
from collections.abc import Callable, Mapping

from kcjl.dispatch.events import CarrierMapped
from kcjl.exceptions.events import ExceptionRaised
from kcjl.orders.reversal_events import ReversalTaken
from kcjl.settlement.events import PayoutHeld
from tests.simulation.laws.evidence import Evidence
from tests.simulation.laws.numbers import silences
from tests.simulation.laws.standing import open_exceptions
from tests.simulation.witness import Call, Outcome

__all__ = ["SITUATIONS", "SUBJECTS", "exercised"]

PEOPLE = frozenset({"operations", "customer service"})
ASKED = frozenset(
    {
        "AccountMapSet",
        "BufferSet",
        "CarrierMapped",
        "JournalReversalAsked",
        "PayoutAccepted",
        "PostingApproved",
        "PublishReleased",
        "ReversalOrdered",
        "ReversalWithdrawn",
        "SkuAliasApproved",
        "StockPolicyApproved",
        "StockPolicyProposed",
        "WritesSwitched",
    }
)
"""What comes of a command that was carried out."""
WRITES = frozenset(
    {
        "accept",
        "cancel_line",
        "cancel_order",
        "create_order",
        "create_shipment",
        "prepare",
        "publish_stock",
        "refund",
        "set_tracking",
        "ship",
        "write_seller_references",
    }
)


class _Seen:
    """One look at the evidence, from which all is counted."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.of = Counter(recorded.type for recorded in evidence.log)
        self.calls = evidence.witness.calls
        self.sales_orders = len(evidence.world.warehouse.sales_orders)
        self.orders = len(evidence.world.marketplace.orders)
        self.lines = len(evidence.world.marketplace.transactions)
        self.cycles = len(evidence.world.marketplace.cycles)
        self.offers = len(evidence.world.marketplace.offers)

    def made(self, *operations: str) -> int:
        return sum(call.operation in operations for call in self.calls)


def exercised(evidence: Evidence) -> Counter[str]:
    """By checker, and by situation: how many there were of what it judges."""
    seen = _Seen(evidence)
    counted = Counter({name: count(seen) for name, count in SITUATIONS.items()})
    counted.update(
        {f"law {law or '0'}, {name}": count(seen) for (law, name), count in SUBJECTS.items()}
    )
    counted.update(f"exception {event.kind}" for _, event in evidence.said(ExceptionRaised))
    return counted


# ── what each checker judges ────────────────────────────────────────────────────────────────


def _at_rest(count: Callable[[_Seen], int]) -> Callable[[_Seen], int]:
    return lambda seen: count(seen) if seen.evidence.at_rest else 0


def _confirmations(seen: _Seen) -> int:
    shipments = seen.evidence.world.marketplace.book.shipments_of.values()
    return sum(map(len, shipments)) + seen.of["ParcelConfirmed"]


SUBJECTS: Mapping[tuple[int, str], Callable[[_Seen], int]] = {
    (1, "chain"): lambda seen: len(seen.evidence.log),
    (1, "writers"): lambda seen: len(seen.evidence.appends),
    (1, "rows"): lambda seen: seen.evidence.replayed.rows,
    (1, "rooms"): lambda seen: len(seen.evidence.rooms),
    (1, "let go"): lambda seen: seen.lines,
    (2, "sales orders"): lambda seen: seen.sales_orders,
    (2, "confirmations"): _confirmations,
    (2, "journals"): lambda seen: len(seen.evidence.journals),
    (2, "intentions"): lambda seen: seen.made(*WRITES),
    (2, "look-ups"): lambda seen: sum(map(_is_in_doubt, seen.calls)),
    (2, "money back"): lambda seen: len(seen.evidence.witness.given_back),
    (2, "stopped"): lambda seen: seen.of["WritesSwitched"],
    (2, "looks again"): lambda seen: sum(
        call.operation == "create_shipment" and _is_in_doubt(call) for call in seen.calls
    ),
    (2, "numbers"): lambda seen: seen.made("create_shipment", "set_tracking"),
    (3, "numbers"): _at_rest(lambda seen: seen.of["ParcelConfirmed"]),
    (3, "none of the three"): lambda seen: seen.of["OrderReceived"],
    (3, "orders seen"): _at_rest(lambda seen: seen.orders),
    (3, "orders left lying"): _at_rest(lambda seen: seen.orders),
    (3, "posted"): _at_rest(lambda seen: seen.of["SalesOrderPosted"]),
    (3, "references"): _at_rest(lambda seen: seen.sales_orders),
    (3, "parcels"): _at_rest(lambda seen: len(seen.evidence.witness.sent)),
    (3, "publishes"): _at_rest(lambda seen: seen.of["StockImportIntended"]),
    (3, "statement lines"): _at_rest(lambda seen: seen.lines),
    (3, "payouts"): _at_rest(lambda seen: seen.cycles),
    (4, "window"): lambda seen: seen.made("publish_stock"),
    (4, "figures"): lambda seen: seen.of["StockImportIntended"],
    (4, "oversales"): lambda seen: len(seen.evidence.world.buying.oversold),
    (4, "window at rest"): _at_rest(lambda seen: seen.offers),
    (5, "payouts"): lambda seen: seen.of["PayoutClosed"],
    (5, "ties"): lambda seen: seen.of["SettlementLineTied"],
    (5, "journals"): lambda seen: len(seen.evidence.journals),
    (5, "lines"): lambda seen: seen.of["SettlementLineSeen"],
    (5, "sales orders"): lambda seen: seen.sales_orders,
    (5, "residues"): lambda seen: seen.of["PayoutHeld"],
    (6, "journals"): lambda seen: len(seen.evidence.journals),
    (6, "journals again"): lambda seen: seen.made("prepare"),
    (6, "closings"): lambda seen: seen.of["PayoutClosed"],
    (6, "reversals"): lambda seen: seen.of["JournalReversalAsked"],
    (6, "sales orders"): lambda seen: seen.of["SalesOrderPosted"],
    (7, "log"): lambda seen: seen.orders,
    (7, "journals"): lambda seen: len(seen.evidence.journals),
    (8, "attempts"): lambda seen: seen.of["PostingIntended"],
    (8, "cut lists"): lambda seen: seen.of["PayoutHeld"],
    (8, "publishes"): lambda seen: seen.made("publish_stock"),
    (8, "reads"): _at_rest(lambda seen: seen.orders),
    (9, "versions"): lambda seen: seen.of["StockPolicyApproved"] + seen.of["CarrierMapped"],
    (9, "buffers"): lambda seen: seen.of["StockImportIntended"],
    (9, "accounts"): lambda seen: seen.of["JournalIntended"],
    (9, "carriers"): lambda seen: seen.of["ConfirmationIntended"],
    (9, "acceptances"): lambda seen: seen.of["AcceptanceIntended"] + seen.of["OrderHeld"],
    (10, "recording"): lambda seen: len(seen.evidence.log),
    (10, "learning"): lambda seen: len(seen.evidence.log),
    (10, "future"): lambda seen: len(seen.evidence.log),
    (10, "news"): lambda seen: seen.of["OrderChanged"],
    (10, "placing"): lambda seen: seen.of["OrderReceived"],
    (0, "rest"): lambda _: 1,
    (0, "intentions"): _at_rest(lambda seen: seen.made(*WRITES)),
    (0, "jobs"): _at_rest(lambda seen: seen.of["JobInterrupted"]),
    (0, "causes"): _at_rest(lambda seen: len(open_exceptions(seen.evidence))),
    (0, "desk"): _at_rest(lambda seen: seen.orders),
    (0, "corrections"): _at_rest(lambda seen: seen.of["LineRefunded"]),
    (0, "mended map"): _at_rest(lambda seen: seen.of["CarrierMapped"]),
    (0, "refusals"): lambda seen: seen.of["ConfirmationRefused"],
    (0, "silences"): lambda seen: len(silences(seen.evidence)),
    (0, "late ones"): _at_rest(lambda seen: seen.orders),
    (0, "time for accepting"): lambda seen: seen.of["AcceptanceTimePassed"],
}
"""By law and checker: how many of what it looks at there were."""

# ── what the laws were written for ──────────────────────────────────────────────────────────


def _is_in_doubt(call: Call) -> bool:
    return call.operation in WRITES and call.outcome in (Outcome.UNKNOWN, Outcome.DIED)


def _old_pages(seen: _Seen) -> int:
    """Orders that came in an answer as they were before an earlier answer."""
    latest: dict[str, object] = {}
    old = 0
    for call in seen.calls:
        if call.operation not in ("orders_updated_since", "orders_by_id"):
            continue
        for order in call.answer if isinstance(call.answer, list | tuple) else ():
            before = latest.setdefault(order.order_id, order.updated_at)
            old += order.updated_at < before
            latest[order.order_id] = max(order.updated_at, before)
    return old


def _posted_within_a_level_read(seen: _Seen) -> int:
    """Sales orders that the ERP took while a read of levels was under way."""
    reads = [
        (call.began, call.ended)
        for call in seen.calls
        if call.operation == "stock_levels" and call.ended is not None
    ]
    return sum(
        any(began <= sale.created_at <= ended for began, ended in reads)
        for sale in seen.evidence.world.warehouse.sales_orders.values()
    )


def _brought_again(seen: _Seen) -> int:
    return max(0, seen.made("prepare") - len(seen.evidence.journals))


def _untied(seen: _Seen) -> int:
    return sum(bool(held.untied) for _, held in seen.evidence.said(PayoutHeld))


def _epochs(seen: _Seen) -> int:
    return len({epoch for epoch, _, _ in seen.evidence.appends}) - 1


SITUATIONS: Mapping[str, Callable[[_Seen], int]] = {
    "orders placed": lambda seen: seen.orders,
    "orders posted": lambda seen: seen.of["SalesOrderPosted"],
    "parcels confirmed": lambda seen: seen.of["ParcelConfirmed"],
    "payouts closed": lambda seen: seen.of["PayoutClosed"],
    "payouts held": lambda seen: seen.of["PayoutHeld"],
    "payouts held for untied lines": _untied,
    "payouts accepted": lambda seen: seen.of["PayoutAccepted"],
    "payouts reversed": lambda seen: seen.of["JournalReversalAsked"],
    "late lines": lambda seen: seen.of["LateLineFound"],
    "journals": lambda seen: len(seen.evidence.journals),
    "journals brought again": _brought_again,
    "exceptions raised": lambda seen: seen.of["ExceptionRaised"],
    "exceptions cleared": lambda seen: seen.of["ExceptionCleared"],
    "exceptions open at rest": lambda seen: len(open_exceptions(seen.evidence)),
    "writers after the first": _epochs,
    "writes cut off by a death": lambda seen: sum(
        call.operation in WRITES and call.outcome is Outcome.DIED for call in seen.calls
    ),
    "calls cut off by a death": lambda seen: sum(
        call.outcome is Outcome.DIED for call in seen.calls
    ),
    "writes without an answer": lambda seen: sum(map(_is_in_doubt, seen.calls)),
    "orders shown older than before": _old_pages,
    "things asked by people": lambda seen: sum(
        recorded.by in PEOPLE and recorded.type in ASKED for recorded in seen.evidence.log
    ),
    "orders posted within a level read": _posted_within_a_level_read,
    "orders that ended after posting": lambda seen: seen.of["CancelledAfterPosting"],
    "counts both ways": lambda seen: seen.of["OrdersCounted"],
    "orders caught up by export": lambda seen: seen.of["OrdersCaughtUp"],
    "corrections asked for": lambda seen: seen.of["CorrectionDue"],
    "reversals ordered": lambda seen: seen.of["ReversalOrdered"],
    "reversals in doubt": lambda seen: seen.of["ReversalUnknown"],
    "reversals found by a look-up": lambda seen: sum(
        taken.found_by_lookup for _, taken in seen.evidence.said(ReversalTaken)
    ),
    "reversals sent again": lambda seen: seen.of["ReversalMissing"],
    "refunds that waited for a balance": lambda seen: seen.of["ReversalHeldBack"],
    "numbers sent on": lambda seen: seen.of["TrackingSent"],
    "numbers that have no form": lambda seen: seen.of["TrackingMalformed"],
    "couriers mapped by a person": lambda seen: sum(
        recorded.by in PEOPLE for recorded, _ in seen.evidence.said(CarrierMapped)
    ),
    "silences of the marketplace": lambda seen: seen.of["ConfirmationsStopped"],
    "units sent that were to stay": lambda seen: seen.of["UnwantedUnitsSent"],
    "postings in doubt": lambda seen: seen.of["PostingUnknown"],
    "stock imports lost": lambda seen: seen.of["StockImportUnknown"],
    "units oversold": lambda seen: sum(
        line.units_oversold for line in seen.evidence.world.buying.oversold
    ),
}
"""By name: how often it came up."""
