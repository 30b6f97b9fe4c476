"""Settlement, what is held of lines and orders: while their money is open, and no longer.

Promises: an order is held whole or not at all: from when it is received until each of its lines
is tied and on a payout whose journal is intended. What was let go of is read again from the log
where a decision needs it, for that decision alone.
Invariant: letting go hangs on the tables and the event, so that a replay lets go of the same;
an order that is held whole has no line that is not here.
It decides nothing. Called by `actor.py`. Source: docs/decisions/0016.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from kcjl.actors import Room
from kcjl.fold import Table
from kcjl.orders.events import OrderChanged
from kcjl.settlement.events import (
    JournalIntended,
    SettlementLineSeen,
    SettlementLineTied,
    money_stream,
)
from kcjl.settlement.sold import ORDER_MONEY, SOLD, SoldOrder
from kcjl.settlement.state import CYCLES, LINES, CycleState, Line
from kcjl.vocabulary import Event

__all__ = ["LETS_GO_ON", "NO_CYCLE", "OpenMoney", "ReadAgain"]

LETS_GO_ON = (JournalIntended, OrderChanged, SettlementLineSeen, SettlementLineTied)
NO_CYCLE = ""
"""The group of lines that no cycle has yet."""
STREAMS_AT_ONCE = 400
"""Some ten thousand events: what is read again is folded piece by piece."""
JOURNALLED = (CycleState.JOURNAL_OPEN, CycleState.DONE)
BROUGHT_NOTHING = frozenset({"CANCELED", "REFUSED"})


class ReadAgain(msgspec.Struct, frozen=True, kw_only=True):
    """What the log has of streams that were let go of."""

    lines: Mapping[str, Line]
    sold: Mapping[str, SoldOrder]
    revisions: Mapping[str, int]
    """By stream."""


class OpenMoney:
    """The tables of one settlement room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.lines = room.table(
            LINES,
            watch=lambda line: line.wants_tie,
            group=lambda line: line.seen.cycle_id or NO_CYCLE,
        )
        self.of_orders = room.table(ORDER_MONEY)
        self.sold = room.table(SOLD)
        self.cycles = room.table(CYCLES, watch=lambda each: each.state != CycleState.DONE)
        self._of_nobody: set[str] = set()
        """Orders that the log did not know, and of which there is a line: asked once, and again
        when one that came since was let go of.
        """

    # ── let go ──────────────────────────────────────────────────────────────────────────────

    def let_go(self, event: Event) -> None:
        """Of what is at rest since this event."""
        match event:
            case SettlementLineSeen(order_id=None):
                self._let_go_of(event.line_id)
            case (
                SettlementLineSeen(order_id=str() as order_id)
                | SettlementLineTied(order_id=order_id)
            ):
                line = self.lines.get(event.line_id)
                if line is not None and self._is_at_rest(line):
                    self._let_go_of_order(order_id)
            case JournalIntended():
                orders: dict[str, None] = {}
                for line in self.lines.grouped(event.cycle_id):
                    if line.seen.order_id is None:
                        self._let_go_of(line.seen.line_id)
                    else:
                        orders[line.seen.order_id] = None
                for order_id in orders:
                    self._let_go_of_order(order_id)
            case OrderChanged() if event.state in BROUGHT_NOTHING:
                if event.order_id not in self.of_orders:
                    self.sold.drop(event.order_id)
                    self._of_nobody.discard(event.order_id)
            case _:
                pass

    def _let_go_of(self, line_id: str) -> None:
        """Of a line of no order."""
        line = self.lines[line_id]
        if self._is_at_rest(line):
            self.lines.drop(line_id)
            self._room.forget(line.seen.stream)

    def _let_go_of_order(self, order_id: str) -> None:
        lines = self.held_of(order_id)
        if not all(self._is_at_rest(line) for line in lines):
            return
        for line in lines:
            self.lines.drop(line.seen.line_id)
        self.of_orders.drop(order_id)
        self.sold.drop(order_id)
        self._of_nobody.discard(order_id)
        self._room.forget(money_stream(order_id, ""))

    def _is_at_rest(self, line: Line) -> bool:
        cycle = self.cycles.get(line.seen.cycle_id or NO_CYCLE)
        return cycle is not None and cycle.state in JOURNALLED and not line.wants_tie

    # ── hold, or read again ─────────────────────────────────────────────────────────────────

    def held_of(self, order_id: str) -> list[Line]:
        """The lines of an order that are here."""
        held = self.of_orders.get(order_id)
        found = (self.lines.get(each) for each in (held.line_ids if held is not None else ()))
        return [line for line in found if line is not None]

    def _is_whole(self, order_id: str | None) -> bool:
        """Its receipt is here, and so everything since is; what came after it was let go of
        makes a part of an entry at most.
        """
        sold = None if order_id is None else self.sold.get(order_id)
        return sold is not None and bool(sold.lines)

    async def before(self, came: Iterable[SettlementLineSeen]) -> ReadAgain:
        """Of lines that came, those that may have been let go of."""
        streams = {
            seen.stream: None
            for seen in came
            if seen.line_id not in self.lines and not self._is_whole(seen.order_id)
        }
        return await self._read_again([*streams])

    async def sold_of(self, order_ids: Iterable[str]) -> Mapping[str, SoldOrder]:
        """What each of these orders was sold as; one that nobody knows is left out."""
        held = {each: self.sold.get(each) for each in dict.fromkeys(order_ids)}
        wanted = [
            each for each in held if not self._is_whole(each) and each not in self._of_nobody
        ]
        again = await self._read_again([f"order-{each}" for each in wanted])
        self._of_nobody.update(each for each in wanted if each not in again.sold)
        return {
            each: sold
            for each, entry in held.items()
            if (sold := again.sold.get(each) or entry) is not None
        }

    async def lines_of(self, order_ids: Collection[str]) -> Mapping[str, Sequence[Line]]:
        """All lines of each of these orders, in whatever cycle."""
        gone = [each for each in order_ids if not self._is_whole(each)]
        again = await self._read_again([money_stream(each, "") for each in gone])
        read: dict[str, list[Line]] = {each: [] for each in gone}
        for line in again.lines.values():
            read[line.seen.order_id or ""].append(line)
        return {each: read[each] if each in read else self.held_of(each) for each in order_ids}

    async def _read_again(self, streams: Sequence[str]) -> ReadAgain:
        lines, sold = Table(LINES), Table(SOLD)
        revisions: dict[str, int] = {}
        for start in range(0, len(streams), STREAMS_AT_ONCE):
            chunk = streams[start : start + STREAMS_AT_ONCE]
            for recorded in await self._room.log.read_streams(chunk):
                lines.apply(recorded.event)
                sold.apply(recorded.event)
                revisions[recorded.stream] = recorded.revision
        return ReadAgain(
            lines=dict(lines.items()), sold=dict(sold.items()), revisions=revisions
        )
