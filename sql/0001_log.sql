-- The event log: one chain of events a merchant, its head, and the lease of its one writer.
-- Everything is keyed by merchant, so that the tables can be distributed by it. Names and keys
-- collate as bytes ("C"): an index must not depend on a machine's language files.

create table event (
    merchant text collate "C" not null check (merchant <> ''),
    position bigint not null check (position > 0),
    stream text collate "C" not null check (stream <> ''),
    revision bigint not null check (revision > 0),
    type text collate "C" not null check (type <> ''),
    schema integer not null check (schema > 0),
    occurred_at timestamptz not null,
    recorded_at timestamptz not null,
    correlation_id text collate "C" not null,
    causation bigint check (causation < position),
    by text collate "C" not null check (by <> ''),
    data json not null,  -- json, not jsonb: the bytes are what is hashed
    hash bytea not null check (octet_length(hash) = 32),
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
create function append_events(
    p_merchant text,
    p_epoch bigint,
    p_position bigint,
    p_previous bytea,
    p_hash bytea,
    p_recorded_at timestamptz,
    p_streams text[],
    p_revisions bigint[],
    p_types text[],
    p_schemas integer[],
    p_occurred_us bigint[],  -- since 1970, as they are hashed
    p_correlation_ids text[],
    p_causations bigint[],
    p_by text[],
    p_data json[],
    p_hashes bytea,  -- 32 bytes each
    p_notify boolean
) returns bigint
language plpgsql as $$
declare
    reached bigint := p_position + cardinality(p_streams);
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
        p_merchant, p_position + e.ordinality, e.stream, e.revision, e.type, e.schema,
        timestamptz 'epoch' + e.occurred_us / 86400000000 * interval '24 hours'
            + e.occurred_us % 86400000000 * interval '1 microsecond',
        p_recorded_at, e.correlation_id, e.causation, e.by, e.data,
        substring(p_hashes from (32 * e.ordinality - 31)::integer for 32)
    from unnest(
        p_streams, p_revisions, p_types, p_schemas, p_occurred_us, p_correlation_ids,
        p_causations, p_by, p_data
    ) with ordinality as e (
        stream, revision, type, schema, occurred_us, correlation_id,
        causation, by, data, ordinality
    );

    -- A hint for readers; payload: merchant:position. A busy writer gives it now and then.
    if p_notify then
        perform pg_notify('kcjl_log', p_merchant || ':' || reached);
    end if;
    return reached;
end
$$;

revoke all on function append_events from public;
