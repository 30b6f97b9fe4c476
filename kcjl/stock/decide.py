"""Stock, the rules: which figures are to be published, and what is news.

Promises: pure; offers of one stock code share one figure, and together they never show more; a
figure whose orders were read before its level is refused, not sent; one of a stock code whose
level nobody has read yet waits for it. The sum itself is `available.py`'s.
Called by `publishing.py`, `reading.py` and `gate.py`. Source: design 6; contract khaos e.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import accumulate

import msgspec

from kcjl.stock.available import Available, TermName, dealt_out
from kcjl.stock.conditions import Conditions, worked_out
from kcjl.stock.events import (
    BufferSet,
    Figure,
    HeldBack,
    LevelRead,
    LevelsWatched,
    SkuConfirmed,
    SkuUnmatched,
    StockWatchLapsed,
    StockWatchResumed,
)
from kcjl.stock.policy_book import PolicyBook, buffer_policy
from kcjl.stock.reads import Reads
from kcjl.stock.shown import Shown
from kcjl.stock.state import Match, Product
from kcjl.vocabulary import Event

__all__ = [
    "PUBLISH_LINES_MAX",
    "Look",
    "cut",
    "decide_buffer",
    "decide_confirmation",
    "decide_figures",
    "decide_level",
    "decide_watch",
    "decide_zeros",
    "differs",
    "is_read",
    "may_publish",
    "wants_look",
]

PUBLISH_LINES_MAX = 10_000
"""Lines of one stock import: our own cap, the marketplace states none (contract g)."""
FIGURES_BYTES_MAX = 900_000
"""Of the figures of one import, as they stand in its event: the log takes 1 MiB (some 3,500
usual figures); so a catalogue that moves as a whole goes in several imports.
"""


def may_publish(reads: Reads | None) -> bool:
    """Read stock, then read orders, then publish: never the other way round."""
    return (
        reads is not None
        and reads.stock_finished_at is not None
        and reads.orders_began_at is not None
        and reads.orders_began_at >= reads.stock_finished_at
    )


def differs(group: Sequence[Product], conditions: Conditions) -> bool:
    """Whether the marketplace shows other figures for a stock code than there ought to be.

    `group`: all its products. `decide_figures` of such groups is that of all of them.
    """
    shown = _offers(group)
    if not shown:
        return False
    if any(each.quantity is None and not each.is_parked for each in shown):
        return True
    dealt = _dealt(shown, worked_out(group, conditions))
    return any(each.quantity != quantity for each, quantity in dealt)


def _offers(group: Sequence[Product]) -> list[Shown]:
    """The offers of a stock code; of a SKU that nobody was asked about, none."""
    return [
        shown for product in group if product.match != Match.UNASKED for shown in product.shown
    ]


def _dealt(
    offers: Sequence[Shown], available: Available, now: datetime | None = None
) -> list[tuple[Shown, int]]:
    """What each offer is to show that takes a figure now; together what there is, no more."""
    waiting = [each for each in offers if each.waits(now)]
    there = [each for each in offers if not each.waits(now)]
    # What an offer shows that takes no figure now is on sale all the same.
    stuck = sum(each.before or 0 for each in waiting if not each.gone)
    left = max(0, available.quantity - stuck)
    shares = dealt_out(left, len(there), multiple=available.multiple) if there else ()
    return list(zip(there, shares, strict=True))


def decide_figures(
    groups: Iterable[Sequence[Product]],
    conditions: Conditions,
    reads: Reads | None,
    *,
    now: datetime | None = None,
) -> tuple[Figure, ...]:
    """The figures that differ from what is shown; none after reads in the wrong order.

    `groups`: products by stock code. What is parked, or waits until its refusal is old enough
    at `now`, is left out. Those of one stock code follow one another.
    """
    if reads is None or not may_publish(reads) or reads.orders_began_at is None:
        return ()
    return tuple(
        figure
        for group in groups
        if is_read(group, reads)
        for figure in _figures(group, conditions, reads, now)
    )


def decide_zeros(
    groups: Iterable[Sequence[Product]],
    conditions: Conditions,
    reads: Reads | None,
    *,
    now: datetime | None = None,
) -> tuple[Figure, ...]:
    """Of the figures that differ those that are 0, however old the orders are.

    An order that nobody has read can only take units away: what is 0 without it is 0. A figure
    that falls and is more than 0 waits for the orders all the same: the marketplace has taken
    off by itself what was ordered since, and ours would put it back.
    """
    if reads is None:
        return ()
    return tuple(
        figure
        for group in groups
        if has_level(group, reads)
        for figure in _figures(group, conditions, reads, now)
        if figure.quantity == 0
    )


def is_read(group: Sequence[Product], reads: Reads) -> bool:
    """Its levels were read, and its orders after them; or a read has ended without any."""
    orders_at = reads.orders_began_at
    if orders_at is None:
        return False
    if any(each.level_read_by is not None and orders_at < each.level_read_by for each in group):
        return False
    return has_level(group, reads)


def has_level(group: Sequence[Product], reads: Reads) -> bool:
    """Its levels were read; or a read has ended without any."""
    stock_at = reads.stock_finished_at
    if stock_at is None:
        return False
    confirmed = [each for each in group if each.match == Match.CONFIRMED]
    if not confirmed or any(each.levels is not None for each in confirmed):
        return True
    return all(each.confirmed_at is None or each.confirmed_at <= stock_at for each in confirmed)


def _figures(
    group: Sequence[Product], conditions: Conditions, reads: Reads, now: datetime | None
) -> list[Figure]:
    """One figure for each offer of a stock code that shows another."""
    available = worked_out(group, conditions)
    held = _held(available)
    only_zero = bool(reads.unread) and reads.may_hold(each.key for each in group)
    known = [each for each in group if each.level_read_at is not None]
    level_read_at = max((e.level_read_at for e in known if e.level_read_at), default=None)
    figures = []
    for shown, quantity in _dealt(_offers(group), available, now):
        if shown.quantity == quantity or reads.orders_began_at is None:
            continue
        if only_zero and quantity:
            continue  # units of an order that nobody can read may have to come off
        figures.append(
            Figure(
                sku=shown.sku,
                quantity=quantity,
                level=available.level,
                in_flight=-available.of(TermName.IN_FLIGHT),
                buffer=available.held,
                level_read_at=level_read_at,
                orders_read_at=reads.orders_began_at,
                reason=available.reason,
                before=shown.before,
                first=shown.acknowledged is None,
                stale=held.stale > 0 or _is_made_good(shown, quantity, reads),
                code=next((each.stock_code for each in group if each.stock_code), ""),
                held=held,
            )
        )
    return figures


def _is_made_good(shown: Shown, quantity: int, reads: Reads) -> bool:
    """Up again after the feed was stale; or down by trade that nobody saw in a long stop."""
    before = shown.before or 0
    if quantity >= before:
        return shown.withheld
    acknowledged_at, resumed_at = shown.acknowledged_at, reads.resumed_at
    return (
        acknowledged_at is not None and resumed_at is not None and acknowledged_at < resumed_at
    )


def _held(available: Available) -> HeldBack:
    by_gate = available.of(TermName.GATE) if available.is_stale else 0
    return HeldBack(
        fixed=-available.of(TermName.BUFFER),
        percent=-available.of(TermName.PERCENT),
        speed=-available.of(TermName.SPEED),
        stale=-available.of(TermName.STALE) - by_gate,
    )


def cut(
    figures: Sequence[Figure], lines_max: int, *, bytes_max: int = FIGURES_BYTES_MAX
) -> Sequence[Figure]:
    """The first so many lines, and no stock code with a part of its offers only: the share of
    one that goes up was taken from another. What is left differs still, and goes next.
    """
    sizes = accumulate(len(msgspec.json.encode(each)) + 1 for each in figures[:lines_max])
    end = sum(1 for size in sizes if size <= bytes_max)
    first = end
    while 0 < first < len(figures) and figures[first].code == figures[first - 1].code != "":
        first -= 1
    return figures[: first or end]


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


def decide_level(product: Product, read: LevelRead) -> tuple[LevelRead, ...]:
    """A level is news when it differs, or when it lets units leave in-flight."""
    if product.level_read_at is not None and product.level_read_at > read.occurred_at:
        return ()
    lets_go = any(
        each.taken_by is not None and each.taken_by < read.occurred_at
        for each in product.in_flight
    )
    same = product.levels == read.levels and product.status == read.status
    return () if same and not lets_go else (read,)


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What a look of the watch has brought."""

    codes: int
    """Stock codes that have moved since the last one."""
    changed: int | None
    """Levels that were news; None: none was read, there are too many."""


