"""A month's lines, payouts and gaps, as the log knew them at a position.

Promises: the same position gives the same rows, whenever it is asked; each with the position of
its event. Lines come by order, a page at a time, sorted by the database: memory is bounded by a
page. Read is from the oldest line that was not paid at the last close, not from the beginning.
Called by `kcjl close`.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from kcjl.database import Database, Session
from kcjl.errors import CorruptLog
from kcjl.log.port import LogQueries, Recorded, Selection
from kcjl.log.rows import COLUMNS, all_recorded
from kcjl.money import Money
from kcjl.settlement.events import SettlementLineSeen, SettlementLineTied
from kcjl.settlement.gap_events import GapFound
from kcjl.settlement.month_events import MonthClosed
from kcjl.settlement.state import CYCLES, Cycle
from kcjl.vocabulary import Vocabulary

__all__ = ["MonthLine", "MonthRows", "PayoutAt"]

PAGE_ROWS = 2_000
CLOCKS_DIFFER = timedelta(days=1)
"""A line is recorded after its money moved, but for clocks that differ."""
_STREAMS = """
    merchant = $1 and stream >= $2 and stream < $3 and position <= $4
"""
# The last word on each line and its tie, found by key first: the sort then holds no more.
_LINES = f"""
declare month_lines no scroll cursor for
with last as (
    select max(position) as position from event
    where merchant = $1 and position > $2 and position <= $3
    and type in ('SettlementLineSeen', 'SettlementLineTied')
    group by data->>'line_id', type
)
select {COLUMNS} from event join last using (position)
where merchant = $1
order by data->>'order_id' collate "C", data->>'line_id' collate "C", type
"""  # noqa: S608 - constants of ours


class MonthLine(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A transaction line, as it was last seen."""

    position: int
    stream: str
    seen: SettlementLineSeen
    erp_order_code: str


class PayoutAt(msgspec.Struct, frozen=True, kw_only=True):
    """A payout, and where in the log its parts were said."""

    cycle: Cycle
    position: int
    """Of the last event about it."""
    journals: dict[str, int]
    """By reference: where it was intended."""


class MonthRows:
    """One merchant's month, at a position."""

    def __init__(
        self,
        database: Database,
        merchant: str,
        vocabulary: Vocabulary,
        log: LogQueries,
        *,
        position: int,
    ) -> None:
        self.position = position
        self._database = database
        self._merchant = merchant
        self._vocabulary = vocabulary
        self._log = log

    async def last_closed(self) -> MonthClosed | None:
        """The month that had been closed last."""
        rows = await self._database.fetch(
            f"select {COLUMNS} from event where {_STREAMS} order by position desc limit 1",  # noqa: S608 - constants of ours
            self._merchant,
            "settlement-month-",
            "settlement-month.",
            self.position,
        )
        found = all_recorded(rows, self._merchant, self._vocabulary)
        closed = found[0].event if found else None
        return closed if isinstance(closed, MonthClosed) else None

    async def looked_from(self, closed: MonthClosed | None, starts: datetime) -> int:
        """Where the look for lines begins: no older one can still matter to the month."""
        if closed is None:
            return 0
        begins = await self._log.position_at(starts - CLOCKS_DIFFER)
        return min(closed.known.looked_from, begins)

    async def count(self, after: int) -> int:
        """Lines that were spoken of since."""
        found: int = await self._database.fetchval(
            """
            select count(distinct data->>'line_id') from event
            where merchant = $1 and position > $2 and position <= $3
            and type = 'SettlementLineSeen'
            """,
            self._merchant,
            after,
            self.position,
        )
        return found

    async def payouts(self) -> dict[str, PayoutAt]:
        """All payouts, by cycle."""
        rows = await self._database.fetch(
            f"select {COLUMNS} from event where {_STREAMS} and type <> 'GapFound' "  # noqa: S608 - constants of ours
            "order by position",
            self._merchant,
            "payout-",
            "payout.",
            self.position,
        )
        found: dict[str, PayoutAt] = {}
        for recorded in all_recorded(rows, self._merchant, self._vocabulary):
            event = recorded.event
            for key in CYCLES.keys(event):
                known = found.get(key)
                cycle = CYCLES.evolve(None if known is None else known.cycle, event, key)
                if cycle is None:
                    continue
                journals = {} if known is None else known.journals
                for each in cycle.journals[len(journals) :]:
                    journals[each.intended.reference] = recorded.position
                found[key] = PayoutAt(
                    cycle=cycle, position=recorded.position, journals=journals
                )
        return found

    async def lines(self, after: int) -> AsyncIterator[Sequence[MonthLine]]:
        """The lines that were spoken of since, by order, those of no order last."""
        async with self._database.transaction() as session:
            await session.execute("set local work_mem = '64MB'")
            await session.execute(_LINES, self._merchant, after, self.position)
            order_id = ""
            held: MonthLine | None = None
            while page := await self._page(session):
                lines = []
                for recorded in page:
                    if isinstance(recorded.event, SettlementLineTied):
                        held = _tied(held, recorded.event)
                        continue
                    if held is not None:
                        lines.append(held)
                    held = _line(recorded)
                    if held.seen.order_id is not None and held.seen.order_id < order_id:
                        raise CorruptLog(
                            f"the log of {self._merchant}: line {held.seen.line_id} is of "
                            "another order than its payload says; verify the log"
                        )
                    order_id = held.seen.order_id or order_id
                if lines:
                    yield lines
            if held is not None:
                yield [held]

    async def _page(self, session: Session) -> list[Recorded]:
        rows = await session.fetch(f"fetch {PAGE_ROWS:d} from month_lines")
        return all_recorded(rows, self._merchant, self._vocabulary)

    async def amounts_at(self, lines: Sequence[MonthLine], position: int) -> dict[str, Money]:
        """What these lines were when the log ended there; one that was unknown is left out.

        Others of the same streams may be among them.
        """
        rows = await self._database.fetch(
            f"""
            select distinct on (data->>'line_id') {COLUMNS} from event
            where merchant = $1 and stream = any($2::text[]) and position <= $3
            and type = 'SettlementLineSeen'
            order by data->>'line_id', position desc
            """,  # noqa: S608 - constants of ours
            self._merchant,
            list({each.stream for each in lines}),
            position,
        )
        return dict(_amounts(all_recorded(rows, self._merchant, self._vocabulary)))

    async def gaps(self, cycle_id: str) -> AsyncIterator[Sequence[tuple[int, GapFound]]]:
        """The gaps of a payout, with their positions, a page at a time."""
        asked = Selection(
            stream=f"payout-{cycle_id}", types=(GapFound.__name__,), to=self.position
        )
        async for page in self._log.select(asked):
            yield [
                (each.position, each.event) for each in page if isinstance(each.event, GapFound)
            ]


def _line(recorded: Recorded) -> MonthLine:
    seen = recorded.event
    if not isinstance(seen, SettlementLineSeen):
        raise CorruptLog(f"position {recorded.position} is no transaction line: verify the log")
    return MonthLine(
        position=recorded.position, stream=recorded.stream, seen=seen, erp_order_code=""
    )


def _tied(held: MonthLine | None, tied: SettlementLineTied) -> MonthLine | None:
    """A tie follows its line; one whose line is not looked at any more says nothing here."""
    if held is None or held.seen.line_id != tied.line_id:
        return held
    return msgspec.structs.replace(held, erp_order_code=tied.erp_order_code)


def _amounts(found: Sequence[Recorded]) -> Iterator[tuple[str, Money]]:
    for each in found:
        if isinstance(each.event, SettlementLineSeen):
            yield each.event.line_id, each.event.amount
