"""An order's life as a tree: each event under what caused it, both clocks beside it.

Promises: pure. Under its cause stands an event whose cause the log names; else under the first
event of the same unit of work; else an outcome under the newest intention that it answers. What
none of these says is a beginning of its own. It tells nothing of a buyer.
Called by `kcjl orders show`. Source: design 4.
"""

from collections.abc import Mapping, Sequence

import msgspec

from kcjl.dispatch import events as dispatch
from kcjl.log.port import Recorded
from kcjl.money import Money
from kcjl.orders import acceptance_events as acceptance
from kcjl.orders import events as orders
from kcjl.orders import posting_events as posting

__all__ = ["Node", "tree_of"]

ANSWERS: Mapping[str, tuple[str, ...]] = {
    "OrderChanged": ("OrderReceived",),
    "OrderPassedOver": ("OrderReceived",),
    "OrderHeld": ("OrderReceived",),
    "OrderReleased": ("OrderLetThrough", "OrderHeld"),
    "OrderLetThrough": ("OrderHeld",),
    "AcceptanceTimePassed": ("OrderReceived",),
    "AcceptanceDecided": ("AcceptanceTimePassed", "OrderReceived"),
    "AcceptanceIntended": ("AcceptanceRetried", "AcceptanceDecided", "OrderReceived"),
    "AcceptanceConfirmed": ("AcceptanceIntended",),
    "AcceptanceRefused": ("AcceptanceIntended",),
    "AcceptanceUnknown": ("AcceptanceIntended",),
    "AcceptanceRetried": ("AcceptanceRefused",),
    "DeliveryAddressSealed": ("OrderChanged", "OrderReceived"),
    "PostingIntended": ("PostingApproved", "PostingRetried", "DeliveryAddressSealed"),
    "PostingQueued": ("PostingIntended",),
    "PostingFetched": ("PostingQueued",),
    "PostingOverdue": ("PostingQueued",),
    "PostingRefused": ("PostingIntended",),
    "PostingUnknown": ("PostingIntended",),
    "PostingRetried": ("PostingRefused",),
    "PostingApproved": ("SalesOrderVanished",),
    "SalesOrderMissing": ("PostingIntended",),
    "SalesOrderPosted": ("PostingIntended",),
    "SalesOrderVanished": ("SalesOrderPosted",),
    "SalesOrderFoundAgain": ("SalesOrderVanished", "SalesOrderPosted"),
    "SalesOrderForgone": ("SalesOrderVanished",),
    "CancelledAfterPosting": ("SalesOrderPosted",),
    "TotalsCompared": ("SalesOrderPosted",),
    "ReferenceWriteIntended": ("SalesOrderPosted",),
    "ReferenceWritten": ("ReferenceWriteIntended",),
    "ReferenceWriteFailed": ("ReferenceWriteIntended",),
    "ReversalIntended": ("ReversalOrdered",),
    "ReversalTaken": ("ReversalIntended",),
    "ReversalRefused": ("ReversalIntended",),
    "ReversalHeldBack": ("ReversalIntended",),
    "ReversalUnknown": ("ReversalIntended",),
    "ReversalMissing": ("ReversalIntended",),
    "ReversalUnclear": ("ReversalIntended",),
    "ReversalWithdrawn": ("ReversalOrdered",),
    "LineRefused": ("OrderChanged", "OrderReceived"),
    "LineCancelled": ("OrderChanged", "OrderReceived"),
    "LineWithdrawn": ("LineRefunded", "LineCancelled", "OrderChanged"),
    "LineRefunded": ("ReversalTaken", "OrderChanged", "OrderReceived"),
    "RefundSettled": ("LineRefunded",),
    "IncidentOpened": ("OrderChanged", "OrderReceived"),
    "IncidentClosed": ("IncidentOpened",),
    "ReturnOpened": ("ParcelShipped", "OrderReceived"),
    "ReturnReceived": ("ReturnOpened",),
    "ReturnClosed": ("ReturnOpened",),
    "CorrectionDue": ("LineRefunded", "LineCancelled", "LineRefused", "ReturnReceived"),
    "CorrectionDone": ("CorrectionDue",),
    "BuyerShown": ("DeliveryAddressSealed",),
    "BuyerErased": ("DeliveryAddressSealed",),
    "ParcelShipped": ("SalesOrderPosted",),
    "ConfirmationIntended": ("ParcelShipped",),
    "ConfirmationUnknown": ("ConfirmationIntended",),
    "ConfirmationRefused": ("ConfirmationIntended",),
    "ConfirmationGivenUp": ("ConfirmationRefused",),
    "ParcelConfirmed": ("ConfirmationIntended",),
    "TrackingChanged": ("ParcelConfirmed",),
    "TrackingIntended": ("TrackingChanged",),
    "TrackingRefused": ("TrackingIntended",),
    "TrackingSent": ("TrackingIntended",),
    "SettlementLineSeen": ("SalesOrderPosted", "OrderReceived"),
    "SettlementLineTied": ("SettlementLineSeen",),
    "SalesOrderStaged": ("SalesOrderPosted",),
    "DispatchAtRisk": ("ParcelShipped", "SalesOrderPosted", "OrderReceived"),
    "DispatchLate": ("DispatchAtRisk", "ParcelShipped", "SalesOrderPosted", "OrderReceived"),
    "DeadlineEased": ("DispatchLate", "DispatchAtRisk"),
    "ExceptionCleared": ("ExceptionRaised",),
}
"""What an outcome answers, where the log does not say it: the newest before it of the first of
these kinds that there is.
"""


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the life, and how deep it stands."""

    recorded: Recorded
    depth: int
    said: str
    """What of its payload a person wants to see."""


def tree_of(events: Sequence[Recorded]) -> list[Node]:
    """The events as a tree, drawn from the top; children in the order of the log."""
    ordered = sorted({each.position: each for each in events}.values(), key=_position)
    there = {each.position: each for each in ordered}
    first_of_work: dict[str, int] = {}
    newest: dict[tuple[str, str], int] = {}
    children: dict[int | None, list[Recorded]] = {}
    for each in ordered:
        parent = _parent(each, there, first_of_work, newest)
        children.setdefault(parent, []).append(each)
        first_of_work.setdefault(each.correlation_id, each.position)
        newest[each.type, ""] = each.position
        newest[each.type, each.stream] = each.position
    return list(_drawn(children))


def _position(recorded: Recorded) -> int:
    return recorded.position


def _parent(
    each: Recorded,
    there: Mapping[int, Recorded],
    first_of_work: Mapping[str, int],
    newest: Mapping[tuple[str, str], int],
) -> int | None:
    if each.causation in there and each.causation is not None:
        return each.causation
    answers = ANSWERS.get(each.type, ())
    for kind in answers:
        for stream in (each.stream, ""):
            if (kind, stream) in newest:
                return newest[kind, stream]
    return first_of_work.get(each.correlation_id)


def _drawn(children: Mapping[int | None, Sequence[Recorded]]) -> list[Node]:
    nodes: list[Node] = []
    waiting = [(each, 0) for each in reversed(children.get(None, ()))]
    while waiting:
        recorded, depth = waiting.pop()
        nodes.append(Node(recorded=recorded, depth=depth, said=_said(recorded)))
        below = children.get(recorded.position, ())
        waiting.extend((each, depth + 1) for each in reversed(below))
    return nodes


def _said(recorded: Recorded) -> str:
    event = recorded.event
    match event:
        case orders.OrderReceived():
            skus = ", ".join(f"{line.quantity} of {line.sku}" for line in event.lines)
            return f"{event.state}, {event.total_price}: {skus}"
        case orders.OrderChanged():
            return event.state
        case orders.AcceptanceIntended():
            return f"{len(event.lines)} lines accepted, {len(event.refused)} refused" + (
                f", by policy {event.policy_version}" if event.policy_version else ""
            )
        case acceptance.AcceptanceDecided():
            said = f"{len(event.accepted)} lines to accept, {len(event.refused)} to refuse"
            return f"{said}: {event.reason}" if event.reason else said
        case orders.PostingIntended():
            return f"attempt {event.attempt}, {event.reference}, {event.gross_total}"
        case posting.TotalsCompared():
            return f"ours {event.ours}, the ERP's {event.erp}"
        case dispatch.ParcelShipped():
            return f"{event.courier_name} {event.tracking_number}".strip()
        case _:
            told = [getattr(event, name, None) for name in SAID_FIELDS]
            known = (each for each in told if isinstance(each, str | Money))
            return ", ".join(filter(None, map(str, known)))


SAID_FIELDS = (
    "erp_order_code",
    "kind",
    "amount",
    "courier_name",
    "because",
    "message",
    "reason",
    "cycle_id",
)
"""Of an event without a sentence of its own; none of them holds personal data."""
