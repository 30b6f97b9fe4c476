"""What the events of reversals say about conditions: refused, waits, unclear, differs.

Promises: pure; the subject is the order, of which one reversal at a time is open; what is
ordered anew or withdrawn clears it. Called by `decide.py`. Source: design 7, 10.
"""

from kcjl.exceptions.conditions import Clear, Condition, Raise
from kcjl.orders import reversal_events as reversals
from kcjl.vocabulary import Event

__all__ = ["KINDS_OF_REVERSALS", "conditions"]

KINDS_OF_REVERSALS = (
    "reversal_refused",
    "reversal_waits",
    "reversal_unclear",
    "reversal_differs",
)


def conditions(event: Event) -> tuple[Condition, ...]:
    """Of giving money back."""
    match event:
        case reversals.ReversalRefused():
            return (_waits_no_more(event), _raise("reversal_refused", event, event.message))
        case reversals.ReversalHeldBack():
            return (_raise("reversal_waits", event, event.message),)
        case reversals.ReversalUnclear():
            return (_waits_no_more(event), _raise("reversal_unclear", event, event.message))
        case reversals.ReversalTaken() if not event.as_asked:
            taken = f"taken as {event.amount} and {event.shipping_amount} of shipping"
            return (
                Raise(
                    kind="reversal_differs",
                    subject=event.order_id,
                    message=f"{_named(event)}: {taken}, which is not as it was ordered",
                    money=event.amount + event.shipping_amount,
                ),
            )
        case reversals.ReversalTaken():
            return (_waits_no_more(event),)
        case reversals.ReversalOrdered():
            return (_clear(event.order_id, "it is ordered anew"),)
        case reversals.ReversalWithdrawn():
            return (_clear(event.order_id, "a person has ended it"),)
        case _:
            return ()


def _raise(
    kind: str,
    event: reversals.ReversalRefused | reversals.ReversalHeldBack | reversals.ReversalUnclear,
    message: str,
) -> Raise:
    return Raise(
        kind=kind,
        subject=event.order_id,
        message=f"{_named(event)}: {message}",
        money=event.money,
    )


def _waits_no_more(event: reversals.ReversalLineEvent) -> Clear:
    return Clear(subject=event.order_id, kinds=("reversal_waits",), reason="it is settled")


def _named(event: reversals.ReversalLineEvent) -> str:
    line = f", line {event.line_id}" if event.line_id else ""
    return f"reversal {event.reversal_id}{line}"


def _clear(order_id: str, reason: str) -> Clear:
    return Clear(subject=order_id, kinds=KINDS_OF_REVERSALS, reason=reason)
