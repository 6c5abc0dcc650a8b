-- How well the service is, by the clock; what staff say of it on the status page; and maintenance.

-- Each quarter of an hour as sets of its fifteen minutes, minute 0 in the lowest bit: several replicas that measure the
-- same minute, or one that measures it twice, leave what one leaves. A minute in no set is one that nobody measured.
create table availability_quarters (
  starts_at timestamptz not null,
  component text not null,
  up smallint not null,
  degraded smallint not null,
  down smallint not null,
  maintenance smallint not null,
  primary key (starts_at, component)
);

-- What one process saw in a quarter of an hour. Every value is there, in one length: -1 is what was not measured, or of
-- too few requests to be told.
create table performance_quarters (
  starts_at timestamptz not null,
  process text not null, -- random, anew with each start
  requests_floor integer not null,
  mean_ms double precision not null,
  p95_ms double precision not null,
  error_share double precision not null,
  probe_ms double precision not null,
  query_ms double precision not null,
  processor double precision not null,
  memory double precision not null,
  primary key (starts_at, process)
);

create table availability_periods (
  period text not null check (period in ('hour', 'day')),
  starts_at timestamptz not null,
  component text not null,
  up_minutes integer not null,
  degraded_minutes integer not null,
  down_minutes integer not null,
  maintenance_minutes integer not null,
  primary key (period, starts_at, component)
);

create table performance_periods (
  period text not null check (period in ('hour', 'day')),
  starts_at timestamptz not null,
  requests_floor integer not null,
  mean_ms double precision not null,
  p95_ms double precision not null,
  error_share double precision not null,
  probe_ms double precision not null,
  query_ms double precision not null,
  processor double precision not null,
  memory double precision not null,
  primary key (period, starts_at)
);

create table incidents (
  id text primary key,
  title text not null,
  state text not null check (state in ('investigating', 'identified', 'monitoring', 'resolved')),
  components jsonb not null, -- [{ component, impact }]
  opened_at timestamptz not null,
  resolved_at timestamptz,
  constraint incidents_resolved check ((state = 'resolved') = (resolved_at is not null))
);
create index incidents_opened on incidents (opened_at desc, id desc);

create table incident_updates (
  id text primary key,
  incident_id text not null references incidents on delete cascade,
  state text not null check (state in ('investigating', 'identified', 'monitoring', 'resolved')),
  text text not null,
  posted_at timestamptz not null,
  is_edited boolean not null default false
);
create index incident_updates_incident on incident_updates (incident_id, posted_at);

create table maintenance_windows (
  id text primary key,
  title text not null,
  text text not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  announced_at timestamptz not null,
  components text[] not null,
  mode text not null check (mode in ('off', 'read-only', 'closed')),
  is_emergency boolean not null,
  notifies boolean not null,
  is_cancelled boolean not null default false,
  constraint maintenance_windows_end_after_start check (ends_at >= starts_at)
);
create index maintenance_windows_starts on maintenance_windows (starts_at desc, id desc);

-- How far the letters about a maintenance have been queued, account by account in the order of their ids, so that nobody
-- gets one twice and nobody is left out, whenever the work is cut off.
create table maintenance_letters (
  window_id text not null references maintenance_windows on delete cascade,
  kind text not null check (kind in ('announced', 'reminder', 'changed', 'cancelled')),
  reached text not null default '', -- the last id that was looked at
  is_done boolean not null default false,
  primary key (window_id, kind)
);
