create schema alerts;

-- What is watched. Those that come with the product are rows like any other: they may be changed and removed.
create table alerts.rule (
    id uuid primary key default gen_random_uuid(),
    name text not null,
    description text not null default '',
    enabled boolean not null default true,
    severity text not null check (severity in ('info', 'warning', 'critical')),
    kind text not null check (kind in ('threshold', 'absence', 'rate', 'forecast', 'state')),
    metric text,
    share_of text,
    condition text,
    comparison text check (comparison in ('above', 'below')),
    value double precision,
    clear_value double precision,
    window_seconds integer,
    for_seconds integer not null,
    -- Ids; none: all. One whose servers are all gone watches nobody.
    servers uuid[] not null default '{}',
    changed_at timestamptz not null default now(),
    changed_by text not null);
create unique index rule_name on alerts.rule (lower(name));

insert into alerts.rule (name, severity, kind, condition, for_seconds, changed_by, description) values
    ('server unreachable', 'critical', 'state', 'unreachable', 60, 'product', 'Nothing is heard of the host: neither heartbeats nor DNS statistics.'),
    ('agent silent', 'warning', 'state', 'agentSilent', 60, 'product', 'The host answers DNS, and its agent sends no heartbeats.'),
    ('Docker dead', 'critical', 'state', 'dockerDead', 60, 'product', 'The host is up, and Docker does not run on it or does not answer.'),
    ('component down', 'critical', 'state', 'componentDown', 60, 'product', 'A component does not run, and no operator has stopped it.'),
    ('two agents', 'warning', 'state', 'twoAgents', 300, 'product', 'Two agents beat as one server: its host was copied, or its token is used elsewhere.'),
    ('heartbeats missing', 'info', 'state', 'degraded', 300, 'product', 'Some of the heartbeats do not come: the network loses them, or the host is overloaded.'),
    ('statistics missing', 'warning', 'state', 'collectorSilent', 300, 'product', 'DNS may answer, and nobody counts its queries.');

insert into alerts.rule (name, severity, kind, metric, share_of, comparison, value, clear_value, for_seconds, changed_by, description) values
    ('disk almost full', 'warning', 'threshold', 'disk.used', 'disk.total', 'above', 0.9, 0.87, 300, 'product', 'More than 90 % of a file system is in use.'),
    ('disk full', 'critical', 'threshold', 'disk.used', 'disk.total', 'above', 0.97, 0.95, 60, 'product', 'More than 97 % of a file system is in use.'),
    ('inodes almost used up', 'warning', 'threshold', 'disk.inodes.used', 'disk.inodes.total', 'above', 0.9, 0.87, 300, 'product', 'More than 90 % of the inodes of a file system are in use.'),
    ('memory short', 'warning', 'threshold', 'memory.available', 'memory.total', 'below', 0.05, 0.08, 300, 'product', 'Less than 5 % of the memory is available.'),
    ('swap in use', 'info', 'threshold', 'swap.used', 'swap.total', 'above', 0.8, 0.6, 600, 'product', 'More than 80 % of the swap space is in use.'),
    ('processors busy', 'info', 'threshold', 'cpu.idle', null, 'below', 0.05, 0.15, 900, 'product', 'The processors have been busy for a quarter of an hour.'),
    ('addresses almost used up', 'warning', 'threshold', 'dhcp.addresses.assigned', 'dhcp.addresses.total', 'above', 0.9, 0.85, 300, 'product', 'More than 90 % of the addresses in the pools of a subnet are assigned.'),
    ('addresses used up', 'critical', 'threshold', 'dhcp.addresses.assigned', 'dhcp.addresses.total', 'above', 0.99, 0.95, 60, 'product', 'A subnet has no more addresses to give.'),
    ('addresses used up within 4 days', 'warning', 'forecast', 'dhcp.addresses.assigned', 'dhcp.addresses.total', 'below', 345600, 432000, 3600, 'product', 'A subnet fills so fast that its last address will be gone within four days.'),
    ('disk full within 4 days', 'warning', 'forecast', 'disk.used', 'disk.total', 'below', 345600, 432000, 3600, 'product', 'A file system fills so fast that it will be full within four days.');

-- What a rule has found on a server. Kept for a while after it is over; what was over before it fired is not kept.
create table alerts.alert (
    id uuid primary key,
    rule_id uuid not null,
    server_id uuid not null,
    -- The mount, the interface or the component; empty where there is but one.
    label text not null,
    -- As they were then: rules and servers may go.
    rule_name text not null,
    severity text not null,
    server_name text not null,
    summary text not null,
    state text not null check (state in ('pending', 'firing', 'resolved')),
    value double precision,
    since timestamptz not null,
    fired_at timestamptz,
    resolved_at timestamptz,
    resolved_why text,
    -- In which batch of notifications each was told; null: not told.
    fired_batch bigint,
    resolved_batch bigint) with (fillfactor = 80);
create unique index alert_open on alerts.alert (rule_id, server_id, label) where state <> 'resolved';
create index alert_by_server on alerts.alert (server_id);
create index alert_by_id on alerts.alert (state, id);
create index alert_resolved on alerts.alert (resolved_at) where state = 'resolved';
create index alert_untold on alerts.alert (id) where (state = 'firing' and fired_batch is null) or (state = 'resolved' and fired_batch is not null and resolved_batch is null);

-- One row. Held locked by the node that evaluates.
create table alerts.evaluation (
    singleton boolean primary key default true check (singleton),
    evaluated_at timestamptz,
    -- Since when evaluations have followed one another without a pause: what was not received before it says nothing about a host.
    steady_since timestamptz,
    trends_at timestamptz);
insert into alerts.evaluation default values;

-- How fast what will be full is growing; only what grows.
create table alerts.trend (
    server_id uuid not null,
    metric text not null,
    label text not null,
    per_second double precision not null,
    primary key (metric, server_id, label));

-- When nobody is notified: of one server, or of all.
create table alerts.maintenance (
    id uuid primary key,
    server_id uuid references servers.server on delete cascade,
    from_at timestamptz not null,
    to_at timestamptz not null check (to_at > from_at),
    note text not null,
    created_at timestamptz not null default now(),
    created_by text not null);

-- Whom to notify, and how. The secret is a Data Protection payload, bound to the row's id.
create table alerts.channel (
    id uuid primary key,
    name text not null,
    enabled boolean not null,
    kind text not null check (kind in ('webhook', 'email', 'rabbitmq')),
    severity text not null check (severity in ('info', 'warning', 'critical')),
    settings jsonb not null,
    secret text,
    changed_at timestamptz not null default now(),
    changed_by text not null);
create unique index channel_name on alerts.channel (lower(name));

create sequence alerts.batch;

-- One message to one channel, made in the transaction that found what it tells; a run of its own delivers it.
create table alerts.notification (
    id uuid primary key,
    batch bigint not null,
    channel_id uuid not null references alerts.channel on delete cascade,
    content jsonb not null,
    created_at timestamptz not null,
    run_id uuid,
    sent_at timestamptz,
    unique (batch, channel_id));
create index notification_waiting on alerts.notification (created_at) where run_id is null;
create index notification_by_time on alerts.notification (created_at);
