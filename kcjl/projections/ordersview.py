"""Orders as people look at them, out of PostgreSQL: the list by urgency, and one order's life.

Promises: see `kcjl/readmodels_orders.py`. A list reads as many rows as it shows, by an index,
however many orders there are; a search looks at so many, and its answer names its word.
Called by the read models and by `kcjl orders`.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from kcjl.database import Database
from kcjl.events import vocabulary
from kcjl.log.queries import PostgresQueries
from kcjl.money import Money
from kcjl.orders.decide import WAITING_STANDINGS, deadline_of, standing, why_held
from kcjl.orders.projection import ORDERS_SHOWN
from kcjl.orders.state import OrderEntry, Standing
from kcjl.projections.freshreading import fresh
from kcjl.projections.liferows import life_of
from kcjl.projections.orderreading import OrderRows
from kcjl.readmodels_orders import LifeEvent, OrderLine, OrderList, OrderRow, OrderStory

__all__ = ["FIND_ROWS_MAX", "OPEN", "OrdersView", "life_streams", "order_row", "pattern_of"]

OPEN = (*WAITING_STANDINGS, Standing.HELD.value)
"""Somebody or something is waited for."""
FIND_ROWS_MAX = 5_000
"""Waiting orders that are looked through for a word that is in no order's id."""
NEVER = datetime.max.replace(tzinfo=UTC)
MASKED = "masked"
DONE = frozenset({"shipped", "closed", "cancelled", "passed_over"})

# The two below are the index projection_row_order_due, in the same words.
_DUE = """coalesce(case when data -> 'row' ->> 'state' = 'WAITING_ACCEPTANCE'
    then data -> 'row' ->> 'accept_by' end, data -> 'row' ->> 'ship_by', '9') collate "C" """
_WAITS = "data ->> 'state' in ('received', 'accepted', 'ready', 'posting', 'posted', 'held')"
_LIVE = """merchant = $1 and projection = 'orders' and version = (
    select version from projection_checkpoint
    where merchant = $1 and projection = 'orders' and live)"""
_MOST_URGENT = f"""
select data::text as data from projection_row where {_LIVE} and {_WAITS}
order by {_DUE} limit $2
"""  # noqa: S608 - the texts above
_FOUND_IN_TEXT = f"""
select data from (
    select data::text as data from projection_row where {_LIVE} and {_WAITS}
    order by {_DUE} limit $2
) waiting where data ilike $3
"""  # noqa: S608 - the texts above
_FOUND_BY_ID = f"""
select data::text as data, count(*) over () as found from projection_row
where {_LIVE} and key ilike $3 order by key limit $2
"""  # noqa: S608 - the texts above
_NEWEST_ENDED = f"""
select data::text as data from (
    select key from projection_row
    where merchant = $1 and projection = 'timings' and version = (
        select version from projection_checkpoint
        where merchant = $1 and projection = 'timings' and live)
    order by (data->'row'->>'ordered_at') collate "C" desc limit $2
) newest cross join lateral (
    select data from projection_row where {_LIVE} and key = newest.key
    and data ->> 'state' not in ('received', 'accepted', 'ready', 'posting', 'posted', 'held')
) ended
"""  # noqa: S608 - the texts above


