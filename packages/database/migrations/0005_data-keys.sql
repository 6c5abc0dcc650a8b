-- Each account has a number, and by it a data key that stands in no table and in no backup. Columns that end in
-- `_sealed` are sealed under that key: once it is forgotten, they open nowhere. Columns that end in `_index` are keyed
-- hashes by which a value is found or kept unique without being stored.

-- What stood in plain columns before, until the first start has sealed it. Empty from then on.
create table unsealed (
  place text not null, -- table and column
  row_id text not null,
  account_id text not null references accounts on delete cascade,
  value text not null,
  primary key (place, row_id)
);
-- ANALYZE would copy samples into pg_statistic, where they stay after the rows are gone.
alter table unsealed alter column value set statistics 0;
insert into unsealed
  select 'accounts.email', id, id, email from accounts
  union all select 'accounts.password', id, id, password_hash from accounts
  union all select 'devices.name', id, account_id, name from devices
  union all select 'passkeys.name', id, account_id, name from passkeys
  union all select 'api_keys.name', id, account_id, name from api_keys;

alter table accounts
  add column number bigint, -- random: it tells neither when nor after whom somebody came
  add column email_index bytea,
  add column email_sealed bytea not null default '',
  add column password_sealed bytea not null default '';
-- An odd factor modulo a power of two gives each row a number of its own.
update accounts set number = numbered.number, email_index = sha256(convert_to(id, 'UTF8'))
  from (select id as row_id, (row_number() over (order by random()) * 1103515245) % 2147483648 as number from accounts)
    as numbered
  where id = row_id;
alter table accounts
  alter column number set not null,
  alter column email_index set not null,
  alter column email_sealed drop default,
  alter column password_sealed drop default,
  drop column email,
  drop column password_hash,
  add constraint accounts_number_range check (number between 0 and 2147483647),
  add constraint accounts_number_key unique (number),
  add constraint accounts_email_key unique (email_index);

drop index devices_active_name, devices_by_name;
alter table devices
  add column name_index bytea,
  add column name_sealed bytea not null default '';
update devices set name_index = sha256(convert_to(id, 'UTF8'));
alter table devices
  alter column name_index set not null,
  alter column name_sealed drop default,
  drop column name;
create unique index devices_active_name on devices (account_id, name_index) where state = 'active';
create index devices_by_account on devices (account_id, id);

alter table passkeys add column name_sealed bytea not null default '';
alter table passkeys alter column name_sealed drop default, drop column name;
alter table api_keys add column name_sealed bytea not null default '';
alter table api_keys alter column name_sealed drop default, drop column name;

-- By it a start knows whether a key file is the one that this database was sealed with.
create table data_key (
  id boolean primary key default true check (id),
  fingerprint bytea not null
);

-- Whose data was erased: the number alone, which leads to nobody. A restored backup is brought up to date by it.
create table erasures (
  number bigint primary key check (number between 0 and 4294967295),
  erased_on date not null
);

-- What people may ask for by law --------------------------------------------------------------------

-- Accounts that are to be erased. Until that day it can be taken back.
create table deletions (
  account_id text primary key references accounts on delete cascade,
  asked_on date not null,
  due_on date not null
);
create index deletions_due on deletions (due_on);

-- Who agreed to what, in which wording, and until when.
create table consents (
  id text primary key,
  account_id text not null references accounts on delete cascade,
  purpose text not null check (purpose = any (array['usage_history'])),
  text_version text not null,
  given_on date not null,
  withdrawn_on date,
  -- By it what was kept under this consent has a key of its own. Null once that is forgotten.
  number bigint check (number between 2147483648 and 4294967295),
  constraint consents_number_key unique (number),
  constraint consents_number_while_given check ((withdrawn_on is null) = (number is not null))
);
create unique index consents_present on consents (account_id, purpose) where withdrawn_on is null;

-- For those who want it: what they used each day. Written once a day for all of them alike, and all of one length.
create table usage_history (
  account_id text not null references accounts on delete cascade,
  day date not null,
  mebibytes_sealed bytea not null,
  primary key (account_id, day)
);
alter table usage_history
  alter column mebibytes_sealed set storage plain,
  alter column mebibytes_sealed set statistics 0;

create table policy_agreements (
  account_id text not null references accounts on delete cascade,
  version text not null,
  agreed_on date not null,
  primary key (account_id, version)
);

-- What people asked for, and by when it must be answered. It outlives its account, without naming it.
create table privacy_requests (
  id text primary key,
  account_id text references accounts on delete set null,
  kind text not null check (kind in ('export', 'deletion', 'other')),
  state text not null check (state in ('open', 'done', 'refused')),
  text_sealed bytea,
  asked_on date not null,
  due_on date not null,
  closed_on date,
  constraint privacy_requests_closed_on check ((state = 'open') = (closed_on is null))
);
create index privacy_requests_account on privacy_requests (account_id);
create index privacy_requests_due on privacy_requests (state, due_on, id);
