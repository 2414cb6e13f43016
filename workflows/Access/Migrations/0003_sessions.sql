-- A sign-in to the dashboard. Its cookie alone is worth nothing once the row is gone.
create table access.session (
    id uuid primary key,
    account_id uuid not null references access.account on delete cascade,
    started_at timestamptz not null default now(),
    ends_at timestamptz not null);
create index session_account on access.session (account_id);
