"""The bare database: what PostgreSQL itself takes and gives, with nothing of ours around it.

The table is the least that holds an event log at all: position, stream, revision, type and
time, the payload as text, and the two unique keys. No chain, no fence, no grants.
"""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from kcjl.clock import real_monotonic
from tests.benchmarks.trade import EVENTS_A_STREAM, NOON, VOCABULARY, order

__all__ = ["TABLE", "copy_out_per_s", "fill", "unnest_per_s"]

TABLE = """
create table bare (
    position bigint primary key,
    stream text collate "C" not null,
    version bigint not null,
    type text not null,
    at timestamptz not null,
    payload text not null,
    unique (stream, version)
)
"""
_UNNEST = """
insert into bare (position, stream, version, type, at, payload)
select * from unnest(
    $1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::timestamptz[], $6::text[]
)
"""
_Columns = tuple[list[int], list[str], list[int], list[str], list[datetime], list[str]]


def _columns(first: int, size: int) -> _Columns:
    numbers = range(first, first + size)
    events = [order(0, number) for number in numbers]
    return (
        [number + 1 for number in numbers],
        [event.stream for event in events],
        [1 + number % EVENTS_A_STREAM for number in numbers],
        ["OrderTaken"] * size,
        [NOON] * size,
        [VOCABULARY.encode(event).decode() for event in events],
    )


async def unnest_per_s(dsn: str, *, size: int, seconds: float) -> float:
    """Events a second of one connection, one `unnest` of `size` events a transaction."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("drop table if exists bare")
        await connection.execute(TABLE)
        number = 0
        started = real_monotonic()
        while real_monotonic() < started + seconds:
            await connection.execute(_UNNEST, *_columns(number, size))
            number += size
        return number / (real_monotonic() - started)
    finally:
        await connection.close()


async def fill(dsn: str, events: int) -> None:
    """A table to read from."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(TABLE)
        for first in range(0, events, 5_000):
            columns: Sequence[Sequence[object]] = _columns(first, min(5_000, events - first))
            await connection.copy_records_to_table("bare", records=zip(*columns, strict=True))
    finally:
        await connection.close()


async def copy_out_per_s(dsn: str, query: str, events: int) -> float:
    """Events a second of `COPY … TO STDOUT` binary, in the order of the query, thrown away."""

    async def throw_away(_chunk: bytes) -> None:
        pass

    connection = await asyncpg.connect(dsn)
    try:
        started = real_monotonic()
        await connection.copy_from_query(query, output=throw_away, format="binary")
        return events / (real_monotonic() - started)
    finally:
        await connection.close()
