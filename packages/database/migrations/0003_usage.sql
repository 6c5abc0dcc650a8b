-- How much of this month's quota is used ------------------------------------------------------------
--
-- A row for each account from its registration on, all of one length and all rewritten once a day: what
-- changes in here, when, and how long it is, is the same whether anybody used anything or not.
-- The key is elsewhere and moves on with each rewriting: see packages/forgetting.

create table usage_ledger (
  account_id text primary key references accounts on delete cascade,
  -- Until the first rewriting after its registration an account has zeros: nothing is known of it.
  sealed bytea not null default decode(repeat('00', 64), 'hex')
    constraint usage_ledger_sealed_length check (octet_length(sealed) = 64)
);
alter table usage_ledger
  alter column sealed set storage plain, -- never compressed and never out of line, so of one length
  alter column sealed set statistics 0; -- no samples of it in pg_statistic
insert into usage_ledger (account_id) select id from accounts;

create table usage_ledger_state (
  id boolean primary key default true check (id),
  generation bigint not null default 0,
  flushed_on date -- by the clock, the same day for everybody
);
insert into usage_ledger_state default values;

-- Up to which of their batches the nodes' figures are in the ledger; pages of one length.
create table usage_ledger_marks (
  page integer primary key,
  sealed bytea not null
);
alter table usage_ledger_marks
  alter column sealed set storage plain,
  alter column sealed set statistics 0;
