create schema if not exists engine;

-- One row a run: where it stands and who owns it. Short rows and a low fill factor keep the updates at every step boundary within the page (HOT).
create table engine.run (
    id uuid primary key,
    kind text not null,
    version int not null,
    title text not null,
    subject text,
    plan json not null,
    input json not null,
    dedupe_key text unique,
    exclusive_key text,
    holds_key boolean not null default false,
    queue text not null default '2-normal',
    priority int not null default 0,
    parent uuid, parent_seq int, child_index int, child_round int,
    requested_by text not null,
    state text not null default 'queued', -- queued, running, waiting, paused, succeeded, failed, cancelled; no check: see engine.step
    reason text,
    failure text,                       -- why it is being undone, or why it failed; kept while the reason tells what happens now
    direction smallint not null default 1,
    cursor int not null default 1,      -- forwards: the next step; undoing: the next step to take back, down to 0
    due_at timestamptz,
    wakes int not null default 0,       -- signals and ends of children so far: one that comes while its owner puts the run to sleep is not lost
    cancel_mode text, cancel_by text, cancel_why text,
    owner text, incarnation uuid, fence bigint not null default 0,
    claimed_at timestamptz, lease_until timestamptz,
    worked interval not null default '0', -- time spent running, for the run's time-out
    recoveries int not null default 0, recoveries_in_row int not null default 0,
    log_seq bigint not null default 0,
    job_id text, job_at timestamptz,
    steps_total int not null, steps_done int not null default 0, steps_changed int not null default 0,
    created_at timestamptz not null default now(), started_at timestamptz, finished_at timestamptz
) with (fillfactor = 70);

create unique index run_exclusive on engine.run (exclusive_key) where holds_key;
create index run_waiting_for_key on engine.run (exclusive_key, priority desc, created_at) where state = 'queued' and exclusive_key is not null;
create index run_to_enqueue on engine.run (job_at) where state in ('queued', 'waiting');
create index run_owned on engine.run (owner) where state = 'running';
-- For lists, newest first. uuid_send(id) has the order of id, but the primary key cannot give it: PostgreSQL would walk that back through
-- a million runs in search of the few that a filter shows.
create index run_by_state on engine.run (state, uuid_send(id));
create index run_by_kind on engine.run (kind, state, uuid_send(id));
create index run_by_subject on engine.run (subject, state, uuid_send(id)) where subject is not null;
create index run_by_subject_and_kind on engine.run (subject, kind, state, uuid_send(id)) where subject is not null;
create index run_children on engine.run (parent, parent_seq) where parent is not null;
create index run_by_end on engine.run (finished_at) where finished_at is not null;

-- The journal: one row an attempt. direction -1 is the undo of the step.
create table engine.step (
    run_id uuid not null references engine.run (id) on delete cascade,
    seq int not null,
    direction smallint not null,
    attempt int not null,
    try int not null,                   -- attempts charged to the retry policy; an interrupted attempt is not, an operator's retry starts anew
    -- running, succeeded, failed, interrupted, skipped, cancelled, waiting. PostgreSQL reads and prepares a check anew in every statement that writes the table:
    -- those of a run and a step were a third of what the boundary of a step costs it.
    state text not null,
    fence bigint not null,
    node text not null,
    input json,
    output json,
    changed boolean,
    summary text,
    error text,
    started_at timestamptz not null default now(),
    finished_at timestamptz,
    next_try_at timestamptz,
    primary key (run_id, seq, direction, attempt)
) with (fillfactor = 70);

-- What somebody sends to a step that waits; kept when it comes before its wait.
create table engine.signal (
    id bigint generated always as identity primary key,
    run_id uuid not null references engine.run (id) on delete cascade,
    step text not null,
    payload json not null,
    who text not null,
    why text,
    at timestamptz not null default clock_timestamp(),
    taken_at timestamptz
);
create unique index signal_untaken on engine.signal (run_id, step) where taken_at is null;

-- What operators decided about a kind of runs: none begins or goes on while it is paused; at most so many are under way at once.
create table engine.control (
    kind text primary key,
    paused_by text, paused_why text, paused_at timestamptz,
    at_once int check (at_once > 0)
);

-- What operators did to the engine itself; what they did to a run stands with the run.
create table engine.audit (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    who text not null,
    what text not null,
    target text not null,
    why text
);

create table engine.event (
    id bigint generated always as identity primary key,
    run_id uuid not null references engine.run (id) on delete cascade,
    at timestamptz not null default clock_timestamp(),
    who text not null,
    what text not null,
    why text
);
create index event_by_run on engine.event (run_id, id);

-- Partitioned by day, so that old logs are dropped, not deleted. Lines of a day without a partition go to the default one.
create table engine.log (
    run_id uuid not null,
    seq bigint not null,
    at timestamptz not null,
    step_seq int not null,
    level smallint not null,
    message text not null,
    primary key (run_id, seq, at)
) partition by range (at);
create table engine.log_default partition of engine.log default;

-- One row a run that is under way; worth nothing after a crash.
create unlogged table engine.progress (
    run_id uuid primary key,
    seq int not null,
    fence bigint not null,
    fraction double precision not null,
    note text
) with (fillfactor = 50);

create table engine.node (
    name text primary key,
    incarnation uuid not null,
    workers int not null,
    draining boolean not null default false,
    started_at timestamptz not null default now(),
    seen_at timestamptz not null default now(),
    stopped_at timestamptz
);

-- Ended runs per minute, counted once the minute is over: overview pages read this, never count(*) over runs.
create table engine.stat_minute (
    minute timestamptz not null,
    kind text not null,
    succeeded int not null, failed int not null, cancelled int not null,
    steps bigint not null,
    worked interval not null,
    longest interval not null,
    primary key (minute, kind)
);
