import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import type { Node } from "@securewave/contracts";
import {
  authenticationText,
  NODE_PROTOCOL_VERSION,
  NODE_SOCKET_PATH,
  type PeerSpec,
  type PlaneFrame,
  renewalText,
} from "@securewave/contracts/node-protocol";
import { generateKeyPair, type Peer, type PresharedKey, type PublicKey } from "@securewave/wireguard";
import { createPeerSet } from "@securewave/wireguard/peer-set";
import type { Person } from "./people.ts";

const RETRY_MS = 25;

export interface FakeNode {
  readonly node: Node;
  close(): void;
}

/**
 * Joins a node that proves itself and says that it holds what it is sent: what a service without a VPN server needs to hand out devices.
 * It comes back at once whenever the service does, and makes itself another credential when it is asked to.
 */
export async function openFakeNode(admin: Person, baseUrl: string): Promise<FakeNode> {
  const { node, join } = await admin.client.nodes.create({ body: { name: "Nowhere", region: "Nowhere" } });
  let credential = createCredential();
  const { node_id } = await admin.client.nodes.join({
    body: {
      token: join.join_token,
      credential: credential.publicKey,
      wireguard_public_key: generateKeyPair().publicKey,
      endpoint: { host: "vpn.example.org", port: 51820 },
      agent_version: "0.0.0",
    },
  });
  const url = baseUrl.replace(/^http/, "ws") + NODE_SOCKET_PATH;
  const held = createPeerSet();
  let next: Credential | undefined;
  let isClosed = false;
  let socket = connect();

  function answerTo(frame: Extract<PlaneFrame, { type: "snapshot" | "change" }>) {
    const isWhole = frame.type === "snapshot";
    for (const peer of isWhole ? [...held] : []) held.remove(peer.publicKey);
    for (const spec of isWhole ? frame.peers : frame.upserts) held.upsert(peerOf(spec));
    for (const key of isWhole ? [] : frame.removals) held.remove(key as PublicKey);
    return { type: "applied", revision: isWhole ? frame.revision : frame.to, hash: held.hash(), failed: [] };
  }

  function connect(): WebSocket {
    const opened = new WebSocket(url);
    const nonce = randomBytes(32).toString("base64url");
    const send = (frame: object) => opened.send(JSON.stringify(frame));
    opened.onopen = () => send({ type: "hello", protocol: NODE_PROTOCOL_VERSION, node_id, nonce });
    opened.onmessage = ({ data }) => {
      const frame: PlaneFrame = JSON.parse(String(data));
      if (frame.type === "snapshot" || frame.type === "change") send(answerTo(frame));
      if (frame.type === "renew") {
        next ??= createCredential();
        const renewal = Buffer.from(renewalText(node_id, frame.nonce, next.publicKey));
        const signature = sign(null, renewal, next.privateKey).toString("base64url");
        send({ type: "credential", public_key: next.publicKey, signature });
      }
      if (frame.type === "renewed" && next !== undefined) {
        credential = next;
        next = undefined;
      }
      if (frame.type !== "challenge") return;
      const text = Buffer.from(authenticationText("node", node_id, nonce, frame.nonce));
      const signature = sign(null, text, credential.privateKey).toString("base64url");
      const state = { revision: null, hash: held.hash(), agent_version: "0.0.0", implementation: "kernel" };
      send({ type: "proof", signature, ...state });
    };
    opened.onclose = () => {
      if (isClosed) return;
      setTimeout(() => {
        if (!isClosed) socket = connect();
      }, RETRY_MS).unref();
    };
    return opened;
  }

  return {
    node,
    close() {
      isClosed = true;
      socket.close();
    },
  };
}

interface Credential {
  readonly publicKey: string;
  readonly privateKey: KeyObject;
}

function createCredential(): Credential {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  return { publicKey: publicKey.export({ format: "jwk" }).x ?? "", privateKey };
}

function peerOf({ public_key, preshared_key, allowed_ips }: PeerSpec): Peer {
  const preshared = preshared_key === null ? {} : { presharedKey: preshared_key as PresharedKey };
  return { publicKey: public_key as PublicKey, allowedIps: allowed_ips, ...preshared };
}
