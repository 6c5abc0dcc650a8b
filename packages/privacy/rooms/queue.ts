import { type About, type Group, NOBODYS } from "../entry.ts";
import { count, day, flag, id, instant, members, ofNobody, order, text, word } from "../fields.ts";
import { table } from "../table.ts";

/**
 * The job queue's own tables, made by pg-boss. A row of `jobs.job` says to the microsecond when something was asked
 * for: that is why jobs are queued by acts of people and by the clock alone (see the jobs' own list), and why a
 * finished one goes within an hour. The write-ahead log has the same moment anyhow, as the commit's.
 */
const QUEUE = {
  what: "a mail that is on its way or was just sent",
  class: "durable",
  whose: "customer",
  lifetime:
    "one hour after it was done, and ten minutes until the queue is swept; a failed one likewise after its last try",
  purpose: "to do what was asked for, such as sending a mail, also after a restart",
  basis: "contract",
  export: { not: "goes within two hours, and names nothing that is not in the export" },
} as const satisfies About;

const ACT = "when somebody asked for it, or the clock struck: no event in a tunnel queues a job";
const CLOCK = "a tick of the queue's own clock";

const TICK =
  "the clock struck, or staff asked for it: a run that a person's act brought leaves no time behind";

/** Of these alone a row tells whose it is and when. */
const told = {
  name: word("which letter", []),
  data: members("for whom: see the jobs' own list"),
  created_on: instant("when it was queued", ACT),
  start_after: instant("when it may begin", ACT),
  started_on: instant("when it was begun", ACT),
  completed_on: instant("when it was done", ACT),
  keep_until: instant("when it is given up", ACT),
};

const jobColumns = {
  ...told,
  id: id("its id", ofNobody),
  priority: count("what goes first", ofNobody),
  state: word("how far it is", ["created", "retry", "active", "completed", "cancelled", "failed"], ofNobody),
  retry_limit: count("how often it is tried", ofNobody),
  retry_count: count("how often it was tried", ofNobody),
  retry_delay: count("seconds between tries", ofNobody),
  retry_backoff: flag("whether these grow", ofNobody),
  retry_delay_max: count("up to how many", ofNobody),
  expire_seconds: count("how long a try may take", ofNobody),
  deletion_seconds: count("how long it is kept once done", ofNobody),
  singleton_key: text("unused"),
  singleton_on: instant("for what the clock starts: which tick", CLOCK, ofNobody),
  group_id: text("unused"),
  group_tier: text("unused"),
  output: members("`failed`, or nothing: never what an error said", ofNobody),
  dead_letter: text("unused"),
  policy: text("of the queue"),
  heartbeat_on: instant("unused", CLOCK, ofNobody),
  heartbeat_seconds: count("unused", ofNobody),
  blocked: flag("unused", ofNobody),
  blocking: flag("unused", ofNobody),
  pending_dependencies: count("unused", ofNobody),
  source_name: text("unused"),
  source_id: id("unused", ofNobody),
  source_created_on: instant("unused", ACT, ofNobody),
  source_retry_count: count("unused", ofNobody),
  source_output: members("unused", ofNobody),
  source_root_id: id("unused", ofNobody),
};

const OURS = {
  what: "how the job queue is set up",
  class: "durable",
  ...NOBODYS,
  lifetime: "as long as the service runs",
  purpose: "to run the job queue",
} as const satisfies About;

