-- The sync log: one row a call to either side, apart from the event log, and expiring. Nothing is
-- decided on it. Beside it, what the marketplace sends that we do not know: names of fields only.

create table sync_log (
    merchant text collate "C" not null check (merchant <> ''),
    number bigint generated always as identity,
    side text collate "C" not null check (side <> ''),
    operation text collate "C" not null check (operation <> ''),
    subject text not null,
    page integer not null check (page > 0),
    attempted_at timestamptz not null,
    took_ms integer not null check (took_ms >= 0),
    bytes_sent bigint not null check (bytes_sent >= 0),
    bytes_received bigint not null check (bytes_received >= 0),
    status integer,
    outcome text collate "C" not null check (outcome <> ''),
    reason_code text not null,
    correlation_id text collate "C" not null,
    lost_before bigint not null check (lost_before >= 0),
    primary key (merchant, number)
);

-- What expires, and lists from a time on.
create index sync_log_time on sync_log (merchant, attempted_at);

create table sync_surprise (
    merchant text collate "C" not null check (merchant <> ''),
    operation text collate "C" not null check (operation <> ''),
    field text collate "C" not null check (field <> ''),
    kind text collate "C" not null check (kind <> ''),
    count bigint not null check (count > 0),
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    primary key (merchant, operation, field, kind)
);
