import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { DeviceWithTunnel } from "@securewave/contracts";
import {
  connectWireGuard,
  createNetworkLab,
  curl,
  eventually,
  forwardPort,
  LAB_ADDRESSES,
  labRequirements,
  type NetworkLab,
  type PortForward,
  ping,
  run,
  runOrThrow,
  serveHttp,
  type TemporaryDir,
  temporaryDir,
  type WebServer,
  type WireGuardClient,
} from "@securewave/testing";
import { generateKeyPair, type PrivateKey } from "@securewave/wireguard";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ControlPlane, dataDirOf, killControlPlane, startControlPlane } from "./control-plane.ts";
import { configOf } from "./device-config.ts";
import { joinNode, type NodeMachine } from "./node-agent.ts";
import { logIn, type Person, register, setUpAdmin } from "./people.ts";
import { startPings } from "./pings.ts";
import { processesOf } from "./remains.ts";
import { filesHolding, readTables } from "./store.ts";

const CONTROL_PORT = 8000;
const CONTROL_URL = `http://${LAB_ADDRESSES.control.v4}:${CONTROL_PORT}`;
/** A node reports every 5 s. */
const REPORT_TIMEOUT_MS = 12_000;
/** WireGuard §6.1: a peer that hears nothing for so long, KEEPALIVE_TIMEOUT + REKEY_TIMEOUT, shakes hands anew. */
const REKEY_SILENCE_MS = 15_000;
/** The second node's three links; the scene has addresses for one node only. */
const SECOND = { control: "10.71.0", customer: "10.72.0", internet: "10.73.0" } as const;

/** What the clock writes to each minute, whatever happens in tunnels. */
const CLOCKS = [
  "public.alert_episodes",
  "public.alert_watch",
  "public.availability_quarters",
  "public.job_runs",
  "public.job_states",
  "public.performance_quarters",
];

const lab = labRequirements();

