-- What operators did to a server's registration.
create table servers.event (
    id bigint generated always as identity primary key,
    server_id uuid not null references servers.server on delete cascade,
    at timestamptz not null default now(),
    who text not null,
    what text not null,
    why text);
create index event_by_server on servers.event (server_id, id);
