-- Backups: what the target holds, and what came of looking into it ------------------------------------------
--
-- The target is the truth: these rows are read from the manifests there, and can be at any time. None is about
-- anybody; all times are of the clock's work or of staff's.

create table backups (
  id text primary key,
  kind text not null check (kind in ('database', 'config', 'vpn')),
  taken_at timestamptz(0) not null,
  version text not null,
  size_bytes bigint not null,
  objects integer not null,
  counts jsonb not null -- rows by table, nodes, settings: no names and no keys
);
create index backups_by_time on backups (taken_at desc, id);

create table backup_verifications (
  number integer primary key,
  backup_id text not null,
  verified_at timestamptz(0) not null,
  outcome text not null check (outcome in ('passed', 'failed')),
  checks jsonb not null
);

create table backup_runs (
  number integer primary key,
  act text not null check (act in ('back_up', 'verify', 'clean_up', 'restore')),
  begun_at timestamptz(0) not null,
  ended_at timestamptz(0) not null,
  succeeded integer not null,
  failed integer not null,
  backup_ids text[] not null,
  problem text,
  restored_to timestamptz(0) -- of a restore: its row is written into the restored database
);
