-- A host on which the product has no login: somebody there runs a line by hand.
alter table servers.server
    add column installation text not null default 'automatic' check (installation in ('automatic', 'manual')),
    alter column address drop not null,
    alter column ssh_port drop not null,
    alter column ssh_user drop not null,
    alter column authentication drop not null,
    alter column credential drop not null,
    alter column host_key_algorithm drop not null,
    alter column host_key_fingerprint drop not null,
    add constraint server_login check (installation = 'manual' or (address is not null and ssh_port is not null and ssh_user is not null
        and authentication is not null and credential is not null and host_key_algorithm is not null and host_key_fingerprint is not null));

-- What such a host shows once to say which server it is.
create table servers.enrolment_token (
    hash bytea primary key,
    server_id uuid not null references servers.server on delete cascade,
    created_at timestamptz not null default now(),
    created_by text not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    used_by text,
    -- SHA-256 of a secret of the host that used it: that host alone may ask again, in case the answer was lost.
    claim bytea);
create index enrolment_token_server on servers.enrolment_token (server_id);

-- What a run wants done on such a host. Written once; null until the host has checked in.
create table servers.host_order (
    run_id uuid primary key,
    server_id uuid not null references servers.server on delete cascade,
    document json,
    -- Counts how often the line was started for it; only the latest may report.
    session int not null default 0,
    seen_at timestamptz not null default now());
create index host_order_server on servers.host_order (server_id);

-- What the host said about its steps, in order.
create table servers.host_report (
    id bigint generated always as identity primary key,
    run_id uuid not null references servers.host_order on delete cascade,
    session int not null,
    step text not null,
    state text not null check (state in ('began', 'said', 'progress', 'changed', 'unchanged', 'done', 'failed')),
    text text not null,
    fraction double precision,
    at timestamptz not null default now());
create index host_report_step on servers.host_report (run_id, step, id);
