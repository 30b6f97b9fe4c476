-- The event log: one chain of events a merchant, its head, and the lease of its one writer.
-- Everything is keyed by merchant, so that the tables can be distributed by it. Names and keys
-- collate as bytes ("C"): an index must not depend on a machine's language files.

-- Wide columns of a fixed width come first, so that nothing is padded: 8 bytes an event less.
create table event (
    position bigint not null check (position > 0),
    causation bigint check (causation < position),
    occurred_at timestamptz not null,
    recorded_at timestamptz not null,
    revision integer not null check (revision > 0),
    schema integer not null check (schema > 0),
    merchant text collate "C" not null check (merchant <> ''),
    stream text collate "C" not null check (stream <> ''),
    type text collate "C" not null check (type <> ''),
    correlation_id text collate "C" not null,
    by text collate "C" not null check (by <> ''),
    hash bytea not null check (octet_length(hash) = 32),
    data json not null,  -- json, not jsonb: the bytes are what is hashed
    primary key (merchant, position),
    constraint event_revision unique (merchant, stream, revision)
);

create table log_head (
    merchant text collate "C" primary key check (merchant <> ''),
    position bigint not null check (position >= 0),
    hash bytea not null check (octet_length(hash) = 32),
    epoch bigint not null check (epoch >= 0)
);

create table lease (
    merchant text collate "C" primary key check (merchant <> ''),
    holder text not null check (holder <> ''),
    epoch bigint not null check (epoch > 0),
    expires_at timestamptz not null
);

-- Refuse to change the past, whoever asks: the owner and a superuser too.
create function event_is_append_only() returns trigger
language plpgsql as $$
begin
    raise exception 'an event is never changed: % on event is refused', lower(tg_op)
        using errcode = 'KJ002', hint = 'append a new event that corrects the old one';
end
$$;

create trigger event_append_only
before update or delete or truncate on event
for each statement execute function event_is_append_only();

-- "always": replica mode (session_replication_role) does not step round it either.
alter table event enable always trigger event_append_only;

-- Append a group of events in one round trip. The head is moved by compare-and-swap on epoch,
-- position and hash: that is at once the order, the lock and the fence (SQLSTATE KJ001).
-- The events come as one text, because an array of each column took the client three times as
-- long: U+001E between events, U+001F between fields. No name holds either, and in JSON text
-- both are escaped.
create function append_events(
    p_merchant text,
    p_epoch bigint,
    p_position bigint,
    p_previous bytea,
    p_hash bytea,
    p_recorded_at timestamptz,
    p_events text,  -- stream, revision, type, schema, occurred, correlation, causation, by, data
    p_hashes bytea,  -- 32 bytes each
    p_notify boolean
) returns bigint
language plpgsql as $$
declare
    reached bigint := p_position + octet_length(p_hashes) / 32;
    written bigint;
begin
    update log_head set position = reached, hash = p_hash
    where merchant = p_merchant
        and epoch = p_epoch
        and position = p_position
        and hash = p_previous;
    if not found then
        raise exception 'the log of % is not at position % of epoch %',
            p_merchant, p_position, p_epoch
            using errcode = 'KJ001';
    end if;

    insert into event (
        merchant, position, stream, revision, type, schema, occurred_at, recorded_at,
        correlation_id, causation, by, data, hash
    )
    select
        p_merchant, p_position + e.number, e.field[1], e.field[2]::integer, e.field[3],
        e.field[4]::integer,
        -- Whole microseconds since 1970, exact for any year.
        timestamptz 'epoch' + e.field[5]::bigint / 86400000000 * interval '24 hours'
            + e.field[5]::bigint % 86400000000 * interval '1 microsecond',
        p_recorded_at, e.field[6], nullif(e.field[7], '')::bigint, e.field[8],
        e.field[9]::json, substring(p_hashes from (32 * e.number - 31)::integer for 32)
    from (
        select string_to_array(each.event, E'\x1f') as field, each.number
        from string_to_table(p_events, E'\x1e') with ordinality as each (event, number)
        offset 0  -- taken apart once, not once a field
    ) as e;
    get diagnostics written = row_count;
    if p_position + written <> reached then
        raise exception 'the log of %: % hashes for % events',
            p_merchant, reached - p_position, written;
    end if;

    -- A hint for readers; payload: merchant:position. A busy writer gives it now and then.
    if p_notify then
        perform pg_notify('kcjl_log', p_merchant || ':' || reached);
    end if;
    return reached;
end
$$;

revoke all on function append_events from public;
