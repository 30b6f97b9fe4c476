"""Law 3: each order, parcel, publish and statement line is final, waiting, or excepted.

Promises: what there is to account for is counted in the outside worlds; where each of it is,
comes from the read models. Before everything is at rest only what is said is judged; at rest
also that nothing was missed. Called by `laws/__init__.py`.
Wide, and why: what is on the desk under its subject counts as told, whichever kind it is; an
order that ended (REFUSED, CANCELED) may have boxes that nobody confirms; an order that the
ERP has stopped waits there. What is posted and not sent yet is the warehouse's.
"""

from collections.abc import Iterator

from kcjl.dispatch.state import DISPATCHES
from kcjl.orders.decide import SHIPPED_OR_LATER, standing
from kcjl.orders.state import ORDERS, OrderEntry, Posting, Standing
from kcjl.sandbox.world_truth import OrderTruth
from kcjl.settlement.events import PAYMENT, CyclesRead, PayoutClosed
from kcjl.settlement.state import CYCLES, LINES, CycleState
from kcjl.stock.publishing_state import PUBLISHES
from tests.simulation.laws.evidence import Checker, Evidence
from tests.simulation.laws.standing import is_stuck_in_erp, open_subjects

__all__ = ["CHECKERS"]

WAITS_FOR_CUSTOMER = frozenset({"STAGING", "WAITING_DEBIT", "WAITING_DEBIT_PAYMENT"})


def nothing_is_in_none(evidence: Evidence) -> Iterator[str]:
    """Nothing that we know of is neither final nor waiting nor an open exception."""
    yield from evidence.complete.missing


def every_order_was_seen(evidence: Evidence) -> Iterator[str]:
    """Each order that the marketplace has is known, in the state that the marketplace shows."""
    if not evidence.at_rest:
        return
    orders = evidence.folded(ORDERS)
    for order_id, order in evidence.world.marketplace.orders.items():
        entry = orders.get(order_id)
        if entry is None:
            yield f"order {order_id} ({order.state}) was never seen"
        elif entry.state != order.state:
            yield f"order {order_id} is {order.state} there, and {entry.state} to us"


def no_order_is_left_lying(evidence: Evidence) -> Iterator[str]:
    """At rest each order is final, in the warehouse's hands, or an open exception."""
    if not evidence.at_rest:
        return
    told = open_subjects(evidence)
    for order_id, entry in evidence.folded(ORDERS).items():
        if order_id in told or _is_final(entry) or is_stuck_in_erp(evidence, order_id):
            continue
        if entry.posting == Posting.POSTED:
            continue  # its parcels are judged one by one
        if entry.state in WAITS_FOR_CUSTOMER:
            continue  # until the customer has paid, or the marketplace ends it
        yield f"order {order_id} is {standing(entry)}, {entry.state} there, and nobody told"


def _is_final(entry: OrderEntry) -> bool:
    if entry.posting == Posting.POSTED and entry.state in SHIPPED_OR_LATER:
        return True
    return standing(entry) in (Standing.CANCELLED, Standing.PASSED_OVER, Standing.CLOSED)


def what_is_posted_is_in_the_erp(evidence: Evidence) -> Iterator[str]:
    """An order that we say is posted is in the ERP, also after its backup, or excepted."""
    if not evidence.at_rest:
        return
    told = open_subjects(evidence)
    for order_id, entry in evidence.folded(ORDERS).items():
        if entry.posting != Posting.POSTED or order_id in told:
            continue
        there = evidence.world.warehouse.orders_by_ref(entry.reference)
        if not there:
            yield f"order {order_id} is posted to us, the ERP has no {entry.reference}"
        elif entry.erp_order_code not in {each.code for each in there}:
            yield (
                f"order {order_id} is {entry.erp_order_code} to us, the ERP has "
                f"{there[0].code} for {entry.reference}"
            )


def every_reference_was_written(evidence: Evidence) -> Iterator[str]:
    """An order in the ERP carries the ERP's number at the marketplace, or is excepted."""
    if not evidence.at_rest:
        return
    told = open_subjects(evidence)
    for order in evidence.world.order_truths():
        codes = {sale.code for sale in order.sales_orders}
        if codes and order.seller_reference not in codes and order.order_id not in told:
            yield (
                f"order {order.order_id} ({order.state}) is {', '.join(sorted(codes))} in the "
                f"ERP, {order.seller_reference!r} there, and nobody told"
            )


