"""The whole vocabulary: every event of every room, by name."""

from kcjl.dispatch import events as dispatch
from kcjl.exceptions import events as exceptions
from kcjl.orders import events as orders
from kcjl.settlement import events as settlement
from kcjl.stock import events as stock
from kcjl.vocabulary import Event, Vocabulary

__all__ = ["EVENT_CLASSES", "vocabulary"]

EVENT_CLASSES: tuple[type[Event], ...] = tuple(
    member
    for room in (stock, orders, dispatch, settlement, exceptions)
    for name in room.__all__
    if isinstance(member := getattr(room, name), type) and issubclass(member, Event)
)


def vocabulary() -> Vocabulary:
    return Vocabulary(EVENT_CLASSES)
