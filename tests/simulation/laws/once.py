"""Law 2: every outside write is an intention, then an outcome; and its effect is there once.

Promises: effects are counted in the ERP's, the marketplace's and the ledger's own books;
whether somebody looked before he wrote again is read from the calls that a witness saw.
Called by `laws/__init__.py`.
Wide, and why: a stock import, OR04, OR23 and a journal may be made again without a look, for
made twice they are as made once; of these one intention before the first is enough. A parcel
is known by its number and its units: of two that are alike, either is the other.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from kcjl.dispatch.events import ConfirmationIntended
from kcjl.johnlewis.port import ShipmentRequest
from kcjl.johnlewis.reversal_port import CancelationRequest, RefundRequest
from kcjl.khaos.port import NewOrder
from kcjl.ledger.port import Journal
from kcjl.orders.events import AcceptanceIntended, PostingIntended, ReferenceWriteIntended
from kcjl.orders.reversal_events import ReversalIntended
from kcjl.orders.reversal_plan import CANCELATION, ORDER_CANCELATION, REFUND
from kcjl.orders.reversals import REVERSALS
from kcjl.settlement.events import JournalIntended
from tests.simulation.laws.evidence import Checker, Evidence
from tests.simulation.witness import Call, Outcome

__all__ = ["CHECKERS"]

FRESH_LOOK = timedelta(minutes=3)
"""A look before a parcel is sent again: with the database's and the outside's slowness."""
MONEY_BACK = frozenset({"refund", "cancel_line", "cancel_order"})
CALL_OF = {
    REFUND: "refund", CANCELATION: "cancel_line", ORDER_CANCELATION: "cancel_order",
}  # fmt: skip
ONCE_EACH = MONEY_BACK | {"create_order", "accept", "create_shipment", "ship"}
"""A write that is not harmless when it comes again: each has an intention of its own."""


def one_sales_order(evidence: Evidence) -> Iterator[str]:
    """One sales order per marketplace order, and none of no order."""
    claimed: set[str] = set()
    for order in evidence.world.order_truths():
        codes = [each.code for each in order.sales_orders]
        claimed.update(codes)
        if len(codes) > 1:
            yield f"order {order.order_id} has {len(codes)} sales orders: {', '.join(codes)}"
    for code in evidence.world.warehouse.sales_orders:
        if code not in claimed:
            yield f"sales order {code} belongs to no marketplace order"


def one_confirmation(evidence: Evidence) -> Iterator[str]:
    """One confirmation per parcel: none twice, and none of a parcel that was never sent."""
    for order in evidence.world.order_truths():
        references = {order.customer_order_number}
        references |= {sale.reference for sale in order.sales_orders}
        sent = Counter(
            (parcel.consignment, sum(parcel.units.values()))
            for sale in order.sales_orders
            for parcel in sale.parcels
        )
        # What was taken back, or forgotten by a backup, had left all the same.
        left: Counter[tuple[str, int]] = Counter()
        for (reference, number, units), boxes in evidence.witness.sent.items():
            if reference in references:
                left[number, units] += boxes
        sent |= left
        told = Counter(
            (each.tracking_number or "", sum(each.units.values()))
            for each in order.confirmations
            if each.shipment_id
        )
        for number, units in _never_sent(told, sent, _not_asked_for(evidence, order.order_id)):
            yield (
                f"order {order.order_id}: parcel {number or 'without a number'} of {units} "
                "units was confirmed once more than it was sent"
            )
        units_told: Counter[str] = Counter()
        for each in order.confirmations:
            units_told.update(each.units)
        for line in order.lines:
            if units_told[line.line_id] > line.quantity:
                yield (
                    f"order {order.order_id} line {line.line_id}: {units_told[line.line_id]} "
                    f"of {line.quantity} units confirmed"
                )


def _never_sent(
    told: Counter[tuple[str, int]], sent: Counter[tuple[str, int]], not_asked_for: int
) -> Iterator[tuple[str, int]]:
    """Confirmations without a parcel. Of a parcel, units that nobody asks for are left out."""
    left = sent - told
    for number, units in (told - sent).elements():
        fuller = [
            each
            for each in left.elements()
            if each[0] == number and units < each[1] <= units + not_asked_for
        ]
        if not fuller:
            yield number, units
            continue
        left[fuller[0]] -= 1
        not_asked_for -= fuller[0][1] - units


def _not_asked_for(evidence: Evidence, order_id: str) -> int:
    """Units of an order that were cancelled, or whose money is back."""
    lines = evidence.world.marketplace.orders[order_id].lines
    over = ("REFUSED", "CANCELED", "REFUNDED")
    return sum(
        line.quantity
        if line.state in over
        else line.not_to_ship + sum(each.quantity for each in line.cancelations)
        for line in lines
    )


def one_journal(evidence: Evidence) -> Iterator[str]:
    """One journal per payout, whatever crashed; and none of no payout.

    What belongs to the month before has a journal of its own, under the payout's reference.
    What undoes it and what stands instead is judged by law 6.
    """
    cycle_of: dict[str, str] = {}
    beside: set[str] = set()
    for _, intended in evidence.said(JournalIntended):
        if intended.kind != "payout":
            beside.add(intended.reference)
        known = cycle_of.setdefault(intended.reference, intended.cycle_id)
        if known != intended.cycle_id:
            yield f"journal {intended.reference} is of two payouts"
    of_cycle: defaultdict[str, list[str]] = defaultdict(list)
    for reference in evidence.journals:
        cycle_id = cycle_of.get(reference, "")
        if reference not in beside:
            of_cycle[cycle_id].append(reference)
        if cycle_id not in evidence.world.marketplace.cycles:
            yield f"journal {reference} is of no payout of the marketplace's"
    for cycle_id, references in of_cycle.items():
        if len(references) > 1:
            yield f"payout {cycle_id} has {len(references)} journals: {', '.join(references)}"


def intended_before(evidence: Evidence) -> Iterator[str]:
    """No write outside without an intention in the log that was recorded before it."""
    intended: defaultdict[tuple[str, str], list[datetime]] = defaultdict(list)
    for recorded in evidence.log:
        for intention in _intentions(recorded.event, evidence):
            intended[intention].append(recorded.recorded_at)
    made: Counter[tuple[str, str]] = Counter()
    for call in evidence.witness.calls:
        for write, subject in _written(call):
            made[write, subject] += 1
            before = sum(at <= call.began for at in intended[write, subject])
            if not before:
                yield f"{call.operation} of {subject} was never intended before it was made"
            elif write in ONCE_EACH and made[write, subject] > before:
                yield (
                    f"{call.operation} of {subject} was made {made[write, subject]} times, "
                    f"intended {before} times"
                )
    known = {reference for write, reference in intended if write == "create_order"}
    for code, sales_order in evidence.world.warehouse.sales_orders.items():
        if sales_order.external_ref not in known:
            yield f"sales order {code} was never intended"


def _intentions(event: object, evidence: Evidence) -> Iterator[tuple[str, str]]:
    """What an event says that we are about to write: the port's method, and of what."""
    match event:
        case PostingIntended():
            yield "create_order", event.reference
        case AcceptanceIntended():
            yield "accept", event.order_id
        case ConfirmationIntended():
            yield "create_shipment" if event.by_shipment else "ship", event.order_id
        case ReferenceWriteIntended():
            yield "write_seller_references", event.order_id
        case JournalIntended():
            yield "prepare", event.reference
        case ReversalIntended():
            reversal = evidence.folded(REVERSALS)[event.reversal_id]
            yield CALL_OF[reversal.kind], event.line_id or event.order_id


