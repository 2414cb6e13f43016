-- What a component was left like, to compare the host with; null where an earlier release has left it.
alter table servers.component
    add column configuration_digest text,
    add column specification text,
    -- The run with which an operator has stopped it; null when it is to run.
    add column stopped_by uuid;

-- When a host was last looked at, and why it could not be.
create table servers.drift_check (
    server_id uuid primary key references servers.server on delete cascade,
    at timestamptz not null default now(),
    problem text);

-- What is not on a host as it was asked for.
create table servers.drift (
    server_id uuid not null references servers.server on delete cascade,
    component text not null,
    kind text not null,
    subject text not null,
    what text not null,
    since timestamptz not null default now(),
    primary key (server_id, component, kind, subject));