class OrdersView:
    """One merchant's orders."""

    def __init__(self, database: Database, merchant: str, now: Callable[[], datetime]) -> None:
        """`now`: what is late is judged by it."""
        self._database = database
        self._merchant = merchant
        self._now = now
        self._rows = OrderRows(database, merchant)
        self._log = PostgresQueries(database, merchant, vocabulary())

    async def list(self, *, find: str = "", limit: int = 1_000) -> OrderList:
        state = await fresh(self._database, self._merchant, self._now())
        open_now, every = await self._counts()
        found = await (self._found(find, limit) if find else self._urgent(limit))
        entries, total, by_id = found
        return OrderList(
            rows=tuple(order_row(entry, state.now) for entry in entries),
            total=every if total is None else total,
            open=open_now,
            found_in=find,
            searched=0 if by_id else min(open_now, FIND_ROWS_MAX),
            fresh=state,
        )

    async def story(self, order_id: str) -> OrderStory | None:
        entry = await self._rows.order(order_id)
        if entry is None:
            return None
        streams = life_streams(order_id, await self._rows.exceptions(order_id))
        events, cut = await life_of(self._log, streams)
        return _story(entry, events, self._now(), cut=cut)

    async def _counts(self) -> tuple[int, int]:
        """(orders that wait, all orders): counted, none is parsed."""
        row = await self._database.fetchrow(
            f"""
            select
                (select count(*) from projection_row where {_LIVE} and {_WAITS}) as waiting,
                (select count(*) from projection_row where {_LIVE}) as every
            """,  # noqa: S608 - the texts above
            self._merchant,
        )
        return (row["waiting"], row["every"]) if row else (0, 0)

    async def _urgent(self, limit: int) -> tuple[Sequence[OrderEntry], int | None, bool]:
        rows = await self._database.fetch(_MOST_URGENT, self._merchant, limit)
        if len(rows) < limit:
            left = limit - len(rows)
            rows += await self._database.fetch(_NEWEST_ENDED, self._merchant, left)
        return [ORDERS_SHOWN.entry(row["data"]) for row in rows], None, True

    async def _found(
        self, find: str, limit: int
    ) -> tuple[Sequence[OrderEntry], int | None, bool]:
        """(orders, how many, by the id). Where no id has it, in what waits: a SKU, a state."""
        wanted = pattern_of(find)
        by_id = await self._database.fetch(_FOUND_BY_ID, self._merchant, limit, wanted)
        if by_id:
            entries = [ORDERS_SHOWN.entry(row["data"]) for row in by_id]
            return sorted(entries, key=_soonest), by_id[0]["found"], True
        rows = await self._database.fetch(_FOUND_IN_TEXT, self._merchant, FIND_ROWS_MAX, wanted)
        return [ORDERS_SHOWN.entry(row["data"]) for row in rows[:limit]], len(rows), False


def pattern_of(find: str) -> str:
    """What a text must hold, for `ilike`."""
    plain = find.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{plain}%"


def life_streams(order_id: str, exceptions: Sequence[tuple[str, str]]) -> list[str]:
    """The streams that an order's life is in."""
    of_order = ("order", "dispatch", "deadline", "settlement-order")
    return [f"{each}-{order_id}" for each in of_order] + [
        f"exception-{kind}-{subject}" for kind, subject in exceptions
    ]


def order_row(entry: OrderEntry, now: datetime) -> OrderRow:
    """An order in one line."""
    stands, deadline, held = standing(entry).value, deadline_of(entry), entry.held
    return OrderRow(
        order_id=entry.order_id,
        standing=stands,
        marketplace_state=entry.state,
        deadline=None if deadline == NEVER else deadline,
        late=stands in OPEN and deadline < now,
        total=entry.total_price,
        skus=tuple(dict.fromkeys(line.sku for line in entry.lines)),
        placed_at=entry.created_at,
        reference=entry.reference,
        erp_order_code=entry.erp_order_code,
        held=why_held(entry),
        rule=held.rule if held else "",
        policy_version=held.policy_version if held else 0,
    )


def _soonest(entry: OrderEntry) -> tuple[bool, datetime, str]:
    return (standing(entry).value not in OPEN, deadline_of(entry), entry.order_id)


def _story(
    entry: OrderEntry, events: tuple[LifeEvent, ...], now: datetime, *, cut: bool
) -> OrderStory:
    standings = {each.line_id: each for each in entry.lines_now}
    stands, deadline, held = standing(entry).value, deadline_of(entry), entry.held
    return OrderStory(
        order_id=entry.order_id,
        standing=stands,
        marketplace_state=entry.state,
        deadline=None if deadline == NEVER else deadline,
        late=stands not in DONE and deadline < now,
        reference=entry.reference,
        erp_order_code=entry.erp_order_code,
        total=entry.total_price,
        buyer=MASKED if entry.vault_ref else "",
        country=entry.country,
        held=why_held(entry),
        rule=held.rule if held else "",
        policy_version=held.policy_version if held else 0,
        acceptance=entry.acceptance.value,
        posting=entry.posting.value,
        posting_attempts=entry.posting_attempts,
        lines=tuple(
            OrderLine(
                line_id=line.line_id,
                sku=line.sku,
                quantity=line.quantity,
                price=line.price,
                state=standings[line.line_id].state if line.line_id in standings else "",
                refunded=standings[line.line_id].refunded
                if line.line_id in standings
                else Money(0, line.price.currency),
            )
            for line in entry.lines
        ),
        events=events,
        cut=cut,
    )
