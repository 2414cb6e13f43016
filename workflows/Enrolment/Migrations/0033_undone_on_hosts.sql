-- A host also says which steps it has taken back by itself.
alter table servers.host_report drop constraint host_report_state_check;
alter table servers.host_report add constraint host_report_state_check check (state in ('began', 'said', 'progress', 'changed', 'unchanged', 'done', 'failed', 'undone'));
