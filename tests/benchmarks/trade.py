"""The trade that is measured: orders of three lines, some 400 bytes of JSON each.

An appender works through orders of eight events each, one order a stream, and says at which
revision it expects the stream: as the rooms do, and as the peer's aggregates do.
"""

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeAlias

import msgspec

from kcjl.log.port import Draft
from kcjl.vocabulary import Event, Vocabulary

__all__ = [
    "EVENTS_A_STREAM",
    "VOCABULARY",
    "LineTaken",
    "OrderTaken",
    "Ready",
    "appends",
    "draft",
    "order",
    "set_aside",
]

Ready: TypeAlias = tuple[Sequence[Draft], Mapping[str, int]]
"""What is given to `append`."""

EVENTS_A_STREAM = 8
NOON = datetime(2026, 10, 1, 12, 0, 0, 123456, tzinfo=UTC)


class LineTaken(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One line of an order, as untracked by the collector as those of the rooms are."""

    line_id: str
    sku: str
    quantity: int
    price: int


class OrderTaken(Event, frozen=True, kw_only=True, gc=False):
    """An order as the log would hold one."""

    order_id: str
    customer_order_number: str
    state: str
    currency: str
    total: int
    lines: tuple[LineTaken, ...]

    @property
    def stream(self) -> str:
        return f"order-{self.order_id}"


VOCABULARY = Vocabulary([OrderTaken])


def order(appender: int, number: int) -> OrderTaken:
    """The event number `number` (0, 1, 2, …) of this appender."""
    order_id = f"70{appender:04d}{number // EVENTS_A_STREAM:06d}-A"
    return OrderTaken(
        occurred_at=NOON,
        order_id=order_id,
        customer_order_number=f"JL-{order_id}",
        state="WAITING_ACCEPTANCE",
        currency="GBP",
        total=12_997 + number,
        lines=tuple(
            LineTaken(
                line_id=f"{order_id}-{line}",
                sku=f"SKU-{(number * 7 + line) % 9_973:05d}",
                quantity=1 + line,
                price=1_999 + 500 * line,
            )
            for line in range(1, 4)
        ),
    )


def draft(appender: int, number: int) -> Draft:
    event = order(appender, number)
    return Draft(event=event, by="orders", correlation_id=event.order_id)


def appends(appender: int, *, batch: int, count: int) -> list[Ready]:
    """So many appends of this appender, `batch` events each, ready to be sent."""
    ready: list[Ready] = []
    for first in range(0, count * batch, batch):
        numbers = range(first, first + batch)
        drafts = [draft(appender, number) for number in numbers]
        expected = {
            each.event.stream: number % EVENTS_A_STREAM
            for number, each in reversed([*zip(numbers, drafts, strict=True)])
        }
        ready.append((drafts, expected))
    return ready


@contextmanager
def set_aside() -> Iterator[None]:
    """What was made ready for a sample is not gone over by the collector during it."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