export const queueTables: readonly Group[] = [
  table("job_states", {
    what: "how far the jobs of the clock are",
    class: "durable",
    ...NOBODYS,
    lifetime: "as long as the service runs",
    purpose: "to run each at its time, and by one worker at a time",
    columns: {
      name: text("which job"),
      known_since: instant("when the service first started with it", "an act of the operator"),
      scheduled_at: instant("since when its next time is reckoned", CLOCK),
      requests: order("how often it was asked for", "by the clock, staff and people's acts together"),
      requests_done: order("up to which of these it is done", "likewise"),
      cause: word("who asks for what is to be done", ["clock", "staff", "act"]),
      attempts: count("how often that has failed"),
      retry_at: instant("when it is tried again", CLOCK),
      holder: text("a random word for the run that goes on"),
      beats: order("a number that grows while it does", "it grows by the clock"),
      progress_done: count("how much of it is done"),
      progress_total: count("of how much"),
      progress_what: text("what is being done: words of the code"),
      succeeded_at: instant("when it last succeeded", TICK),
    },
  }),
  table("job_runs", {
    what: "the last runs of the jobs of the clock",
    class: "durable",
    ...NOBODYS,
    lifetime: "the last 50 of each job",
    purpose: "to see what went wrong, and when",
    columns: {
      name: text("which job"),
      number: order("number of the run", TICK),
      started_at: instant("when it began", TICK),
      cause: word("who asked for it", ["clock", "staff"]),
      attempt: count("which attempt it was"),
      result: word("what came of it", ["running", "succeeded", "failed", "interrupted"]),
      code: text("of a refusal or of the system: never what an error said"),
      duration_ms: count("how long it took"),
    },
  }),
  table("dead_letters", {
    what: "a mail to you that could not be sent",
    class: "durable",
    whose: "customer",
    lifetime: "until staff send it again or give it up, 30 days at most",
    purpose: "to send it after all",
    basis: "contract",
    export: { not: "goes within a month, and names nothing that is not in the export" },
    columns: {
      id: id("a random id"),
      job: word("which letter", []),
      account_id: id("to whom"),
      data: members("about what: see the jobs' own list"),
      failed_on: day("day on which it was given up"),
      attempts: count("how often it was tried", ofNobody),
      code: text("of a refusal or of the system: never what an error said"),
    },
  }),
  table("jobs.job", { ...QUEUE, columns: jobColumns }),
  table("jobs.job_dependency", {
    ...OURS,
    columns: {
      child_name: text("unused"),
      child_id: id("unused"),
      parent_name: text("unused"),
      parent_id: id("unused"),
    },
  }),
  table("jobs.version", {
    ...OURS,
    columns: {
      version: count("of the queue's tables"),
      cron_on: instant("last tick", CLOCK),
      bam_on: instant("last tick", CLOCK),
      flow_on: instant("last tick", CLOCK),
      reindex_on: instant("last tick", CLOCK),
      monitor_backoff_on: instant("last tick", CLOCK),
    },
  }),
  table("jobs.queue", {
    ...OURS,
    columns: {
      name: text("which work"),
      policy: text("how it is handed out"),
      retry_limit: count("how often it is tried"),
      retry_delay: count("seconds between tries"),
      retry_backoff: flag("whether these grow"),
      retry_delay_max: count("up to how many"),
      expire_seconds: count("how long a try may take"),
      retention_seconds: count("how long it may wait"),
      deletion_seconds: count("how long it is kept once done"),
      dead_letter: text("unused"),
      partition: flag("unused"),
      table_name: text("where its jobs stand"),
      deferred_count: count("how many wait for their time, counted each minute"),
      queued_count: count("how many wait, counted each minute"),
      ready_count: count("how many may begin, counted each minute"),
      warning_queued: count("from how many on it warns"),
      active_count: count("how many are being done, counted each minute"),
      failed_count: count("how many failed, counted each minute"),
      total_count: count("how many there are, counted each minute"),
      created_delta: count("how many came since the last count"),
      completed_delta: count("how many were done since then"),
      failed_delta: count("how many failed since then"),
      delta_on: instant("when that was counted", CLOCK),
      delta_seconds: count("how long that was"),
      ready_history: count("how many could begin at the last counts"),
      heartbeat_seconds: count("unused"),
      notify: flag("unused"),
      singletons_active: text("unused"),
      monitor_claim_on: instant("last tick", CLOCK),
      monitor_on: instant("last tick", CLOCK),
      maintain_on: instant("last tick", CLOCK),
      created_on: instant("when the service first started with it", "an act of the operator"),
      updated_on: instant("when its setting was changed", "an act of the operator"),
    },
  }),
  table("jobs.schedule", {
    ...OURS,
    columns: {
      name: text("which work"),
      key: text("unused"),
      kind: text("how the time is written"),
      cron: text("when it is due"),
      timezone: text("in which zone"),
      data: members("nothing"),
      options: members("nothing"),
      created_on: instant("when the service first started with it", "an act of the operator"),
      updated_on: instant("when it last started", "an act of the operator"),
      last_job_id: id("unused"),
    },
  }),
  table("jobs.subscription", {
    ...OURS,
    columns: {
      event: text("unused"),
      name: text("unused"),
      created_on: instant("unused", CLOCK),
      updated_on: instant("unused", CLOCK),
    },
  }),
  table("jobs.bam", {
    ...OURS,
    columns: {
      id: id("of a change of the queue's tables"),
      name: text("which change"),
      version: count("to which version"),
      status: text("how far it is"),
      queue: text("of which work"),
      table_name: text("which table"),
      command: text("the statement"),
      error: text("what went wrong with it"),
      created_on: instant("when it was asked for", "an act of the operator"),
      started_on: instant("when it was begun", "an act of the operator"),
      completed_on: instant("when it was done", "an act of the operator"),
    },
  }),
  table("jobs.warning", {
    ...OURS,
    columns: {
      id: id("of a warning; none is kept, as the service does not ask for it"),
      type: text("which"),
      message: text("what it says"),
      data: members("what about"),
      created_on: instant("when", CLOCK),
    },
  }),
  table("jobs.queue_stats", {
    ...OURS,
    columns: {
      id: id("of a count; none is kept, as the service does not ask for it"),
      name: text("of which work"),
      deferred_count: count("how many wait for their time"),
      queued_count: count("how many wait"),
      ready_count: count("how many may begin"),
      active_count: count("how many are being done"),
      failed_count: count("how many failed"),
      total_count: count("how many there are"),
      created_delta: count("how many came since the last count"),
      completed_delta: count("how many were done since then"),
      failed_delta: count("how many failed since then"),
      delta_seconds: count("how long that was"),
      delta_on: instant("when that was counted", CLOCK),
      captured_on: instant("when it was counted", CLOCK),
    },
  }),
];
