-- Log-ins -------------------------------------------------------------------------------------------

alter table sessions
  add column kind text not null default 'program' check (kind in ('browser', 'program')),
  add column created_on date not null default current_date; -- so that people can tell their log-ins apart
alter table sessions alter column kind drop default, alter column created_on drop default;

alter table one_time_tokens drop constraint one_time_tokens_purpose_check;
alter table one_time_tokens add constraint one_time_tokens_purpose_check
  check (purpose in ('setup', 'verify_email', 'reset_password'));

-- Codes of an authenticator app. It counts as on once it is confirmed by a first code.
create table second_factors (
  account_id text primary key references accounts on delete cascade,
  sealed_secret bytea not null,
  is_confirmed boolean not null default false,
  -- A keyed hash of the last time step used: no code works twice, and no time of a log-in is kept.
  last_step_hash bytea,
  created_on date not null
);

create table recovery_codes (
  account_id text not null references accounts on delete cascade,
  hash bytea not null,
  primary key (account_id, hash)
);

create table passkeys (
  id text primary key,
  account_id text not null references accounts on delete cascade,
  credential_id bytea not null,
  public_key bytea not null,
  counter bigint not null,
  transports text[] not null default '{}',
  name text not null,
  is_synced boolean not null,
  created_on date not null,
  constraint passkeys_credential_id_key unique (credential_id)
);
create index passkeys_account on passkeys (account_id);

create table api_keys (
  id text primary key,
  account_id text not null references accounts on delete cascade,
  name text not null,
  hash bytea not null,
  -- The text from before the last rotation works until the end of this day.
  previous_hash bytea,
  previous_until date,
  scopes text[] not null,
  requests_per_minute integer not null check (requests_per_minute > 0),
  created_on date not null,
  expires_on date not null
);
create index api_keys_account on api_keys (account_id, id);
create index api_keys_expiry on api_keys (expires_on);

-- Key rings -----------------------------------------------------------------------------------------

-- Keys that access tokens are signed with, each sealed under the ring of encryption keys. Empty until the
-- first rotation: the key of the configuration, with kid 0, then signs by itself.
create table signing_keys (
  kid text primary key,
  algorithm text not null check (algorithm in ('HS256', 'EdDSA')),
  sealed_key bytea not null,
  created_on date not null,
  retires_on date -- the last day on which a token signed with it can be valid; null for the one that signs
);

-- Keys that seal data keys, each sealed under the root key, MASTER_KEY. Empty until the first rotation:
-- the root key is then itself number 1.
create table encryption_keys (
  number smallint primary key check (number between 1 and 255),
  sealed_key bytea not null,
  state text not null check (state in ('arriving', 'sealing', 'opening')),
  created_on date not null
);
create unique index encryption_keys_sealing on encryption_keys (state) where state = 'sealing';

-- Audit trail ---------------------------------------------------------------------------------------

-- What was done and is not yet in the trail: written with the act itself, so that no act is without it.
create table audit_queue (
  id bigint generated always as identity primary key,
  salt bytea not null,
  body jsonb not null
);

create table audit_entries (
  index bigint primary key,
  leaf bytea not null,
  -- Both null once the entry is erased; its leaf, and with it every proof, stays.
  salt bytea,
  body jsonb,
  constraint audit_entries_erased_whole check ((salt is null) = (body is null))
);
create index audit_entries_kind on audit_entries ((body ->> 'kind'), index);
create index audit_entries_actor on audit_entries ((body ->> 'actor'), index);
create index audit_entries_subject on audit_entries ((body ->> 'subject'), index);

-- The state of the Merkle tree: the roots of its perfect subtrees, largest first, 32 bytes each.
create table audit_tree (
  id boolean primary key default true check (id),
  size bigint not null default 0,
  frontier bytea not null default ''
);
insert into audit_tree default values;

create table audit_checkpoints (
  size bigint primary key,
  note text not null
);

create function audit_guard() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and current_setting('securewave.erasing', true) = 'on'
     and new.index = old.index and new.leaf = old.leaf and new.salt is null and new.body is null then
    return new;
  end if;
  raise exception 'the audit trail is appended to, not changed';
end $$;
create trigger audit_entries_guard before update or delete on audit_entries
  for each row execute function audit_guard();
create trigger audit_entries_guard_all before truncate on audit_entries
  for each statement execute function audit_guard();
