import { type About, type Group, NOBODYS } from "../entry.ts";
import { count, type Field, id, instant, order, text, word } from "../fields.ts";

const LOG = {
  what: "the service's log",
  class: "transport",
  ...NOBODYS,
  lifetime:
    "yours to decide: lines go to standard output, or to LOG_FILE, of which five files of 100 MB are kept",
  purpose: "to find faults",
} as const satisfies About;

const OF_A_LINE =
  "of a request or a fault; no line names a person, and none is written for what happens in a tunnel";

/** What a line of the control plane's log may have. */
const planeFields: Readonly<Record<string, Field>> = {
  level: word("how grave", ["20", "30", "40", "50"]),
  time: instant("when", OF_A_LINE),
  event: word("what happened", []),
  method: word("a request's method", []),
  route: word("the pattern of its route", []),
  status: count("its status"),
  milliseconds: count("how long it took"),
  code: word("code of a refusal", []),
  internal: text("a sentence of ours"),
  nodeId: id("a node"),
  revision: order("number of a node's state", "of a node; it grows when devices are added and removed"),
  count: count("how many"),
  job: word("which job", []),
  error: text("kind and place of an error, never its message"),
};

/** What a line of the node agent's log may have. It has no time: journald adds its own where the operator wants one. */
const agentFields: Readonly<Record<string, Field>> = {
  event: word("what happened", []),
  host: text("the control plane's host, once at the start"),
  revision: order("number of the node's state", "of a node; it grows when devices are added and removed"),
  peers: count("how many peers the node should have"),
  upserts: count("how many came or were changed"),
  removals: count("how many went"),
  failed: count("how many could not be applied"),
  why: text("a sentence or a code of ours"),
  retry_ms: count("when it tries again"),
  version: text("of an update"),
};

export const logs: readonly Group[] = [
  { room: "log", name: "control-plane", ...LOG, fields: planeFields },
  { room: "log", name: "node-agent", ...LOG, what: "a node's log", fields: agentFields },
];

/** Every event that the control plane logs, and what of a person's doing causes it. */
export const planeEvents: Readonly<Record<string, string>> = {
  request: "a request was answered; at level debug, which is off unless asked for",
  request_failed: "a fault of ours, or of the store",
  node_connected: "a node's agent connected",
  node_disconnected: "a node's agent is gone",
  node_link_failed: "a node's agent could not be talked with",
  node_misbehaved: "a node's agent said what it must not",
  node_silent: "a node's tunnel answers the service no more",
  node_answers: "it does again",
  node_probe_failed: "a node's tunnel could not be tried",
  node_probes_off: "no node's tunnel can be tried",
  database_demands: "the database logs as it should, or otherwise by settings that hurt nobody",
  database_demands_unmet: "the database's settings write down what they must not",
  redis_demands: "Redis keeps as little as it should",
  redis_demands_unmet: "Redis writes down what it must not",
  demands_failed: "the settings of the database could not be read",
  redis_up: "Redis answers again",
  redis_down: "Redis does not answer",
  reputation_loaded: "lists of networks were read",
  reputation_bad_lines: "lists of networks have lines that mean nothing",
  reputation_failed: "a list of networks could not be read",
  bus_failed: "another process could not be told",
  job_failed: "a job failed",
  alert_fires: "an alert of the service's own watch fires, or is over",
  alerts_not_judged: "the service could not judge its own figures",
  alert_heartbeat_failed: "the outside service that waits for a sign of life could not be called",
  background_failed: "work that nobody waits for failed",
  close_failed: "something did not close",
  started: "the service started",
  stopping: "it stops",
  metrics_not_served: "the port of the metrics is taken",
  vault_failed: "Vault does not answer",
  ledger_trouble: "the usage ledger could not be opened or written anew",
  zero_log_clean: "a search for made-up customers found nothing",
  zero_log_leaking: "a search for made-up customers found traces of them",
  zero_log_incomplete: "a search for made-up customers was not complete",
  backup_done: "backups were made, verified or removed",
  backup_failed: "a backup failed, or the archive of the database's log",
  backup_damaged: "a verification found a backup damaged",
  zero_log_failed: "a search for made-up customers ended without a report",
  log_file_failed: "the log's file could not be written",
  crashed: "a fault ended the process",
};

/** Every event that the node agent logs. */
export const agentEvents: Readonly<Record<string, string>> = {
  starting: "the agent starts",
  "interface-adopted": "it found its interface",
  "interface-created": "it made its interface",
  "interface-settled": "its interface has what it should",
  connected: "the control plane is there",
  disconnected: "it is gone",
  "control-plane-unproven": "somebody answered who is not the control plane",
  "protocol-error": "it said what it must not",
  refused: "it does not let this node in",
  applied: "a new state stands",
  "peers-refused": "some peers could not be applied",
  resync: "it asked for the whole state",
  "drift-repaired": "somebody else had changed the interface",
  "not-forgetting": "it is late with forgetting idle peers",
  "forgetting-again": "it is in time again",
  "unsafe-host": "the machine does not meet a demand",
  "safe-host": "it meets all of them again",
  "counting-failed": "the totals could not be taken from a reading",
  "totals-not-kept": "there is no memory disk: totals do not outlive the agent",
  "totals-not-written": "the totals could not be saved",
  "credential-not-kept": "a new credential of the node could not be saved",
  failing: "it cannot serve",
  mended: "it can again",
  "saved-state-set-aside": "the saved state is damaged",
  "saved-state-not-written": "the state could not be saved",
  "update-available": "the control plane has another agent, which this one does not take by itself",
  updating: "the agent fetches an update",
  updated: "another version takes over",
  "update-confirmed": "the version that took over has reached the control plane",
  "update-failed": "an update could not be had",
  stopped: "the agent stops",
};

export const logEvents: readonly Group[] = [
  ...Object.entries(planeEvents).map(([name, what]) => event("control-plane", name, what)),
  ...Object.entries(agentEvents).map(([name, what]) => event("node-agent", name, what)),
];

function event(program: string, name: string, what: string): Group {
  return { room: "log event", name: `${program}/${name}`, ...LOG, what, fields: {} };
}
