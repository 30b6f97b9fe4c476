"""Settlement's read models, as they stand: for the CLI and for packs.

Promises: every answer is read from rows of the live projections; a list is read a page at a
time, none missed and none twice. It changes nothing.
Called by `kcjl payouts`.
"""

from collections.abc import AsyncIterator, Sequence

from kcjl.database import Database
from kcjl.dispatch.projection import DISPATCHES_SHOWN
from kcjl.dispatch.state import Dispatch
from kcjl.errors import NotFound
from kcjl.log.port import LogQueries, Selection
from kcjl.settlement.gap_events import GapFound
from kcjl.settlement.projection import INVOICES_SHOWN, LINES_SHOWN, PAYOUTS_SHOWN
from kcjl.settlement.state import Cycle, Invoiced, Line

__all__ = ["LINES_OF_CYCLE", "PayoutRows"]

PAGE_ROWS = 2_000
PAYOUTS_MAX = 10_000
"""Billing cycles that are listed: at three a month, some three hundred years of them."""
LINES_OF_CYCLE = """
r.merchant = $1 and r.projection = 'settlement_lines' and r.version = (
    select version from projection_checkpoint
    where merchant = $1 and projection = 'settlement_lines' and live
) and coalesce(r.data->'row'->'seen'->>'cycle_id', '') = $2
"""
"""The lines of a cycle, `$2`; empty: of none. They have an index of their own."""


class PayoutRows:
    """One merchant's payouts."""

    def __init__(self, database: Database, merchant: str) -> None:
        self._database = database
        self._merchant = merchant

    async def payouts(self) -> Sequence[Cycle]:
        """All of them, oldest first."""
        rows = await self._database.fetch(
            """
            select data::text as data from projection_row
            join projection_checkpoint using (merchant, projection, version)
            where merchant = $1 and projection = 'payouts' and live
            order by data->'row'->>'created_at', key limit $2
            """,
            self._merchant,
            PAYOUTS_MAX,
        )
        return [PAYOUTS_SHOWN.entry(row["data"]) for row in rows]

    async def payout(self, named: str) -> Cycle:
        """By its cycle, its voucher, its bank reference or one of its journals.

        Raises NotFound, with what to do.
        """
        for cycle in reversed(await self.payouts()):
            seen = cycle.seen
            references = {each.intended.reference for each in cycle.journals}
            if named in {cycle.cycle_id, seen.voucher, seen.payout_reference} | references:
                return cycle
        raise NotFound(
            f"there is no payout {named!r} of {self._merchant}: `kcjl payouts list` names "
            "those there are"
        )

    async def lines(self, cycle_id: str | None) -> AsyncIterator[Sequence[Line]]:
        """The transaction lines of a cycle, or those of none, a page at a time."""
        after = ""
        while True:
            rows = await self._database.fetch(
                f"""
                select r.key, r.data::text as data from projection_row r
                where {LINES_OF_CYCLE} and r.key > $3 order by r.key limit $4
                """,  # noqa: S608 - a constant
                self._merchant,
                cycle_id or "",
                after,
                PAGE_ROWS,
            )
            if rows:
                yield [LINES_SHOWN.entry(row["data"]) for row in rows]
            if len(rows) < PAGE_ROWS:
                return
            after = rows[-1]["key"]

    async def lines_of(self, cycle_id: str | None) -> Sequence[Line]:
        """All of them."""
        return [line async for page in self.lines(cycle_id) for line in page]

    async def gaps(self, log: LogQueries, cycle_id: str) -> Sequence[GapFound]:
        """The gaps of a payout, as they were found when it was closed."""
        found: dict[tuple[str, str, tuple[str, ...]], GapFound] = {}
        asked = Selection(stream=f"payout-{cycle_id}", types=(GapFound.__name__,))
        async for page in log.select(asked):
            for recorded in page:
                if isinstance(gap := recorded.event, GapFound):
                    found[gap.kind, gap.subject, gap.line_ids] = gap
        return tuple(found.values())

    async def invoice(self, document_id: str | None, cycle_id: str) -> Invoiced | None:
        """The operator's invoice that a line stands on, or that of its cycle."""
        rows = await self._database.fetch(
            """
            select data::text as data from projection_row
            join projection_checkpoint using (merchant, projection, version)
            where merchant = $1 and projection = 'operator_invoices' and live
            and (data->'row'->'seen'->>'document_id' = $2
                or data->'row'->'seen'->>'cycle_id' = $3
                and data->'row'->'seen'->>'kind' = 'AUTO_INVOICE')
            order by coalesce(data->'row'->'seen'->>'document_id' = $2, false) desc, key limit 1
            """,
            self._merchant,
            document_id,
            cycle_id,
        )
        return INVOICES_SHOWN.entry(rows[0]["data"]) if rows else None

    async def dispatch(self, order_id: str) -> Dispatch | None:
        """The parcels of an order."""
        rows = await self._database.fetch(
            """
            select data::text as data from projection_row
            join projection_checkpoint using (merchant, projection, version)
            where merchant = $1 and projection = 'dispatch' and live and key = $2
            """,
            self._merchant,
            order_id,
        )
        return DISPATCHES_SHOWN.entry(rows[0]["data"]) if rows else None
