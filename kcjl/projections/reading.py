"""The read models out of PostgreSQL: what the monitor and the CLI look at.

Promises: see `kcjl/readmodels.py`. Every answer is one short read, bounded in rows.
Called by the CLI, which hands it to the monitor.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from kcjl.clock import Clock
from kcjl.database import Database
from kcjl.exceptions.catalogue import lane_of
from kcjl.exceptions.projection import READS_SHOWN
from kcjl.exceptions.words import Wanted
from kcjl.money import total_by_currency
from kcjl.orders.decide import WAITING_STANDINGS
from kcjl.projections.deskreading import DeskRows, KindTotal, story_of
from kcjl.projections.dispatchview import DispatchView
from kcjl.projections.freshreading import fresh
from kcjl.projections.healthview import PostgresHealth
from kcjl.projections.moneyview import PostgresMoney
from kcjl.projections.ordersview import OrdersView
from kcjl.projections.policyview import PolicyView
from kcjl.projections.stockview import StockView
from kcjl.readmodels import Cut, EventRow, ExceptionStory, Freshness, Lane, Overview
from kcjl.readmodels_policy import PolicyReading
from kcjl.readmodels_stock import StockReading
from kcjl.settings import DispatchSettings

__all__ = ["USUAL_DISPATCH", "PostgresReadModels"]

LANE_OF_ROOM = {
    "stock": "Stock",
    "orders": "Orders",
    "dispatch": "Dispatch",
    "settlement": "Money",
}
RATE_MINUTES = 60
USUAL_DISPATCH = DispatchSettings()
"""Working days and thresholds where no settings say otherwise."""
RATE_EVENTS_MAX = 5_000


class PostgresReadModels:
    """One merchant's read models."""

    def __init__(
        self,
        database: Database,
        merchant: str,
        clock: Clock,
        *,
        dispatch: DispatchSettings = USUAL_DISPATCH,
    ) -> None:
        """`dispatch`: the merchant's working days and thresholds."""
        self._database = database
        self._merchant = merchant
        self._clock = clock
        self._desk = DeskRows(database, merchant)
        self.money = PostgresMoney(database, merchant, self._fresh)
        self.health = PostgresHealth(database, merchant, self._fresh)
        self._orders = OrdersView(database, merchant, clock.now)
        self._dispatch = DispatchView(database, merchant, clock.now, dispatch)
        self._stock = StockView(database, merchant, self._fresh)
        self._policy = PolicyView(database, merchant, self._fresh)

    @property
    def orders(self) -> OrdersView:
        return self._orders

    @property
    def dispatch(self) -> DispatchView:
        return self._dispatch

    @property
    def policy(self) -> PolicyReading:
        return self._policy

    @property
    def stock(self) -> StockReading:
        return self._stock

    async def _fresh(self) -> Freshness:
        return await fresh(self._database, self._merchant, self._clock.now())

    async def counts(self) -> dict[str, Counter[str]]:
        """Rows of each projection by state."""
        rows = await self._database.fetch(
            "select projection, state, number from projection_state where merchant = $1",
            self._merchant,
        )
        counts: dict[str, Counter[str]] = {}
        for row in rows:
            counts.setdefault(row["projection"], Counter())[row["state"]] = row["number"]
        return counts

    async def overview(self) -> Overview:
        fresh = await self._fresh()
        counts = await self.counts()
        reads = await self._last_reads()
        rates = await self._rates(fresh)
        open_now = await self._desk.totals(Wanted(), "open")
        lanes = tuple(
            self._lane(name, counts, reads, rates, open_now)
            for name in ("Stock", "Orders", "Dispatch", "Money")
        )
        return Overview(
            merchant=self._merchant,
            fresh=fresh,
            lanes=lanes,
            events=fresh.position,
            exceptions_open=sum(each.exceptions for each in open_now),
            money_at_risk=total_by_currency(money for each in open_now for money in each.money),
            writes_allowed=not counts.get("switches", Counter())["off"],
        )

    async def _last_reads(self) -> dict[str, datetime]:
        rows = await self._database.fetch(
            """
            select key, data::text as data from projection_row
            join projection_checkpoint using (merchant, projection, version)
            where merchant = $1 and projection = 'reads' and live
            """,
            self._merchant,
        )
        return {row["key"]: READS_SHOWN.entry(row["data"]).at for row in rows}

    async def _rates(self, fresh: Freshness) -> dict[str, tuple[int, ...]]:
        """Events a minute by lane over the last hour, as far as the newest events reach."""
        rows = await self._database.fetch(
            """
            select by, recorded_at from event
            where merchant = $1 and position > $2 order by position
            """,
            self._merchant,
            fresh.position - RATE_EVENTS_MAX,
        )
        rates: dict[str, list[int]] = {
            lane: [0] * RATE_MINUTES for lane in LANE_OF_ROOM.values()
        }
        for row in rows:
            lane = LANE_OF_ROOM.get(row["by"])
            # What was recorded while we asked is of this minute, not of none.
            ago = max(fresh.now - row["recorded_at"], timedelta(0)) // timedelta(minutes=1)
            if lane is not None and ago < RATE_MINUTES:
                rates[lane][RATE_MINUTES - 1 - ago] += 1
        return {lane: tuple(numbers) for lane, numbers in rates.items()}

    def _lane(
        self,
        name: str,
        counts: Mapping[str, Counter[str]],
        reads: Mapping[str, datetime],
        rates: Mapping[str, tuple[int, ...]],
        open_now: Sequence[KindTotal],
    ) -> Lane:
        mine = [each for each in open_now if lane_of(each.kind) == name]
        deadlines = [each.deadline for each in mine if each.deadline is not None]
        done, waiting, facts = _figures(name, counts)
        return Lane(
            name=name,
            done=done,
            waiting=waiting,
            excepted=sum(each.exceptions for each in mine),
            last_read_at=reads.get(name),
            oldest_deadline=min(deadlines, default=None),
            facts=facts,
            per_minute=rates[name],
        )

    async def exceptions(self, *, state: str = "open", kind: str = "", limit: int = 500) -> Cut:
        fresh = await self._fresh()
        found = await self._desk.list(Wanted(kind=kind), state=state, limit=limit)
        return Cut(exceptions=found.rows, total=found.total_rows, fresh=fresh)

    async def exception(self, exception_id: str) -> ExceptionStory | None:
        life = await self._desk.one(exception_id)
        return None if life is None else story_of(life)

    async def events(
        self, *, after: int | None = None, before: int | None = None, limit: int = 200
    ) -> Sequence[EventRow]:
        if after is not None:
            where, order, at = "position > $2", "asc", after
        elif before is not None:
            where, order, at = "position < $2", "desc", before
        else:
            where, order, at = "position > $2", "desc", 0
        rows = await self._database.fetch(
            f"""
            select position, type, stream, revision, occurred_at, recorded_at, by,
                correlation_id, causation, data::text as data, encode(hash, 'hex') as hash
            from event where merchant = $1 and {where} order by position {order} limit $3
            """,  # noqa: S608 - the three forms above, nothing from outside
            self._merchant,
            at,
            limit,
        )
        events = [EventRow(**dict(row)) for row in rows]
        return sorted(events, key=lambda event: event.position)

    async def next_event(self, types: Sequence[str], *, after: int) -> int | None:
        found = await self._database.fetchval(
            """
            select position from event
            where merchant = $1 and type = any($2::text[]) and position > $3
            order by position limit 1
            """,
            self._merchant,
            list(types),
            after,
        )
        return None if found is None else int(found)


