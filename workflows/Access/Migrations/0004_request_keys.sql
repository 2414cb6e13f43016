-- What was asked for under an idempotency key, as a digest: the same key with another request is somebody's mistake.
create table access.request_key (
    account_id uuid not null references access.account on delete cascade,
    address text not null,
    key text not null,
    digest bytea not null,
    at timestamptz not null default now(),
    primary key (account_id, address, key));
create index request_key_at on access.request_key (at);
