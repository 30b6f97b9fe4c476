"""The Cloud feed in memory: the twin that tests of other rooms run on.

Promises: all laws of a `CloudFeed`, by the same law suite as PostgreSQL's; nothing outlives it.
Invariant: one merchant. Called by tests.
"""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from kcjl.khaos.cloud_feed import (
    DocumentKind,
    Endpoint,
    KnownLevel,
    KnownProduct,
    KnownStatus,
    QueuedDocument,
    feed_key,
    last_of_each,
    merged,
    pick_reference,
)
from kcjl.khaos.cloud_inbound import HeardLevel, HeardStatus
from kcjl.khaos.stock_port import Product

__all__ = ["MemoryCloudFeed"]


class MemoryCloudFeed:
    """One merchant's outbox and inbox."""

    def __init__(self) -> None:
        self._sequence = 0
        self._outbox: dict[tuple[DocumentKind, str], QueuedDocument] = {}
        self._statuses: dict[str, KnownStatus] = {}
        self._levels: dict[tuple[str, str], KnownLevel] = {}
        self._products: dict[str, KnownProduct] = {}
        self._contacts: dict[Endpoint, datetime] = {}

    # ── outbox ──────────────────────────────────────────────────────────────────────────────

    async def queue(self, kind: DocumentKind, reference: str, *, at: datetime) -> bool:
        key = (kind, feed_key(reference))
        if key in self._outbox:
            return False
        self._sequence += 1
        known = self._statuses.get(key[1]) if kind == DocumentKind.ORDER else None
        self._outbox[key] = QueuedDocument(
            reference=reference,
            sequence=self._sequence,
            queued_at=at,
            heard_at=known.first_heard_at if known else None,
        )
        return True

    async def queued(self, kind: DocumentKind, reference: str) -> QueuedDocument | None:
        return self._outbox.get((kind, feed_key(reference)))

    async def waiting(
        self, kind: DocumentKind, *, after: int, rows_max: int
    ) -> Sequence[QueuedDocument]:
        rows = [
            each
            for (its, _), each in self._outbox.items()
            if its == kind
            and each.heard_at is None
            and (each.sequence > after or each.fetched_at is None)
        ]
        return sorted(rows, key=lambda each: each.sequence)[:rows_max]

    async def asked_for(
        self, kind: DocumentKind, references: Sequence[str]
    ) -> Sequence[QueuedDocument]:
        keys = dict.fromkeys((kind, feed_key(each)) for each in references)
        rows = [self._outbox[key] for key in keys if key in self._outbox]
        return sorted(rows, key=lambda each: each.sequence)

    async def handed_out(
        self, kind: DocumentKind, references: Sequence[str], *, at: datetime
    ) -> None:
        for reference in references:
            row = self._outbox.get((kind, feed_key(reference)))
            if row is not None and row.fetched_at is None:
                self._outbox[kind, feed_key(reference)] = replace(row, fetched_at=at)

    # ── inbox ───────────────────────────────────────────────────────────────────────────────

    async def hear_statuses(self, statuses: Sequence[HeardStatus], *, at: datetime) -> None:
        ours = {key for kind, key in self._outbox if kind == DocumentKind.ORDER}
        for heard in statuses:
            reference = pick_reference(heard.references, ours | self._statuses.keys())
            key = feed_key(reference)
            self._statuses[key] = merged(self._statuses.get(key), heard, reference, at)
            row = self._outbox.get((DocumentKind.ORDER, key))
            if row is not None and row.heard_at is None:
                self._outbox[DocumentKind.ORDER, key] = replace(row, heard_at=at)

    async def statuses(self, references: Sequence[str]) -> Sequence[KnownStatus]:
        keys = dict.fromkeys(feed_key(each) for each in references)
        return [self._statuses[key] for key in keys if key in self._statuses]

    async def hear_levels(self, levels: Sequence[HeardLevel], *, at: datetime) -> None:
        for key, level in last_of_each(levels).items():
            before = self._levels.get(key)
            if before is None or before.heard_at <= at:
                self._levels[key] = KnownLevel(level=level, heard_at=at)

    async def levels(self, codes: Sequence[str]) -> Sequence[KnownLevel]:
        keys = {feed_key(each) for each in codes}
        return [each for (code, _), each in sorted(self._levels.items()) if code in keys]

    async def levels_since(self, since: datetime) -> Sequence[KnownLevel]:
        return [each for _, each in sorted(self._levels.items()) if each.heard_at >= since]

    async def hear_products(
        self, products: Sequence[Product], deleted: Sequence[str], *, at: datetime
    ) -> None:
        for product in products:
            key = feed_key(product.stock_code)
            before = self._products.get(key)
            if product.stock_id:
                self._delete(product.stock_id, but=key, at=at)
            self._products[key] = KnownProduct(
                product=product,
                deleted=False,
                first_heard_at=before.first_heard_at if before else at,
                heard_at=at,
            )
        for stock_id in deleted:
            self._delete(stock_id, but="", at=at)

    def _delete(self, stock_id: str, *, but: str, at: datetime) -> None:
        for key, known in self._products.items():
            if known.product.stock_id == stock_id and key != but and not known.deleted:
                self._products[key] = replace(known, deleted=True, heard_at=at)

    async def products(self, codes: Sequence[str]) -> Sequence[KnownProduct]:
        keys = dict.fromkeys(feed_key(each) for each in codes)
        return [self._products[key] for key in keys if key in self._products]

    async def products_since(self, since: datetime) -> Sequence[KnownProduct]:
        return [each for _, each in sorted(self._products.items()) if each.heard_at >= since]

    # ── contact ─────────────────────────────────────────────────────────────────────────────

    async def note_contact(self, endpoint: Endpoint, *, at: datetime) -> None:
        self._contacts[endpoint] = max(at, self._contacts.get(endpoint, at))

    async def contacts(self) -> dict[Endpoint, datetime]:
        return dict(self._contacts)

    async def site_ids(self) -> Sequence[str]:
        return sorted({site for _, site in self._levels})

    async def expire(self, before: datetime, *, rows_max: int) -> int:
        statuses = [key for key, each in self._statuses.items() if each.heard_at < before]
        outbox = [
            key
            for key, each in self._outbox.items()
            if (
                _last_heard(each, self._statuses.get(key[1]))
                if key[0] == DocumentKind.ORDER
                else each.fetched_at or before
            )
            < before
        ]
        for key in outbox[:rows_max]:
            del self._outbox[key]
        for status in statuses[:rows_max]:
            del self._statuses[status]
        return len(outbox[:rows_max]) + len(statuses[:rows_max])


def _last_heard(row: QueuedDocument, status: KnownStatus | None) -> datetime:
    """When an order was last heard of; never, for one that waits."""
    if row.heard_at is None:
        return datetime.max.replace(tzinfo=row.queued_at.tzinfo)
    return status.heard_at if status else row.heard_at