def _figures(
    name: str, counts: Mapping[str, Counter[str]]
) -> tuple[int, int, tuple[tuple[str, str], ...]]:
    """(done, waiting, further lines) of a lane."""
    if name == "Stock":
        stock = counts.get("stock", Counter())
        facts = (
            ("confirmed", f"{stock['confirmed']:,}"),
            ("unmatched", f"{stock['unmatched']:,}"),
        )
        return stock["confirmed"], stock["unasked"], facts
    if name == "Orders":
        orders = counts.get("orders", Counter())
        waiting = sum(orders[each] for each in WAITING_STANDINGS)
        shown = tuple((state, f"{number:,}") for state, number in sorted(orders.items()))
        return sum(orders.values()) - waiting - orders["held"], waiting, shown
    if name == "Dispatch":
        parcels = counts.get("dispatch", Counter())
        waiting = parcels["in_warehouse"] + parcels["to_confirm"] + parcels["unknown_outcome"]
        shown = tuple((state, f"{number:,}") for state, number in sorted(parcels.items()))
        return parcels["closed"], waiting, shown
    payouts = counts.get("payouts", Counter())
    lines = counts.get("settlement_lines", Counter())
    closed = payouts["closed"] + payouts["journal_open"] + payouts["done"]
    money = (
        ("lines tied", f"{lines['tied']:,}"),
        ("lines untied", f"{lines['untied']:,}"),
        ("payouts closed", f"{closed:,}"),
    )
    return payouts["done"], sum(payouts.values()) - payouts["done"], money
