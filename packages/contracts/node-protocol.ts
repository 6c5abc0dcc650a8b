/**
 * What a node agent and the control plane say to each other over one WebSocket at `NODE_SOCKET_PATH`: one JSON object
 * per text frame, and figures as binary frames (`node-frames.ts`).
 *
 *   agent → hello       who it is, and a nonce
 *   plane → challenge   a nonce, and both nonces signed by the control plane's pinned key
 *   agent → proof       both nonces signed by the node's own key; the state it holds
 *   agent → roster, condition
 *   plane → release, interface, tiers, restrict, then snapshot or change …
 *   agent → applied     after each; resync when a change does not fit
 *   agent → [report]    binary, on a fixed tick; its size depends on the number of slots only (ZERO-LOG leak 11)
 *   agent → [health]    binary, on the same tick, always of one size: how the machine is
 *   plane → renew       asks an agent of its own release to make itself another credential
 *   agent → credential  the new one, signed by itself; kept beside the present one until `renewed`
 *   plane → renewed     the former one is known no more
 *
 * A hello of another protocol version is answered by `refused` with `REFUSALS.protocol`, whatever else it says; that and
 * `hello` itself stay as they are in all versions, so that an agent knows that it is to be brought up to date.
 *
 * Each byte is counted once. The agent keeps totals of each peer that never go backwards in their *incarnation*, and a
 * *slot* for each peer, in the order of the roster. Once a day the control plane settles:
 *
 *   plane → close       asks for a batch: the totals of this moment
 *   agent → [batch]     binary; the same totals whenever the batch is asked for again, until it is settled
 *   plane → settled     after the ledger has it. The agent takes off what was settled and sends its roster anew.
 *
 * A control plane that finds in a roster fewer batches than its ledger has of the incarnation says `settled` again and
 * waits for the next roster; nothing that comes before it counts.
 */
import { type Static, Type } from "typebox";
import { Ed25519Key, Id, Nullable, OneOf, Strict, WireGuardKey } from "./schemas.ts";

export const NODE_SOCKET_PATH = "/api/nodes/connect";
export const NODE_PROTOCOL_VERSION = 3;
/** The agent reports every so often, whatever happens in the tunnels (ZERO-LOG leak 11). */
export const REPORT_INTERVAL_SECONDS = 5;
/** Largest frame either side takes: 100,000 peers. */
export const NODE_FRAME_BYTES_MAX = 24 * 1024 * 1024;

const Nonce = Type.String({ pattern: "^[A-Za-z0-9_-]{43}$" });
const Signature = Type.String({ pattern: "^[A-Za-z0-9_-]{86}$" });
const Revision = Type.Integer({ minimum: 0 });
const SetHash = Type.String({ pattern: "^[0-9a-f]{64}$" });
const Incarnation = Type.String({ pattern: "^[A-Za-z0-9_-]{22}$" });
/** Numbers of rosters and batches are 32 bits wide in binary frames. */
const Counter = Type.Integer({ minimum: 0, maximum: 2 ** 32 - 1 });
const Problem = Type.String({ maxLength: 300, description: "Why the node cannot serve; null when it can" });

/** Why a node is not let in. */
export const REFUSALS = {
  /** The agent speaks another version of the protocol: it is to be brought up to date. */
  protocol: "nodes.protocol_unsupported",
  /** Staff removed the node: it takes its tunnels down and does not come again. */
  removed: "nodes.removed",
  /** It is not known by the credential that it proved; it tries the other one, where it has made one. */
  unknown: "nodes.not_recognised",
  /** Two machines had its credential: it serves on and waits for a fresh join token. */
  cloned: "nodes.credential_cloned",
} as const;

/** A number by which nodes know a plan; 0 for none. */
const Tier = Type.Integer({ minimum: 0, maximum: 32_767 });
const KbitPerSecond = Type.Integer({ minimum: 1, maximum: 1_000_000_000 });

/** A device's key on a node, as the node needs it. The tier is no part of the set's hash. */
export const PeerSpec = Strict({
  public_key: WireGuardKey,
  preshared_key: Nullable(WireGuardKey),
  allowed_ips: Type.Array(Type.String({ maxLength: 49 }), { minItems: 1, maxItems: 4 }),
  tier: Tier,
});
export type PeerSpec = Static<typeof PeerSpec>;

/** How the node's own end of the tunnels looks. */
export const InterfaceSpec = Strict({
  addresses: Type.Array(Type.String({ description: "With prefix length: `10.8.0.1/16`" })),
  listen_port: Type.Integer({ minimum: 1, maximum: 65535 }),
  mtu: Type.Integer({ minimum: 1280, maximum: 9000 }),
});
export type InterfaceSpec = Static<typeof InterfaceSpec>;

