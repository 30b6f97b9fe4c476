"""How well the shop serves, counted from what happened in the world (A21).

Promises: each metric is counted as the contract's b.1 says, over the orders that were created
in a period; rates are from 0 to 1 (contract g), delays whole seconds; a metric that has nothing
to be counted from is null. It keeps nothing and changes nothing. Called by the HTTP face.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeAlias

from kcjl.money import Money
from kcjl.sandbox.marketplace.book import AUTO_REFUSED, Book
from kcjl.sandbox.marketplace.records import Order, OrderLine

__all__ = ["METRICS", "PERIODS", "metric"]

PERIODS: Mapping[str, timedelta | None] = {
    "ALL_SINCE_BEGINNING": None,
    "LAST_MONTH": timedelta(days=30),
    "LAST_THREE_MONTHS": timedelta(days=91),
    "LAST_SIX_MONTHS": timedelta(days=182),
    "LAST_YEAR": timedelta(days=365),
}
FOUR_PLACES = Decimal("0.0001")

Figure: TypeAlias = int | Decimal | None
Metric: TypeAlias = Callable[[Sequence[Order]], Figure]


def metric(book: Book, name: str, period: str) -> Figure:
    """One metric over the orders of a period that ends now."""
    span = PERIODS[period]
    since = None if span is None else book.agenda.now - span
    orders = [
        book.orders[order_id]
        for order_id in book.created_between(since, None)
        if book.orders[order_id].state != "STAGING"
    ]
    return METRICS[name](orders)


def _approval_delay(orders: Sequence[Order]) -> Figure:
    return _mean([_passed_s(order.created_at, order.decided_at) for order in orders])


def _approval_rate(orders: Sequence[Order]) -> Figure:
    accepted, refused = _accepted(orders), _refused(orders)
    return _rate(len(accepted), len(accepted) + len(refused))


def _auto_refused_rate(orders: Sequence[Order]) -> Figure:
    automatic = [
        line
        for line in _refused(orders)
        if line.reason is not None and line.reason.code == AUTO_REFUSED.code
    ]
    return _rate(len(automatic), sum(len(order.lines) for order in orders))


def _share_of_accepted(has: Callable[[OrderLine], bool]) -> Metric:
    def share(orders: Sequence[Order]) -> Figure:
        accepted = _accepted(orders)
        return _rate(sum(has(line) for line in accepted), len(accepted))

    return share


def _return_rate(orders: Sequence[Order]) -> Figure:
    returnable = [line for line in _accepted(orders) if line.shipped]
    return _rate(sum(line.returned > 0 for line in returnable), len(returnable))


def _late_shipment_rate(orders: Sequence[Order]) -> Figure:
    shipped = [order for order in orders if order.shipped_at is not None]
    late = [order for order in shipped if _is_late(order)]
    return _rate(len(late), len(shipped))


def _is_late(order: Order) -> bool:
    return order.shipped_at is not None and order.shipped_at > order.shipping_deadline


def _shipping_delay(orders: Sequence[Order]) -> Figure:
    return _mean([_passed_s(order.shipping_since, order.shipped_at) for order in orders])


def _consecutive_refused(orders: Sequence[Order]) -> Figure:
    """How many of the latest decided orders were refused, one after another."""
    count = 0
    for order in reversed(orders):
        if order.state == "WAITING_ACCEPTANCE":
            continue
        if order.state != "REFUSED":
            break
        count += 1
    return count


def _orders_count(orders: Sequence[Order]) -> Figure:
    return len(orders)


def _total_revenue(orders: Sequence[Order]) -> Figure:
    return _goods(orders, with_shipping=True)


def _average_cart(*, with_shipping: bool) -> Metric:
    def average(orders: Sequence[Order]) -> Figure:
        sold = [order for order in orders if _accepted([order])]
        if not sold:
            return None
        whole = _goods(sold, with_shipping=with_shipping)
        return (whole / len(sold)).quantize(Decimal("0.01"), ROUND_HALF_UP)

    return average


METRICS: Mapping[str, Metric] = {
    "approval_delay": _approval_delay,
    "approval_rate": _approval_rate,
    "auto_refused_rate": _auto_refused_rate,
    "average_cart": _average_cart(with_shipping=False),
    "average_cart_with_shipping": _average_cart(with_shipping=True),
    "cancelation_rate": _share_of_accepted(lambda line: bool(line.cancelations)),
    "consecutive_refused_orders_count": _consecutive_refused,
    "incident_rate": _share_of_accepted(lambda line: line.incidents > 0),
    "late_shipment_rate": _late_shipment_rate,
    "orders_count": _orders_count,
    "refund_rate": _share_of_accepted(lambda line: bool(line.refunds)),
    "return_rate": _return_rate,
    "shipping_delay": _shipping_delay,
    "total_revenue": _total_revenue,
}


# ── counting ────────────────────────────────────────────────────────────────────────────────


def _accepted(orders: Sequence[Order]) -> list[OrderLine]:
    """Lines that were taken on, whatever became of them."""
    return [
        line
        for order in orders
        for line in order.lines
        if order.state != "WAITING_ACCEPTANCE" and line.state != "REFUSED" and _taken(order)
    ]


def _taken(order: Order) -> bool:
    """Not cancelled before it was decided."""
    early = order.decided_at is None and order.shipping_since is None
    return order.state != "CANCELED" or not early


def _refused(orders: Sequence[Order]) -> list[OrderLine]:
    return [line for order in orders for line in order.lines if line.state == "REFUSED"]


def _goods(orders: Sequence[Order], *, with_shipping: bool) -> Decimal:
    amounts = [
        line.price + line.shipping_price if with_shipping else line.price
        for line in _accepted(orders)
    ]
    minor = sum(amount.amount_minor for amount in amounts)
    return Money(minor, amounts[0].currency if amounts else "GBP").decimal()


def _passed_s(since: datetime | None, until: datetime | None) -> int | None:
    return None if since is None or until is None else int((until - since).total_seconds())


def _mean(delays_s: Sequence[int | None]) -> Figure:
    known = [delay_s for delay_s in delays_s if delay_s is not None]
    return round(sum(known) / len(known)) if known else None


def _rate(part: int, whole: int) -> Figure:
    if not whole:
        return None
    return (Decimal(part) / whole).quantize(FOUR_PLACES, ROUND_HALF_UP)
