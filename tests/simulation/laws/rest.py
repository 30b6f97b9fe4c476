"""Liveness: when the faults stop, everything comes to rest, and what is open has a cause.

Promises: no intention is open, no job is interrupted, and each exception that is still open has
its cause in the world as it is now; what ought to be on the desk is there. The causes are read
from the ERP and the marketplace, kind by kind. Called by `laws/__init__.py`.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping

from kcjl.dispatch.events import ParcelShipped, TrackingIntended, TrackingRefused
from kcjl.dispatch.parcel import ParcelState
from kcjl.dispatch.state import DISPATCHES
from kcjl.exceptions.events import ExceptionRaised
from kcjl.exceptions.interruptions import JOBS
from kcjl.orders.reversals import REVERSALS, ItemStanding
from kcjl.orders.state import ORDERS, Acceptance, Posting, WriteBack
from kcjl.sandbox.warehouse.stock import key_of
from kcjl.sandbox.world_truth import OrderTruth
from kcjl.settlement.events import JournalIntended, LateLineFound
from kcjl.settlement.gap_events import GapFound
from kcjl.settlement.state import CYCLES, LINES, CycleState
from kcjl.settlement.terms_events import CommissionTermsSet
from kcjl.stock.events import SkuAliasApproved
from kcjl.stock.publishing_state import PUBLISHES
from kcjl.stock.state import PRODUCTS
from tests.simulation.laws.changed import CAUSES_AFTER_INTAKE, corrections_are_on_the_desk
from tests.simulation.laws.evidence import LIVENESS, Checker, Evidence
from tests.simulation.laws.given_back import CAUSES_OF_REVERSALS
from tests.simulation.laws.in_time import (
    CAUSES_OF_TIME,
    late_ones_are_told,
    time_for_accepting_is_told,
)
from tests.simulation.laws.standing import open_exceptions, order_truth
from tests.simulation.people import SLIP

__all__ = ["CHECKERS"]

ENDED = frozenset({"REFUSED", "CANCELED"})
SHIPPED = frozenset({"SHIPPED", "TO_COLLECT", "RECEIVED", "CLOSED"})


def everything_came_to_rest(evidence: Evidence) -> Iterator[str]:
    """When the faults stop, everything comes to rest within a bounded time."""
    if not evidence.at_rest:
        yield f"at {evidence.now:%Y-%m-%d %H:%M} there was still something left to do"


def no_intention_is_open(evidence: Evidence) -> Iterator[str]:
    """At rest no intention is without its outcome."""
    if not evidence.at_rest:
        return
    yield from _orders_with_an_open_intention(evidence)
    for order_id, dispatch in evidence.folded(DISPATCHES).items():
        for parcel in dispatch.parcels:
            if parcel.state == ParcelState.OPEN:
                yield f"the confirmation of {order_id}/{parcel.parcel_key} has no outcome"
    for publish_id in evidence.folded(PUBLISHES):
        yield f"stock import {publish_id} has no outcome"
    for cycle_id, cycle in evidence.folded(CYCLES).items():
        if cycle.state == CycleState.JOURNAL_OPEN:
            yield f"the journal of payout {cycle_id} has no outcome"


def _orders_with_an_open_intention(evidence: Evidence) -> Iterator[str]:
    for order_id, entry in evidence.folded(ORDERS).items():
        if entry.posting == Posting.OPEN:
            yield f"the posting of order {order_id} has no outcome"
        if entry.acceptance == Acceptance.OPEN:
            yield f"the acceptance of order {order_id} has no outcome"
        if entry.write_back == WriteBack.OPEN:
            yield f"the reference on order {order_id} has no outcome"
    for reversal_id, reversal in evidence.folded(REVERSALS).items():
        if any(each.standing == ItemStanding.OPEN for each in reversal.items):
            yield f"reversal {reversal_id} of order {reversal.order_id} has no outcome"


def no_job_is_interrupted(evidence: Evidence) -> Iterator[str]:
    """At rest every job works."""
    if not evidence.at_rest:
        return
    for job in evidence.folded(JOBS):
        yield f"{job} is still interrupted"


def exceptions_have_their_cause(evidence: Evidence) -> Iterator[str]:
    """At rest no exception is open whose cause is gone from the world."""
    if not evidence.at_rest:
        return
    for raised in open_exceptions(evidence):
        holds = _CAUSES.get(raised.kind)
        if holds is None:
            yield f"nobody knows a cause of {raised.exception_id}"
        elif not holds(evidence, raised):
            yield f"{raised.exception_id} is open ({raised.message}), and its cause is gone"


def causes_are_on_the_desk(evidence: Evidence) -> Iterator[str]:
    """At rest what needs a person is on the desk."""
    if not evidence.at_rest:
        return
    told = {(each.kind, each.subject) for each in open_exceptions(evidence)}
    for order in evidence.world.order_truths():
        held = not told.isdisjoint(
            (kind, order.order_id) for kind in ("order_held", "sales_order_vanished")
        )
        if _cant_be_posted(evidence, order) and not held:
            yield f"order {order.order_id} can't be posted, and nobody told"
        stranded = ("cancelled_after_posting", order.order_id) in told
        if _is_stranded(order) and not stranded:
            yield f"order {order.order_id} has ended, the ERP still has it, and nobody told"
        cancelled = ("cancelled_in_erp", order.order_id) in told
        if _is_cancelled_there(order) and not cancelled:
            yield f"the ERP has cancelled order {order.order_id}, and nobody told"
    aliases = {key_of(event.sku) for _, event in evidence.said(SkuAliasApproved)}
    for sku in evidence.world.marketplace.offers:
        unknown = evidence.world.warehouse.stock.find(sku) is None
        if (
            unknown
            and key_of(sku) not in aliases
            and ("sku_unmatched", key_of(sku)) not in told
        ):
            yield f"offer {sku} is not known to the ERP, and nobody told"


# ── what causes what ────────────────────────────────────────────────────────────────────────


def _sku_unknown(evidence: Evidence, raised: ExceptionRaised) -> bool:
    return evidence.world.warehouse.stock.find(raised.subject) is None


def _has_unknown(evidence: Evidence, order: OrderTruth) -> bool:
    items = [
        evidence.world.warehouse.stock.find(line.sku)
        for line in order.lines
        if line.state not in ENDED
    ]
    return any(item is None or item.discontinued for item in items)


def _cant_be_posted(evidence: Evidence, order: OrderTruth) -> bool:
    waiting = order.state == "SHIPPING" and not order.sales_orders
    return waiting and _has_unknown(evidence, order)


def _is_stranded(order: OrderTruth) -> bool:
    return order.state in ENDED and any(not each.cancelled for each in order.sales_orders)


def _vanished(evidence: Evidence, raised: ExceptionRaised) -> bool:
    """It is in the ERP no more, and the marketplace has not ended it: a person has to say."""
    order = order_truth(evidence, raised.subject)
    return order is not None and not order.sales_orders and order.state not in ENDED


def _is_cancelled_there(order: OrderTruth) -> bool:
    """And the customer neither has the money back nor the goods coming."""
    given_back = all(line.state in (*ENDED, "REFUNDED") for line in order.lines)
    wanted = order.state not in ENDED and not given_back
    return wanted and any(each.cancelled for each in order.sales_orders)


def _held(evidence: Evidence, raised: ExceptionRaised) -> bool:
    order = order_truth(evidence, raised.subject)
    if order is None or order.state not in ("WAITING_ACCEPTANCE", "SHIPPING"):
        return False
    entry = evidence.folded(ORDERS).get(raised.subject)
    reason = entry.held.reason if entry is not None and entry.held is not None else ""
    if reason == "not_available":
        return _too_little_there(evidence, order)
    return reason in ("policy", "by_person") or _has_unknown(evidence, order)


def _too_little_there(evidence: Evidence, order: OrderTruth) -> bool:
    """The ERP has less than this order and the older ones want that it does not have yet.

    What it had taken, and lost with a restored backup, stands in front of whatever is new.
    """
    wanted: Counter[str] = Counter()
    for each in evidence.world.order_truths():
        older = (each.placed_at, each.order_id) <= (order.placed_at, order.order_id)
        older = older or each.customer_order_number in evidence.witness.taken
        if older and not each.sales_orders and each.state not in ENDED | SHIPPED:
            live = (line for line in each.lines if line.state not in ENDED)
            wanted.update({key_of(line.sku): 0 for line in each.lines})
            for line in live:
                wanted[key_of(line.sku)] += line.quantity
    items = {key_of(line.sku) for line in order.lines if line.state not in ENDED}
    found = ((key, evidence.world.warehouse.stock.find(key)) for key in items)
    return any(item is not None and item.level() < wanted[key] for key, item in found)


def _unaccepted(evidence: Evidence, raised: ExceptionRaised) -> bool:
    order = order_truth(evidence, raised.subject)
    return order is not None and order.state == "WAITING_ACCEPTANCE"


def _unposted(evidence: Evidence, raised: ExceptionRaised) -> bool:
    order = order_truth(evidence, raised.subject)
    return order is not None and not order.sales_orders and order.state not in ENDED


def _total_differs(evidence: Evidence, raised: ExceptionRaised) -> bool:
    entry = evidence.folded(ORDERS).get(raised.subject)
    order = order_truth(evidence, raised.subject)
    if entry is None or order is None or not order.sales_orders:
        return False
    return order.sales_orders[0].gross_total != (entry.gross_total or entry.total_price)


def _reference_missing(evidence: Evidence, raised: ExceptionRaised) -> bool:
    order = order_truth(evidence, raised.subject)
    if order is None or not order.sales_orders:
        return False
    return order.seller_reference != order.sales_orders[0].code


def _stranded(evidence: Evidence, raised: ExceptionRaised) -> bool:
    order = order_truth(evidence, raised.subject)
    return order is not None and _is_stranded(order)


def _cancelled_in_erp(evidence: Evidence, raised: ExceptionRaised) -> bool:
    order = order_truth(evidence, raised.subject)
    return order is not None and _is_cancelled_there(order)


def _line_refused(evidence: Evidence, raised: ExceptionRaised) -> bool:
    return raised.subject not in evidence.world.marketplace.offers


def _unconfirmed(evidence: Evidence, raised: ExceptionRaised) -> bool:
    order_id, _, _ = raised.subject.partition("/")
    order = order_truth(evidence, order_id)
    if order is None or order.state in SHIPPED or order.state in ENDED:
        return False
    confirmed = sum(sum(each.units.values()) for each in order.confirmations)
    sent = sum(
        sum(parcel.units.values()) for each in order.sales_orders for parcel in each.parcels
    )
    return confirmed < sent


def _carrier_gone(evidence: Evidence, _raised: ExceptionRaised) -> bool:
    """Nobody takes a carrier off the list in the simulation."""
    return evidence.world.marketplace.settings.carriers == ()


def _number_untold(evidence: Evidence, raised: ExceptionRaised) -> bool:
    order_id, _, parcel_key = raised.subject.partition("/")
    parcel = (order_id, parcel_key)
    attempts = sum(
        (each.order_id, each.parcel_key) == parcel
        for _, each in evidence.said(TrackingIntended)
    )
    answers = sum(
        each.answered and not each.given_up and (each.order_id, each.parcel_key) == parcel
        for _, each in evidence.said(TrackingRefused)
    )
    if attempts > answers:
        return True  # an answer was lost: it says that the number may be there
    order = order_truth(evidence, order_id)
    told = {each.tracking_number for each in order.confirmations} if order else set()
    return order is not None and any(
        parcel.consignment and parcel.consignment not in told
        for sale in order.sales_orders
        for parcel in sale.parcels
    )


def _mistyped(evidence: Evidence, raised: ExceptionRaised) -> bool:
    """A slip that nobody has put right: an invoice that is issued can't be changed any more."""
    order = order_truth(evidence, raised.subject.partition("/")[0])
    return order is not None and any(
        parcel.consignment.startswith(SLIP)
        for sale in order.sales_orders
        for parcel in sale.parcels
    )


