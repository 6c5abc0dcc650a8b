import {
  createNetworkLab,
  eventually,
  forwardPort,
  LAB_ADDRESSES,
  labRequirements,
  type NetworkLab,
  type PortForward,
  run,
  runOrThrow,
  type TemporaryDir,
  temporaryDir,
} from "@securewave/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";
import { joinNode, type NodeMachine } from "./node-agent.ts";
import { type Person, setUpAdmin } from "./people.ts";
import { processesOf } from "./remains.ts";

const PORT = 8000;
/** A node is probed every 30 s, at a moment of its own. */
const PROBE_TIMEOUT_MS = 60_000;
/** Three probes, each given up after five seconds. */
const SILENT_TIMEOUT_MS = 150_000;
/** More often for so long would be more than one caller may ask. */
const ASK_MS = 500;

const lab = labRequirements(["nft"]);

describe.skipIf(!lab.ok)(lab.title("a node that the service probes"), { timeout: 300_000 }, () => {
  let dir: TemporaryDir;
  let scene: NetworkLab;
  let way: PortForward;
  let plane: ControlPlane;
  let admin: Person;
  let node: NodeMachine;

  beforeAll(async () => {
    dir = temporaryDir("probes");
    scene = await createNetworkLab();
    way = await forwardPort(scene.control, { host: "127.0.0.1", port: PORT });
    const url = `http://${LAB_ADDRESSES.control.v4}:${PORT}`;
    const env = { PUBLIC_URL: url, NODE_PROBES: "on" };
    plane = await startControlPlane({ dir: dir.path, namespace: scene.control, port: PORT, env });
    admin = await setUpAdmin(`http://127.0.0.1:${way.port}`, plane.setupLink);
    node = await joinNode({
      admin,
      namespace: scene.node,
      registered: "EU-Lab-1",
      endpoint: LAB_ADDRESSES.nodeForControl.v4,
    });
  });
  afterAll(async () => {
    await plane?.process.stop();
    await node?.[Symbol.asyncDispose]();
    await way?.close();
    await scene?.destroy();
    expect(await processesOf(dir.path)).toEqual([]);
    dir.remove();
  });

  const show = () => admin.client.nodes.show({ params: { id: node.node.id } });
  const isSaid = (expected: object, timeoutMs: number) =>
    eventually(async () => expect(await show()).toMatchObject(expected), { timeoutMs, everyMs: ASK_MS });

  test("answers through the agent's own firewall, tells how its machine is, and has no device for it", async () => {
    const health = { handshake_ms: expect.any(Number), echo_ms: expect.any(Number), probes_lost: 0 };
    const machine = { processor: expect.any(Number), memory: expect.any(Number), throughput: null };
    await isSaid(
      { state: "healthy", devices: 0, connected: "0–9", health: { ...health, ...machine } },
      PROBE_TIMEOUT_MS,
    );
    await eventually(
      async () => {
        const { samples } = await admin.client.nodes.health({ params: { id: node.node.id } });
        expect(samples).not.toHaveLength(0);
      },
      { timeoutMs: PROBE_TIMEOUT_MS, everyMs: ASK_MS },
    );
  });

  test("shows as degraded when its UDP port is closed, and as healthy once it is open", async () => {
    const { endpoint } = await show();
    const rules = `table inet closed { chain input { type filter hook input priority -300; udp dport ${endpoint?.port} drop; }; }`;
    await runOrThrow("nft", [rules], { namespace: scene.node });
    try {
      await isSaid(
        { state: "degraded", problem: expect.stringMatching(/does not answer handshakes/) },
        SILENT_TIMEOUT_MS,
      );
    } finally {
      await run("nft", ["delete table inet closed"], { namespace: scene.node });
    }
    await isSaid({ state: "healthy", problem: null }, PROBE_TIMEOUT_MS);
  });
});
