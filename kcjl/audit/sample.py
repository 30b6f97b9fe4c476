"""A sample of orders for an auditor, drawn by a seed, so that anybody draws the same.

Promises: pure; the same orders, size and seed give the same sample, on any machine and with any
version of Python: an order's rank is SHA-256 of the seed and its id. Each stratum that is not
empty is drawn from while the size allows, the largest first; what is left goes by size.
Called by `kcjl sample`.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from kcjl.money import Money, total_by_currency

__all__ = ["Candidate", "Drawn", "Stratum", "draw"]

LARGE_SHARE = 20
"""One in so many plain orders counts as large: those of the highest value."""

What = Literal["money back", "exception", "large", "plain"]


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """An order that may be drawn."""

    order_id: str
    created_at: datetime
    total: Money
    money_back: bool
    """Something of it was refunded or cancelled, or all of it refused."""
    excepted: bool
    """Something of it was on the exceptions desk."""


class Stratum(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """Orders that are alike: of one month (UTC), and of one sort."""

    month: str
    what: What


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """What is taken of one stratum."""

    stratum: Stratum
    orders: int
    """How many there are."""
    value: tuple[Money, ...]
    """What they come to, by currency."""
    order_ids: tuple[str, ...]
    """The sample, in the order in which it was drawn."""


def draw(candidates: Sequence[Candidate], *, size: int, seed: str) -> tuple[Drawn, ...]:
    """By stratum; all of them where there are no more than `size`."""
    large = _large(candidates)
    strata: defaultdict[Stratum, list[Candidate]] = defaultdict(list)
    for each in candidates:
        strata[_stratum(each, large)].append(each)
    taken = _allotted({stratum: len(held) for stratum, held in strata.items()}, size)
    return tuple(
        Drawn(
            stratum=stratum,
            orders=len(held),
            value=total_by_currency(each.total for each in held),
            order_ids=_first(held, taken[stratum], seed),
        )
        for stratum, held in sorted(strata.items())
    )


def _large(candidates: Sequence[Candidate]) -> frozenset[str]:
    plain = [each for each in candidates if not each.money_back and not each.excepted]
    by_value = sorted(plain, key=lambda each: (-each.total.amount_minor, each.order_id))
    return frozenset(each.order_id for each in by_value[: len(plain) // LARGE_SHARE])


def _stratum(each: Candidate, large: frozenset[str]) -> Stratum:
    what: What = "large" if each.order_id in large else "plain"
    if each.excepted:
        what = "exception"
    if each.money_back:
        what = "money back"
    return Stratum(month=f"{each.created_at:%Y-%m}", what=what)


def _allotted(sizes: dict[Stratum, int], size: int) -> dict[Stratum, int]:
    """One of each, the largest first; the rest where the share is least reached."""
    taken = dict.fromkeys(sizes, 0)
    largest_first = sorted(sizes, key=lambda each: (-sizes[each], each))
    for stratum in largest_first[:size]:
        taken[stratum] = 1
    for _ in range(min(size, sum(sizes.values())) - sum(taken.values())):
        open_ones = [each for each in largest_first if taken[each] < sizes[each]]
        taken[min(open_ones, key=lambda each: (taken[each] + 1) / sizes[each])] += 1
    return taken


def _first(held: Iterable[Candidate], number: int, seed: str) -> tuple[str, ...]:
    ranked = sorted(held, key=lambda each: (_rank(seed, each.order_id), each.order_id))
    return tuple(each.order_id for each in ranked[:number])


def _rank(seed: str, order_id: str) -> bytes:
    return hashlib.sha256(f"{seed}\n{order_id}".encode()).digest()
