"""What the stock room answers people who ask something of it: what came of it, in a sentence.

Promises: pure; says how many SKUs, from what to what, and why nothing goes out yet where that
is so; at most so many are named, and how many more there are.
Called by `actor.py`, once what was asked is in the log.
"""

from collections.abc import Sequence
from datetime import datetime

from kcjl.stock.events import Figure
from kcjl.stock.guards import Hold
from kcjl.stock.policy_book import PolicyBook
from kcjl.stock.publishing_state import Publishing

__all__ = [
    "buffer_answer",
    "release_answer",
    "retry_answer",
    "switch_answer",
    "what_goes_out",
]

NAMED_MAX = 3
SHORT_ID = 8


def what_goes_out(
    figures: Sequence[Figure] | None, publishing: Publishing, *, writes_allowed: bool
) -> str:
    """What the marketplace is told next. `figures`: all that differ; None: it is not known."""
    if figures is None:
        return "the figures go out when stock, and the orders after it, have been read"
    if not figures:
        return "the marketplace shows every figure as it should, so nothing has to go out"
    named = "; ".join(_change(each) for each in figures[:NAMED_MAX])
    more = f"; and {len(figures) - NAMED_MAX:,} more" if len(figures) > NAMED_MAX else ""
    when = _when(publishing, writes_allowed=writes_allowed)
    return f"the figures of {_skus(len(figures))} {when}: {named}{more}"


def _change(figure: Figure) -> str:
    before = "nothing" if figure.before is None else f"{figure.before:,}"
    return f"{figure.sku} from {before} to {figure.quantity:,}"


def _when(publishing: Publishing, *, writes_allowed: bool) -> str:
    if not writes_allowed:
        return "wait until writes are allowed (kcjl writes)"
    if not publishing.is_on:
        return "wait until publishing is on (kcjl stock publishing on)"
    if publishing.hold is not None and not publishing.hold.released:
        return "are held by a guard (kcjl stock release)"
    return "go out next, if no guard objects"


def _skus(count: int) -> str:
    return f"{count:,} SKU{'' if count == 1 else 's'}"


def switch_answer(
    before: Publishing, *, on: bool, is_news: bool, offered: int, goes_out: str
) -> str:
    """`offered`: SKUs that show more than 0."""
    because = f" ({before.off_because})" if before.off_because else ""
    if not is_news:
        state = "on already" if on else f"off already{because}"
        return f"publishing of stock is {state}: nothing was changed"
    if on:
        return f"publishing of stock is on again; it was off{because}. Now {goes_out}"
    return (
        f"publishing of stock is off, it was on: the figures of {_skus(offered)} on offer stay "
        "as they are, whatever is sold elsewhere, until kcjl stock publishing on"
    )


def release_answer(hold: Hold | None, *, is_news: bool, goes_out: str) -> str:
    """What a release lets through. `hold`: as it is now; it may be over by now."""
    if hold is None:
        return f"nothing is held any more: {goes_out}"
    name = hold.hold_id[:SHORT_ID]
    if not is_news:
        return f"hold {name} was let through before: nothing was changed; {goes_out}"
    parts = []
    if hold.to_zero:
        parts.append(f"{_skus(hold.to_zero)} may go to 0")
    if hold.moved:
        parts.append(f"{_skus(hold.moved)} may move by more than a factor of two")
    return f"hold {name} is let through: {' and '.join(parts)}, no more. Now {goes_out}"


def retry_answer(sku: str, *, refused: str, goes_out: str) -> str:
    """`refused`: the marketplace's words."""
    return f"{sku} was refused ({refused}) and is tried again: {goes_out}"


def buffer_answer(book: PolicyBook, now: datetime, *, units: int, goes_out: str | None) -> str:
    """`book`: as it was before. `goes_out` is None where it was so already."""
    before = book.in_force(now)
    version = before.version if before else 0
    if goes_out is None:
        return (
            f"a buffer of {units:,} is the whole policy already (version {version}): nothing "
            "was changed"
        )
    place = f" in place of version {version}" if version else ""
    return (
        f"stock policy version {book.version + 1} is in force{place}: a buffer of {units:,} on "
        f"each product and nothing else. Now {goes_out}"
    )
