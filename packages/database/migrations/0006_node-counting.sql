-- Whether what a node counts is believed. A node that said what cannot be is quarantined; staff lift that, and it
-- counts anew from then on: 'lifted' until it has begun to.
alter table nodes add column counting text not null default 'trusted'
  check (counting in ('trusted', 'quarantined', 'lifted'));
