"""Stock, the rules: what may be offered, and what is to be published.

Promises: pure; published <= max(0, floor(level) - in flight - buffer) (law 4), summed over all
offers of one product; a figure whose orders were read before its level is refused, not sent.
Called by `actor.py` and `projection.py`. Source: design 6; contract khaos e.
"""

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from kcjl.stock.events import BufferSet, Figure, LevelRead, SkuConfirmed, SkuUnmatched
from kcjl.stock.shown import Shown
from kcjl.stock.state import STATUS_DISCONTINUED, Match, Policy, Product, Reads
from kcjl.vocabulary import Event

__all__ = [
    "PUBLISH_LINES_MAX",
    "Available",
    "available_to_sell",
    "decide_buffer",
    "decide_confirmation",
    "decide_figures",
    "decide_level",
    "differs",
    "may_publish",
    "wants_look",
    "wants_sweep",
]

PUBLISH_LINES_MAX = 10_000
"""Lines of one stock import: our own cap, the marketplace states none (contract g)."""

STATUS_NON_CONTROLLED = 5


class Available(msgspec.Struct, frozen=True, kw_only=True):
    """Available to sell, and the terms of the sum."""

    quantity: int
    level: Decimal
    in_flight: int
    buffer: int
    reason: str = ""


def available_to_sell(product: Product, policy: Policy) -> Available:
    """floor(max(0, level - in flight - buffer)), then multiple and cap; 0 if not for sale."""
    level, in_flight = product.level, product.units_in_flight
    reason = _not_for_sale(product)
    quantity = 0
    if not reason:
        quantity = max(0, math.floor(level) - in_flight - policy.buffer_units)
        if product.sales_multiple and product.sales_multiple > 1:
            quantity -= quantity % product.sales_multiple
        if product.display_cap and product.display_cap > 0:
            quantity = min(quantity, product.display_cap)
    return Available(
        quantity=quantity,
        level=level,
        in_flight=in_flight,
        buffer=policy.buffer_units,
        reason=reason,
    )


def _not_for_sale(product: Product) -> str:
    if product.match == Match.UNMATCHED:
        return "the ERP does not know this SKU"
    if product.discontinued or product.status == STATUS_DISCONTINUED:
        return "discontinued in the ERP"
    if not product.stock_controlled or product.status == STATUS_NON_CONTROLLED:
        return "not stock-controlled in the ERP: no quantity is known"
    if product.levels is None:
        return "the ERP has given no level for it"
    return ""


def may_publish(reads: Reads | None) -> bool:
    """Read stock, then read orders, then publish: never the other way round."""
    return (
        reads is not None
        and reads.stock_finished_at is not None
        and reads.orders_began_at is not None
        and reads.orders_began_at >= reads.stock_finished_at
    )


def wants_sweep(reads: Reads | None, *, every: timedelta, now: datetime) -> bool:
    """Everything is to be read, not only what was edited or moved.

    An ERP set back to a backup has changed everything, and says so of nothing: at once when a
    sales order is found to have vanished, and in any case now and then.
    """
    if reads is None or reads.swept_at is None or now - reads.swept_at >= every:
        return True
    return reads.vanished_at is not None and reads.swept_at <= reads.vanished_at


def differs(product: Product, policy: Policy) -> bool:
    """Whether the marketplace shows another figure for it than there ought to be.

    `decide_figures` of such products is that of all of them, at whatever time.
    """
    if product.match == Match.UNASKED or not product.shown:
        return False
    if any(each.quantity is None and not each.is_parked for each in product.shown):
        return True
    available = available_to_sell(product, policy)
    return any(each.quantity != quantity for each, quantity in _dealt(product, available))


def _dealt(
    product: Product, available: Available, now: datetime | None = None
) -> list[tuple[Shown, int]]:
    """What each offer is to show that takes a figure now; together what there is, no more."""
    waiting = [each for each in product.shown if each.waits(now)]
    there = [each for each in product.shown if not each.waits(now)]
    # What an offer shows that takes no figure now is on sale all the same.
    stuck = sum(each.before or 0 for each in waiting if not each.gone)
    share, rest = divmod(max(0, available.quantity - stuck), len(there) or 1)
    return [(each, share + (rest if not n else 0)) for n, each in enumerate(there)]


def decide_figures(
    products: Iterable[Product],
    policy: Policy,
    reads: Reads | None,
    *,
    lines_max: int | None = PUBLISH_LINES_MAX,
    now: datetime | None = None,
) -> tuple[Figure, ...]:
    """The figures that differ from what is shown; none after reads in the wrong order.

    Without `lines_max` all of them, as the guards want them. What is parked, or waits until
    its refusal is old enough at `now`, is left out.
    """
    if reads is None or not may_publish(reads) or reads.orders_began_at is None:
        return ()
    figures: list[Figure] = []
    for product in products:
        if product.match == Match.UNASKED or not product.shown:
            continue
        if product.level_read_by is not None and reads.orders_began_at < product.level_read_by:
            continue
        figures.extend(_product_figures(product, policy, reads.orders_began_at, now))
        if lines_max is not None and len(figures) >= lines_max:
            break
    return tuple(figures[:lines_max])


def _product_figures(
    product: Product, policy: Policy, orders_read_at: datetime, now: datetime | None
) -> list[Figure]:
    """One figure for each offer that shows another."""
    available = available_to_sell(product, policy)
    figures = []
    for shown, quantity in _dealt(product, available, now):
        if shown.quantity == quantity:
            continue
        figures.append(
            Figure(
                sku=shown.sku,
                quantity=quantity,
                level=available.level,
                in_flight=available.in_flight,
                buffer=available.buffer,
                level_read_at=product.level_read_at,
                orders_read_at=orders_read_at,
                reason=available.reason,
                before=shown.before,
                first=shown.acknowledged is None,
                stale=shown.withheld,
            )
        )
    return figures


def decide_confirmation(
    product: Product, answer: SkuConfirmed | SkuUnmatched
) -> tuple[Event, ...]:
    """What the ERP says about a SKU, when it is news."""
    if isinstance(answer, SkuUnmatched):
        known = product.match == Match.UNMATCHED and product.nearest == answer.nearest
        return () if known else (answer,)
    same = (
        product.match == Match.CONFIRMED
        and product.stock_code == answer.stock_code
        and product.discontinued == answer.discontinued
        and product.run_to_zero == answer.run_to_zero
        and product.stock_controlled == answer.stock_controlled
        and product.sales_multiple == answer.sales_multiple
        and product.display_cap == answer.display_cap
    )
    return () if same else (answer,)


def decide_level(product: Product, read: LevelRead) -> tuple[Event, ...]:
    """A level is news when it differs, or when it lets units leave in-flight."""
    if product.level_read_at is not None and product.level_read_at > read.occurred_at:
        return ()
    lets_go = any(
        each.taken_by is not None and each.taken_by < read.occurred_at
        for each in product.in_flight
    )
    same = product.levels == read.levels and product.status == read.status
    return () if same and not lets_go else (read,)


def wants_look(product: Product) -> bool:
    """The ERP is to be asked about it at the next look, whether it has moved or not."""
    return bool(
        product.match != Match.CONFIRMED
        or product.levels is None
        or product.in_flight
        or product.is_contradicted
    )


def decide_buffer(policy: Policy | None, *, units: int, now: datetime) -> tuple[Event, ...]:
    """Set the buffer; raises nothing and says nothing when it is already so."""
    if policy is not None and policy.buffer_units == units:
        return ()
    version = 1 if policy is None else policy.version + 1
    return (BufferSet(units=units, version=version, occurred_at=now),)
