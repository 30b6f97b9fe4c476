"""The guards, the rules: figures that look mistaken wait for a person's word.

Promises: pure; held is what takes more than a set share of the offered SKUs to 0, or moves more
than a set share by more than a factor of two; a release lets through what was held then and no
more; a hold whose cause is gone ends by itself. Figures are measured against what the
marketplace has acknowledged; before the first import only what goes to 0 is. Our own caution
while the feed is stale, and what fell in a long stop, is no mistake of the ERP's.
Invariant: while a hold is not released nothing is published.
Called by `sending.py`; the counts by `publishing_state.py` too. Source: design 6.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from kcjl.errors import Misuse
from kcjl.stock.events import (
    Figure,
    GuardFinding,
    HeldFigure,
    PublishHeld,
    PublishHoldEnded,
    PublishReleased,
)
from kcjl.vocabulary import Event

__all__ = [
    "MOVED",
    "TO_ZERO",
    "GuardLimits",
    "Hold",
    "decide_guard",
    "decide_release",
    "findings",
    "is_moved",
    "is_to_zero",
]

TO_ZERO = "to_zero"
MOVED = "moved"
EXAMPLES_MAX = 10
MOVED_FACTOR = 2
MOVED_UNITS_MIN = 5


class GuardLimits(msgspec.Struct, frozen=True, kw_only=True):
    """From which share of the offered SKUs on figures are held."""

    to_zero_share: float
    moved_share: float
    skus_min: int
    """Fewer SKUs than this are no mass change, whatever share they are."""


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """What is held, or was let through and has not gone out yet: SKUs by guard."""

    hold_id: str
    to_zero: int
    moved: int
    released: bool = False


def is_to_zero(figure: Figure) -> bool:
    """It was offered, and would not be any more."""
    lowered_by_us = figure.held.stale > 0
    return not lowered_by_us and figure.quantity == 0 and (figure.before or 0) > 0


def is_moved(figure: Figure) -> bool:
    """By more than a factor of two, and not by a unit or two."""
    if figure.stale or figure.first or figure.before is None:
        return False
    low, high = sorted((figure.before, figure.quantity))
    return high - low >= MOVED_UNITS_MIN and high > MOVED_FACTOR * low


def _is_new(figure: Figure) -> bool:
    """It was not offered, and is now: one more that shares are of."""
    return figure.quantity > 0 and not figure.before


def findings(
    figures: Sequence[Figure],
    *,
    offered: Callable[[], int],
    limits: GuardLimits,
    released: Hold | None = None,
) -> tuple[GuardFinding, ...]:
    """What the guards object to in all the figures that differ; `released` is let through.

    `offered`: how many SKUs are; asked only where there are enough figures for a mass change.
    """
    return (
        *_found(
            TO_ZERO,
            [figure for figure in figures if is_to_zero(figure)],
            offered=offered,
            share=limits.to_zero_share,
            skus_min=limits.skus_min,
            allowed=released.to_zero if released else 0,
        ),
        *_found(
            MOVED,
            [figure for figure in figures if is_moved(figure)],
            offered=lambda: offered() + sum(map(_is_new, figures)),
            share=limits.moved_share,
            skus_min=limits.skus_min,
            allowed=released.moved if released else 0,
        ),
    )


def _found(
    guard: str,
    counted: Sequence[Figure],
    *,
    offered: Callable[[], int],
    share: float,
    skus_min: int,
    allowed: int,
) -> tuple[GuardFinding, ...]:
    beyond = len(counted) - allowed
    if beyond < skus_min or beyond <= share * (among := offered()):
        return ()
    return (
        GuardFinding(
            guard=guard,
            skus=len(counted),
            offered=among,
            examples=tuple(
                HeldFigure(sku=each.sku, before=each.before or 0, after=each.quantity)
                for each in counted[:EXAMPLES_MAX]
            ),
        ),
    )


def decide_guard(
    hold: Hold | None,
    figures: Sequence[Figure],
    *,
    offered: Callable[[], int],
    limits: GuardLimits,
    new_hold_id: Callable[[], str],
    now: datetime,
) -> tuple[tuple[Event, ...], bool]:
    """What is to be said of the figures, and whether they may be published now."""
    found = findings(figures, offered=offered, limits=limits)
    if not found:
        if hold is None:
            return (), True
        reason = "published" if hold.released else "the figures are sane again"
        ended = PublishHoldEnded(hold_id=hold.hold_id, reason=reason, occurred_at=now)
        return (ended,), True
    if hold is not None and not hold.released:
        return (), False
    if hold is not None:
        found = findings(figures, offered=offered, limits=limits, released=hold)
        if not found:
            return (), True
    return (PublishHeld(hold_id=new_hold_id(), findings=found, occurred_at=now),), False


def decide_release(hold: Hold | None, hold_id: str, now: datetime) -> tuple[Event, ...]:
    """A person's word; again for the same hold it is nothing new.

    Raises Misuse when no such hold is open.
    """
    if hold is None or hold.hold_id != hold_id:
        there = f"the open one is {hold.hold_id}" if hold else "none is open"
        raise Misuse(f"hold {hold_id} can't be released: {there}; see kcjl exceptions")
    if hold.released:
        return ()
    return (PublishReleased(hold_id=hold_id, occurred_at=now),)
