"""The watch: levels that could oversell before the next poll are read each minute.

Promises: between two polls of what moved, the levels of stock codes that run low against their
own selling are read again by themselves; a change is said and has the orders read, so that a
fresh figure follows. While it holds, the speed buffer covers the minute instead of the poll.
It does not find a code that nobody offers, and never moves the cursor of the polls.
Invariant: what is watched is what the speed buffer holds something of at the full poll; where
there is more of it than may be asked for, or the watch fails, the buffers are the poll's.
Called by `actor.py`. Source: design 6; contract khaos b.2 (just-in-time checks).
"""

from collections.abc import Sequence
from datetime import datetime

from kcjl.fold import Table
from kcjl.settings import StockSettings
from kcjl.stock.available import TermName
from kcjl.stock.conditions import Conditions, conditions_at, worked_out
from kcjl.stock.events import LevelsWatched
from kcjl.stock.reading import StockReader
from kcjl.stock.room import StockRoom
from kcjl.stock.selling import may_run_low
from kcjl.stock.state import Match, Product

__all__ = ["RunningLow", "StockWatch", "runs_low"]


def runs_low(group: Sequence[Product], conditions: Conditions) -> bool:
    """Something of the stock code is offered, and the speed buffer holds something back."""
    if group[0].match != Match.CONFIRMED or not _may_run_low(group, conditions):
        return False
    terms = worked_out(group, conditions).terms
    return any(term.name is TermName.SPEED and term.units for term in terms)


class RunningLow:
    """The stock codes that run low; only what has changed since is worked out again."""

    def __init__(self, products: Table[Product]) -> None:
        self._products = products
        self._conditions: tuple[object, ...] = ()
        self._judged: dict[str, tuple[Product, bool]] = {}
        """By product key: the entry that was judged (it never changes), and whether it did."""

    def codes(self, conditions: Conditions) -> tuple[str, ...]:
        """In the order of the products, each once."""
        if conditions.key != self._conditions:
            self._conditions, self._judged = conditions.key, {}
        changed: dict[str, None] = {}
        for key, product in self._products.items():
            known = self._judged.get(key)
            if product.code_key and (known is None or known[0] is not product):
                changed.setdefault(product.code_key)
        for code_key in changed:
            group = self._products.grouped(code_key)
            low = bool(group) and runs_low(group, conditions)
            self._judged.update((product.key, (product, low)) for product in group)
        return tuple(
            dict.fromkeys(product.stock_code for product, low in self._judged.values() if low)
        )


def _may_run_low(group: Sequence[Product], conditions: Conditions) -> bool:
    """False only where the sum would hold nothing back for speed."""
    return any(product.shown for product in group) and any(
        product.selling is not None
        and may_run_low(
            product.selling, product.level, lag_s=conditions.lag_s, at=conditions.at
        )
        for product in group
    )


class StockWatch:
    """The room's watch, from one poll to the next."""

    def __init__(self, room: StockRoom, reader: StockReader, settings: StockSettings) -> None:
        self._room = room
        self._reader = reader
        self._settings = settings
        self._chosen_at: datetime | None = None
        """The beginning of the poll after which the codes were chosen."""
        self._codes: tuple[str, ...] = ()
        self._running_low = RunningLow(room.products)

    async def look(self) -> None:
        """Read the levels of what runs low. A poll that has come since chooses it anew."""
        self._choose()
        if not self._codes:
            return
        if len(self._codes) > self._settings.watch_codes_max:
            self._room.watched_at = None
            return
        began = self._room.clock.now()
        changed = await self._reader.read_again(self._codes)
        if changed:
            finished = self._room.clock.now()
            told = LevelsWatched(
                codes=len(self._codes),
                changed=changed,
                finished_at=finished,
                occurred_at=began,
            )
            await self._room.commit((told,))
        self._room.watched_at = began

    def _choose(self) -> None:
        reads, room = self._room.last_reads, self._room
        if reads is None or reads.stock_began_at in (None, self._chosen_at):
            if not self._codes:
                room.watched_at = room.clock.now()  # nothing runs low: the watch holds
            return
        conditions = conditions_at(
            room.policies,
            room.publishing,
            reads,
            room.clock.now(),
            poll_s=self._settings.poll_s,
        )
        if conditions is None:
            return
        self._codes = self._running_low.codes(conditions)
        self._chosen_at = reads.stock_began_at
        if not self._codes:
            room.watched_at = room.clock.now()
