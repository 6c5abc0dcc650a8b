-- What the clock has done and what nobody could do -----------------------------------------------------
--
-- Jobs of the clock run one at a time in the whole service: who runs one has its row. Nothing here tells what was done
-- to whom: runs that a person's act asked for leave no row, and what could not be done for somebody knows its day alone.

create table job_states (
  name text primary key,
  known_since timestamptz(0) not null, -- when the service first started with it
  scheduled_at timestamptz(0) not null, -- since when the next time is reckoned
  requests integer not null default 0, -- how often it was asked for, by whomever
  requests_done integer not null default 0,
  cause text not null default 'clock' check (cause in ('clock', 'staff', 'act')), -- of what is to be done
  attempts smallint not null default 0, -- of the present work, that failed
  retry_at timestamptz(0),
  holder text, -- a random word for the run that goes on
  beats integer not null default 0, -- grows while that run lives
  progress_done integer,
  progress_total integer,
  progress_what text,
  succeeded_at timestamptz(0), -- by the clock or staff
  check (requests_done <= requests)
);

-- The last runs of each, by the clock or staff.
create table job_runs (
  name text not null references job_states (name) on delete cascade,
  number integer not null,
  started_at timestamptz(0) not null,
  cause text not null check (cause in ('clock', 'staff')),
  attempt smallint not null,
  result text not null check (result in ('running', 'succeeded', 'failed', 'interrupted')),
  code text, -- of a refusal or of the system, never the words of an error
  duration_ms integer, -- null while it runs, and where nobody knows
  primary key (name, number)
);

-- What was given up: letters, mostly.
create table dead_letters (
  id text primary key,
  job text not null,
  account_id text references accounts (id) on delete cascade,
  data jsonb not null, -- what else it was to be done with: see the jobs' own list
  failed_on date not null,
  attempts smallint not null,
  code text
);
create index dead_letters_account_id_idx on dead_letters (account_id) where account_id is not null;
