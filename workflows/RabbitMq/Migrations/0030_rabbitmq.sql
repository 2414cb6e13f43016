-- One row. The passwords are Data Protection payloads, bound to the row's id; host_* is whom hosts sign in as, null where that is the product's own user.
create table settings.rabbitmq (
    singleton boolean primary key default true check (singleton),
    id uuid not null,
    enabled boolean not null,
    host text not null,
    port integer not null,
    virtual_host text not null,
    username text not null,
    password text,
    host_username text,
    host_password text,
    tls boolean not null,
    authority text,
    exchange text not null,
    queue text not null,
    changed_by text not null,
    changed_at timestamptz not null default now());

-- How each node stands to the broker. A node that has ended no longer renews its row.
create table settings.rabbitmq_node (
    node text primary key,
    state text not null,
    reason text,
    since timestamptz not null,
    seen_at timestamptz not null);
