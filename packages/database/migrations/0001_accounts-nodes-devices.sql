-- Accounts and their log-ins ------------------------------------------------------------------------

create table accounts (
  id text primary key,
  email text not null,
  password_hash text not null,
  role text not null check (role in ('customer', 'support', 'admin')),
  state text not null check (state in ('unverified', 'active', 'suspended')),
  -- Counted here so that one conditional update both checks and takes a place.
  devices_active integer not null default 0 check (devices_active >= 0),
  created_on date not null, -- a day, not an instant: people are not told apart by when they came
  constraint accounts_email_key unique (email)
);

create table sessions (
  id text primary key,
  account_id text not null references accounts on delete cascade,
  refresh_hash bytea not null,
  previous_hash bytea, -- of the token before the last rotation: using that again is theft or a lost answer
  expires_on date not null
);
create index sessions_account on sessions (account_id);
create index sessions_expiry on sessions (expires_on);

-- Links sent by mail and the link that creates the first admin. Only hashes are stored.
create table one_time_tokens (
  hash bytea primary key,
  purpose text not null check (purpose in ('setup', 'verify_email')),
  account_id text references accounts on delete cascade,
  expires_on date not null
);
create index one_time_tokens_account on one_time_tokens (account_id);

create table settings (
  name text primary key,
  value jsonb not null
);

-- Keys of the service itself, sealed under the master key.
create table service_keys (
  name text primary key,
  public_key text not null,
  sealed_private_key bytea not null
);

-- Nodes and what they should hold -------------------------------------------------------------------

create table nodes (
  id text primary key,
  name text not null,
  region text not null,
  latitude double precision,
  longitude double precision,
  capacity integer not null check (capacity > 0),
  tags text[] not null default '{}',
  is_draining boolean not null default false,
  endpoint_host text,
  endpoint_port integer,
  wireguard_public_key text,
  credential text, -- the node's own Ed25519 public key
  agent_version text,
  join_token_hash bytea,
  join_token_expires_at timestamptz,
  joined_on date,
  devices integer not null default 0 check (devices >= 0),
  revision bigint not null default 0,
  -- Removals up to here are forgotten: who is behind gets the whole state.
  pruned_revision bigint not null default 0,
  constraint nodes_name_key unique (name),
  constraint nodes_wireguard_public_key_key unique (wireguard_public_key),
  constraint nodes_credential_key unique (credential)
);

create unique index nodes_join_token on nodes (join_token_hash);

-- Tunnel addresses by their index in the pool. A fresh one comes from the counter; when that has
-- reached its end, the one released longest ago is used again.
create table address_pool (
  id boolean primary key default true check (id),
  next_index integer not null,
  last_index integer not null
);

create table free_addresses (
  address_index integer primary key,
  released bigint not null generated always as identity
);
create unique index free_addresses_order on free_addresses (released);

create table devices (
  id text primary key,
  account_id text not null references accounts on delete cascade,
  name text not null,
  type text not null check (type in ('phone', 'tablet', 'laptop', 'desktop', 'router', 'other')),
  state text not null check (state in ('active', 'revoked')),
  public_key text not null,
  key_origin text not null check (key_origin in ('customer', 'server')),
  sealed_private_key bytea, -- of keys that the server made
  -- The preshared key is derived from the master key of this number and never stored.
  preshared_key_master smallint,
  -- Both are held while the device is active.
  address_index integer,
  node_id text references nodes,
  created_on date not null,
  constraint devices_public_key_key unique (public_key),
  constraint devices_address_index_key unique (address_index),
  constraint devices_active_have_place check
    ((state = 'active') = (address_index is not null) and (state = 'active') = (node_id is not null))
);
create unique index devices_active_name on devices (account_id, name) where state = 'active';
create index devices_by_name on devices (account_id, name, id);
create index devices_by_node on devices (node_id);

-- A device's key on a node, as the node should have it. A removed one stays as a marker until the
-- node has said that it applied the removal.
create table peers (
  node_id text not null references nodes on delete cascade,
  public_key text not null,
  device_id text references devices on delete set null,
  revision bigint not null,
  is_removed boolean not null default false,
  primary key (node_id, public_key),
  constraint peers_present_have_device check (is_removed or device_id is not null)
);
create unique index peers_by_revision on peers (node_id, revision);
create unique index peers_by_device on peers (device_id) where not is_removed;
