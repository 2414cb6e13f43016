-- What operators have set, each change a row: the newest is what holds. A module without a row is as it comes with the product.
create table settings.module (
    name text not null,
    version bigint not null,
    value jsonb not null,
    changed_at timestamptz not null default now(),
    changed_by text not null,
    primary key (name, version));
