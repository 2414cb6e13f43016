alter table servers.server drop constraint server_statistics_check, add constraint server_statistics_check check (statistics in ('https', 'rabbitmq', 'pull'));

-- Hosts on which something waits to be fetched: from when an install has told it to wait, until one has told it to send.
create table monitoring.pull (
    server_id uuid primary key references servers.server on delete cascade,
    due_at timestamptz not null,
    -- When it was last read.
    pulled_at timestamptz,
    -- In a row, up to now; three of them are told.
    failures int not null default 0,
    failed_at timestamptz,
    -- Of the last failure; null where the last try went well.
    reason text);
create index pull_due on monitoring.pull (due_at);
