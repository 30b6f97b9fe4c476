"""The SQL of a connection that lives in the past: temporary views that stand before the tables.

Promises: whoever reads `projection_row`, `projection_checkpoint`, `projection_state`, `event`,
`log_head` or `sync_log` on that connection sees them as of `past_at.position`. Only temporary
tables are written. What a row was is in `past_row`, or else in the keyframe that is stood on.
Invariant: a name without a schema finds the view, since PostgreSQL looks among what is
temporary first; the tables themselves are named with theirs.
Called by overlay.py.
"""

from collections.abc import Sequence

__all__ = ["CLOSE", "OPEN_END", "PUT", "STORED", "TABLES", "views"]

OPEN_END = 2**63 - 1
"""`to_position` of a row that still holds."""

TABLES = """
create temporary table past_at (position bigint not null, moment timestamptz);
insert into past_at values (0, null);
create temporary table past_row (
    projection text collate "C" not null,
    key text collate "C" not null,
    from_position bigint not null,
    to_position bigint not null,
    data json,  -- null: there was no row
    primary key (projection, key, from_position)
);
"""

PUT = """
insert into past_row (projection, key, from_position, to_position, data)
select n.projection, n.key, n.from_position, n.to_position, n.data::json
from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[])
    as n (projection, key, from_position, to_position, data)
on conflict (projection, key, from_position)
do update set to_position = excluded.to_position, data = excluded.data
"""

CLOSE = f"""
update past_row set to_position = c.position
from (
    select r.ctid, n.position
    from unnest($1::text[], $2::text[], $3::bigint[]) as n (projection, key, position)
    cross join lateral (
        select ctid from past_row
        where projection = n.projection and key = n.key and to_position = {OPEN_END}
        limit 1
    ) r
) c
where past_row.ctid = c.ctid
"""  # noqa: S608 - a constant of ours


_AT = "(select position from past_at)"


def views(
    schema: str, merchant: str, projections: Sequence[str], *, version: int, keyframe: int
) -> str:
    """For one merchant, on one keyframe. `schema` and `merchant` come quoted.

    Rows of other projections are not folded, and so not shown. The position changes with each
    step and is looked up; the keyframe is written into the views, so that the planner knows
    what it is about.
    """
    names = [f"'{name}'" for name in projections]
    kept = f"""
        k.merchant = {merchant} and k.version = {version:d}
        and k.from_position <= {keyframe:d} and k.to_position > {keyframe:d}
        and k.projection in ({", ".join(names)})
    """
    states = f"""
        s.merchant = {merchant} and s.version = {version:d} and s.position = {keyframe:d}
        and s.projection in ({", ".join(names)})
    """
    return _log(schema, merchant, names) + _rows(schema, merchant, kept, states)


def _log(schema: str, merchant: str, names: Sequence[str]) -> str:
    moment = "(select moment from past_at)"
    each = ", ".join(f"({name})" for name in names)
    return f"""
    create or replace temporary view event as
    select * from {schema}.event where position <= {_AT};

    create or replace temporary view log_head as
    select merchant, position, hash, 0::bigint as epoch from {schema}.event
    where merchant = {merchant} and position = {_AT};

    create or replace temporary view sync_log as
    select * from {schema}.sync_log where attempted_at <= {moment};

    create or replace temporary view projection_checkpoint as
    select {merchant}::text collate "C" as merchant, name::text collate "C" as projection,
        1 as version, {_AT} as position, true as live
    from (values {each}) as p (name);
    """  # noqa: S608 - names quoted by the server, and names of projections of ours


def _rows(schema: str, merchant: str, kept: str, states: str) -> str:
    now = f"o.from_position <= {_AT} and o.to_position > {_AT} and o.data is not null"
    return f"""
    create or replace temporary view projection_row as
    select {merchant}::text collate "C" as merchant, o.projection, 1 as version, o.key, o.data
    from past_row o where {now}
    union all
    select k.merchant, k.projection, 1, k.key, k.data from {schema}.keyframe_row k
    where {kept} and not exists (
        select from past_row o
        where o.projection = k.projection and o.key = k.key and o.from_position <= {_AT}
    );

    create or replace temporary view projection_state as
    select {merchant}::text collate "C" as merchant, projection, state,
        sum(number)::bigint as number
    from (
        select s.projection, s.state, s.number from {schema}.keyframe_state s where {states}
        union all
        select o.projection, split_part(o.data::text, '"', 4), 1 from past_row o where {now}
        union all
        select o.projection, covered.state, -1
        from (
            select distinct projection, key from past_row where from_position <= {_AT}
        ) o
        cross join lateral (
            select split_part(k.data::text, '"', 4) as state from {schema}.keyframe_row k
            where {kept} and k.projection = o.projection and k.key = o.key
            limit 1
        ) covered
    ) parts
    group by projection, state having sum(number) <> 0;
    """  # noqa: S608 - names quoted by the server, numbers, and names of projections of ours


STORED = f"""
select wanted.projection, wanted.key, r.data
from unnest($1::text[], $2::text[]) as wanted (projection, key)
cross join lateral (
    select o.data::text as data, 0 as place from past_row o
    where o.projection = wanted.projection and o.key = wanted.key
    and o.to_position = {OPEN_END}
    union all
    select * from (
        select k.data::text, 1 from keyframe_row k
        where k.merchant = $3 and k.version = $4 and k.projection = wanted.projection
        and k.key = wanted.key and k.from_position <= $5 and k.to_position > $5
        limit 1
    ) kept
    order by place limit 1
) r
"""  # noqa: S608 - a constant of ours
"""The newest rows that are folded, of some keys."""
