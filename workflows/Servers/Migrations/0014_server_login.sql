-- As whom the product works on a host. Until now that was root alone.
alter table servers.server add column login text not null default 'root' check (login in ('root', 'sudo', 'docker'));
alter table servers.server add column login_home text not null default '/root';
