-- What rooms had folded at a position, so that a start need not fold the whole log. A cache: any
-- row may be deleted at any time, and costs the next start some time.

create table snapshot (
    merchant text collate "C" not null check (merchant <> ''),
    room text collate "C" not null check (room <> ''),
    position bigint not null check (position > 0),
    log_hash bytea not null check (octet_length(log_hash) = 32),  -- the event's at this position
    fingerprint bytea not null check (octet_length(fingerprint) = 32),  -- the program's
    sha256 bytea not null check (octet_length(sha256) = 32),  -- of state
    state bytea not null,
    taken_at timestamptz not null,
    primary key (merchant, room)
);

-- It is compressed already.
alter table snapshot alter column state set storage external;
