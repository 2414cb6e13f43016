create schema access;

create table access.account (
    id uuid primary key,
    name text not null,
    groups text[] not null,
    password_hash text,
    server_id uuid,
    created_at timestamptz not null default now());
create unique index account_name on access.account (lower(name));
create unique index account_server on access.account (server_id) where server_id is not null;

create table access.token (
    id uuid primary key,
    account_id uuid not null references access.account on delete cascade,
    name text not null,
    hash bytea not null unique,
    created_at timestamptz not null default now(),
    expires_at timestamptz);
create index token_account on access.token (account_id);
