-- The run for which a host is to enrol: with it ends the token. Null where no run waited as the token was made.
alter table servers.enrolment_token add column run_id uuid;
