-- The Cloud feed: what the ERP pulls from us (outbox) and what it has pushed (inbox). No document
-- is here: an order's is sealed in the vault, and what was heard of the ERP names no buyer.

create table cloud_outbox (
    merchant text collate "C" not null check (merchant <> ''),
    kind text collate "C" not null check (kind in ('order', 'return')),
    reference_key text collate "C" not null check (reference_key <> ''),
    reference text not null check (reference <> ''),
    sequence bigint generated always as identity,
    queued_at timestamptz not null,
    fetched_at timestamptz,
    heard_at timestamptz,
    primary key (merchant, kind, reference_key)
);

-- What is handed out, in the order in which it was queued.
create index cloud_outbox_waiting on cloud_outbox (merchant, kind, sequence) where heard_at is null;

create table cloud_status (
    merchant text collate "C" not null check (merchant <> ''),
    reference_key text collate "C" not null check (reference_key <> ''),
    body text not null,
    first_heard_at timestamptz not null,
    heard_at timestamptz not null check (heard_at >= first_heard_at),
    primary key (merchant, reference_key)
);

create table cloud_level (
    merchant text collate "C" not null check (merchant <> ''),
    code_key text collate "C" not null check (code_key <> ''),
    site_id text collate "C" not null check (site_id <> ''),
    body text not null,
    heard_at timestamptz not null,
    primary key (merchant, code_key, site_id)
);

-- What moved since.
create index cloud_level_heard on cloud_level (merchant, heard_at);

create table cloud_product (
    merchant text collate "C" not null check (merchant <> ''),
    code_key text collate "C" not null check (code_key <> ''),
    stock_id text collate "C" not null,
    body text not null,
    deleted boolean not null default false,
    first_heard_at timestamptz not null,
    heard_at timestamptz not null,
    primary key (merchant, code_key)
);

-- What was edited since; what a deleted id was.
create index cloud_product_heard on cloud_product (merchant, heard_at);
create index cloud_product_id on cloud_product (merchant, stock_id);

create table cloud_contact (
    merchant text collate "C" not null check (merchant <> ''),
    endpoint text collate "C" not null check (endpoint <> ''),
    last_at timestamptz not null,
    primary key (merchant, endpoint)
);