def _was_to_stay(evidence: Evidence, raised: ExceptionRaised) -> bool:
    """Money went back for units of it that were not to be shipped any more."""
    order = evidence.world.marketplace.orders[raised.subject]
    return any(each.excluded_from_shipment for line in order.lines for each in line.refunds)


def _courier_waits(evidence: Evidence, raised: ExceptionRaised) -> bool:
    """A box that went out with it, as it is called now, is of an order that is not through.

    Where a backup was restored the ERP has forgotten boxes: those count as they were told.
    """
    through = SHIPPED | ENDED
    for order in evidence.world.order_truths():
        couriers = {
            parcel.courier.casefold() for sale in order.sales_orders for parcel in sale.parcels
        }
        if order.state not in through and raised.subject in couriers:
            return True
    told = (
        order_truth(evidence, event.order_id)
        for _, event in evidence.said(ParcelShipped)
        if event.courier_name.casefold() == raised.subject
    )
    return evidence.witness.was_restored and any(
        order is not None and order.state not in through for order in told
    )


def _payout_open(evidence: Evidence, raised: ExceptionRaised) -> bool:
    cycle = evidence.world.marketplace.cycles.get(raised.subject)
    if cycle is None:
        return False
    if cycle.payout_state != "PAID":
        return True
    lines = [
        line
        for line in evidence.world.marketplace.transactions.values()
        if line.cycle_id == raised.subject
    ]
    total = sum(line.amount.amount_minor for line in lines if line.kind != "PAYMENT")
    if total != cycle.amount_to_seller.amount_minor:
        return True
    orders = {line.order_id for line in lines if line.order_id is not None}
    truths = [order_truth(evidence, order_id) for order_id in orders]
    return any(truth is None or not truth.sales_orders for truth in truths)


