-- Every configuration is a version of what a component of a server is asked to serve.
alter table servers.configuration
    add column version int,
    add column source text not null default 'install' check (source in ('install', 'apply', 'restore', 'accept')),
    add column message text,
    add column run_id uuid,
    add column applied_at timestamptz;
update servers.configuration c set version = n.version
    from (select id, row_number() over (partition by server_id, component order by created_at, id) as version from servers.configuration) n where n.id = c.id;
update servers.configuration c set applied_at = i.installed_at from servers.component i where i.configuration_id = c.id;
alter table servers.configuration alter column version set not null, alter column source drop default;
drop index servers.configuration_server;
create unique index configuration_version on servers.configuration (server_id, component, version);

-- Of the image's contents; null until the next install where an earlier release has installed it.
alter table servers.component add column image_digest text;
