-- Keys and places that stay valid for a while after a rotation or a move, so that a device's old config works until
-- its owner has put the new one in. They end by the clock, at the end of a day that was settled when they were
-- replaced, and never by what happens in a tunnel.

alter table devices
  add column key_version integer not null default 1 check (key_version > 0),
  add column key_made_on date not null default current_date,
  add column rotation_days integer check (rotation_days >= 0); -- null: as the service's setting says; 0: never
update devices set key_made_on = created_on;

-- The key that a device had before its last rotation, with the address that belongs to it.
create table retiring_keys (
  public_key text primary key,
  device_id text not null references devices on delete cascade,
  address_index integer not null,
  preshared_key_master smallint,
  retires_on date not null, -- the last day
  constraint retiring_keys_device_id_key unique (device_id),
  constraint retiring_keys_address_index_key unique (address_index)
);
create index retiring_keys_due on retiring_keys (retires_on);

-- A key is one device's, also while it retires. After the unique index has let it in, whoever waited there for the
-- rotation of the key's device finds it here.
create function refuse_retiring_key() returns trigger language plpgsql as $$
begin
  if exists (select from retiring_keys where public_key = new.public_key) then
    raise unique_violation using message = 'the key retires', constraint = 'devices_public_key_key';
  end if;
  return null;
end
$$;
create trigger devices_refuse_retiring_key after insert or update of public_key on devices
  for each row execute function refuse_retiring_key();

alter table peers
  add column retires_on date, -- the last day; null: the device's present key on its present node
  add constraint peers_removed_retires_not check (retires_on is null or not is_removed);
-- Whose a removed key was is found by its device also when that has another key by then.
update peers set device_id = devices.id from devices
  where devices.public_key = peers.public_key and peers.device_id is null;
drop index peers_by_device;
create unique index peers_by_device on peers (device_id) where not is_removed and retires_on is null;
create index peers_retiring on peers (device_id) where retires_on is not null;
create index peers_due on peers (retires_on) where retires_on is not null;
create index peers_of_device on peers (device_id);

-- Up to which day owners were reminded of keys that they should change themselves.
create table key_reminders (
  id boolean primary key default true check (id),
  reminded_on date
);
insert into key_reminders default values;
