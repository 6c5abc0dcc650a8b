/**
 * A VPN server without tunnels, as a process of its own: it joins, proves itself, holds the peers that it is sent, makes
 * itself another credential when it is asked to, and comes back whenever the service does. What happens it writes to its
 * standard output. Argument: a file with a `NodeOrder`.
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createClient } from "@securewave/contracts";
import {
  authenticationText,
  NODE_PROTOCOL_VERSION,
  NODE_SOCKET_PATH,
  type PeerSpec,
  type PlaneFrame,
  renewalText,
} from "@securewave/contracts/node-protocol";
import { generateKeyPair, type Peer, parsePresharedKey, parsePublicKey } from "@securewave/wireguard";
import { createPeerSet } from "@securewave/wireguard/peer-set";

export interface NodeOrder {
  readonly url: string;
  readonly joinToken: string;
  readonly agentVersion: string;
}

const RETRY_MS = 100;
const order = JSON.parse(await readFile(process.argv[2] ?? "", "utf8")) as NodeOrder;
const say = (line: string) => void process.stdout.write(`${line}\n`);

interface Credential {
  readonly publicKey: string;
  readonly privateKey: KeyObject;
}

function createCredential(): Credential {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  return { publicKey: publicKey.export({ format: "jwk" }).x ?? "", privateKey };
}

let credential = createCredential();
let former: Credential | undefined;
let next: Credential | undefined;
const peers = createPeerSet();

const { node_id: nodeId } = await createClient({ baseUrl: order.url }).nodes.join({
  body: {
    token: order.joinToken,
    credential: credential.publicKey,
    wireguard_public_key: generateKeyPair().publicKey,
    endpoint: { host: "vpn.example.org", port: 51820 },
    agent_version: order.agentVersion,
  },
});
say(`joined ${nodeId}`);
connect();
/** Somebody has stolen the former credential, and tries it. */
process.on(
  "SIGUSR2",
  () => former && speak(former, (frame) => frame.type === "refused" && say(`former ${frame.code}`)),
);

function connect(): void {
  speak(
    credential,
    (frame, send) => {
      if (frame.type === "interface") say("connected");
      if (frame.type === "snapshot" || frame.type === "change") {
        apply(frame);
        const revision = frame.type === "snapshot" ? frame.revision : frame.to;
        send({ type: "applied", revision, hash: peers.hash(), failed: [] });
      }
      if (frame.type === "renew") {
        next ??= createCredential();
        const text = Buffer.from(renewalText(nodeId, frame.nonce, next.publicKey));
        const signature = sign(null, text, next.privateKey).toString("base64url");
        send({ type: "credential", public_key: next.publicKey, signature });
      }
      if (frame.type === "renewed" && next) {
        former = credential;
        credential = next;
        next = undefined;
        say("renewed");
      }
    },
    () => setTimeout(connect, RETRY_MS),
  );
}

function speak(
  as: Credential,
  hear: (frame: PlaneFrame, send: (frame: object) => void) => unknown,
  onEnd?: () => unknown,
): void {
  const socket = new WebSocket(order.url.replace(/^http/, "ws") + NODE_SOCKET_PATH);
  const nonce = randomBytes(32).toString("base64url");
  const send = (frame: object) => socket.send(JSON.stringify(frame));
  socket.onopen = () => send({ type: "hello", protocol: NODE_PROTOCOL_VERSION, node_id: nodeId, nonce });
  socket.onerror = () => {}; // the end follows
  socket.onclose = () => void onEnd?.();
  socket.onmessage = ({ data }) => {
    const frame: PlaneFrame = JSON.parse(String(data));
    if (frame.type !== "challenge") return void hear(frame, send);
    const text = Buffer.from(authenticationText("node", nodeId, nonce, frame.nonce));
    const signature = sign(null, text, as.privateKey).toString("base64url");
    const held = { revision: null, hash: peers.hash(), agent_version: order.agentVersion };
    send({ type: "proof", signature, ...held, implementation: "userspace" });
  };
}

function apply(frame: Extract<PlaneFrame, { type: "snapshot" | "change" }>): void {
  const before = new Set([...peers].map(({ publicKey }) => publicKey));
  const isWhole = frame.type === "snapshot";
  const gone = isWhole ? [...before] : frame.removals;
  for (const text of gone) {
    const key = parsePublicKey(text);
    if (key) peers.remove(key);
  }
  for (const spec of isWhole ? frame.peers : frame.upserts) {
    const peer = peerOf(spec);
    if (!peer) continue;
    peers.upsert(peer);
    if (!before.has(peer.publicKey)) say(`holds ${peer.publicKey}`);
  }
}

function peerOf({ public_key, preshared_key, allowed_ips }: PeerSpec): Peer | undefined {
  const publicKey = parsePublicKey(public_key);
  const presharedKey = preshared_key === null ? undefined : parsePresharedKey(preshared_key);
  return (
    publicKey && {
      publicKey,
      allowedIps: allowed_ips,
      ...(presharedKey === undefined ? {} : { presharedKey }),
    }
  );
}
