create schema settings;

-- Data Protection's key ring: one for all nodes. Each element is encrypted with the master key, which is not in this database.
create table settings.key_ring (
    id bigint generated always as identity primary key,
    name text not null,
    xml text not null,
    created_at timestamptz not null default now());

-- One row. Tells a node with a wrong master key from one with the right key before anything is decrypted with it.
create table settings.master_key (
    singleton boolean primary key default true check (singleton),
    fingerprint text not null);

-- One row. The private key is a Data Protection payload.
create table settings.certificate_authority (
    singleton boolean primary key default true check (singleton),
    certificate text not null,
    private_key text not null,
    created_at timestamptz not null default now());
