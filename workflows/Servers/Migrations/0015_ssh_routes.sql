-- A stored chain of jump hosts, the first one reached directly.
create table servers.route (
    id uuid primary key,
    name text not null,
    created_at timestamptz not null default now(),
    created_by text not null);
create unique index route_name on servers.route (lower(name));

create table servers.route_hop (
    id uuid primary key,
    route_id uuid not null references servers.route on delete cascade,
    position int not null check (position between 1 and 5),
    address text not null,
    ssh_port int not null,
    ssh_user text not null,
    authentication text not null check (authentication in ('password', 'key')),
    -- A Data Protection payload, bound to this row.
    credential text not null,
    host_key_algorithm text not null,
    host_key_fingerprint text not null,
    unique (route_id, position));

-- What operators did to a route.
create table servers.route_event (
    id bigint generated always as identity primary key,
    route_id uuid not null references servers.route on delete cascade,
    at timestamptz not null default now(),
    who text not null,
    what text not null,
    why text);
create index route_event_by_route on servers.route_event (route_id, id);

-- A route that servers use cannot go.
alter table servers.server add column route_id uuid references servers.route;
create index server_by_route on servers.server (route_id) where route_id is not null;

-- A credential that a run puts in the place of a server's: here until the run is done with it, so that no run holds a secret.
create table servers.pending_credential (
    id uuid primary key,
    server_id uuid not null references servers.server on delete cascade,
    -- Data Protection payloads, bound to this row.
    credential text not null,
    previous text,
    created_at timestamptz not null default now(),
    created_by text not null);
create index pending_credential_server on servers.pending_credential (server_id);
