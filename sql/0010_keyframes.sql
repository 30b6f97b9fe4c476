-- What the read models were at some positions of the log, so that any position is soon reached. A
-- cache: a version may be dropped at any time, and costs whoever looks at the past some time.

create table keyframe (
    merchant text collate "C" not null check (merchant <> ''),
    version integer not null check (version > 0),  -- all that one program made of one log
    position bigint not null check (position > 0),
    log_hash bytea not null check (octet_length(log_hash) = 32),  -- the event's at this position
    fingerprint bytea not null check (octet_length(fingerprint) = 32),  -- the program's
    primary key (merchant, version, position)
);

-- A row as it was at every keyframe from the one up to, and without, the other.
create table keyframe_row (
    merchant text collate "C" not null check (merchant <> ''),
    version integer not null check (version > 0),
    projection text collate "C" not null check (projection <> ''),
    key text collate "C" not null,
    from_position bigint not null check (from_position > 0),
    to_position bigint not null check (to_position > from_position),
    data json not null,
    primary key (merchant, version, projection, key, from_position)
);

-- What no keyframe that is kept has any more; 9223372036854775807 is a row that still holds.
create index keyframe_row_ended on keyframe_row (merchant, version, to_position)
where to_position < 9223372036854775807;

create table keyframe_state (
    merchant text collate "C" not null check (merchant <> ''),
    version integer not null check (version > 0),
    position bigint not null check (position > 0),
    projection text collate "C" not null check (projection <> ''),
    state text collate "C" not null,
    number bigint not null check (number > 0),
    primary key (merchant, version, position, projection, state)
);

-- How many rows each live projection has by state, which stands first in a row: none is parsed.
create view projection_state as
select
    merchant, projection, split_part(data::text, '"', 4) collate "C" as state, count(*) as number
from projection_row
join projection_checkpoint using (merchant, projection, version)
where live
group by 1, 2, 3;
