-- What the agent of a host without a login has said last of what really runs there.
create table servers.host_state (
    server_id uuid primary key references servers.server on delete cascade,
    at timestamptz not null default now(),
    -- After which change of what was asked for it was seen.
    as_of text not null,
    document jsonb not null);
