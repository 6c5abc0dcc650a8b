import { createHash, generateKeyPairSync, type KeyObject } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import {
  decodeFigures,
  decodeHealth,
  type FiguresFrame,
  type HealthFrame,
} from "@securewave/contracts/node-frames";
import {
  type AgentFrame,
  authenticationText,
  FINGERPRINT_LENGTH,
  type InterfaceSpec,
  NODE_SOCKET_PATH,
  type PeerSpec,
  type PlaneFrame,
  type Proof,
} from "@securewave/contracts/node-protocol";
import type { Static } from "typebox";
import { type WebSocket, WebSocketServer } from "ws";
import { createNonce, isSignedBy, signText, verifyingKey } from "./credential.ts";

export const NODE_ID = `node_${"0".repeat(20)}`;

/** A control plane that speaks the node protocol and nothing else. */
export interface TestPlane {
  readonly url: string;
  readonly port: number;
  readonly key: KeyObject;
  /** 32 bytes in base64url. */
  readonly rawKey: string;
  readonly joinToken: string;
  /** All frames of agents, in order. */
  readonly frames: AgentFrame[];
  /** All reports and batches of agents, in order. */
  readonly figures: FiguresFrame[];
  readonly healths: HealthFrame[];
  /** Connections that were opened, proven or not. */
  connections(): number;
  proofs(): Static<typeof Proof>[];
  /** Sends to the proven agent. */
  send(...frames: PlaneFrame[]): void;
  /** Cuts all connections as a crash would. */
  cut(): void;
  close(): Promise<void>;
}

export interface TestPlaneOptions {
  readonly port?: number;
  /** The same key after a restart. */
  readonly keys?: { publicKey: KeyObject; privateKey: KeyObject };
  /** Signs with another key than the one that agents pinned. */
  readonly isImpostor?: () => boolean;
  readonly interface?: InterfaceSpec;
  /** Sent to an agent that has proved itself, after the interface. */
  readonly onProof?: (proof: Static<typeof Proof>) => PlaneFrame[];
  /** The code by which an agent is not let in, at its hello or once it has proved itself. */
  readonly refuses?: { readonly after: "hello" | "proof"; readonly code: () => string | undefined };
}

export const TEST_INTERFACE: InterfaceSpec = {
  addresses: ["10.8.0.1/16", "fd5e:c0de::1/64"],
  listen_port: 51820,
  mtu: 1420,
};

export const createPlaneKeys = () => generateKeyPairSync("ed25519");

export async function openTestPlane(options: TestPlaneOptions = {}): Promise<TestPlane> {
  const keys = options.keys ?? createPlaneKeys();
  const stranger = createPlaneKeys();
  const rawKey = String(keys.publicKey.export({ format: "jwk" }).x);
  const frames: AgentFrame[] = [];
  const figures: FiguresFrame[] = [];
  const healths: HealthFrame[] = [];
  const sockets = new Set<WebSocket>();
  let proven: WebSocket | undefined;
  let connections = 0;
  let nodeKey: KeyObject | undefined;

  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      nodeKey = verifyingKey(JSON.parse(body).credential);
      const answer = { node_id: NODE_ID, name: "Test-1", control_plane_key: rawKey };
      response.writeHead(201, { "content-type": "application/json" }).end(JSON.stringify(answer));
    });
  });
  const webSockets = new WebSocketServer({ server, path: NODE_SOCKET_PATH, maxPayload: 2 ** 25 });

  webSockets.on("connection", (socket) => {
    connections++;
    sockets.add(socket);
    const planeNonce = createNonce();
    let agentNonce = "";
    const tell = (frame: PlaneFrame) => socket.send(JSON.stringify(frame));
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    const isRefused = (after: "hello" | "proof") => {
      const code = options.refuses?.after === after ? options.refuses.code() : undefined;
      if (code === undefined) return false;
      tell({ type: "refused", code, detail: "For a test." });
      socket.close(1008, code);
      return true;
    };
    const challenge = (hello: Extract<AgentFrame, { type: "hello" }>) => {
      agentNonce = hello.nonce;
      const signer = options.isImpostor?.() ? stranger.privateKey : keys.privateKey;
      const text = authenticationText("control-plane", hello.node_id, agentNonce, planeNonce);
      tell({ type: "challenge", nonce: planeNonce, signature: signText(text, signer) });
    };
    const welcome = (proof: Static<typeof Proof>) => {
      const text = authenticationText("node", NODE_ID, agentNonce, planeNonce);
      if (nodeKey !== undefined && !isSignedBy(nodeKey, text, proof.signature)) {
        socket.terminate();
        return;
      }
      if (isRefused("proof")) return;
      proven = socket;
      tell({ type: "interface", interface: options.interface ?? TEST_INTERFACE });
      for (const answer of options.onProof?.(proof) ?? []) tell(answer);
    };
    socket.on("message", (data: Buffer, isBinary: boolean) => {
      if (isBinary) {
        takeBinary(data);
        return;
      }
      const frame: AgentFrame = JSON.parse(String(data));
      frames.push(frame);
      if (frame.type === "hello" && !isRefused("hello")) challenge(frame);
      if (frame.type === "proof") welcome(frame);
    });
  });

  function takeBinary(data: Buffer): void {
    const health = decodeHealth(data);
    const told = health ? undefined : decodeFigures(data);
    if (health) healths.push(health);
    else if (told) figures.push(told);
    else throw new Error("the agent sent a binary frame that is none");
  }

  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the system gave no TCP port");
  const digest = createHash("sha256").update(Buffer.from(rawKey, "base64url")).digest("base64url");

  const cut = () => {
    for (const socket of sockets) socket.terminate();
  };
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    key: keys.publicKey,
    rawKey,
    joinToken: `swj_${"a".repeat(43)}.${digest.slice(0, FINGERPRINT_LENGTH)}`,
    frames,
    figures,
    healths,
    connections: () => connections,
    proofs: () => frames.filter((frame) => frame.type === "proof"),
    send(...answers) {
      for (const frame of answers) proven?.send(JSON.stringify(frame));
    },
    cut,
    async close() {
      cut();
      webSockets.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A peer of which everything follows from its number. */
export function peerSpec(
  number: number,
  options: { presharedKey?: number; address?: number; tier?: number } = {},
): PeerSpec {
  const { presharedKey, address = number, tier = 0 } = options;
  return {
    public_key: keyOf(`public ${number}`),
    preshared_key: presharedKey === undefined ? null : keyOf(`preshared ${presharedKey}`),
    allowed_ips: [`10.8.${address >> 8}.${address & 255}/32`],
    tier,
  };
}

/** Any 32 bytes below 2^251 are a usable public key, but for seven. */
function keyOf(text: string): string {
  const bytes = createHash("sha256").update(text).digest();
  bytes[31] = 7;
  return bytes.toString("base64");
}
