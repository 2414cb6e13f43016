-- What starts runs by itself. next_at, the nominal time that comes next, is the truth about what has been fired: only the transaction that moves it
-- on starts its run. Hangfire's jobs wake nodes; a sweep finds what no job has woken.
create table engine.schedule (
    id uuid primary key,
    name text not null unique,
    title text,
    kind text not null,
    input json not null,
    subject text,
    cron text,
    every interval,
    time_zone text not null,
    misfire text not null check (misfire in ('fireOnce', 'skip', 'fireAll')),
    overlap text not null check (overlap in ('skip', 'queue')),
    jitter interval not null,
    priority int not null,
    version int not null default 1,     -- +1 with each action of an operator: a firing that was decided before it does not count
    next_at timestamptz,                -- nominal
    due_at timestamptz,                 -- the nominal time and its part of the jitter
    paused_at timestamptz, paused_by text, paused_why text, paused_until timestamptz,
    created_at timestamptz not null default now(), changed_at timestamptz not null default now(),
    check ((cron is null) <> (every is null))
);

-- What became of each nominal time. Several in a row that were not started for one reason are one row.
create table engine.schedule_firing (
    id bigint generated always as identity primary key,
    schedule_id uuid not null references engine.schedule (id) on delete cascade,
    outcome text not null check (outcome in ('started', 'skipped', 'missed', 'refused')),
    nominal_at timestamptz,             -- null: an operator's "run now"
    last_nominal_at timestamptz,
    times int not null default 1,
    at timestamptz not null default clock_timestamp(),
    who text not null,
    run_id uuid,                        -- no foreign key: runs are removed by their own rules
    reason text
);
create index schedule_firing_by_schedule on engine.schedule_firing (schedule_id, id);
create unique index schedule_firing_once on engine.schedule_firing (schedule_id, nominal_at) where outcome = 'started';

-- The audit; by name, so that it outlives the schedule.
create table engine.schedule_event (
    id bigint generated always as identity primary key,
    name text not null,
    at timestamptz not null default clock_timestamp(),
    who text not null,
    what text not null,
    why text
);
create index schedule_event_by_name on engine.schedule_event (name, id);
