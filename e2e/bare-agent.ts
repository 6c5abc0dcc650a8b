import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { once } from "node:events";
import type { Node } from "@securewave/contracts";
import { authenticationText, NODE_SOCKET_PATH, type PlaneFrame } from "@securewave/contracts/node-protocol";
import { generateKeyPair } from "@securewave/wireguard";
import type { Person } from "./people.ts";

/** A node without a machine, which has a credential and says of itself what it is told. */
export interface BareAgent {
  readonly node: Node;
  /** Asks to be let in, and leaves once it has its peers. @returns all that it was told */
  ask(protocol: number): Promise<PlaneFrame[]>;
}

export async function joinBareAgent(admin: Person, baseUrl: string, name: string): Promise<BareAgent> {
  const { node, join } = await admin.client.nodes.create({ body: { name, region: "Nowhere" } });
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  await admin.client.nodes.join({
    body: {
      token: join.join_token,
      credential: publicKey.export({ format: "jwk" }).x ?? "",
      wireguard_public_key: generateKeyPair().publicKey,
      endpoint: { host: "vpn.example.org", port: 51820 },
      agent_version: "0.0.0",
    },
  });
  return {
    node,
    async ask(protocol) {
      const socket = new WebSocket(baseUrl.replace(/^http/, "ws") + NODE_SOCKET_PATH);
      const frames: PlaneFrame[] = [];
      const nonce = randomBytes(32).toString("base64url");
      const send = (frame: object) => socket.send(JSON.stringify(frame));
      socket.onopen = () => send({ type: "hello", protocol, node_id: node.id, nonce });
      socket.onmessage = ({ data }) => {
        const frame: PlaneFrame = JSON.parse(String(data));
        frames.push(frame);
        if (frame.type === "snapshot") socket.close();
        if (frame.type !== "challenge") return;
        const text = Buffer.from(authenticationText("node", node.id, nonce, frame.nonce));
        const signature = sign(null, text, privateKey).toString("base64url");
        const held = { revision: null, hash: "0".repeat(64) };
        send({ type: "proof", signature, ...held, agent_version: "0.0.0", implementation: "kernel" });
      };
      await once(socket, "close");
      return frames;
    },
  };
}
