import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign, verify } from "node:crypto";
import { once } from "node:events";
import {
  type AgentFrame,
  authenticationText,
  NODE_PROTOCOL_VERSION,
  NODE_SOCKET_PATH,
  type PeerSpec,
  type PlaneFrame,
} from "@securewave/contracts/node-protocol";
import { invariant } from "@securewave/foundation";
import { eventually } from "@securewave/testing/eventually";
import { type KeyPair, type Peer, parsePresharedKey, parsePublicKey } from "@securewave/wireguard";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { createPeerSet, type PeerSet } from "@securewave/wireguard/peer-set";
import { expect } from "vitest";
import { WebSocket } from "ws";
import type { TestApp } from "./app.ts";
import { createFakeCounting, type PartialPeerReport } from "./fake-counting.ts";

export interface NodeIdentity {
  readonly id: string;
  readonly name: string;
  readonly privateKey: KeyObject;
  /** WireGuard's. */
  readonly publicKey: string;
  /** The control plane's, as pinned at joining. */
  readonly controlPlaneKey: string;
}

export interface JoinOptions {
  readonly name?: string;
  readonly capacity?: number;
  readonly host?: string;
  readonly port?: number;
  /** WireGuard's. */
  readonly keys?: KeyPair;
}

export interface FakeNodeOptions extends JoinOptions {
  /** Answers a snapshot or change; undefined says nothing. Without it the node is honest. */
  readonly answer?: (honest: Applied) => AgentFrame | undefined;
  /** Says something else in its proof than what it holds. */
  readonly claim?: { revision: number | null; hash?: string };
}

type Applied = Extract<AgentFrame, { type: "applied" }>;

/** A node agent without WireGuard: it speaks the protocol, holds its peers in a set, and can lie. */
export interface FakeNode {
  readonly identity: NodeIdentity;
  readonly peers: PeerSet;
  revision(): number | null;
  /** All that the control plane sent on the present connection. */
  frames(): readonly PlaneFrame[];
  /** Connects with the state that it holds; resolves when the control plane has accepted it. */
  connect(options?: Pick<FakeNodeOptions, "answer" | "claim">): Promise<void>;
  /** Leaves as a program does that is stopped. */
  disconnect(): Promise<void>;
  socket(): WebSocket;
  /** How the present connection ended, once it has. */
  ended(): Promise<{ code: number; reason: string }>;
  send(frame: AgentFrame): void;
  /** Reports these peers as connected, and no others; totals of others stay. */
  report(peers: readonly PartialPeerReport[], problem?: string): void;
  /** Keys in the order of the slots that reports have. */
  slots(): readonly string[];
  rosterNumber(): number;
  counting(): { readonly incarnation: string };
  /** Resolves when it has a peer of this key; a test that waits in vain fails. */
  holds(publicKey: string): Promise<Peer>;
  lacks(publicKey: string): Promise<void>;
}

let nodeCount = 0;

/** Registers a node and joins it, as its operator and its agent do. */
export async function joinNode(test: TestApp, options: JoinOptions = {}): Promise<NodeIdentity> {
  const admin = await test.admin();
  const name = options.name ?? `Test-${++nodeCount}`;
  const { join } = await admin.client.nodes.create({
    body: {
      name,
      region: "Nowhere",
      ...(options.capacity === undefined ? {} : { capacity: options.capacity }),
    },
  });
  return useJoinToken(test, join.join_token, options);
}

type Joining = Pick<JoinOptions, "host" | "port" | "keys">;

export async function useJoinToken(
  test: TestApp,
  token: string,
  { host = "vpn.example.org", port = 51820, keys = generateKeyPair() }: Joining = {},
): Promise<NodeIdentity> {
  const credential = generateKeyPairSync("ed25519");
  const { publicKey } = keys;
  const joined = await test.client().nodes.join({
    body: {
      token,
      credential: credential.publicKey.export({ format: "jwk" }).x ?? "",
      wireguard_public_key: publicKey,
      endpoint: { host, port },
      agent_version: "0.0.0-test",
    },
  });
  const { node_id: id, name, control_plane_key: controlPlaneKey } = joined;
  return { id, name, privateKey: credential.privateKey, publicKey, controlPlaneKey };
}

/** Opens the node's WebSocket and nothing more. */
export async function openAgentSocket(test: TestApp): Promise<WebSocket> {
  const socket = new WebSocket(test.baseUrl.replace("http", "ws") + NODE_SOCKET_PATH, {
    perMessageDeflate: false,
  });
  socket.on("error", () => undefined);
  await once(socket, "open");
  return socket;
}

/** Joins a node and connects it; it is healthy when this resolves. */
export async function connectNode(test: TestApp, options: FakeNodeOptions = {}): Promise<FakeNode> {
  const node = createFakeNode(test, await joinNode(test, options));
  await node.connect(options);
  return node;
}