def _written(call: Call) -> Iterator[tuple[str, str]]:
    operation = "ship" if call.operation == "set_tracking" else call.operation
    first = call.arguments[0] if call.arguments else None
    if operation == "prepare" and isinstance(first, Journal):
        yield operation, first.reference
    elif operation == "write_seller_references" and isinstance(first, Mapping):
        yield from ((operation, str(order_id)) for order_id in first)
    elif operation == "create_order":
        yield from ((operation, reference) for reference in _reference(call))
    elif isinstance(first, RefundRequest | CancelationRequest):
        yield operation, first.line_id
    elif operation in {"accept", "create_shipment", "ship", "cancel_order"}:
        subjects = ((operation, order_id) for order_id in _order_id(call))
        yield from subjects if call.operation != "set_tracking" else ()


def looked_before_writing_again(evidence: Evidence) -> Iterator[str]:
    """A write whose answer is not known is looked up before anything is written again."""
    yield from _not_looked_up(
        evidence.witness.calls, {"create_order"}, {"find_order"}, subject_of=_reference
    )
    yield from _not_looked_up(
        evidence.witness.calls,
        {"create_shipment", "ship"},
        {"shipments", "orders_by_id"},
        subject_of=_parcel,
    )
    yield from _not_looked_up(
        evidence.witness.calls, {"accept"}, {"orders_by_id"}, subject_of=_order_id
    )
    order_of = {
        line.line_id: order_id
        for order_id, order in evidence.world.marketplace.orders.items()
        for line in order.lines
    }

    def order_given_back(call: Call) -> tuple[str, ...]:
        first = call.arguments[0]
        if isinstance(first, RefundRequest | CancelationRequest):
            return (order_of[first.line_id],)
        return _order_id(call)

    yield from _not_looked_up(
        evidence.witness.calls, MONEY_BACK, {"orders_by_id"}, subject_of=order_given_back
    )


