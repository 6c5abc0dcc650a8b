-- What an account may use. One plan is the default: every account has a plan from its first moment on.
create table plans (
  id text primary key,
  name text not null,
  quota_bytes bigint check (quota_bytes > 0), -- a calendar month (UTC), both directions together; null: no limit
  on_quota text not null default 'throttle' check (on_quota in ('throttle', 'block')),
  throttle_kbit_per_second integer not null default 1000 check (throttle_kbit_per_second > 0),
  connections_max integer check (connections_max > 0), -- at the same time; null: no limit
  devices_max integer check (devices_max > 0), -- null: as the settings say
  is_default boolean not null default false,
  is_retired boolean not null default false,
  constraint plans_name_key unique (name),
  constraint plans_default_is_offered check (not (is_default and is_retired))
);
create unique index plans_default on plans (is_default) where is_default;

insert into plans (id, name, is_default) values ('plan_standard000000000000', 'Standard', true);

create function default_plan() returns text language sql stable
  begin atomic
    select id from plans where is_default;
  end;

alter table accounts add column plan_id text not null default default_plan()
  constraint accounts_plan_id_fkey references plans;
create index accounts_plan on accounts (plan_id);
