"""Stock for the monitor: its SKUs in order of need, and the story of one, out of PostgreSQL.

Promises: see `kcjl/readmodels_stock.py`. One answer is a few short reads, bounded in rows; the
figures are the room's own sum over the products of a stock code, whichever of them are shown.
Called by the read models.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from kcjl.database import Database
from kcjl.events import vocabulary
from kcjl.log.queries import PostgresQueries
from kcjl.projections.stockreading import StockRows, held, stopped, switched_off
from kcjl.readmodels import Freshness
from kcjl.readmodels_stock import (
    PRODUCTS_MAX,
    HeldNow,
    ProductRow,
    ProductsCut,
    ProductStory,
)
from kcjl.stock.available import Available
from kcjl.stock.conditions import group_key, worked_out
from kcjl.stock.events import stock_key
from kcjl.stock.explained import explained, steps_of, waits_for
from kcjl.stock.origins import origins_of
from kcjl.stock.projection import PRODUCTS_SHOWN
from kcjl.stock.state import Match, Product

__all__ = ["StockView"]

_LIVE = """
r.merchant = $1 and r.projection = 'stock' and r.version = (
    select version from projection_checkpoint
    where merchant = $1 and projection = 'stock' and live
)
"""
_NEED = """
case
    when split_part(r.data::text, '"', 4) = 'refused' then 0
    when strpos(replace(r.data::text, '"drifted":""', ''), '"drifted":') > 0 then 1
    when strpos(r.data::text, '"gone":true') > 0 then 1
    when split_part(r.data::text, '"', 4) = 'unmatched' then 2
    when strpos(r.data::text, '"withheld":true') > 0 then 3
    when split_part(r.data::text, '"', 4) = 'unasked' then 4
    else 5
