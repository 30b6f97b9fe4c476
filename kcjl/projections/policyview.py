"""Policy for the monitor: all that is in force, from the log's few streams of policy.

Promises: see `kcjl/readmodels_policy.py`. The log alone is read, but for the couriers that
parcels wait for, which the desk has, and for the products of a preview.
Called by the read models.
"""

from collections.abc import Awaitable, Callable, Sequence

import anyio.to_thread

from kcjl.database import Database
from kcjl.dispatch.carriers_state import CARRIERS, CARRIERS_KEY, Carriers
from kcjl.events import vocabulary
from kcjl.exceptions.words import Wanted
from kcjl.fold import Fold, S, Table
from kcjl.log.port import Recorded, Selection
from kcjl.log.queries import PostgresQueries
from kcjl.projections.deskreading import DeskRows
from kcjl.projections.policyrows import (
    STREAMS,
    account_rows,
    carrier_rows,
    document_rows,
    kind_of,
    stock_rows,
    told_of,
)
from kcjl.projections.stockreading import StockRows
from kcjl.readmodels import Freshness
from kcjl.readmodels_policy import (
    POLICY_ROWS_MAX,
    VERSIONS_MAX,
    PolicyCut,
    PolicyKind,
    PolicyStory,
    WhatIf,
)
from kcjl.stock.policy_book import POLICY_BOOK, PolicyBook
from kcjl.stock.preview import preview_of

__all__ = ["PolicyView"]

WAITING_MAX = 500
"""Couriers that parcels wait for; one that is mapped lets all of its parcels go."""
CHANGES_SHOWN = 20


class PolicyView:
    """One merchant's policies, for whoever looks."""

    def __init__(
        self, database: Database, merchant: str, fresh: Callable[[], Awaitable[Freshness]]
    ) -> None:
        self._fresh = fresh
        self._products = StockRows(database, merchant)
        self._desk = DeskRows(database, merchant)
        self._log = PostgresQueries(database, merchant, vocabulary())

    async def policies(self, *, limit: int = POLICY_ROWS_MAX) -> PolicyCut:
        fresh = await self._fresh()
        said = {kind: await self._said(kind) for kind in PolicyKind}
        carriers = _folded(CARRIERS, said[PolicyKind.CARRIER], CARRIERS_KEY) or Carriers()
        book = _folded(POLICY_BOOK, said[PolicyKind.STOCK], "policy") or PolicyBook()
        rows = [
            *stock_rows(said[PolicyKind.STOCK], book, fresh.now),
            *carrier_rows(said[PolicyKind.CARRIER], carriers, await self._waiting()),
            *account_rows(said[PolicyKind.ACCOUNT]),
            *document_rows(PolicyKind.TERMS, said[PolicyKind.TERMS]),
            *document_rows(PolicyKind.ROUTING, said[PolicyKind.ROUTING]),
            *document_rows(PolicyKind.ACCEPTANCE, said[PolicyKind.ACCEPTANCE]),
        ]
        return PolicyCut(rows=tuple(rows[:limit]), total=len(rows), fresh=fresh)

    async def versions(self, key: str) -> PolicyStory:
        told = told_of(key, await self._said(kind_of(key)))
        newest = tuple(reversed(told))[:VERSIONS_MAX]
        return PolicyStory(key=key, versions=newest, total=len(told))

    async def what_if(self, version: int) -> WhatIf | None:
        book = await self._products.book(self._log)
        if book.proposed is None or book.proposed_version != version:
            return None
        fresh = await self._fresh()
        products = [each async for page in self._products.products() for each in page]
        conditions = await self._products.conditions(
            self._log, to=await self._products.position(), at=fresh.now
        )
        # A hundred thousand sums take seconds: whoever looks goes on meanwhile.
        found = await anyio.to_thread.run_sync(preview_of, products, conditions, book.proposed)
        return WhatIf(
            version=version,
            changes=len(found.changes),
            products=found.products,
            units_now=found.units_now,
            units_then=found.units_then,
            largest=tuple(
                (each.sku, each.now, each.then, "; ".join(each.terms))
                for each in found.changes[:CHANGES_SHOWN]
            ),
            unmet=found.unmet,
        )

    async def _said(self, kind: PolicyKind) -> Sequence[Recorded]:
        """All that was said of a kind, oldest first; of the tenant's carriers the newest."""
        found = await self._selected(Selection(stream=STREAMS[kind]))
        if kind is PolicyKind.CARRIER:
            asked = Selection(stream="tenant", types=("TenantRead",), backward=True, page=1)
            async for page in self._log.select(asked):
                found.append(page[0])
                break
        return sorted(found, key=lambda each: each.position)

    async def _selected(self, asked: Selection) -> list[Recorded]:
        return [each async for page in self._log.select(asked) for each in page]

    async def _waiting(self) -> frozenset[str]:
        """Couriers, in folded case, that parcels wait for."""
        wanted = Wanted(kind="courier_unmapped")
        found = await self._desk.list(wanted, state="open", limit=WAITING_MAX)
        return frozenset(row.subject for row in found.rows)


def _folded(fold: Fold[S], said: Sequence[Recorded], key: str) -> S | None:
    table = Table(fold)
    for each in said:
        table.apply(each.event)
    return table.get(key)
