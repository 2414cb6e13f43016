create schema servers;

create table servers.server (
    id uuid primary key,
    name text not null,
    address text not null,
    ssh_port int not null,
    ssh_user text not null,
    authentication text not null check (authentication in ('password', 'key')),
    -- Data Protection payloads, bound to this row.
    credential text not null,
    report_token text not null,
    host_key_algorithm text not null,
    host_key_fingerprint text not null,
    api_address text,
    created_at timestamptz not null default now(),
    created_by text not null,
    last_run_id uuid);
create unique index server_name on servers.server (lower(name));

-- What an operator asked a server to serve; every version is kept.
create table servers.configuration (
    id uuid primary key,
    server_id uuid not null references servers.server on delete cascade,
    document jsonb not null,
    created_at timestamptz not null default now(),
    created_by text not null);
create index configuration_server on servers.configuration (server_id, created_at);

-- What a finished run left on a server.
create table servers.component (
    server_id uuid not null references servers.server on delete cascade,
    name text not null check (name in ('dns', 'dhcp', 'monitor')),
    version text not null,
    image text not null,
    configuration_id uuid references servers.configuration,
    installed_at timestamptz not null default now(),
    primary key (server_id, name));
