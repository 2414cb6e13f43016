-- How the host's monitor sends what it counts.
alter table servers.server add column statistics text not null default 'https' check (statistics in ('https', 'rabbitmq'));
