"""What the events of an order's acceptance say about conditions: held, and its time runs out.

Promises: pure; a condition is cleared by the event that ends it, or by a later one that shows
that it is over. Called by `decide.py`. Source: design 7, 10.
"""

from kcjl.exceptions.conditions import Clear, Condition, Raise, clear
from kcjl.orders import acceptance_events as acceptance
from kcjl.orders import events as orders
from kcjl.vocabulary import Event

__all__ = ["TIME_KINDS", "conditions"]

RAISE_PERCENT = 80
"""Of the time for accepting: below it is a warning (`kcjl/orders/acceptance.py`)."""
TIME_KINDS = ("acceptance_half_gone", "acceptance_nearly_over")


def conditions(event: Event) -> tuple[Condition, ...]:
    """Of acceptances; of postings `decide.py` has the table."""
    match event:
        case orders.OrderHeld():
            return (
                Raise(
                    kind="order_held",
                    subject=event.order_id,
                    message=event.message,
                    money=event.money,
                    deadline=event.accept_by or event.ship_by,
                ),
            )
        case orders.OrderReleased():
            return (clear(event.order_id, "order_held", "what held it is gone"),)
        case orders.AcceptanceRefused() if not event.retry:
            return (
                Raise(kind="acceptance_refused", subject=event.order_id, message=event.message),
            )
        case orders.AcceptanceConfirmed():
            kinds = ("acceptance_refused", *TIME_KINDS)
            return (Clear(subject=event.order_id, kinds=kinds, reason="answered"),)
        case acceptance.AcceptanceRetried():
            return (clear(event.order_id, "acceptance_refused", "it is sent again"),)
        case acceptance.AcceptanceTimePassed():
            return _time(event)
        case acceptance.PostingRetried():
            return (clear(event.order_id, "posting_refused", "it is sent again"),)
        case _:
            return ()


def _time(event: acceptance.AcceptanceTimePassed) -> tuple[Condition, ...]:
    half, nearly = TIME_KINDS
    late = event.percent >= RAISE_PERCENT
    raised = Raise(
        kind=nearly if late else half,
        subject=event.order_id,
        message=event.message,
        money=event.money,
        deadline=event.accept_by,
    )
    if not late:
        return (raised,)
    return (clear(event.order_id, half, "it is nearly over now"), raised)