def _has_gaps(evidence: Evidence, raised: ExceptionRaised) -> bool:
    """Other rates were agreed than those there; or something of an order is on another payout
    than the rest of it: somebody took it off.
    """
    if any(evidence.said(CommissionTermsSet)):
        return True
    torn = {event.line_id for _, event in evidence.said(LateLineFound)}
    cycles: defaultdict[str, set[str | None]] = defaultdict(set)
    for line in evidence.world.marketplace.transactions.values():
        cycles[line.order_id or ""].add(line.cycle_id)
    return any(
        not torn.isdisjoint(gap.line_ids) or len(cycles[gap.order_id or ""]) > 1
        for _, gap in evidence.said(GapFound)
        if gap.cycle_id == raised.subject
    )


def _line_is_late(evidence: Evidence, raised: ExceptionRaised) -> bool:
    """Its lines there are not those that the bank's amount was paid for."""
    position = 0
    for recorded, event in evidence.said(LateLineFound, JournalIntended):
        if event.cycle_id == raised.subject:
            if isinstance(event, LateLineFound):
                position = recorded.position
            elif isinstance(event, JournalIntended) and event.kind == "correction":
                position = 0
    return position > 0


def _paid_and_unread(evidence: Evidence, raised: ExceptionRaised) -> bool:
    """Nobody reads a bank's statements in this world."""
    cycle = evidence.world.marketplace.cycles.get(raised.subject)
    return cycle is not None and cycle.payout_state == "PAID"


