-- Breaches with what was done about them, letters to many at once, and what drills measured. Of nobody's use: all of it
-- is what staff did, and when.

create table breaches (
  id text primary key,
  summary text not null,
  opened_at timestamptz not null,
  closed_at timestamptz
);
create unique index breaches_one_open on breaches ((closed_at is null)) where closed_at is null;

create table breach_entries (
  breach_id text not null references breaches on delete cascade,
  number integer not null,
  at timestamptz not null,
  kind text not null check (kind in ('opened', 'isolated', 'rotated', 'noted', 'notified', 'reopened', 'closed')),
  detail text not null,
  primary key (breach_id, number)
);

create table notices (
  id text primary key,
  number integer not null generated always as identity,
  subject text not null,
  text text not null,
  node_id text references nodes on delete cascade, -- who has a device there; null: everybody
  asked_on date not null,
  letters integer not null default 0, -- that are in the queue or were in it
  reached text not null default '', -- the last account that was looked at, in the order of ids
  is_complete boolean not null default false
);

-- Its agent is to make itself another credential, by the connection that it has.
alter table nodes add column is_credential_due boolean not null default false;

create table drill_reports (
  number integer primary key,
  id text not null unique,
  scenario text not null,
  outcome text not null check (outcome in ('met', 'missed', 'failed')),
  carried_out_on date not null,
  rto_seconds double precision not null,
  rpo_seconds double precision not null,
  note text not null -- the report, signed
);
