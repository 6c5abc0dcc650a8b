import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import type { Node } from "@securewave/contracts";
import {
  authenticationText,
  NODE_PROTOCOL_VERSION,
  NODE_SOCKET_PATH,
} from "@securewave/contracts/node-protocol";
import { generateKeyPair } from "@securewave/wireguard";
import type { Person } from "./people.ts";

const RETRY_MS = 25;

export interface FakeNode {
  readonly node: Node;
  close(): void;
}

/**
 * Joins a node that proves itself and then listens only: what a service without a VPN server needs to hand out devices.
 * It comes back at once whenever the service does.
 */
export async function openFakeNode(admin: Person, baseUrl: string): Promise<FakeNode> {
  const { node, join } = await admin.client.nodes.create({ body: { name: "Nowhere", region: "Nowhere" } });
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const { node_id } = await admin.client.nodes.join({
    body: {
      token: join.join_token,
      credential: publicKey.export({ format: "jwk" }).x ?? "",
      wireguard_public_key: generateKeyPair().publicKey,
      endpoint: { host: "vpn.example.org", port: 51820 },
      agent_version: "0.0.0",
    },
  });
  const url = baseUrl.replace(/^http/, "ws") + NODE_SOCKET_PATH;
  let isClosed = false;
  let socket = connect();

  function connect(): WebSocket {
    const opened = new WebSocket(url);
    const nonce = randomBytes(32).toString("base64url");
    const send = (frame: object) => opened.send(JSON.stringify(frame));
    opened.onopen = () => send({ type: "hello", protocol: NODE_PROTOCOL_VERSION, node_id, nonce });
    opened.onmessage = ({ data }) => {
      const frame: { type: string; nonce: string } = JSON.parse(String(data));
      if (frame.type !== "challenge") return;
      const text = Buffer.from(authenticationText("node", node_id, nonce, frame.nonce));
      const signature = sign(null, text, privateKey).toString("base64url");
      const held = { revision: null, hash: "0".repeat(64), agent_version: "0.0.0", implementation: "kernel" };
      send({ type: "proof", signature, ...held });
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
