-- Operators' own commands; those that come with the product are part of it.
create table servers.command (
    id uuid primary key,
    name text not null,
    description text not null,
    text text not null,
    timeout_seconds int not null,
    success_codes int[] not null,
    as_root boolean not null,
    repeatable boolean not null,
    uses text[] not null,
    on_failure text not null check (on_failure in ('pause', 'continue', 'undo')),
    changed_at timestamptz not null default now(),
    changed_by text not null);
create unique index command_name on servers.command (lower(name));

-- Which commands are run around what is done to a server, in order. By name, because those that come with the product have no row.
create table servers.chosen_command (
    server_id uuid not null references servers.server on delete cascade,
    phase text not null check (phase in ('pre', 'post')),
    position int not null,
    name text not null,
    primary key (server_id, phase, position));
create index chosen_command_name on servers.chosen_command (lower(name));
