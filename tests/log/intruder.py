"""What somebody with the highest rights could do to a log, chain and all.

The trigger is taken off for as long as an act lasts: whoever owns the server can do that.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kcjl.log.chain import Entry, genesis, link_entry
from tests.log.keepers import MERCHANT, Admin

COLUMNS = (
    "position",
    "causation",
    "occurred_at",
    "recorded_at",
    "revision",
    "schema",
    "merchant",
    "stream",
    "type",
    "correlation_id",
    "by",
    "hash",
    "data",
)
_TEXT = "left({0}, -1) || chr(ascii(right({0}, 1)) # 1)"
_TIME = """'epoch'::timestamptz
    + ((extract(epoch from {0}) * 1000000)::bigint # 1) * interval '1 microsecond'"""
FLIPPED = {
    "position": "position # 64",
    "revision": "revision # 64",
    "schema": "schema # 64",
    "occurred_at": _TIME.format("occurred_at"),
    "recorded_at": _TIME.format("recorded_at"),
    "causation": "coalesce(causation # 1, 0)",
    "data": """overlay(
        data::text
        placing chr(ascii(substr(data::text, length(data::text) - 1)) # 1)
        from length(data::text) - 1
    )::json""",
    "hash": "set_byte(hash, 31, get_byte(hash, 31) # 1)",
}
"""How one bit of a column is turned; of texts, the last bit (of a cause that is not, the 0)."""


@asynccontextmanager
async def unguarded(admin: Admin) -> AsyncIterator[None]:
    await admin.execute("alter table event disable trigger event_append_only")
    try:
        yield
    finally:
        await admin.execute("alter table event enable always trigger event_append_only")


async def flip_a_bit(admin: Admin, column: str, position: int) -> None:
    changed = FLIPPED.get(column, _TEXT.format(column))
    async with unguarded(admin):
        done = await admin.execute(
            f"update event set {column} = {changed} where position = $1", position
        )
    assert "UPDATE 1" == done


async def cut_off_after(admin: Admin, position: int) -> None:
    """The tail goes, and the head is set back, so that nothing shows."""
    async with unguarded(admin):
        await admin.execute("delete from event where position > $1", position)
    await admin.execute(
        """
        update log_head set position = $1,
            hash = (select event.hash from event where event.position = $1)
        """,
        position,
    )


async def write_anew(admin: Admin, position: int, *, old: str, new: str) -> None:
    """A payload is changed, and every link from there on computed again, up to the head."""
    async with unguarded(admin):
        await admin.execute(
            "update event set data = replace(data::text, $2, $3)::json where position = $1",
            position,
            old,
            new,
        )
        hash_ = genesis(MERCHANT)
        for row in await admin.fetch("select * from event order by position"):
            columns = dict(row)
            columns["data"] = columns["data"].encode()
            hash_ = link_entry(hash_, Entry(**columns))
            await admin.execute(
                "update event set hash = $2 where position = $1", row["position"], hash_
            )
    await admin.execute("update log_head set hash = $1", hash_)
