import { type About, type Group, NOBODYS } from "../entry.ts";
import {
  age,
  count,
  type Field,
  flag,
  hash,
  id,
  order,
  publicKey,
  text,
  tunnelAddress,
  word,
} from "../fields.ts";

const WIRE = {
  class: "transport",
  whose: "customer",
  lifetime: "until it is read; the connection is encrypted",
  purpose: "to let devices into tunnels, and to know how much of a plan is used",
  basis: "contract",
  export: { not: "is over before it could be read; what it says of you is in the export by its own name" },
} as const satisfies Partial<About>;
const OF_NODE = { ...WIRE, ...NOBODYS } as const;
const REVISION = "of a node; it grows when devices are added and removed";

function frame(
  name: string,
  what: string,
  fields: Readonly<Record<string, Field>>,
  about: Omit<About, "what"> = OF_NODE,
): Group {
  return {
    room: "node protocol",
    name,
    ...about,
    what,
    fields: { type: word("which frame", [name]), ...fields },
  };
}

/** A device's key as a node needs it; in `snapshot` and `change`. */
const peerSpec = {
  public_key: publicKey("a device's key"),
  preshared_key: hash("the secret that it shares with the node"),
  allowed_ips: tunnelAddress("its addresses in the tunnel"),
  tier: count("the number of its plan, by which the node knows its speed"),
};

/** What agents and the control plane say to each other. Members of lists are written with a dot. */
export const nodeFrames: readonly Group[] = [
  frame("hello", "a node says who it is", {
    protocol: count("version"),
    node_id: id("the node"),
    nonce: hash("random"),
  }),
  frame("challenge", "the control plane proves itself", {
    nonce: hash("random"),
    signature: hash("of both nonces"),
  }),
  frame("proof", "the node proves itself", {
    signature: hash("of both nonces"),
    revision: order("the state it holds", REVISION),
    hash: hash("of its set of peers"),
    agent_version: text("of its agent"),
    implementation: word("which WireGuard", ["kernel", "userspace"]),
  }),
  frame("release", "which agent the control plane has to give", { agent_version: text("its version") }),
  frame("renew", "the node is to make itself another credential", { nonce: hash("random") }),
  frame("credential", "the node's new credential", {
    public_key: publicKey("its public half"),
    signature: hash("of the nonce, by the new one"),
  }),
  frame("renewed", "the node is known by it from here on", { public_key: publicKey("its public half") }),
  frame("tiers", "how fast devices may be, by the numbers of their plans", {
    ...prefixed("speeds", { tier: count("the plan's number"), kbit_per_second: count("how fast") }),
  }),
  frame("interface", "how a node's own end looks", {
    "interface.addresses": tunnelAddress("of the node itself"),
    "interface.listen_port": count("its port"),
    "interface.mtu": count("size of packets"),
  }),
  frame(
    "snapshot",
    "all peers that a node should have",
    { revision: order("number of the state", REVISION), ...prefixed("peers", peerSpec) },
    WIRE,
  ),
  frame(
    "change",
    "what of them is new",
    {
      from: order("from which state", REVISION),
      to: order("to which", REVISION),
      ...prefixed("upserts", peerSpec),
      removals: publicKey("devices' keys that go"),
    },
    WIRE,
  ),
  frame(
    "applied",
    "the node has applied it",
    {
      revision: order("number of the state", REVISION),
      hash: hash("of its set of peers"),
      failed: publicKey("devices' keys that could not be applied"),
    },
    WIRE,
  ),
  frame("resync", "the node asks for the whole", { reason: text("a sentence of ours") }),
  frame(
    "roster",
    "which slots its reports have, whole: after each connection, and after each batch that was settled",
    {
      incarnation: id("random, of the node's counting"),
      number: order("number of the roster", REVISION),
      batch: order("last batch that was settled", "one a day, by the clock"),
      peers: publicKey("devices' keys, a slot for each"),
      settled: count("what was settled of each slot, always of one length"),
    },
    WIRE,
  ),
  frame(
    "slots",
    "slots that are new",
    { number: order("number of the roster", REVISION), peers: publicKey("devices' keys") },
    WIRE,
  ),
  frame("condition", "whether the node can serve", { problem: text("why not, a sentence of ours") }),
  frame("close", "the control plane asks for a batch", { batch: order("which", "one a day, by the clock") }),
  frame("settled", "the ledger has it", {
    incarnation: id("random, of the node's counting"),
    batch: order("which", "one a day, by the clock"),
  }),
  frame("recount", "a new incarnation is to begin", {}),
  frame(
    "restrict",
    "which devices may not use the tunnel at the moment, or not at full speed",
    {
      number: count("number of the list on this connection"),
      ...prefixed("peers", {
        public_key: publicKey("a device's key"),
        kind: word("which restriction", ["blocked", "throttled"]),
        kbit_per_second: count("how fast it may be"),
      }),
    },
    WIRE,
  ),
  frame("refused", "the control plane does not let it in", {
    code: text("a code of ours"),
    detail: text("a sentence of ours"),
  }),
];

const totals = {
  format: count("of the layout"),
  kind: count("1 a report, 2 a batch"),
  roster: order("number of the roster", REVISION),
  slots: count("how many"),
  received: count("bytes of each slot, since the incarnation began"),
  sent: count("likewise"),
};

/** Frames of figures. Their length depends on the number of slots alone, whoever is connected. */
export const binaryFrames: readonly Group[] = [
  {
    room: "node protocol",
    name: "[report]",
    ...WIRE,
    what: "all slots' totals, on a fixed tick whatever happens in the tunnels",
    fields: {
      ...totals,
      sequence: order("number of the report on this connection", "one every five seconds, whatever happens"),
      ages: age("seconds since each slot's handshake; 255 for none within 180 s"),
    },
  },
  {
    room: "node protocol",
    name: "[health]",
    ...OF_NODE,
    what: "how the node's machine is, on the same tick, always of one size",
    fields: {
      format: count("of the layout"),
      kind: count("3"),
      processor: count("how much of it is in use"),
      memory: count("likewise"),
      receivedBitsPerSecond: count("all devices together"),
      sentBitsPerSecond: count("likewise"),
      troubles: count("packets that were dropped"),
    },
  },
  {
    room: "node protocol",
    name: "[batch]",
    ...WIRE,
    what: "all slots' totals, once a day, for the ledger",
    fields: { ...totals, batch: order("number of the batch", "one a day, by the clock") },
  },
];

function prefixed(list: string, fields: Readonly<Record<string, Field>>): Record<string, Field> {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [`${list}.${name}`, field]));
}

/** What the console and programs are sent as it happens. */
export const eventStreams: readonly Group[] = [
  {
    room: "event stream",
    name: "devices.watch",
    ...WIRE,
    what: "how your own devices are, as you look on",
    purpose: "to show you what is connected",
    export: { as: "devices" },
    fields: {
      device_id: id("the device"),
      ready: flag("whether its server has its key"),
      connected: flag("whether it had a handshake within three minutes"),
      handshake_age_seconds: age("of the last one"),
      received_bytes: count("in this session"),
      sent_bytes: count("in this session"),
    },
  },
];