describe.skipIf(!lab.ok)(lab.title("a customer's tunnel"), () => {
  let dir: TemporaryDir;
  let scene: NetworkLab;
  let way: PortForward;
  let baseUrl: string;
  let web: { v4: WebServer; v6: WebServer };
  let plane: ControlPlane;
  let admin: Person;
  let customer: Person;
  let node: NodeMachine;
  let device: DeviceWithTunnel;
  let privateKey: PrivateKey;
  let client: WireGuardClient;

  const startPlane = () =>
    startControlPlane({
      dir: dir.path,
      namespace: scene.control,
      port: CONTROL_PORT,
      // The second node reaches it by an address of its own network.
      env: { PUBLIC_URL: CONTROL_URL, API_TRUSTED_HOSTS: `${SECOND.control}.2` },
    });
  const connectionOf = async (id: string) =>
    (await customer.client.devices.show({ params: { id } })).connection;
  const addDevice = async (name: string, serverId?: string) => {
    const keys = generateKeyPair();
    const made = await customer.client.devices.create({
      body: { name, public_key: keys.publicKey, ...(serverId !== undefined && { server_id: serverId }) },
    });
    return { made, configuration: configOf(keys.privateKey, made), privateKey: keys.privateKey };
  };

  beforeAll(async () => {
    dir = temporaryDir("tunnel");
    scene = await createNetworkLab();
    const { internet } = LAB_ADDRESSES;
    web = {
      v4: await serveHttp(scene.internet, internet.v4, 80, "hello over IPv4"),
      v6: await serveHttp(scene.internet, internet.v6, 80, "hello over IPv6"),
    };
    way = await forwardPort(scene.control, { host: "127.0.0.1", port: CONTROL_PORT });
    baseUrl = `http://127.0.0.1:${way.port}`;
  });

  afterAll(async () => {
    await client?.down();
    await plane?.process.stop();
    await node?.[Symbol.asyncDispose]();
    await way?.close();
    await scene?.destroy();
    expect(await processesOf(dir.path)).toEqual([]);
    dir.remove();
  });

  test("the service starts, its link makes the admin, and a node joins by the command that the API gives", async () => {
    plane = await startPlane();
    admin = await setUpAdmin(baseUrl, plane.setupLink);
    node = await joinNode({
      admin,
      namespace: scene.node,
      registered: "EU-Lab-1",
      endpoint: LAB_ADDRESSES.nodeForCustomer.v4,
    });
    expect(await node.status()).toMatchObject({ joined: true, running: true, agent: { connected: true } });
  });

  test("a visitor registers, follows the link in the mail and logs in", async () => {
    customer = await register(baseUrl, "ada@example.org", join(dataDirOf(dir.path), "outbox"));
    expect(await customer.client.accounts.me()).toMatchObject({ role: "customer", state: "active" });
  });

  test("with keys that the service made, HTTP crosses the tunnel and is seen as the node's own", async () => {
    const made = await customer.client.devices.create({ body: { name: "Tablet" } });
    const configuration = await customer.client.devices.config({ params: { id: made.id } });
    const tablet = await connectWireGuard(scene.customer, configuration);
    await expectWeb("hello over IPv4", "hello over IPv6");
    await tablet.down();
    expect(await curl(scene.customer, web.v4.url, { timeoutMs: 500 })).toMatchObject({ status: undefined });
    await customer.client.devices.remove({ params: { id: made.id } });
  });

  test("with keys made by the customer likewise, over IPv4 and IPv6, and the tables stay as they are", async () => {
    const added = await addDevice("Laptop");
    device = added.made;
    privateKey = added.privateKey;
    expect(device.connection).toMatchObject({ connected: false, received_bytes: 0 });
    const before = await readTables(dataDirOf(dir.path));

    client = await connectWireGuard(scene.customer, added.configuration);
    await expectWeb("hello over IPv4", "hello over IPv6");
    const { nodeForInternet } = LAB_ADDRESSES;
    expect(new Set(web.v4.visitors())).toEqual(new Set([nodeForInternet.v4]));
    expect(new Set(web.v6.visitors())).toEqual(new Set([nodeForInternet.v6]));

    await eventually(
      async () => expect(await connectionOf(device.id)).toMatchObject({ ready: true, connected: true }),
      { timeoutMs: REPORT_TIMEOUT_MS },
    );
    const first = await connectionOf(device.id);
    await curl(scene.customer, web.v4.url);
    await eventually(
      async () => {
        const later = await connectionOf(device.id);
        expect(later.received_bytes).toBeGreaterThan(first.received_bytes);
        expect(later.sent_bytes).toBeGreaterThan(first.sent_bytes);
      },
      { timeoutMs: REPORT_TIMEOUT_MS },
    );
    const after = await readTables(dataDirOf(dir.path));
    for (const table of CLOCKS) {
      expect(before.delete(table)).toBe(true);
      after.delete(table);
    }
    expect(after).toEqual(before);
    const address = Buffer.from(LAB_ADDRESSES.customer.v4);
    expect(await filesHolding(dir.path, address)).toEqual([]);
    /** As PostgreSQL's `inet` stores it: family, prefix length, four bytes. */
    const inet = Buffer.from([2, 32, ...LAB_ADDRESSES.customer.v4.split(".").map(Number)]);
    expect(await filesHolding(dir.path, inet)).toEqual([]);
  });

  test("a stream tells of the connection without being asked again", async () => {
    const stop = new AbortController();
    const seen: boolean[] = [];
    const reading = (async () => {
      for await (const connections of customer.client.devices.watch({ signal: stop.signal })) {
        seen.push(connections.some(({ device_id, connected }) => device_id === device.id && connected));
      }
    })().catch(() => undefined);
    await eventually(() => expect(seen.length).toBeGreaterThanOrEqual(2), { timeoutMs: 20_000 });
    stop.abort();
    await reading;
    expect(seen.every((isConnected) => isConnected)).toBe(true);
  });

  test("killing the control plane loses no packet, and PostgreSQL ends with it", async () => {
    await using pings = await startPings(scene.customer, LAB_ADDRESSES.internet.v4);
    await eventually(() => expect(pings.lastAnswerAt()).toBeGreaterThan(0));
    const killedAt = Date.now();
    await killControlPlane(plane);
    await eventually(async () => expect(await processesOf(dir.path)).toEqual([]), { timeoutMs: 10_000 });
    await pause(2000);
    expect(pings.lastAnswerAt()).toBeGreaterThan(killedAt + 1000);
    expect(pings.lostSince(0)).toBe(0);
    expect(await curl(scene.customer, web.v6.url)).toMatchObject({ status: 200 });
  });

  test("an agent that is killed and started again while the control plane is away keeps the tunnel up", async () => {
    await using pings = await startPings(scene.customer, LAB_ADDRESSES.internet.v4);
    await node.killAgent();
    await pause(1000);
    await node.startAgent();
    await pause(1000);
    expect(await node.status()).toMatchObject({ running: true, agent: { connected: false, peers: 1 } });
    await pause(500);
    expect(pings.answersSince(Date.now() - 400)).toBeGreaterThan(0);
    expect(pings.lostSince(0)).toBe(0);
  });

  test("a node whose interface is gone brings the tunnel back by itself, without the control plane", async () => {
    await node.killAgent();
    await runOrThrow("ip", ["-n", scene.node, "link", "del", node.interfaceName]);
    // WireGuard counts its 15 s from the first packet that nothing answers.
    expect(await ping(scene.customer, LAB_ADDRESSES.internet.v4, { timeoutMs: 200 })).toBe(false);
    await eventually(async () => {
      const { stdout } = await run("ip", ["netns", "pids", scene.node]);
      const titles = await runOrThrow("ps", [
        "-o",
        "comm=",
        "-p",
        stdout.trim().split("\n").join(",") || "1",
      ]);
      expect(titles.stdout).not.toContain("wireguard-go");
    });
    await node.startAgent();
    await eventually(
      async () =>
        expect(await curl(scene.customer, web.v4.url, { timeoutMs: 1000 })).toMatchObject({ status: 200 }),
      { timeoutMs: 2 * REKEY_SILENCE_MS },
    );
  });

  test("a control plane that starts again has all it had, finds its node by itself, and takes new devices", async () => {
    await using pings = await startPings(scene.customer, LAB_ADDRESSES.internet.v4);
    plane = await startPlane();
    expect(plane.setupLink).toBeUndefined();
    customer = await logIn(baseUrl, customer.email);
    const { items } = await customer.client.devices.list();
    expect(items.map(({ id }) => id)).toEqual([device.id]);
    await eventually(
      async () =>
        expect(await admin.client.nodes.show({ params: { id: node.node.id } })).toMatchObject({
          state: "healthy",
        }),
      { timeoutMs: 20_000 },
    );
    await eventually(async () => expect(await connectionOf(device.id)).toMatchObject({ connected: true }), {
      timeoutMs: REPORT_TIMEOUT_MS,
    });
    const { made } = await addDevice("Phone");
    await eventually(async () => expect(await connectionOf(made.id)).toMatchObject({ ready: true }));
    const { stdout } = await runOrThrow("wg", ["show", node.interfaceName, "peers"], {
      namespace: scene.node,
    });
    expect(stdout).toContain(made.public_key);
    expect(pings.lostSince(0)).toBe(0);
  });

  test("a suspended account loses its tunnel, and has it back when it is let in again", async () => {
    await using pings = await startPings(scene.customer, LAB_ADDRESSES.internet.v4);
    await eventually(() => expect(pings.lastAnswerAt()).toBeGreaterThan(0));
    const params = { id: customer.accountId };
    await admin.client.accounts.change({ params, body: { state: "suspended" } });
    const suspendedAt = Date.now();
    await pause(3000);
    expect(pings.lastAnswerAt() - suspendedAt).toBeLessThanOrEqual(1000);
    await expect(customer.client.accounts.me()).rejects.toMatchObject({ status: 401 });

    await admin.client.accounts.change({ params, body: { state: "active" } });
    const letInAt = Date.now();
    await eventually(() => expect(pings.lastAnswerAt()).toBeGreaterThan(letInAt), {
      timeoutMs: 2 * REKEY_SILENCE_MS,
    });
    customer = await logIn(baseUrl, customer.email);
  });

  test.each([
    ["read-only", "look and change nothing"],
    ["closed", "are not let in"],
  ] as const)(
    "while maintenance is %s customers %s, staff go on, and tunnels carry on and are made anew",
    async (mode, _) => {
      await using pings = await startPings(scene.customer, LAB_ADDRESSES.internet.v4);
      await admin.client.statusDesk.switchMode({ body: { mode } });
      try {
        const refused = { status: 503, code: "request.maintenance" };
        await expect(addDevice("Refused")).rejects.toMatchObject(refused);
        const looked = customer.client.devices.list();
        await (mode === "closed" ? expect(looked).rejects.toMatchObject(refused) : looked);
        const params = { id: node.node.id };
        const shown = await admin.client.nodes.change({ params, body: { draining: false } });
        expect(shown).toMatchObject({ state: "healthy" });
        await eventually(() => expect(pings.answersSince(0)).toBeGreaterThan(10));
        expect(pings.lostSince(0)).toBe(0);

        // An interface of its own, which knows of no session: the node answers a handshake.
        await client.down();
        client = await connectWireGuard(scene.customer, configOf(privateKey, device));
        await expectWeb("hello over IPv4", "hello over IPv6");
        const [, peer = ""] = (await client.dump()).trim().split("\n");
        expect(Number(peer.split("\t")[4])).toBeGreaterThan(0);
      } finally {
        await admin.client.statusDesk.switchMode({ body: { mode: "off" } });
      }
      expect((await customer.client.devices.list()).items).not.toHaveLength(0);
    },
  );

  test("a device that moves to another node is carried by both until its config is changed", async () => {
    const second = await addSecondNode(scene);
    await using other = await joinNode({
      admin,
      namespace: second,
      registered: "EU-Lab-2",
      endpoint: `${SECOND.customer}.1`,
      controlPlaneUrl: `http://${SECOND.control}.2:${CONTROL_PORT}`,
    });
    const moved = await customer.client.devices.move({
      params: { id: device.id },
      body: { server_id: other.node.id },
    });
    expect(moved.server?.name).toBe("EU-Lab-2");
    expect(moved.tunnel?.addresses).toEqual(device.tunnel?.addresses);
    expect(moved.retiring).toHaveLength(1);
    expect(await ping(scene.customer, LAB_ADDRESSES.internet.v4, { timeoutMs: 1000 })).toBe(true);

    await client.down();
    client = await connectWireGuard(scene.customer, configOf(privateKey, moved));
    expect(await curl(scene.customer, web.v4.url)).toMatchObject({ status: 200, body: "hello over IPv4" });
    expect(web.v4.visitors().at(-1)).toBe(`${SECOND.internet}.1`);

    const back = await customer.client.devices.move({
      params: { id: device.id },
      body: { server_id: node.node.id },
    });
    await client.down();
    client = await connectWireGuard(scene.customer, configOf(privateKey, back));
    expect(await curl(scene.customer, web.v4.url)).toMatchObject({ status: 200 });
    expect(web.v4.visitors().at(-1)).toBe(LAB_ADDRESSES.nodeForInternet.v4);
  });

  test("a revoked device's traffic stops within a second of the answer, for good", async ({ annotate }) => {
    await using pings = await startPings(scene.customer, LAB_ADDRESSES.internet.v4);
    await eventually(() => expect(pings.lastAnswerAt()).toBeGreaterThan(Date.now() - 200));
    await customer.client.devices.revoke({ params: { id: device.id } });
    const revokedAt = Date.now();
    await pause(3000);
    const lastAfterMs = Math.round(pings.lastAnswerAt() - revokedAt);
    await annotate(`last ping answered ${lastAfterMs} ms after the API's answer`);
    expect(lastAfterMs).toBeLessThanOrEqual(1000);
    expect(await curl(scene.customer, web.v4.url, { timeoutMs: 500 })).toMatchObject({ status: undefined });
    expect(await connectionOf(device.id)).toMatchObject({ connected: false });
  });

  test("stopped, neither service nor node leaves anything running", async () => {
    await client.down();
    await plane.process.stop(15_000);
    expect((await plane.process.exited).code).toBe(0);
    await node[Symbol.asyncDispose]();
    await eventually(async () => {
      expect(await processesOf(dir.path)).toEqual([]);
      const sockets = await run("ls", ["/var/run/wireguard"]);
      expect(sockets.stdout).not.toContain(node.interfaceName);
    });
  });

  async function expectWeb(v4: string, v6: string): Promise<void> {
    expect(await curl(scene.customer, web.v4.url)).toMatchObject({ status: 200, body: v4 });
    expect(await curl(scene.customer, web.v6.url)).toMatchObject({ status: 200, body: v6 });
  }
});

/** Another VPN server beside the first, joined to the same three neighbours. */
async function addSecondNode(scene: NetworkLab): Promise<string> {
  const second = await scene.addNamespace("node2");
  for (const [neighbour, network] of [
    [scene.control, SECOND.control],
    [scene.customer, SECOND.customer],
    [scene.internet, SECOND.internet],
  ] as const) {
    await scene.connect(second, neighbour, { v4: [`${network}.1/24`, `${network}.2/24`] });
  }
  await scene.routeThrough(second, `${SECOND.internet}.2`);
  return second;
}