export function createFakeNode(test: TestApp, identity: NodeIdentity): FakeNode {
  const peers = createPeerSet();
  let revision: number | null = null;
  let socket: WebSocket | undefined;
  let frames: PlaneFrame[] = [];
  let ended: Promise<{ code: number; reason: string }> | undefined;
  let answer: FakeNodeOptions["answer"];
  const counting = createFakeCounting();
  let condition: string | null = null;

  function present(): WebSocket {
    invariant(socket, "the node was connected before");
    return socket;
  }

  function send(frame: AgentFrame): void {
    present().send(JSON.stringify(frame));
  }

  function count(frame: PlaneFrame): void {
    if (frame.type === "close") {
      const figures = counting.close(frame.batch);
      if (figures) present().send(figures);
      return;
    }
    if (frame.type === "recount") counting.recount();
    const isAnother = frame.type === "settled" && counting.settle(frame.incarnation, frame.batch);
    if (isAnother || frame.type === "interface" || frame.type === "recount") send(counting.roster());
  }

  function take(frame: PlaneFrame): void {
    frames.push(frame);
    count(frame);
    if (frame.type === "change" && frame.from !== revision) send({ type: "resync", reason: "a gap" });
    else if (frame.type === "change") change(frame.to, frame.upserts, frame.removals);
    else if (frame.type === "snapshot") {
      const gone = Array.from(peers, ({ publicKey }) => publicKey);
      change(frame.revision, frame.peers, gone);
    }
  }

  function change(to: number, upserts: readonly PeerSpec[], removals: readonly string[]): void {
    for (const key of removals) peers.remove(publicKeyOf(key));
    for (const spec of upserts) peers.upsert(peerOf(spec));
    revision = to;
    const honest: Applied = { type: "applied", revision, hash: peers.hash(), failed: [] };
    const said = answer ? answer(honest) : honest;
    if (said) send(said);
  }

  return {
    identity,
    peers,
    revision: () => revision,
    frames: () => frames,
    async connect(options = {}) {
      answer = options.answer;
      if (socket && !socket.isPaused) socket.terminate(); // an agent has one at a time; a paused one hangs
      frames = [];
      condition = null;
      const opened = await openAgentSocket(test);
      socket = opened;
      ended = new Promise((resolve) => {
        opened.once("close", (code, reason) => resolve({ code, reason: String(reason) }));
      });
      opened.on("message", (data: Buffer) => {
        if (socket !== opened) return; // a later connection has taken over
        const frame: PlaneFrame = JSON.parse(String(data));
        if (frame.type !== "challenge") return take(frame);
        demandSignature(identity, nonce, frame);
        send({
          type: "proof",
          signature: signFor(identity, nonce, frame.nonce),
          revision: options.claim ? options.claim.revision : revision,
          hash: options.claim?.hash ?? peers.hash(),
          agent_version: "0.0.0-test",
          implementation: "userspace",
        });
      });
      const nonce = randomBytes(32).toString("base64url");
      send({ type: "hello", protocol: NODE_PROTOCOL_VERSION, node_id: identity.id, nonce });
      const refused = ended.then(({ reason }) =>
        Promise.reject(new Error(`the node was refused: ${reason}`)),
      );
      const accepted = eventually(() => expect(frames.map(({ type }) => type)).toContain("interface"), {
        everyMs: 5,
      });
      refused.catch(() => undefined);
      accepted.catch(() => undefined);
      await Promise.race([accepted, refused]);
      if (!answer && !options.claim)
        await eventually(() => expect(stateOf(test, identity.id)).resolves.toMatch(/healthy|draining/), {
          everyMs: 5,
        });
    },
    async disconnect() {
      present().close(1000);
      await ended;
      await eventually(() => expect(stateOf(test, identity.id)).resolves.toBe("offline"), { everyMs: 5 });
    },
    socket: present,
    ended() {
      invariant(ended, "the node was connected before");
      return ended;
    },
    send,
    report(reported, problem) {
      const { slots, figures } = counting.report(reported);
      if (slots) send(slots);
      present().send(figures);
      if ((problem ?? null) === condition) return;
      condition = problem ?? null;
      send({ type: "condition", problem: condition });
    },
    slots: counting.slots,
    rosterNumber: counting.rosterNumber,
    counting: () => ({ incarnation: counting.incarnation() }),
    holds(publicKey) {
      return eventually(
        () => {
          const peer = peers.get(publicKeyOf(publicKey));
          if (!peer) throw new Error("the node has no such peer");
          return peer;
        },
        { everyMs: 5 },
      );
    },
    async lacks(publicKey) {
      await eventually(() => expect(peers.get(publicKeyOf(publicKey))).toBeUndefined(), { everyMs: 5 });
    },
  };
}

/** Signs as the node does in its proof. */
export function signFor(
  identity: Pick<NodeIdentity, "id" | "privateKey">,
  agentNonce: string,
  planeNonce: string,
): string {
  const text = authenticationText("node", identity.id, agentNonce, planeNonce);
  return sign(null, Buffer.from(text), identity.privateKey).toString("base64url");
}

/** An agent goes on only with the control plane whose key it pinned. */
function demandSignature(
  identity: NodeIdentity,
  agentNonce: string,
  challenge: { nonce: string; signature: string },
): void {
  const key = createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: identity.controlPlaneKey },
    format: "jwk",
  });
  const text = authenticationText("control-plane", identity.id, agentNonce, challenge.nonce);
  const isRight = verify(null, Buffer.from(text), key, Buffer.from(challenge.signature, "base64url"));
  invariant(isRight, "the control plane signs both nonces with the key that nodes pin");
}

async function stateOf(test: TestApp, id: string): Promise<string> {
  const admin = await test.admin();
  return (await admin.client.nodes.show({ params: { id } })).state;
}

function peerOf({ public_key, preshared_key, allowed_ips }: PeerSpec): Peer {
  const presharedKey = preshared_key === null ? undefined : parsePresharedKey(preshared_key);
  const publicKey = publicKeyOf(public_key);
  return { publicKey, allowedIps: allowed_ips, ...(presharedKey === undefined ? {} : { presharedKey }) };
}

function publicKeyOf(text: string) {
  const key = parsePublicKey(text);
  invariant(key, "a node is sent valid keys");
  return key;
}
