-- What lies on a host since then is what later configurations have put there.
alter table servers.server add column uninstalled_at timestamptz;
