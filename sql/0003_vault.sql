-- Personal data, sealed and erasable. The log holds only `ref`; erasing a row breaks no hash.

create table vault (
    merchant text collate "C" not null check (merchant <> ''),
    ref text collate "C" not null check (ref <> ''),
    sealed bytea not null,
    sealed_at timestamptz not null,
    expires_at timestamptz not null check (expires_at >= sealed_at),
    primary key (merchant, ref)
);

-- The sweep that erases what has expired.
create index vault_expiry on vault (merchant, expires_at);
