-- Who is there to serve merchants, and what people want of them. The lease says who does.

create table worker (
    holder text collate "C" primary key check (holder <> ''),
    able text[] not null,  -- merchants that it could serve
    version text not null,
    started_at timestamptz not null,
    seen_at timestamptz not null
) with (fillfactor = 50);  -- seen every two seconds: the row is written in its own page

create table merchant_wish (
    merchant text collate "C" primary key check (merchant <> ''),
    weight real not null default 1 check (weight > 0),
    paused boolean not null default false,
    wanted text not null default '',  -- the worker that is to have it
    reason text not null default '',
    by text not null check (by <> ''),
    wished_at timestamptz not null
);
