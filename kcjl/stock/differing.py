"""Stock codes of which the marketplace shows another figure than is available to sell.

Promises: after any events it names every stock code whose figures differ, and no other, as if
each one were looked at. Worked out again is what was touched since the last look, with all that
shares its stock code now or did before; and when a condition has changed, all that it can move.
That goes in slices: whoever else waits has a turn after each, and what comes meanwhile is
worked out too. Figures that wait for a later import are kept until then.
Invariant: whether a stock code differs depends on its products and on the conditions, on
nothing else (`conditions.py` says how time counts). Called by `publishing.py`.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice

import anyio
import anyio.lowlevel
import msgspec

from kcjl.fold import Table
from kcjl.stock.conditions import Conditions, group_key
from kcjl.stock.decide import decide_figures, decide_zeros, differs, is_read
from kcjl.stock.events import Figure
from kcjl.stock.reads import Reads
from kcjl.stock.state import Product

__all__ = ["SLICE", "Differing", "Found"]

SLICE = 300
"""Products, or stock codes, of one slice: some ten milliseconds of work."""

_Made = tuple[Figure, ...] | None
"""The figures of one stock code; None: it has not been read."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The figures that differ."""

    figures: tuple[Figure, ...]
    all_read: bool
    """None is left out because its level, or its orders after that, have not been read."""


class Differing:
    """Kept from one publish to the next."""

    def __init__(self, products: Table[Product]) -> None:
        """`products`: a tracked table, grouped by `group_key`; nobody else asks it for what has
        changed.
        """
        self._products = products
        self._conditions: Conditions | None = None
        self._group_of: dict[str, str] = {}
        self._groups: dict[str, None] = {}
        self._due: dict[str, None] = {}
        """Products that were touched, and have not been looked at since."""
        self._made: dict[str, _Made] = {}
        """Of those that differ, as long as nothing of theirs has changed."""
        self._made_once: list[str] = []
        """What was made of these, time alone may change."""
        self._made_after: tuple[object, ...] = ()
        """What it was that the reads had told."""
        self._one_look = anyio.Lock(fast_acquire=True)

    def moved_by(self, conditions: Conditions) -> list[str]:
        """The products whose figures these conditions may move, other than those of the last
        look.
        """
        if conditions.moves_all_since(self._conditions):
            return list(self._products)
        return [key for key, each in self._products.items() if each.selling is not None]

    async def groups(self, conditions: Conditions) -> list[Sequence[Product]]:
        """The products of each that differs now; who has waited longest comes first."""
        async with self._one_look:
            await self._look(conditions)
        return [self._products.grouped(group) for group in self._groups]

    async def figures(
        self, conditions: Conditions, reads: Reads, *, now: datetime | None = None
    ) -> Found:
        """`decide_figures` of all that differ when this returns.

        One that was worked out earlier, and would come to the same now, names the read of
        orders of then.
        """
        async with self._one_look:
            self._forget(reads)
            await self._look(conditions)
            while lacking := [group for group in self._groups if group not in self._made]:
                for start in range(0, len(lacking), SLICE):
                    if start:
                        await anyio.lowlevel.checkpoint()
                    for group in lacking[start : start + SLICE]:
                        self._make(group, conditions, reads, now)
                await self._look(conditions)
            found = [self._made[group] for group in self._groups]
        return Found(
            figures=tuple(figure for each in found for figure in each or ()),
            all_read=None not in found,
        )

    async def zeros(
        self, conditions: Conditions, reads: Reads, *, now: datetime | None = None
    ) -> tuple[Figure, ...]:
        """`decide_zeros` of all that differ."""
        groups, found = await self.groups(conditions), list[Figure]()
        for start in range(0, len(groups), SLICE):
            found += decide_zeros(groups[start : start + SLICE], conditions, reads, now=now)
            await anyio.lowlevel.checkpoint()
        return tuple(found)

    def _forget(self, reads: Reads) -> None:
        """What was made and may be otherwise now, though no event has touched it."""
        after = (reads.unread, reads.resumed_at)
        if after != self._made_after:
            self._made_after = after
            self._made.clear()
        for group in self._made_once:
            self._made.pop(group, None)
        self._made_once.clear()

    def _make(
        self, group: str, conditions: Conditions, reads: Reads, now: datetime | None
    ) -> None:
        members = self._products.grouped(group)
        if not members:
            made: _Made = ()  # it was left meanwhile, and that is looked at next
        elif is_read(members, reads):
            made = decide_figures([members], conditions, reads, now=now)
        else:
            made = None
        self._made[group] = made
        if made is None or any(shown.retry_at for each in members for shown in each.shown):
            self._made_once.append(group)

    async def _look(self, conditions: Conditions) -> None:
        """Look at all that is due, until nothing is; what was made of it is made no more."""
        before = self._conditions
        if before is None or conditions.key != before.key:
            self._due.update(dict.fromkeys(self.moved_by(conditions)))
            self._conditions = conditions
        while self._take_touched():
            self._look_at_slice(conditions)
            if self._due:
                await anyio.lowlevel.checkpoint()

    def _take_touched(self) -> bool:
        self._due.update(dict.fromkeys(self._products.changed()))
        return bool(self._due)

    def _look_at_slice(self, conditions: Conditions) -> None:
        keys = list(islice(self._due, SLICE))
        for key in keys:
            del self._due[key]
        for group in self._touched(keys):
            self._made.pop(group, None)
            members = self._products.grouped(group)
            if members and differs(members, conditions):
                self._groups.setdefault(group)
            else:
                self._groups.pop(group, None)

    def _touched(self, keys: Sequence[str]) -> list[str]:
        """The groups of these products, those they have left too."""
        found: dict[str, None] = {}
        for key in keys:
            left = self._group_of.pop(key, None)
            if left is not None:
                found.setdefault(left)
            product = self._products.get(key)
            if product is not None:
                joined = self._group_of[key] = group_key(product)
                found.setdefault(joined)
        return list(found)
