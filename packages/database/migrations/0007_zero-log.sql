-- Reports of the search for traces of made-up customers -----------------------------------------------
--
-- The last 30, each signed. None holds anything about a person: those who were looked for do not exist.

create table zero_log_reports (
  number integer primary key,
  made_on date not null, -- by the clock, or when staff asked for it
  outcome text not null check (outcome in ('clean', 'leaking', 'incomplete')),
  hits integer not null,
  note text not null -- C2SP signed note: JSON and its signature
);
