-- What the host was found to be when it was registered, or what an operator said of one that is installed by hand. Null: registered before this was kept.
alter table servers.server add column operating_system text check (operating_system in ('debian', 'ubuntu', 'redhat', 'other'));
