-- What people ask of the service: inserted by an operator, carried out and answered by the service.

create table command (
    merchant text collate "C" not null check (merchant <> ''),
    id text collate "C" not null check (id <> ''),
    issued_at timestamptz not null,
    by text not null check (by <> ''),
    body json not null,
    done_at timestamptz,
    outcome json,
    primary key (merchant, id)
);

-- The queue: what is not yet done, oldest first.
create index command_waiting on command (merchant, issued_at, id) where done_at is null;
