"""Parcels' numbers, mended maps and silences: what the desk says of them, and what was sent.

Promises: numbers are compared in the marketplace's and the ERP's own books; what was answered
is read from the calls that a witness saw. Called by `laws/__init__.py`.
Wide, and why: where the ERP was restored from a backup it has forgotten numbers, and what is
done for longer than a backup is asked for no more; a tenant without shipments has one number an
order. What somebody else has shipped there bears whatever number they gave it.
"""

from collections.abc import Iterator
from datetime import timedelta

from kcjl.dispatch.carriers_state import CARRIERS, CARRIERS_KEY
from kcjl.dispatch.events import ParcelConfirmed, SalesOrdersKept
from kcjl.exceptions.events import ExceptionRaised
from kcjl.johnlewis.port import ShipmentRequest, Tracking
from tests.simulation.laws.evidence import LIVENESS, Checker, Evidence
from tests.simulation.laws.standing import open_exceptions, open_subjects
from tests.simulation.people import SLIP
from tests.simulation.witness import Call, Outcome

__all__ = ["CHECKERS", "silences"]

ABOUT_PARCELS = ("create_shipment", "ship", "set_tracking", "shipments")
UNANSWERED = frozenset({Outcome.UNAVAILABLE, Outcome.UNKNOWN})
LONG = timedelta(minutes=45)
"""A silence that somebody has to be told of: told after 15 minutes, tried every five."""
CALLS_MIN = 6
SAYS_NO = ("create_shipment", "ship", "set_tracking")
NO_ANSWER_WORDS = ("no look at the marketplace", "given up after")


def no_malformed_number_is_sent(evidence: Evidence) -> Iterator[str]:
    """A number that no carrier can have written is never told to the marketplace."""
    for call in evidence.witness.calls:
        for number in _numbers(call):
            if number.startswith(SLIP):
                yield f"{call.operation} at {call.began:%d %H:%M:%S} told the number {number}"


def _numbers(call: Call) -> Iterator[str]:
    for argument in call.arguments:
        told = [argument.tracking] if isinstance(argument, ShipmentRequest) else [argument]
        if isinstance(argument, dict):
            told = list(argument.values())
        yield from (each.tracking_number for each in told if isinstance(each, Tracking))


def every_number_is_there(evidence: Evidence) -> Iterator[str]:
    """At rest the marketplace has the number that the ERP shows, or somebody is told."""
    if not evidence.at_rest or evidence.witness.was_restored:
        return
    told = open_subjects(evidence)
    kept = _kept_within_the_trade(evidence)
    ours = {event.order_id for _, event in evidence.said(ParcelConfirmed) if not event.already}
    multi = evidence.world.marketplace.settings.multi_shipment
    for order in evidence.world.order_truths():
        is_told = any(
            each == order.order_id or each.startswith(f"{order.order_id}/") for each in told
        )
        if order.order_id not in ours or order.order_id in kept or is_told:
            continue
        there = {each.tracking_number or "" for each in order.confirmations if each.units}
        shown = {
            parcel.consignment for sale in order.sales_orders for parcel in sale.parcels
        } - {""}
        missing = shown - there if multi else (shown if not shown & there else set())
        if missing and order.state in ("SHIPPING", "SHIPPED", "TO_COLLECT", "RECEIVED"):
            yield (
                f"order {order.order_id} ({order.state}): the ERP shows {_named(shown)}, the "
                f"marketplace has {_named(there)}, and nobody told"
            )


def _kept_within_the_trade(evidence: Evidence) -> set[str]:
    """Orders that the ERP was asked for no more while people still worked on labels."""
    until = evidence.world.trade.ends_at + timedelta(hours=5)
    return {
        order_id
        for recorded, event in evidence.said(SalesOrdersKept)
        if recorded.recorded_at < until
        for order_id in event.order_ids
    }


def _named(numbers: set[str]) -> str:
    return ", ".join(sorted(numbers)) or "none"


def nothing_waits_for_a_map_that_is_mended(evidence: Evidence) -> Iterator[str]:
    """At rest no courier is on the desk as unmapped that the map has a carrier for."""
    if not evidence.at_rest:
        return
    carriers = evidence.folded(CARRIERS).get(CARRIERS_KEY)
    mapped = {courier for courier, _ in carriers.mapped} if carriers else set()
    for raised in open_exceptions(evidence):
        if raised.kind == "courier_unmapped" and raised.subject in mapped:
            yield f"courier {raised.subject} is mapped, and still on the desk"


def refusals_were_answers(evidence: Evidence) -> Iterator[str]:
    """A parcel is raised as refused where the marketplace has said no; silence is another."""
    refused = {
        each
        for call in evidence.witness.calls
        if call.operation in SAYS_NO and call.outcome is Outcome.REFUSED
        for each in _order_of(call)
    }
    for _, raised in evidence.said(ExceptionRaised):
        if raised.kind != "confirmation_refused":
            continue
        order_id, _, _ = raised.subject.partition("/")
        if order_id not in refused and not raised.message.startswith(NO_ANSWER_WORDS):
            yield f"{raised.subject} was raised as refused, and nobody had said no"


def _order_of(call: Call) -> Iterator[str]:
    first = call.arguments[0] if call.arguments else None
    if isinstance(first, ShipmentRequest):
        yield first.order_id
    elif isinstance(first, str):
        yield first


def silences(evidence: Evidence) -> list[tuple[Call, Call]]:
    """Spans in which no call about parcels was answered: (the first of the calls, the last)."""
    found: list[tuple[Call, Call]] = []
    span: list[Call] = []
    for call in (*evidence.witness.calls, None):
        if call is not None and call.operation not in ABOUT_PARCELS:
            continue
        if call is not None and call.outcome in UNANSWERED:
            span.append(call)
            continue
        if len(span) >= CALLS_MIN and span[-1].began - span[0].began >= LONG:
            found.append((span[0], span[-1]))
        if call is None or call.outcome is not Outcome.DIED:
            span = []
    return found


def long_silences_are_told(evidence: Evidence) -> Iterator[str]:
    """A marketplace that answers nothing for an hour is one exception."""
    told = [
        raised.occurred_at
        for _, raised in evidence.said(ExceptionRaised)
        if raised.kind == "confirmations_stopped"
    ]
    for first, last in silences(evidence):
        if not any(first.began <= at <= last.began + LONG for at in told):
            yield (
                f"from {first.began:%d %H:%M} to {last.began:%d %H:%M} nothing about parcels "
                "was answered, and nobody told"
            )


CHECKERS = (
    Checker(2, "numbers", no_malformed_number_is_sent),
    Checker(3, "numbers", every_number_is_there),
    Checker(LIVENESS, "mended map", nothing_waits_for_a_map_that_is_mended),
    Checker(LIVENESS, "refusals", refusals_were_answers),
    Checker(LIVENESS, "silences", long_silences_are_told),
)