def every_parcel_was_confirmed(evidence: Evidence) -> Iterator[str]:
    """Each box that left the warehouse is confirmed there, or an open exception, or left.

    Where an order can be shipped as a whole only, its boxes wait for the last one: until the
    time to ship by, and while the ERP still holds some of it back.
    """
    if not evidence.at_rest:
        return
    told = open_subjects(evidence)
    dispatches = evidence.folded(DISPATCHES)
    for order in evidence.world.order_truths():
        entry = dispatches.get(order.order_id)
        confirmed = sum(sum(each.units.values()) for each in order.confirmations)
        sent = sum(
            sum(parcel.units.values()) for sale in order.sales_orders for parcel in sale.parcels
        )
        if confirmed >= sent or order.state in ("CANCELED", "REFUSED"):
            continue
        if entry is not None and entry.closed and order.state in SHIPPED_OR_LATER:
            continue  # a person there has shipped the rest as a whole: done, with a note
        if _waits_for_the_rest(evidence, order) or _is_told(order.order_id, told):
            continue
        if entry is not None and any(
            parcel.courier_name.casefold() in told for parcel in entry.parcels
        ):
            continue
        yield (
            f"order {order.order_id} ({order.state}): {sent} units left the warehouse, "
            f"{confirmed} are confirmed, and nobody told"
        )


def _waits_for_the_rest(evidence: Evidence, order: OrderTruth) -> bool:
    world = evidence.world
    if world.marketplace.settings.multi_shipment or order.shipping_deadline <= evidence.now:
        return False
    there = world.warehouse.orders_by_ref(order.customer_order_number)
    return any(sale.cancelled is None and not sale.complete for sale in there)


def _is_told(order_id: str, told: set[str]) -> bool:
    return any(each == order_id or each.startswith(f"{order_id}/") for each in told)


def every_publish_ended(evidence: Evidence) -> Iterator[str]:
    """Each stock import that was intended has an outcome."""
    if not evidence.at_rest:
        return
    for publish_id, publish in evidence.folded(PUBLISHES).items():
        yield f"stock import {publish_id} ({len(publish.skus)} SKUs) has no outcome"


def every_statement_line_was_seen(evidence: Evidence) -> Iterator[str]:
    """Each transaction line is known as it stands, and tied, of no order, or excepted."""
    if not evidence.at_rest:
        return
    lines = evidence.folded(LINES)
    told = open_subjects(evidence)
    told |= {event.cycle_id for _, event in evidence.said(PayoutClosed) if event.excepted}
    orders = evidence.folded(ORDERS)
    for line_id, line in evidence.world.marketplace.transactions.items():
        known = lines.get(line_id)
        if known is None:
            yield f"transaction line {line_id} ({line.kind} {line.amount}) was never seen"
        elif (known.seen.amount, known.seen.cycle_id) != (line.amount, line.cycle_id):
            yield (
                f"transaction line {line_id} is {line.amount} of payout {line.cycle_id}, and "
                f"{known.seen.amount} of {known.seen.cycle_id} to us"
            )
        elif known.wants_tie and line.cycle_id is not None and line.cycle_id not in told:
            entry = orders.get(known.seen.order_id or "")
            if line.kind != PAYMENT and not (entry and entry.order_id in told):
                yield f"transaction line {line_id} is paid, untied, and nobody told"


def every_payout_was_closed(evidence: Evidence) -> Iterator[str]:
    """Each payout that the bank has is closed with its journal, or an open exception."""
    if not evidence.at_rest:
        return
    told = open_subjects(evidence)
    cycles = evidence.folded(CYCLES)
    reads = [read.occurred_at for _, read in evidence.said(CyclesRead)]
    for cycle_id, cycle in evidence.world.marketplace.cycles.items():
        entry = cycles.get(cycle_id)
        if entry is None:
            yield f"payout {cycle_id} of {cycle.amount_to_seller} was never seen"
        elif (
            cycle.payout_state == "PAID"
            and (cycle.paid_at is None or any(read > cycle.paid_at for read in reads))
            and entry.state != CycleState.DONE
            and cycle_id not in told
        ):
            yield f"payout {cycle_id} is paid, {entry.state} to us, and nobody told"
        elif entry.state == CycleState.DONE and (
            entry.journal is None or entry.journal.reference not in evidence.journals
        ):
            yield f"payout {cycle_id} is done to us, and the ledger has no journal of it"


CHECKERS = (
    Checker(3, "none of the three", nothing_is_in_none),
    Checker(3, "orders seen", every_order_was_seen),
    Checker(3, "orders left lying", no_order_is_left_lying),
    Checker(3, "posted", what_is_posted_is_in_the_erp),
    Checker(3, "references", every_reference_was_written),
    Checker(3, "parcels", every_parcel_was_confirmed),
    Checker(3, "publishes", every_publish_ended),
    Checker(3, "statement lines", every_statement_line_was_seen),
    Checker(3, "payouts", every_payout_was_closed),
)