def decide_watch(
    reads: Reads, look: Look, codes_max: int, *, began: datetime, now: datetime
) -> tuple[Event, ...]:
    """What a look has to say: levels that have changed; the watch that lapses, or resumes."""
    if look.changed is None:
        lapsed = StockWatchLapsed(codes=look.codes, codes_max=codes_max, occurred_at=began)
        return () if reads.watch_lapsed else (lapsed,)
    said: list[Event] = []
    if reads.watch_lapsed:
        said.append(StockWatchResumed(occurred_at=began))
    if look.changed:
        said.append(
            LevelsWatched(
                codes=look.codes, changed=look.changed, finished_at=now, occurred_at=began
            )
        )
    return tuple(said)


def wants_look(product: Product) -> bool:
    """The ERP is to be asked about it at the next look, whether it has moved or not."""
    return bool(
        product.match != Match.CONFIRMED
        or product.levels is None
        or product.in_flight
        or product.is_contradicted
    )


def decide_buffer(book: PolicyBook | None, *, units: int, now: datetime) -> tuple[Event, ...]:
    """Set the buffer; says nothing when it is already so, and nothing else is."""
    known = book or PolicyBook()
    current = known.in_force(now)
    if current is not None and current.document == buffer_policy(units):
        return ()
    return (BufferSet(units=units, version=known.version + 1, occurred_at=now),)
