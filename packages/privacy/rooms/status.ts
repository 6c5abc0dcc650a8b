import { type Group, NOBODYS } from "../entry.ts";
import { count, flag, id, instant, members, ofNobody, range, text, word } from "../fields.ts";
import { table } from "../table.ts";

const BY_THE_CLOCK = "the clock's, whoever uses the service";
const BY_STAFF = "an act of staff, shown to everybody";

const MEASURED = {
  class: "durable",
  ...NOBODYS,
  purpose: "to hold the service to what it promises",
} as const;

const POSTED = {
  class: "durable",
  ...NOBODYS,
  lifetime: "until staff remove it",
  purpose: "to tell customers what is wrong, and what is going to be done",
} as const;

/** One person can make hundreds of requests in a quarter of an hour; of fewer than a thousand nothing is told. */
const performance = {
  requests_floor: range("how many requests, at least"),
  mean_ms: count("mean time of an answer; nothing of fewer than a thousand requests"),
  p95_ms: count("within which 95 of 100 were answered; likewise"),
  error_share: count("share of requests that failed; likewise"),
  probe_ms: count("mean time of the service's own requests to itself, at most, in steps of 50 from 50"),
  query_ms: count("mean time of queries, at most, in steps of 10 from 10"),
  processor: count("share of the machine's processors that was busy, at most, in twentieths from a half"),
  memory: count("share of its memory that was used, likewise"),
};

const incidentState = word("how far it is", ["investigating", "identified", "monitoring", "resolved"]);
const period = word("of how long", ["hour", "day"]);

/** How well the service is, and what staff say of it. */
export const statusTables: readonly Group[] = [
  table("availability_quarters", {
    what: "in which minutes of a quarter of an hour a part of the service worked",
    ...MEASURED,
    lifetime: "8 days",
    columns: {
      starts_at: instant("which quarter", BY_THE_CLOCK),
      component: text("which part"),
      up: count("minutes in which it worked"),
      degraded: count("in which it worked badly"),
      down: count("in which it did not"),
      maintenance: count("of announced maintenance"),
    },
  }),
  table("performance_quarters", {
    what: "how fast a process answered in a quarter of an hour",
    ...MEASURED,
    lifetime: "8 days",
    columns: {
      starts_at: instant("which quarter", BY_THE_CLOCK),
      process: id("which process"),
      ...performance,
    },
  }),
  table("availability_periods", {
    what: "for how many minutes of an hour or a day a part of the service worked",
    ...MEASURED,
    lifetime: "hours for 100 days, days for five years",
    columns: {
      period,
      starts_at: instant("which hour or day", BY_THE_CLOCK),
      component: text("which part"),
      up_minutes: count("minutes in which it worked"),
      degraded_minutes: count("in which it worked badly"),
      down_minutes: count("in which it did not"),
      maintenance_minutes: count("of announced maintenance"),
    },
  }),
  table("performance_periods", {
    what: "how fast the service answered in an hour or on a day",
    ...MEASURED,
    lifetime: "hours for 100 days, days for five years",
    columns: { period, starts_at: instant("which hour or day", BY_THE_CLOCK), ...performance },
  }),
  table("incidents", {
    what: "an incident of the service on its status page",
    ...POSTED,
    columns: {
      id: id("its id"),
      title: text("what it is"),
      state: incidentState,
      components: members("which parts of the service it concerns, and how"),
      opened_at: instant("when it was posted", BY_STAFF),
      resolved_at: instant("when it was over", BY_STAFF),
    },
  }),
  table("incident_updates", {
    what: "what staff posted of an incident",
    ...POSTED,
    columns: {
      id: id("its id"),
      incident_id: id("of which incident"),
      state: incidentState,
      text: text("what they wrote"),
      posted_at: instant("when", BY_STAFF),
      is_edited: flag("whether it was edited since"),
    },
  }),
  table("maintenance_windows", {
    what: "maintenance of the service that was announced",
    ...POSTED,
    columns: {
      id: id("its id"),
      title: text("what it is"),
      text: text("what is going to be done"),
      starts_at: instant("when it begins", BY_STAFF),
      ends_at: instant("when it ends", BY_STAFF),
      announced_at: instant("when it was announced", BY_STAFF),
      components: text("which parts of the service it concerns"),
      mode: word("what customers may do meanwhile", ["off", "read-only", "closed"]),
      is_emergency: flag("whether it was announced less than a day ahead"),
      notifies: flag("whether customers get a mail"),
      is_cancelled: flag("whether it was called off"),
    },
  }),
  table("maintenance_letters", {
    what: "how far the letters about a maintenance have been queued",
    ...POSTED,
    lifetime: "as long as the maintenance is listed",
    columns: {
      window_id: id("which maintenance"),
      kind: word("which letter", ["announced", "reminder", "changed", "cancelled"]),
      reached: id("the last account that was looked at, whether or not it was written to", ofNobody),
      is_done: flag("whether all are queued"),
    },
  }),
];
