-- The process in which a step of the run did not let go and may still be at work: until it has ended there, or the process has, no other begins the run again.
alter table engine.run add column left_on text, add column left_by uuid;
create index run_left_behind on engine.run (left_by) where left_by is not null;