end
"""
"""What needs a person stands first; the index projection_row_stock_need has it word by word."""


class StockView:
    """One merchant's SKUs, for whoever looks."""

    def __init__(
        self, database: Database, merchant: str, fresh: Callable[[], Awaitable[Freshness]]
    ) -> None:
        self._database = database
        self._merchant = merchant
        self._fresh = fresh
        self._rows = StockRows(database, merchant)
        self._log = PostgresQueries(database, merchant, vocabulary())

    async def products(self, *, find: str = "", limit: int = PRODUCTS_MAX) -> ProductsCut:
        fresh = await self._fresh()
        position = await self._rows.position()
        found = await self._found(find, limit) if find else {}
        found |= await self._neediest(limit - len(found)) if len(found) < limit else {}
        sharing = await self._sharing(list(found.values()))
        conditions = await self._rows.conditions(self._log, to=position, at=fresh.now)
        available = {key: worked_out(group, conditions) for key, group in sharing.items()}
        holding = await held(self._log)
        return ProductsCut(
            rows=tuple(
                _row(product, available[group_key(product)]) for product in found.values()
            ),
            total=await self._total(),
            fresh=fresh,
            stopped=await stopped(self._log, to=position),
            publishing=await switched_off(self._log, to=position) is None,
            held=HeldNow(
                hold_id=holding.hold_id,
                since=holding.occurred_at,
                findings=holding.findings,
            )
            if holding
            else None,
            policy_version=conditions.version,
        )

    async def story(self, sku: str) -> ProductStory | None:
        product = await self._rows.product(sku)
        if product is None:
            return None
        fresh = await self._fresh()
        position = await self._rows.position()
        sharing = await self._rows.sharing(product)
        origins = await origins_of(self._log, sharing, to=position)
        conditions = await self._rows.conditions(self._log, to=position, at=fresh.now)
        reads = await self._rows.reads(self._log, position)
        return ProductStory(
            sum=explained(product, sharing, conditions, reads, origins, position=position),
            steps=steps_of(sharing, origins),
            fresh=fresh,
        )

    async def _total(self) -> int:
        return int(
            await self._database.fetchval(
                f"select count(*) from projection_row r where {_LIVE}",  # noqa: S608 - the text above
                self._merchant,
            )
        )

    async def _neediest(self, limit: int) -> dict[str, Product]:
        rows = await self._database.fetch(
            f"""
            select r.key, r.data::text as data from projection_row r where {_LIVE}
            order by {_NEED}, r.key limit $2
            """,  # noqa: S608 - the texts above
            self._merchant,
            limit,
        )
        return {row["key"]: PRODUCTS_SHOWN.entry(row["data"]) for row in rows}

    async def _found(self, find: str, limit: int) -> dict[str, Product]:
        """By a part of the SKU, or the whole stock code as it is written, or in capitals."""
        keys = await self._database.fetch(
            f"""
            (
                select r.key from projection_row r
                where {_LIVE} and strpos(r.key, $2) > 0 order by r.key limit $4
            )
            union
            (
                select coded.key from unnest($3::text[]) as code
                cross join lateral (
                    select r.key from projection_row r
                    where {_LIVE} and r.data->'row'->>'stock_code' = code limit $4
                ) coded
            )
            """,  # noqa: S608 - the text above; what is looked for travels as arguments
            self._merchant,
            stock_key(find),
            [find, find.upper()],
            limit,
        )
        # By their keys in a statement of its own: in one the planner would try every row.
        rows = await self._database.fetch(
            f"""
            select r.key, r.data::text as data from projection_row r
            where {_LIVE} and r.key = any($2::text[]) order by r.key limit $3
            """,  # noqa: S608 - the text above
            self._merchant,
            [row["key"] for row in keys],
            limit,
        )
        return {row["key"]: PRODUCTS_SHOWN.entry(row["data"]) for row in rows}

    async def _sharing(self, products: Sequence[Product]) -> Mapping[str, list[Product]]:
        """By group: the products that are shown, and those that share a stock code with one."""
        groups: dict[str, dict[str, Product]] = {}
        for product in products:
            groups.setdefault(group_key(product), {})[product.key] = product
        codes = sorted({each.stock_code for each in products if each.code_key})
        # Each code is looked up by itself: the planner would read every row for so many.
        rows = await self._database.fetch(
            f"""
            select other.data from unnest($2::text[]) as code
            cross join lateral (
                select r.key, r.data::text as data from projection_row r
                where {_LIVE} and r.data->'row'->>'stock_code' = code
                offset 0
            ) other
            where other.key <> all($3::text[])
            """,  # noqa: S608 - the text above
            self._merchant,
            codes,
            [each.key for each in products],
        )
        for row in rows:
            product = PRODUCTS_SHOWN.entry(row["data"])
            if group_key(product) in groups:
                groups[group_key(product)][product.key] = product
        return {key: [group[each] for each in sorted(group)] for key, group in groups.items()}


def _row(product: Product, available: Available) -> ProductRow:
    """`available`: what all products of its stock code share."""
    shown = product.shown
    known = [each.quantity for each in shown if each.quantity is not None]
    sent = [each.sent for each in shown if each.sent is not None]
    said = [each.acknowledged for each in shown if each.acknowledged is not None]
    said_at = [each.acknowledged_at for each in shown if each.acknowledged_at is not None]
    unasked = product.match == Match.UNASKED
    return ProductRow(
        key=product.key,
        sku=product.sku,
        stock_code=product.stock_code,
        alias=product.alias,
        nearest=product.nearest,
        state=PRODUCTS_SHOWN.state_of(product),
        offers=len(shown),
        can_be_sold=0 if unasked else available.quantity,
        shown=sum(known) if known and len(known) == len(shown) else None,
        level=None if product.levels is None else product.level,
        in_flight=product.units_in_flight,
        held_back=available.held,
        sent=sum(sent) if sent else None,
        acknowledged=sum(said) if said else None,
        acknowledged_at=min(said_at, default=None),
        level_read_at=product.level_read_at,
        drifted=any(each.drifted for each in shown),
        stale=any(each.withheld for each in shown),
        refused=tuple(each.sku for each in shown if each.refused),
        reason="the ERP has not been asked yet" if unasked else available.reason,
        waits_for="; ".join(why for each in shown if (why := waits_for(each))),
    )
