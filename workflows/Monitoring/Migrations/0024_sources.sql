alter table monitoring.source
    -- Records that had been received before: a replay, an answer that was lost, or a second agent that counts the same numbers.
    add column duplicates bigint not null default 0,
    -- Another spool of the same server has been heard for the first time since this one was heard: after a reinstall for ever.
    add column superseded boolean not null default false,
    -- When this spool was last heard although another one had taken its place: two agents report as one server.
    add column contested_at timestamptz;

-- Of the spools that were there, the newest of each server and kind is the one that holds.
update monitoring.source s set superseded = true
where exists (select from monitoring.source o where o.server_id = s.server_id and o.kind = s.kind and (o.last_at, o.id) > (s.last_at, s.id));
