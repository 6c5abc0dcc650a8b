-- What the service's own watch found: about the service, and about nobody. Times are to the minute.

create table alert_episodes (
  name text not null check (name ~ '^[A-Za-z]{3,60}$'),
  began_at timestamptz not null check (began_at = date_trunc('minute', began_at, 'UTC')),
  ended_at timestamptz check (ended_at = date_trunc('minute', ended_at, 'UTC') and ended_at >= began_at),
  severity text not null check (severity in ('critical', 'warning')),
  is_told boolean not null, -- whether letters about it were sent; while it is silenced, none are
  primary key (name, began_at)
);
-- An alert fires once, whichever process finds out.
create unique index alert_episodes_open_key on alert_episodes (name) where ended_at is null;

-- Who silenced it stands in the audit trail.
create table alert_silences (
  name text primary key check (name ~ '^[A-Za-z]{3,60}$'),
  reason text not null check (length(reason) between 1 and 200),
  until_at timestamptz not null check (until_at = date_trunc('minute', until_at, 'UTC'))
);

-- Which process judges: one at a time.
create table alert_watch (
  id boolean primary key default true check (id),
  holder text not null,
  judged_at timestamptz not null check (judged_at = date_trunc('minute', judged_at, 'UTC'))
);
