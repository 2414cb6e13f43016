-- Beats of the newest hours stand here as rows; Compaction packs the older ones.
alter table monitoring.heartbeat
    add cpu real[],
    add memory_free bigint, add memory_buffers bigint, add memory_cached bigint, add memory_committed bigint,
    add tcp integer[],
    add processes integer,
    add network jsonb;

-- The beats of one server and hour: see PackedBeats. Partitioned by day.
create table monitoring.heartbeat_hour (
    server_id uuid not null,
    at timestamptz not null,
    beats integer not null,
    -- Those that were not late.
    on_time integer not null,
    data bytea not null,
    primary key (server_id, at)
) partition by range (at);

-- What was measured, by the minute, hour and day: see PackedRollups. A row holds an hour of minutes, a day of hours or a month of days
-- of one server; partitioned by day, month and year.
create table monitoring.metrics_minute (server_id uuid not null, at timestamptz not null, data bytea not null, primary key (server_id, at)) partition by range (at);
create table monitoring.metrics_hour (server_id uuid not null, at timestamptz not null, data bytea not null, primary key (server_id, at)) partition by range (at);
create table monitoring.metrics_day (server_id uuid not null, at timestamptz not null, data bytea not null, primary key (server_id, at)) partition by range (at);

-- They are compressed already.
alter table monitoring.heartbeat_hour alter data set storage external;
alter table monitoring.metrics_minute alter data set storage external;
alter table monitoring.metrics_hour alter data set storage external;
alter table monitoring.metrics_day alter data set storage external;
