"""The Cloud feed on PostgreSQL: tables `cloud_*`, one merchant's rows.

Promises: a push is kept whole or not at all, in one transaction; an answer to the ERP is given
after the commit. Records stand as JSON, read again by their classes; new fields have defaults.
Invariant: it is apart from the event log: nothing here is in its chain.
Called by the composition root's adapter and listener.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from kcjl.database import Database, Session
from kcjl.khaos.cloud_feed import (
    DocumentKind,
    Endpoint,
    KnownLevel,
    KnownProduct,
    KnownStatus,
    QueuedDocument,
    decode_level,
    decode_product,
    decode_status,
    feed_key,
    last_of_each,
    merged,
    pick_reference,
)
from kcjl.khaos.cloud_inbound import HeardLevel, HeardStatus
from kcjl.khaos.stock_port import Product

if TYPE_CHECKING:
    import asyncpg

__all__ = ["PostgresCloudFeed"]

_ROW = "reference, sequence, queued_at, fetched_at, heard_at"


class PostgresCloudFeed:
    """One merchant's outbox and inbox."""

    def __init__(self, database: Database, merchant: str) -> None:
        self._database = database
        self._merchant = merchant

    # ── outbox ──────────────────────────────────────────────────────────────────────────────

    async def queue(self, kind: DocumentKind, reference: str, *, at: datetime) -> bool:
        done = await self._database.execute(
            """
            insert into cloud_outbox
                (merchant, kind, reference_key, reference, queued_at, heard_at)
            values ($1, $2, $3, $4, $5, (
                select first_heard_at from cloud_status
                where merchant = $1 and reference_key = $3 and $2 = 'order'
            ))
            on conflict (merchant, kind, reference_key) do nothing
            """,
            self._merchant,
            kind,
            feed_key(reference),
            reference,
            at,
        )
        return done.endswith(" 1")

    async def queued(self, kind: DocumentKind, reference: str) -> QueuedDocument | None:
        row = await self._database.fetchrow(
            f"""
            select {_ROW} from cloud_outbox
            where merchant = $1 and kind = $2 and reference_key = $3
            """,  # noqa: S608 - a constant
            self._merchant,
            kind,
            feed_key(reference),
        )
        return None if row is None else _queued(row)

    async def waiting(
        self, kind: DocumentKind, *, after: int, rows_max: int
    ) -> Sequence[QueuedDocument]:
        rows = await self._database.fetch(
            f"""
            select {_ROW} from cloud_outbox
            where merchant = $1 and kind = $2 and heard_at is null
                and (sequence > $3 or fetched_at is null)
            order by sequence limit $4
            """,  # noqa: S608 - a constant
            self._merchant,
            kind,
            after,
            rows_max,
        )
        return [_queued(row) for row in rows]

    async def asked_for(
        self, kind: DocumentKind, references: Sequence[str]
    ) -> Sequence[QueuedDocument]:
        rows = await self._database.fetch(
            f"""
            select {_ROW} from cloud_outbox
            where merchant = $1 and kind = $2 and reference_key = any($3)
            order by sequence
            """,  # noqa: S608 - a constant
            self._merchant,
            kind,
            _keys(references),
        )
        return [_queued(row) for row in rows]

    async def handed_out(
        self, kind: DocumentKind, references: Sequence[str], *, at: datetime
    ) -> None:
        await self._database.execute(
            """
            update cloud_outbox set fetched_at = $4
            where merchant = $1 and kind = $2 and reference_key = any($3)
                and fetched_at is null
            """,
            self._merchant,
            kind,
            _keys(references),
            at,
        )

    # ── inbox ───────────────────────────────────────────────────────────────────────────────

    async def hear_statuses(self, statuses: Sequence[HeardStatus], *, at: datetime) -> None:
        said = _keys([each for status in statuses for each in status.references])
        async with self._database.transaction() as session:
            # One push at a time: each is laid upon what the one before has left.
            await session.execute(
                "select pg_advisory_xact_lock(hashtextextended($1, 7))", self._merchant
            )
            known = await self._known(session, said)
            ours = await session.fetch(
                """
                select reference_key from cloud_outbox
                where merchant = $1 and kind = 'order' and reference_key = any($2)
                """,
                self._merchant,
                said,
            )
            keys = known.keys() | {row["reference_key"] for row in ours}
            changed: dict[str, KnownStatus] = {}
            for heard in statuses:
                reference = pick_reference(heard.references, keys)
                key = feed_key(reference)
                changed[key] = known[key] = merged(known.get(key), heard, reference, at)
                keys = keys | {key}
            await session.executemany(
                """
                insert into cloud_status
                    (merchant, reference_key, body, first_heard_at, heard_at)
                values ($1, $2, $3, $4, $5)
                on conflict (merchant, reference_key) do update
                set body = excluded.body, heard_at = excluded.heard_at
                """,
                [
                    (self._merchant, key, _text(each), each.first_heard_at, each.heard_at)
                    for key, each in sorted(changed.items())
                ],
            )
            await session.execute(
                """
                update cloud_outbox set heard_at = $3
                where merchant = $1 and kind = 'order' and reference_key = any($2)
                    and heard_at is null
                """,
                self._merchant,
                list(changed),
                at,
            )

    async def _known(self, session: Session, keys: list[str]) -> dict[str, KnownStatus]:
        rows = await session.fetch(
            """
            select reference_key, body from cloud_status
            where merchant = $1 and reference_key = any($2)
            """,
            self._merchant,
            keys,
        )
        return {row["reference_key"]: decode_status(row["body"]) for row in rows}

    async def statuses(self, references: Sequence[str]) -> Sequence[KnownStatus]:
        keys = _keys(references)
        async with self._database.session() as session:
            found = await self._known(session, keys)
        return [found[key] for key in keys if key in found]

    async def hear_levels(self, levels: Sequence[HeardLevel], *, at: datetime) -> None:
        rows = [
            (self._merchant, code, site, _text(level), at)
            for (code, site), level in sorted(last_of_each(levels).items())
        ]
        async with self._database.transaction() as session:
            await session.executemany(
                """
                insert into cloud_level (merchant, code_key, site_id, body, heard_at)
                values ($1, $2, $3, $4, $5)
                on conflict (merchant, code_key, site_id) do update
                set body = excluded.body, heard_at = excluded.heard_at
                where cloud_level.heard_at <= excluded.heard_at
                """,
                rows,
            )

    async def levels(self, codes: Sequence[str]) -> Sequence[KnownLevel]:
        rows = await self._database.fetch(
            """
            select body, heard_at from cloud_level
            where merchant = $1 and code_key = any($2) order by code_key, site_id
            """,
            self._merchant,
            _keys(codes),
        )
        return [_level(row) for row in rows]

    async def levels_since(self, since: datetime) -> Sequence[KnownLevel]:
        rows = await self._database.fetch(
            """
            select body, heard_at from cloud_level
            where merchant = $1 and heard_at >= $2 order by code_key, site_id
            """,
            self._merchant,
            since,
        )
        return [_level(row) for row in rows]

    async def hear_products(
        self, products: Sequence[Product], deleted: Sequence[str], *, at: datetime
    ) -> None:
        last = {feed_key(each.stock_code): each for each in products}
        renamed = [
            (self._merchant, each.stock_id, key, at)
            for key, each in last.items()
            if each.stock_id
        ]
        gone = [(self._merchant, stock_id, "", at) for stock_id in dict.fromkeys(deleted)]
        delete = """
            update cloud_product set deleted = true, heard_at = $4
            where merchant = $1 and stock_id = $2 and code_key <> $3 and not deleted
        """
        async with self._database.transaction() as session:
            await session.execute(
                "select pg_advisory_xact_lock(hashtextextended($1, 8))", self._merchant
            )
            await session.executemany(delete, renamed)
            await session.executemany(
                """
                insert into cloud_product
                    (merchant, code_key, stock_id, body, first_heard_at, heard_at)
                values ($1, $2, $3, $4, $5, $5)
                on conflict (merchant, code_key) do update
                set body = excluded.body, stock_id = excluded.stock_id, deleted = false,
                    heard_at = excluded.heard_at
                """,
                [
                    (self._merchant, key, each.stock_id or "", _text(each), at)
                    for key, each in sorted(last.items())
                ],
            )
            await session.executemany(delete, gone)

    async def products(self, codes: Sequence[str]) -> Sequence[KnownProduct]:
        keys = _keys(codes)
        rows = await self._database.fetch(
            """
            select code_key, body, deleted, first_heard_at, heard_at from cloud_product
            where merchant = $1 and code_key = any($2)
            """,
            self._merchant,
            keys,
        )
        found = {row["code_key"]: _product(row) for row in rows}
        return [found[key] for key in keys if key in found]

    async def products_since(self, since: datetime) -> Sequence[KnownProduct]:
        rows = await self._database.fetch(
            """
            select body, deleted, first_heard_at, heard_at from cloud_product
            where merchant = $1 and heard_at >= $2 order by code_key
            """,
            self._merchant,
            since,
        )
        return [_product(row) for row in rows]

    # ── contact ─────────────────────────────────────────────────────────────────────────────

    async def note_contact(self, endpoint: Endpoint, *, at: datetime) -> None:
        await self._database.execute(
            """
            insert into cloud_contact (merchant, endpoint, last_at) values ($1, $2, $3)
            on conflict (merchant, endpoint) do update
            set last_at = greatest(cloud_contact.last_at, excluded.last_at)
            """,
            self._merchant,
            endpoint,
            at,
        )

    async def contacts(self) -> dict[Endpoint, datetime]:
        rows = await self._database.fetch(
            "select endpoint, last_at from cloud_contact where merchant = $1", self._merchant
        )
        return {Endpoint(row["endpoint"]): row["last_at"] for row in rows}

    async def site_ids(self) -> Sequence[str]:
        rows = await self._database.fetch(
            "select distinct site_id from cloud_level where merchant = $1 order by site_id",
            self._merchant,
        )
        return [row["site_id"] for row in rows]

    async def expire(self, before: datetime, *, rows_max: int) -> int:
        async with self._database.transaction() as session:
            outbox = await session.execute(
                """
                delete from cloud_outbox where (merchant, kind, reference_key) in (
                    select o.merchant, o.kind, o.reference_key
                    from cloud_outbox o
                    left join cloud_status s on s.merchant = o.merchant
                        and s.reference_key = o.reference_key and o.kind = 'order'
                    where o.merchant = $1 and case o.kind
                        when 'order' then
                            o.heard_at is not null
                            and coalesce(s.heard_at, o.heard_at) < $2
                        else o.fetched_at < $2
                    end
                    limit $3
                )
                """,
                self._merchant,
                before,
                rows_max,
            )
            statuses = await session.execute(
                """
                delete from cloud_status where (merchant, reference_key) in (
                    select merchant, reference_key from cloud_status
                    where merchant = $1 and heard_at < $2 limit $3
                )
                """,
                self._merchant,
                before,
                rows_max,
            )
        return sum(int(each.rpartition(" ")[2]) for each in (outbox, statuses))


def _keys(said: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(feed_key(each) for each in said))


def _text(record: msgspec.Struct) -> str:
    return msgspec.json.encode(record).decode()


def _queued(row: "asyncpg.Record") -> QueuedDocument:
    return QueuedDocument(**dict(row))


def _level(row: "asyncpg.Record") -> KnownLevel:
    return KnownLevel(level=decode_level(row["body"]), heard_at=row["heard_at"])


def _product(row: "asyncpg.Record") -> KnownProduct:
    return KnownProduct(
        product=decode_product(row["body"]),
        deleted=row["deleted"],
        first_heard_at=row["first_heard_at"],
        heard_at=row["heard_at"],
    )
