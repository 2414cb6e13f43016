-- Each component that serves has configurations of its own.
alter table servers.configuration add column component text not null default 'dns' check (component in ('dns', 'dhcp'));
alter table servers.configuration alter column component drop default;
drop index servers.configuration_server;
create index configuration_server on servers.configuration (server_id, component, created_at);

-- As it was written: jsonb sorts the keys of a document that a person arranged.
alter table servers.configuration alter column document type json using document::text::json;

-- The monitor is configured by what it watches.
update servers.component set configuration_id = null where name = 'monitor';
