-- A run beneath one that holds the key which it asks for: it works under that one's key, and the key is not free before both have ended.
alter table engine.run add column key_holder uuid;
create index run_key_holder on engine.run (key_holder) where key_holder is not null;
