create schema if not exists monitoring;

-- One row per spool on a host. It is updated in the transaction that stores what the spool delivered, so a record is counted once whatever is sent again.
create table monitoring.source (
    id bigint generated always as identity primary key,
    server_id uuid not null,
    kind text not null check (kind in ('agent', 'monitor')),
    epoch bytea not null check (length(epoch) = 16),
    -- Sequence numbers received: one range when all is well; what lies between two ranges is missing and may still come.
    seen int8multirange not null default '{}',
    -- What is no longer expected: holes closed because there were too many of them.
    lost bigint not null default 0,
    -- How far the host's clock is behind ours, in seconds, at the last delivery that said.
    clock_offset double precision,
    first_at timestamptz not null,
    last_at timestamptz not null,
    unique (server_id, kind, epoch)
) with (fillfactor = 70);

-- Partitioned by day (UTC) of the time a beat was made, in our clock: see DayPartitions.
create table monitoring.heartbeat (
    server_id uuid not null,
    at timestamptz not null,
    received_at timestamptz not null,
    source_id bigint not null,
    seq bigint not null,
    late boolean not null,
    agent_version text,
    uptime double precision,
    load1 real, load5 real, load15 real,
    memory_total bigint, memory_available bigint,
    swap_total bigint, swap_used bigint,
    tcp_established integer, udp integer,
    docker_state text, docker_version text,
    disks jsonb, components jsonb
) partition by range (at);
create index on monitoring.heartbeat (server_id, at desc, seq desc);

-- Ordered by bytes, not by a language: names are escaped ASCII and operators sort and page by them.
create table monitoring.dns_name (
    id bigint generated always as identity primary key,
    server_id uuid not null,
    zone text collate "C" not null,
    name text collate "C" not null,
    type text collate "C" not null,
    total bigint not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    unique (server_id, zone, name, type)
) with (fillfactor = 80);

create table monitoring.dns_hit (
    server_id uuid not null,
    at timestamptz not null,
    name_id bigint not null,
    count bigint not null,
    primary key (server_id, at, name_id)
) partition by range (at);

create table monitoring.dns_minute (
    server_id uuid not null,
    at timestamptz not null,
    queries bigint not null,
    named bigint not null,
    other bigint not null,
    primary key (server_id, at)
) partition by range (at);

create table monitoring.dns_response (
    server_id uuid not null,
    at timestamptz not null,
    code text not null,
    count bigint not null,
    primary key (server_id, at, code)
) partition by range (at);

create table monitoring.dns_state (
    server_id uuid primary key,
    last_sample_at timestamptz not null,
    connected boolean not null,
    -- Rows in dns_name, kept here because a limit is checked on every batch.
    names integer not null default 0
) with (fillfactor = 70);
