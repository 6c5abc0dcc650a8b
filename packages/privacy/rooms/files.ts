import { type About, type Group, NOBODYS } from "../entry.ts";
import {
  count,
  type Field,
  givenText,
  hash,
  id,
  instant,
  members,
  order,
  publicKey,
  text,
  tunnelAddress,
} from "../fields.ts";

interface FileAbout extends About {
  /** Of its path below the data folder, or where `below` says. */
  readonly path: RegExp;
}

/** Which files a program may write, known by their path below the folder that is its own. */
export interface KnownFile extends Group {
  readonly below:
    | "data folder"
    | "node's state"
    | "node's program"
    | "node's memory disk"
    | "operator's machine";
  readonly path: RegExp;
}

function file(
  below: KnownFile["below"],
  name: string,
  { path, ...about }: FileAbout,
  fields: Readonly<Record<string, Field>>,
): KnownFile {
  return { room: "file", name, below, path, ...about, fields };
}

const OPERATORS = { class: "durable", ...NOBODYS, lifetime: "until you remove it" } as const;
const NODES = { ...OPERATORS, lifetime: "until the node leaves" } as const;

export const files: readonly KnownFile[] = [
  file(
    "data folder",
    "store",
    {
      ...OPERATORS,
      path: /^store(\/|$)/,
      what: "the embedded PostgreSQL: its tables are listed here, its own log holds no statement and no address",
      purpose: "to keep what the tables hold",
    },
    { tables: members("see the tables") },
  ),
  file(
    "data folder",
    "secrets",
    {
      ...OPERATORS,
      path: /^secrets\/(jwt-secret|master-key|backup-key(\.new)?)$/,
      what: "keys of the service",
      purpose: "to seal what is secret in the store",
    },
    { key: hash("random") },
  ),
  file(
    "data folder",
    "ledger key",
    {
      ...OPERATORS,
      path: /^never-in-backups\/(ledger\.key(\.new)?|CACHEDIR\.TAG|README\.txt)$/,
      what: "the key of the usage ledger, of today alone; no backup may read it",
      lifetime: "one day: then it is overwritten by the next",
      purpose: "to make former ledgers unreadable",
    },
    { generation: order("how often it moved on", "once a day, by the clock"), key: hash("random") },
  ),
  file(
    "data folder",
    "data key",
    {
      ...OPERATORS,
      path: /^never-in-backups\/data\.key(\.new)?$/,
      what: "the key from which each account's data key is made; that of a deleted account is cut out of it",
      lifetime: "as long as the service runs, written anew at each deletion; no backup may read it",
      purpose: "to make a deleted account unreadable in every backup",
    },
    { seeds: hash("random") },
  ),
  file(
    "data folder",
    "outbox",
    {
      path: /^outbox\/\.?\d{4}-\d\d-\d\dT[\d-]+Z-[0-9a-f]{8}\.eml$/,
      what: "mails, where no mail server is set",
      class: "durable",
      whose: "customer",
      lifetime: "until you remove it",
      purpose: "to try the service without a mail server",
      basis: "contract",
      export: { not: "is for trying the service out" },
    },
    {
      name: instant("when it was written", "an act of the owner"),
      mail: givenText("the letter, with its address"),
    },
  ),
  file(
    "data folder",
    "audit archive",
    {
      path: /^audit-archive\/\d{12}-\d{12}\.jsonl$/,
      what: "old entries of the audit trail",
      class: "audit",
      whose: "customer",
      lifetime: "until you remove it",
      purpose: "to find out who did what to an account or to the service",
      basis: "legitimate interest",
      export: { not: "is older than the trail in the store; the operator answers for it" },
    },
    { entries: members("see the audit trail's kinds") },
  ),
  file(
    "data folder",
    "backups",
    {
      ...OPERATORS,
      path: /^backups\/(backups|archive|check)\//,
      what: "backups, where BACKUP_TARGET names no other place: sealed for a key, they hold what the tables hold, and nothing more",
      lifetime: "35 days for the database, 30 for settings, 90 for nodes, unless you say otherwise",
      purpose: "to restore the service",
    },
    { tables: members("see the tables; what belongs to a deleted account opens in none") },
  ),
  file(
    "data folder",
    "local node",
    {
      ...NODES,
      path: /^node\/(agent\.pid|agent\.log|joined-with|node\.json)$/,
      what: "the node on this machine",
      purpose: "to run it",
    },
    { settings: text("how it was started; its log; its identity, as below") },
  ),
  file(
    "data folder",
    "ghost control",
    {
      ...OPERATORS,
      path: /^ghost-control\.gz$/,
      what: "a trace of a made-up customer, planted so that the search must find it",
      lifetime: "until the search is over",
      purpose: "to know that the search finds what it is to find",
    },
    { address: text("of nobody: RFC 2544") },
  ),
  file(
    "node's state",
    "node.json",
    {
      ...NODES,
      path: /^node\.json$/,
      what: "who a node is and whom it trusts",
      purpose: "to connect to the control plane",
    },
    {
      format: text("number of the format"),
      node_id: id("the node"),
      name: text("its name"),
      control_plane: text("where the control plane is"),
      control_plane_key: publicKey("its key"),
      credential: hash("the node's own key"),
      wireguard_private_key: hash("the node's key in tunnels"),
      interface: text("name of the interface"),
      listen_port: text("its port"),
    },
  ),
  file(
    "node's state",
    "next-credential",
    {
      ...NODES,
      path: /^next-credential(\.new)?$/,
      what: "a node's next own key, until the control plane has taken it",
      lifetime: "until the node is known by it",
      purpose: "to give nodes other credentials without losing one",
    },
    { credential: hash("the node's next own key") },
  ),
  file(
    "node's program",
    "agent's versions",
    {
      ...NODES,
      lifetime: "until the agent is uninstalled; of its versions, this one and the former",
      path: /^(\.update\.tar\.gz|current(\.next)?|trial(\.next)?|rejected|\d+\.\d+\.\d+[^/]*\/.+)$/,
      what: "the agent itself, and how its last update fares",
      purpose: "to bring the agent up to date, and back from an update that does not run",
    },
    {
      version: text("which one is run, which one was before, and which one failed"),
      starts: count("how often the one on trial was started"),
    },
  ),
  file(
    "node's memory disk",
    "settings before",
    {
      ...NODES,
      path: /^\w+\.before\.json(\.new)?$/,
      what: "what the machine's settings were before the agent changed them",
      purpose: "to put them back",
    },
    { values: text("of each setting") },
  ),
  file(
    "node's state",
    "log rules",
    {
      ...NODES,
      path: /securewave\.conf$/,
      what: "rules by which journald and rsyslog keep nothing of tunnels",
      purpose: "to have no log of connections",
    },
    { rules: text("of ours") },
  ),
  file(
    "node's memory disk",
    "saved state",
    {
      path: /^\w+\.json(\.bad|\.new)?$/,
      what: "what a node should hold, for the agent's next start",
      class: "live",
      whose: "customer",
      lifetime: "until the machine restarts or the node leaves",
      purpose: "to go on serving while the control plane is away",
      basis: "contract",
      export: { as: "devices" },
    },
    {
      format: text("number of the format"),
      node_id: id("the node"),
      revision: text("number of its state"),
      interface: text("the node's own addresses"),
      hash: hash("of the set of peers"),
      speeds: members("how fast the devices of each plan may be, by the plans' numbers"),
      peers: members("see the node protocol: public key, preshared key, tunnel addresses, the plan's number"),
    },
  ),
  file(
    "node's memory disk",
    "totals",
    {
      path: /^\w+\.totals(\.new)?$/,
      what: "how much went through each device's tunnel, for the agent's next start; on a memory disk alone",
      class: "live",
      whose: "customer",
      lifetime: "until the machine restarts or the node leaves; what is in the ledger is taken off each day",
      purpose: "to count each byte once",
      basis: "contract",
      export: { as: "usage" },
    },
    {
      head: text("of the node, its start and its counting"),
      keys: publicKey("devices' keys"),
      columns: count("bytes, in total and in the ledger, and what the interface last said"),
    },
  ),
  operators("credentials", "the log-in of the command line", "until log-out", "to stay logged in", {
    token: hash("tokens, readable by their owner alone"),
  }),
  operators(
    "tunnel configuration",
    "a device's configuration that was asked for",
    "until removed",
    "to set a device up",
    {
      configuration: tunnelAddress("addresses and keys of the tunnel"),
    },
  ),
  operators(
    "exported trail",
    "the audit trail, exported by staff",
    "until removed",
    "to keep and verify it elsewhere",
    {
      entries: members("see the audit trail's kinds"),
    },
  ),
  operators(
    "zero-log report",
    "a signed report on made-up customers, and the key that verifies it",
    "until removed",
    "to verify it elsewhere",
    { note: text("the report; names nobody") },
  ),
  operators(
    "exported backup",
    "a backup that staff took along, sealed, or opened where it is settings",
    "until removed",
    "to keep it elsewhere, or to restore it",
    {
      parts: members("see the backups"),
    },
  ),
  operators(
    "exported data",
    "everything about you, which you asked for",
    "until removed",
    "to give it to you",
    {
      parts: members("see the export's own list"),
    },
  ),
];

/** On the machine of whoever runs the command line. */
function operators(
  name: string,
  what: string,
  lifetime: string,
  purpose: string,
  fields: Readonly<Record<string, Field>>,
): KnownFile {
  const about: FileAbout = {
    path: /^never$/,
    what,
    class: "durable",
    whose: "staff",
    lifetime,
    purpose,
    basis: "legitimate interest",
    export: { not: "is on the machine of the one who asked for it" },
  };
  return file("operator's machine", name, about, fields);
}