def _line_type_unknown(evidence: Evidence, raised: ExceptionRaised) -> bool:
    return any(line.seen.kind == raised.subject for line in evidence.folded(LINES).values())


def _import_failed(evidence: Evidence, raised: ExceptionRaised) -> bool:
    last = next(reversed(evidence.world.marketplace.catalogue.imports.values()), None)
    return last is not None and last.status == "FAILED"


def _drifted(evidence: Evidence, raised: ExceptionRaised) -> bool:
    """Nobody else writes offers, but what was read may have been old, and is read again."""
    world = evidence.world
    return world.marketplace.offered(raised.subject) != _shown(evidence, raised.subject)


def _shown(evidence: Evidence, sku: str) -> int | None:
    product = evidence.folded(PRODUCTS).get(key_of(sku))
    shown = product.shown if product is not None else ()
    return next((each.quantity for each in shown if each.sku == sku), None)


def _inactive(evidence: Evidence, raised: ExceptionRaised) -> bool:
    offer = evidence.world.marketplace.offers[raised.subject]
    return bool(set(offer.inactive_because(evidence.now)) - {"ZERO_QUANTITY"})


def _never(_evidence: Evidence, _raised: ExceptionRaised) -> bool:
    """When nothing fails any more, this is not open."""
    return False


_CAUSES: Mapping[str, Callable[[Evidence, ExceptionRaised], bool]] = {
    "sku_unmatched": _sku_unknown,
    "order_held": _held,
    "acceptance_refused": _unaccepted,
    "acceptance_half_gone": _unaccepted,
    "acceptance_nearly_over": _unaccepted,
    "posting_refused": _unposted,
    "sales_order_vanished": _vanished,
    "total_differs": _total_differs,
    "reference_taken": _unposted,
    "order_unreadable": _never,
    "reference_not_written": _reference_missing,
    "cancelled_after_posting": _stranded,
    "stock_import_failed": _import_failed,
    "stock_import_stuck": _never,
    "stock_line_refused": _line_refused,
    "publish_held": _never,
    "publishing_off": _never,
    "stock_feed_stale": _never,
    "offer_drifted": _drifted,
    "offer_inactive": _inactive,
    "courier_unmapped": _courier_waits,
    "carrier_gone": _carrier_gone,
    "tracking_missing": _unconfirmed,
    "tracking_malformed": _mistyped,
    "tracking_not_sent": _number_untold,
    "confirmations_stopped": _never,
    "parcel_unmatched": _unconfirmed,
    "unwanted_units_sent": _was_to_stay,
    "shop_closed": _never,
    "confirmation_refused": _unconfirmed,
    "cancelled_in_erp": _cancelled_in_erp,
    "payout_open": _payout_open,
    "payout_gaps": _has_gaps,
    "late_line": _line_is_late,
    "payout_not_received": _paid_and_unread,
    "payout_received_differs": _never,
    "billing_cycle_overdue": _never,
    "invoice_document_missing": _never,
    "unknown_line_type": _line_type_unknown,
    "writes_off": _never,
    "job_interrupted": _never,
    **CAUSES_AFTER_INTAKE,
    **CAUSES_OF_TIME,
    **CAUSES_OF_REVERSALS,
}


CHECKERS = (
    Checker(LIVENESS, "rest", everything_came_to_rest),
    Checker(LIVENESS, "intentions", no_intention_is_open),
    Checker(LIVENESS, "jobs", no_job_is_interrupted),
    Checker(LIVENESS, "causes", exceptions_have_their_cause),
    Checker(LIVENESS, "desk", causes_are_on_the_desk),
    Checker(LIVENESS, "corrections", corrections_are_on_the_desk),
    Checker(LIVENESS, "late ones", late_ones_are_told),
    Checker(LIVENESS, "time for accepting", time_for_accepting_is_told),
)
