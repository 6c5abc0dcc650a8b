import { generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { NODE_PROTOCOL_VERSION, type PlaneFrame, REFUSALS } from "@securewave/contracts/node-protocol";
import { createId } from "@securewave/foundation";
import { afterAll, expect, test } from "vitest";
import type { WebSocket } from "ws";
import {
  createFakeNode,
  joinNode,
  type NodeIdentity,
  openAgentSocket,
  openTestApp,
  signFor,
} from "../../testing.ts";

const service = await openTestApp();
afterAll(() => service.close());

async function attempt(change: {
  identity?: Partial<NodeIdentity>;
  protocol?: number;
  sign?: (identity: NodeIdentity, agentNonce: string, planeNonce: string) => string;
}) {
  const identity = { ...(await joinNode(service)), ...change.identity };
  const socket = await openAgentSocket(service);
  const nonce = randomBytes(32).toString("base64url");
  const frames: PlaneFrame[] = [];
  socket.on("message", (data: Buffer) => {
    const frame: PlaneFrame = JSON.parse(String(data));
    frames.push(frame);
    if (frame.type !== "challenge") return;
    const signature = (change.sign ?? signFor)(identity, nonce, frame.nonce);
    const rest = { revision: null, hash: "0".repeat(64), agent_version: "", implementation: "kernel" };
    socket.send(JSON.stringify({ type: "proof", signature, ...rest }));
  });
  const closed = once(socket, "close");
  const protocol = change.protocol ?? NODE_PROTOCOL_VERSION;
  socket.send(JSON.stringify({ type: "hello", protocol, node_id: identity.id, nonce }));
  const [code, reason] = await closed;
  return { code, reason: String(reason), frames };
}
const foreignKey = generateKeyPairSync("ed25519").privateKey;

test.each([
  ["with another key", { identity: { privateKey: foreignKey } }, "nodes.not_recognised"],
  ["as a node that is not there", { identity: { id: createId("node") } }, "nodes.not_recognised"],
  ["with the control plane's own signature", { sign: () => "A".repeat(86) }, "nodes.not_recognised"],
  ["in an older version of the protocol", { protocol: NODE_PROTOCOL_VERSION - 1 }, REFUSALS.protocol],
  ["in a newer version of the protocol", { protocol: NODE_PROTOCOL_VERSION + 1 }, REFUSALS.protocol],
])("%s a node is refused and learns nothing", async (_, change, code) => {
  const result = await attempt(change);
  expect(result).toMatchObject({ code: 1008, reason: code });
  expect(result.frames.map(({ type }) => type)).not.toContain("interface");
  expect(result.frames.at(-1)).toMatchObject({ type: "refused", code });
});

test("an agent of another version is told both, and staff see what to do while it is away", async () => {
  const admin = await service.admin();
  const identity = await joinNode(service);
  const show = () => admin.client.nodes.show({ params: { id: identity.id } });
  const { frames } = await attempt({ identity, protocol: 2 });
  expect(frames).toEqual([
    {
      type: "refused",
      code: REFUSALS.protocol,
      detail: `The agent speaks version 2, this control plane ${NODE_PROTOCOL_VERSION}. Update the agent.`,
    },
  ]);
  expect(await show()).toMatchObject({
    state: "offline",
    problem: `Its agent speaks protocol 2, and this service ${NODE_PROTOCOL_VERSION}; update it.`,
  });
  await attempt({ identity, protocol: NODE_PROTOCOL_VERSION + 1 });
  expect((await show()).problem).toContain("update the service");
  const node = createFakeNode(service, identity);
  await node.connect();
  await attempt({ identity, protocol: 2 });
  expect(await show(), "anybody can say so in the name of a node that is there").toMatchObject({
    state: "healthy",
    problem: null,
  });
});

test("a proof that was heard before is worthless", async () => {
  let heard = "";
  const sign = (identity: NodeIdentity, agentNonce: string, planeNonce: string) => {
    heard ||= signFor(identity, agentNonce, planeNonce);
    return heard;
  };
  const identity = await joinNode(service);
  sign(identity, "x".repeat(43), "y".repeat(43));
  expect((await attempt({ identity, sign })).reason).toBe("nodes.not_recognised");
});

test.each([
  ["text that is no JSON", "hello?"],
  ["a proof before the hello", JSON.stringify({ type: "proof" })],
  [
    "a hello with a field too many",
    JSON.stringify({ type: "hello", protocol: 1, node_id: createId("node"), nonce: "n".repeat(43), x: 1 }),
  ],
  ["a binary frame", Buffer.alloc(100, 1)],
  ["a long frame", "x".repeat(5_000)],
])("%s is refused", async (_, content) => {
  const socket = await openAgentSocket(service);
  const closed = once(socket, "close");
  socket.send(content);
  expect((await closed)[0]).toBe(1008);
});

test("who has not proved himself cannot make the control plane read much", async () => {
  const socket = await openAgentSocket(service);
  const closed = once(socket, "close");
  // A frame that says it is 20 MB long, and goes on.
  const header = Buffer.from([0x81, 0x80 | 127, 0, 0, 0, 0, 0x01, 0x31, 0x2d, 0, 1, 2, 3, 4]);
  const raw: WebSocket & { _socket?: { write(data: Buffer): boolean; writable: boolean } } = socket;
  raw._socket?.write(header);
  for (let sent = 0; sent < 40 && raw._socket?.writable; sent++) {
    raw._socket.write(Buffer.alloc(65_536));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const [code] = await closed;
  expect(code).toBe(1006); // cut off; one that is waited for in vain is told 1008
});

test("a whole state before the proof ends the connection at once", async () => {
  const identity = await joinNode(service);
  const socket = await openAgentSocket(service);
  const closed = once(socket, "close");
  const nonce = "n".repeat(43);
  socket.send(
    JSON.stringify({ type: "hello", protocol: NODE_PROTOCOL_VERSION, node_id: identity.id, nonce }),
  );
  await once(socket, "message");
  socket.send(JSON.stringify({ type: "proof", signature: "x".repeat(23 * 1024 * 1024) }));
  await closed;
  expect(socket.readyState).toBe(socket.CLOSED);
}, 9_000);

test("a WebSocket anywhere else is cut off", async () => {
  for (const path of ["/", "/api/nodes/connect/x", "/api/vpn/connections"]) {
    const response = await fetch(service.baseUrl + path, {
      headers: { connection: "upgrade", upgrade: "websocket" },
    }).catch(() => undefined);
    expect(response?.status).not.toBe(101);
  }
});