def looked_again_before_a_second_parcel(evidence: Evidence) -> Iterator[str]:
    """What was in doubt once is looked up right before it is sent again.

    ST01 has no key of its own, and a write may arrive after the first look.
    """
    looked: dict[str, datetime] = {}
    doubted: set[str] = set()
    for call in evidence.witness.calls:
        if call.operation == "shipments" and call.outcome in (Outcome.DONE, Outcome.REFUSED):
            looked.update((each, call.began) for each in _order_id(call))
        elif call.operation == "create_shipment":
            (request,) = call.arguments
            assert isinstance(request, ShipmentRequest)
            at = looked.get(request.order_id)
            if request.package_reference in doubted and (
                at is None or call.began - at > FRESH_LOOK
            ):
                yield (
                    f"parcel {request.package_reference} of order {request.order_id} was sent "
                    f"again at {call.began:%d %H:%M:%S}, last looked for at {at}"
                )
            if call.outcome in (Outcome.UNKNOWN, Outcome.DIED):
                doubted.add(request.package_reference)


def _not_looked_up(
    calls: Iterable[Call],
    writes: Collection[str],
    looks: set[str],
    *,
    subject_of: Callable[[Call], tuple[str, ...]],
) -> Iterator[str]:
    unknown: dict[str, Call] = {}
    for call in calls:
        if call.operation in looks and call.outcome in (Outcome.DONE, Outcome.REFUSED):
            looked = {*subject_of(call)}
            for subject, write in [*unknown.items()]:
                whole = subject.partition("/")[0]  # a look at an order shows all its parcels
                if whole in looked and call.began >= (write.ended or write.began):
                    del unknown[subject]
        elif call.operation in writes:
            for subject in subject_of(call):
                if (before := unknown.get(subject)) is not None:
                    yield (
                        f"{call.operation} of {subject} at {call.began:%d %H:%M:%S} was not "
                        f"looked up after the one at {before.began:%d %H:%M:%S}"
                    )
                if call.outcome in (Outcome.UNKNOWN, Outcome.DIED):
                    unknown[subject] = call
                else:
                    unknown.pop(subject, None)


def _reference(call: Call) -> tuple[str, ...]:
    first = call.arguments[0]
    return (first.external_ref if isinstance(first, NewOrder) else str(first),)


def _order_id(call: Call) -> tuple[str, ...]:
    first = call.arguments[0]
    if isinstance(first, ShipmentRequest):
        return (first.order_id,)
    return (first,) if isinstance(first, str) else tuple(str(each) for each in _listed(first))


def _parcel(call: Call) -> tuple[str, ...]:
    """A parcel of an order where one is sent, else the orders: another parcel is no repeat."""
    first = call.arguments[0]
    if isinstance(first, ShipmentRequest):
        return (f"{first.order_id}/{first.package_reference}",)
    return _order_id(call)


def _listed(subjects: object) -> Iterable[object]:
    return subjects if isinstance(subjects, list | tuple) else ()


CHECKERS = (
    Checker(2, "sales orders", one_sales_order),
    Checker(2, "confirmations", one_confirmation),
    Checker(2, "journals", one_journal),
    Checker(2, "intentions", intended_before),
    Checker(2, "look-ups", looked_before_writing_again),
    Checker(2, "looks again", looked_again_before_a_second_parcel),
)
