import {
  curl,
  eventually,
  LAB_ADDRESSES,
  labRequirements,
  ping,
  requirements,
  runOrThrow,
  serveHttp,
  startProcess,
  type WebServer,
} from "@securewave/testing";
import { afterAll, beforeAll, describe, test as eachTest, expect } from "vitest";
import {
  CUSTOMER_TUNNEL,
  openScrubberScene,
  type PeerState,
  type ScrubberScene,
} from "./testing-scrubber.ts";

const lab = labRequirements();
const perl = requirements({ tools: ["perl"] });
const needs = lab.ok ? perl : lab;
/** One after the other, as in the life of a node: each begins where the one before ended. */
const test = eachTest.sequential;

/** WireGuard's own limits cannot be shortened; `npm run bench -- zerolog` waits for the real ones. */
const LIMITS = { idleSeconds: 4, halfHandshakeSeconds: 2, sweepSeconds: 0 };
const isEmpty = ({ hasEndpoint, hasHandshake, bytes }: PeerState) =>
  !hasEndpoint && !hasHandshake && bytes === 0;

/** Each node is in a network of its own, and they live at the same time: they do little but wait. */
const sideBySide = { concurrent: true, skip: !needs.ok };
const KINDS = ["userspace", "spawned"] as const;

describe.each(KINDS)(needs.title("a node that forgets, with the %s driver"), sideBySide, (kind) => {
  let scene: ScrubberScene;
  let web: WebServer;

  beforeAll(async () => {
    scene = await openScrubberScene(kind, LIMITS);
    web = await serveHttp(scene.lab.internet, LAB_ADDRESSES.internet.v4, 80, "hello");
  });
  afterAll(() => scene?.close());
  test("an initiation whose response is lost leaves an endpoint, and not for long", async () => {
    await scene.drop("answers");
    const client = await scene.connect();
    await ping(scene.lab.customer, "10.8.0.1", { timeoutMs: 300 });
    await scene.waitFor(({ hasEndpoint, hasHandshake }) => hasEndpoint && !hasHandshake);
    await client.down();
    await scene.waitFor(isEmpty);
    await scene.drop("nothing");
  });

  test("during a session connection tracking holds no address of the customer", async () => {
    const client = await scene.connect();
    expect(await curl(scene.lab.customer, web.url)).toMatchObject({ status: 200 });
    expect(await ping(scene.lab.customer, LAB_ADDRESSES.internet.v6)).toBe(true);
    const flows = await scene.flows();
    expect(flows).toContain(CUSTOMER_TUNNEL.v4);
    for (const address of [LAB_ADDRESSES.customer.v4, LAB_ADDRESSES.nodeForCustomer.v4]) {
      expect(flows).not.toContain(`src=${address} `);
    }
    await client.down();
  });

  test("after a full handshake nothing is left of endpoint, handshake, counters and flows", async () => {
    await scene.waitFor(isEmpty);
    await eventually(async () => {
      const flows = await scene.flows();
      expect(flows).not.toContain(CUSTOMER_TUNNEL.v4);
      expect(flows).not.toContain("fd5e:");
    });
    const here = { namespace: scene.lab.node };
    expect((await runOrThrow("ip", ["tcp_metrics", "show"], here)).stdout).toBe("");
    expect((await runOrThrow("ip", ["route", "show", "cache"], here)).stdout).toBe("");
  });

  test("a client cut off in the midst of TCP leaves no flow", async () => {
    const client = await scene.connect();
    const held = await startProcess({
      command: process.execPath,
      args: ["-e", HOLD_OPEN, LAB_ADDRESSES.internet.v4],
      namespace: scene.lab.customer,
      readyWhen: /open/,
    });
    // The client has the connection open before the node has seen its last packet.
    await eventually(async () => expect(await scene.flows()).toMatch(/ESTABLISHED src=10\.8\.0\.2 /));
    await scene.drop("all");
    held.kill("SIGKILL");
    await eventually(async () => expect(await scene.flows()).not.toContain(CUSTOMER_TUNNEL.v4), {
      timeoutMs: 30_000,
    });
    await client.down();
    await scene.drop("nothing");
  });

  test("without its rules connection tracking would hold the customer's address, and the test would see it", async () => {
    const table = `securewave_${scene.interfaceName}`;
    for (const chain of ["raw_prerouting", "raw_output"]) {
      const flush = ["flush", "chain", "inet", table, chain];
      await runOrThrow("nft", flush, { namespace: scene.lab.node });
    }
    const client = await scene.connect();
    expect(await ping(scene.lab.customer, "10.8.0.1")).toBe(true);
    expect(await scene.flows()).toContain(`src=${LAB_ADDRESSES.customer.v4} `);
    await client.down();
  });
});

describe.each(KINDS)(needs.title("a forgotten client, with the %s driver"), sideBySide, (kind) => {
  let scene: ScrubberScene;
  beforeAll(async () => {
    scene = await openScrubberScene(kind, LIMITS);
  });
  afterAll(() => scene?.close());

  test("a client that was forgotten while it thought itself connected comes back by itself", async () => {
    const client = await scene.connect();
    expect(await ping(scene.lab.customer, "10.8.0.1")).toBe(true);
    await scene.waitFor(isEmpty);
    await eventually(
      async () => expect(await ping(scene.lab.customer, "10.8.0.1", { timeoutMs: 500 })).toBe(true),
      { timeoutMs: 60_000 },
    );
    await client.down();
  });
});

describe(needs.title("an agent that starts anew"), sideBySide, () => {
  let scene: ScrubberScene;
  beforeAll(async () => {
    scene = await openScrubberScene("userspace", LIMITS);
  });
  afterAll(() => scene?.close());

  test("sweeps what a device left that was removed while no agent ran, and nothing else", async () => {
    const { lab: network } = scene;
    const [other, here] = ["10.8.0.3", { namespace: network.node }];
    const web = await serveHttp(network.internet, LAB_ADDRESSES.internet.v4, 80, "hello");
    const client = await scene.connect();
    expect(await curl(network.customer, web.url)).toMatchObject({ status: 200 });
    expect(await ping(network.customer, LAB_ADDRESSES.internet.v6)).toBe(true);
    // A wanted device's flow, and one of the node's own.
    await runOrThrow("ip", ["address", "add", `${other}/32`, "dev", "lo"], here);
    for (const [source, target] of [
      [other, LAB_ADDRESSES.internet.v4],
      [LAB_ADDRESSES.nodeForControl.v4, LAB_ADDRESSES.control.v4],
    ] as const)
      await runOrThrow("ping", ["-n", "-c", "1", "-I", source, target], here);
    const left = [`src=${CUSTOMER_TUNNEL.v4} `, "src=fd5e:"];
    const kept = [`src=${other} `, `src=${LAB_ADDRESSES.nodeForControl.v4} `];
    const before = await scene.flows();
    for (const flow of [...left, ...kept]) expect(before).toContain(flow);

    await scene.restartFor(`${other}/32`);
    await eventually(async () => {
      const after = await scene.flows();
      for (const flow of left) expect(after).not.toContain(flow);
    });
    const after = await scene.flows();
    for (const flow of kept) expect(after).toContain(flow);
    await client.down();
  });
});

const HOLD_OPEN =
  "require('net').connect(80, process.argv[1], () => console.log('open')); setInterval(() => {}, 1000)";
