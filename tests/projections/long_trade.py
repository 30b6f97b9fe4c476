"""A trade of any length: orders that come, are posted, shipped and paid, and stock beside them.

The same number of orders gives the same events. About thirteen events an order; orders overlap,
as they do in life: each is touched again long after others have begun.
"""

from collections import deque
from collections.abc import Iterator

from kcjl.alerts.events import AlertIntended, AlertSent
from kcjl.exceptions.desk_events import StormBegan, StormEnded
from kcjl.exceptions.events import WritesSwitched
from kcjl.orders.events import AcceptanceConfirmed, AcceptanceIntended
from kcjl.settlement.intake_events import InvoiceSeen
from kcjl.vocabulary import Event
from tests.audit.handmade import cleared, raised
from tests.trade import (
    SHIPPING,
    at,
    changed,
    confirmed,
    cycle_seen,
    gbp,
    intended,
    level,
    listed,
    money_line,
    ordered,
    orders_read,
    posted,
    received,
    sealed,
    shipped,
    stock_read,
    transactions_read,
)

__all__ = ["long_trade"]

OVERLAP = 40
"""Orders that are under way at once."""
ORDERS_A_CYCLE = 50
PRODUCTS = 20


def long_trade(orders: int) -> Iterator[Event]:
    """The events of so many orders, in the order in which they are recorded."""
    for product in range(PRODUCTS):
        yield listed(f"A-{product}")
        yield confirmed(f"A-{product}")
        yield level(1_000, f"A-{product}")
    yield stock_read(1)
    under_way: deque[Iterator[Event]] = deque()
    for number in range(orders):
        under_way.append(_order(number))
        yield next(under_way[-1])
        for _ in range(len(under_way) // OVERLAP * 11):
            yield from _step(under_way)
        if number % ORDERS_A_CYCLE == 0:
            yield orders_read(number)
            yield stock_read(number)
            yield transactions_read(number)
            yield cycle_seen(cycle=f"CY{number // ORDERS_A_CYCLE}", minutes=number)
            yield _invoice(number // ORDERS_A_CYCLE, number)
            on = number % (2 * ORDERS_A_CYCLE) == 0
            yield WritesSwitched(allowed=on, reason="a trial", occurred_at=at(number))
            yield _storm(number, begins=on)
            yield from _alert(number, certain=on)
    while under_way:
        yield from _step(under_way)


def _storm(minutes: int, *, begins: bool) -> Event:
    """Of parcels without a number; it comes and goes."""
    kind = "tracking_missing"
    if not begins:
        return StormEnded(kind=kind, exceptions=3, occurred_at=at(minutes))
    return StormBegan(
        kind=kind, exceptions=9, raised=9, window_minutes=15, occurred_at=at(minutes)
    )


def _alert(minutes: int, *, certain: bool) -> Iterator[Event]:
    """A message of a day, and what came of it."""
    yield AlertIntended(
        channel="email",
        owner="operations",
        alert_id=f"alert-{minutes}",
        purpose="alert",
        written_at=at(minutes),
        named=(),
        occurred_at=at(minutes),
    )
    yield AlertSent(
        channel="email",
        owner="operations",
        alert_id=f"alert-{minutes}",
        purpose="alert",
        certain=certain,
        occurred_at=at(minutes),
    )


def _invoice(cycle: int, minutes: int) -> Event:
    return InvoiceSeen(
        invoice_id=cycle,
        kind="AUTO_INVOICE",
        state="COMPLETE",
        document_id=None,
        cycle_id=f"CY{cycle}",
        voucher=None,
        total_excluding_tax=gbp(1_000),
        total_including_tax=gbp(1_200),
        amount_transferred=gbp(2_000),
        occurred_at=at(minutes),
    )


def _step(under_way: deque[Iterator[Event]]) -> Iterator[Event]:
    """The next event of the order whose turn it is; it goes to the back, or ends."""
    order = under_way.popleft()
    event = next(order, None)
    if event is not None:
        yield event
        under_way.append(order)


def _order(number: int) -> Iterator[Event]:
    order_id = f"O{number:07d}"
    sku = f"A-{number % PRODUCTS}"
    order = received(order_id, ordered(f"{order_id}-1", sku))
    yield order
    yield AcceptanceIntended(
        order_id=order_id,
        lines=tuple(line.line_id for line in order.lines),
        occurred_at=at(3),
    )
    yield AcceptanceConfirmed(order_id=order_id, occurred_at=at(4))
    yield changed(order, SHIPPING)
    yield sealed(order_id)
    yield intended(order)
    yield posted(order)
    yield level(1_000 - number % 7, sku, minutes=number)
    if number % 10 == 0:
        yield raised("tracking_missing", f"{order_id}/P")
    yield shipped(order_id, f"INV{number}/1", (sku.upper(), 2))
    if number % 20 == 10:
        yield cleared("tracking_missing", f"{order_id}/P")
    cycle = f"CY{number // ORDERS_A_CYCLE}"
    yield money_line(f"L{number}-1", 2_000, cycle=cycle, order_id=order_id)
    yield money_line(f"L{number}-2", -300, "COMMISSION_FEE", cycle=cycle, order_id=order_id)
