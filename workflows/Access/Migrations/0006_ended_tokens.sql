-- Tokens that nodes must not go by memory for any more: noted in the transaction that ends or changes them, whoever does it. Nodes ask for what is new
-- by the transaction's number, not by time: a long transaction would come too late.
create table access.ended_token (
    hash bytea not null,
    transaction xid8 not null default pg_current_xact_id(),
    at timestamptz not null default now());
create index ended_token_transaction on access.ended_token (transaction);

create function access.note_ended_token() returns trigger language plpgsql as $$
begin
    insert into access.ended_token (hash) values (old.hash);
    return null;
end $$;
create trigger token_ended after update or delete on access.token for each row execute function access.note_ended_token();

create function access.note_tokens_of_account() returns trigger language plpgsql as $$
begin
    insert into access.ended_token (hash) select hash from access.token where account_id = old.id;
    return null;
end $$;
create trigger account_changed after update on access.account for each row
    when ((old.name, old.groups, old.server_id) is distinct from (new.name, new.groups, new.server_id)) execute function access.note_tokens_of_account();