export const Hello = Strict({
  type: OneOf(["hello"]),
  protocol: Type.Integer(),
  node_id: Id("node"),
  nonce: Nonce,
});
export const Challenge = Strict({ type: OneOf(["challenge"]), nonce: Nonce, signature: Signature });
export const Proof = Strict({
  type: OneOf(["proof"]),
  signature: Signature,
  revision: Nullable(Revision),
  hash: SetHash,
  agent_version: Type.String({ maxLength: 40 }),
  implementation: OneOf(["kernel", "userspace"]),
});
/** The agent that the control plane has to give; one that the installer set up takes it within the hour. */
export const Release = Strict({ type: OneOf(["release"]), agent_version: Type.String({ maxLength: 40 }) });
export const Interface = Strict({ type: OneOf(["interface"]), interface: InterfaceSpec });
export const Snapshot = Strict({
  type: OneOf(["snapshot"]),
  revision: Revision,
  peers: Type.Array(PeerSpec),
});
/** Brings a node from one revision to a later one. */
export const Change = Strict({
  type: OneOf(["change"]),
  from: Revision,
  to: Revision,
  upserts: Type.Array(PeerSpec),
  removals: Type.Array(WireGuardKey),
});
export const Applied = Strict({
  type: OneOf(["applied"]),
  revision: Revision,
  hash: SetHash,
  failed: Type.Array(WireGuardKey, { description: "Peers that could not be applied and were left out" }),
});
export const Resync = Strict({ type: OneOf(["resync"]), reason: Type.String({ maxLength: 200 }) });
/** Names the slots that reports have, whole: after each connection, and after each batch that was settled. */
export const Roster = Strict({
  type: OneOf(["roster"]),
  incarnation: Incarnation,
  number: Counter,
  /** The last one that was settled; 0 for none. */
  batch: Counter,
  peers: Type.Array(WireGuardKey),
  /** What was settled of each slot, always of the same length: `encodeSettled`. */
  settled: Type.String({ pattern: "^[A-Za-z0-9+/]*={0,2}$" }),
});
export type Roster = Static<typeof Roster>;
/** Adds slots at the end of the roster before; nothing of them is settled. */
export const Slots = Strict({ type: OneOf(["slots"]), number: Counter, peers: Type.Array(WireGuardKey) });
export type Slots = Static<typeof Slots>;
/** Sent when it changes and after each connection. */
export const Condition = Strict({ type: OneOf(["condition"]), problem: Nullable(Problem) });

export const Close = Strict({ type: OneOf(["close"]), batch: Counter });
export const Settled = Strict({ type: OneOf(["settled"]), incarnation: Incarnation, batch: Counter });
/** Begins a new incarnation from here on; what was counted before it is left to nobody. */
export const Recount = Strict({ type: OneOf(["recount"]) });
/** The speeds of all tiers that have a limit, for each device in each direction. They hold until the next list. */
export const Tiers = Strict({
  type: OneOf(["tiers"]),
  speeds: Type.Array(
    Strict({ tier: Type.Integer({ minimum: 1, maximum: 32_767 }), kbit_per_second: KbitPerSecond }),
  ),
});
export type Tiers = Static<typeof Tiers>;

/** A device that may not use the tunnel at the moment, or not at full speed. */
export const RestrictedPeer = Type.Union([
  Strict({ public_key: WireGuardKey, kind: OneOf(["blocked"]) }),
  Strict({
    public_key: WireGuardKey,
    kind: OneOf(["throttled"]),
    kbit_per_second: KbitPerSecond,
  }),
]);
export type RestrictedPeer = Static<typeof RestrictedPeer>;
/** All restrictions at this moment. They hold until the next list, also while the control plane is away. */
export const Restrict = Strict({
  type: OneOf(["restrict"]),
  number: Counter,
  peers: Type.Array(RestrictedPeer),
});
/** The agent is to make itself another credential. */
export const Renew = Strict({ type: OneOf(["renew"]), nonce: Nonce });
export const Credential = Strict({
  type: OneOf(["credential"]),
  public_key: Ed25519Key,
  signature: Signature,
});
/** The node is known by this credential and by no other from here on. */
export const Renewed = Strict({ type: OneOf(["renewed"]), public_key: Ed25519Key });
export const Refused = Strict({ type: OneOf(["refused"]), code: Type.String(), detail: Type.String() });

export const AgentFrame = Type.Union([Hello, Proof, Applied, Resync, Roster, Slots, Condition, Credential]);
export type AgentFrame = Static<typeof AgentFrame>;
export const PlaneFrame = Type.Union([
  Challenge,
  Release,
  Interface,
  Tiers,
  Snapshot,
  Change,
  Close,
  Settled,
  Recount,
  Restrict,
  Renew,
  Renewed,
  Refused,
]);
export type PlaneFrame = Static<typeof PlaneFrame>;

/** Which side signs: the text differs, so that no signature serves for the other. */
export type Signer = "control-plane" | "node";

/** What is signed in `challenge` and `proof` by Ed25519. */
export function authenticationText(
  signer: Signer,
  nodeId: string,
  agentNonce: string,
  planeNonce: string,
): string {
  return ["securewave-node-v1", signer, nodeId, agentNonce, planeNonce].join("\n");
}

/** What a new credential signs, so that nobody can have a node take a key that it does not hold. */
export function renewalText(nodeId: string, nonce: string, publicKey: string): string {
  return ["securewave-node-credential-v1", nodeId, nonce, publicKey].join("\n");
}

/** What a join token pins: the first 128 bits of SHA-256 of the control plane's key, in base64url. */
export const FINGERPRINT_LENGTH = 22;

/** `swj_<secret>.<fingerprint>` */
export function parseJoinToken(text: string): { secret: string; fingerprint: string } | undefined {
  const match = /^(swj_[A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{22})$/.exec(text);
  const [, secret, fingerprint] = match ?? [];
  return secret && fingerprint ? { secret, fingerprint } : undefined;
}
