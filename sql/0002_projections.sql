-- Read models: rows by key, and how far each projection has read. All of it can be rebuilt from
-- the log; a new version is built beside the live one and then swapped in.

create table projection_checkpoint (
    merchant text collate "C" not null check (merchant <> ''),
    projection text collate "C" not null check (projection <> ''),
    version integer not null check (version > 0),
    position bigint not null check (position >= 0),
    live boolean not null default false,
    primary key (merchant, projection, version)
);

-- At most one version of a projection is the one that is read.
create unique index projection_checkpoint_live
on projection_checkpoint (merchant, projection) where live;

create table projection_row (
    merchant text collate "C" not null check (merchant <> ''),
    projection text collate "C" not null check (projection <> ''),
    version integer not null check (version > 0),
    key text collate "C" not null,
    data json not null,
    primary key (merchant, projection, version, key)
);

-- Lists by state: the open exceptions, the orders that wait. The state stands first, so that this
-- index is never taken for a look-up by key, which without statistics looks as cheap by either.
create index projection_row_state
on projection_row ((data ->> 'state'), merchant, projection, version);
