import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import {
  connectWireGuard,
  createNetwork,
  eventually,
  forwardPort,
  labRequirements,
  type Network,
  type PortForward,
  ping,
  randomSuffix,
  run,
  startProcess,
  type TemporaryDir,
  temporaryDir,
  type WireGuardClient,
} from "@securewave/testing";
import { generateKeyPair } from "@securewave/wireguard";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ControlPlane,
  dataDirOf,
  killControlPlane,
  launchControlPlane,
  startControlPlane,
} from "./control-plane.ts";
import { configOf } from "./device-config.ts";
import { logIn, type Person, setUpAdmin } from "./people.ts";
import { startPings } from "./pings.ts";
import { processesOf } from "./remains.ts";

const PORT = 8000;
const OTHER_PORT = 8010;
const NODE_ADDRESS = "198.51.100.1";
/** The node's own address in the pool that comes without settings. */
const INSIDE = "10.8.0.1";

const lab = labRequirements(["mount", "unshare"]);

describe.skipIf(!lab.ok)(lab.title("a service that is its own VPN server"), { timeout: 240_000 }, () => {
  const name = randomSuffix();
  const interfaceName = `sw${name}`;
  let dir: TemporaryDir;
  let network: Network;
  let machine: string;
  let customerPlace: string;
  let way: PortForward;
  let plane: ControlPlane;
  let admin: Person;
  let client: WireGuardClient;

  const settings = { LOCAL_NODE: "auto", LOCAL_NODE_NAME: name, LOCAL_NODE_HOST: NODE_ADDRESS };
  const start = (port = PORT, hiddenTools: readonly string[] = []) =>
    startControlPlane({ dir: dir.path, namespace: machine, port, env: settings, hiddenTools });
  const greetingOf = ({ process: running }: ControlPlane) => running.lines().join("\n");
  const agentPid = () => Number(readFileSync(join(dataDirOf(dir.path), "node", "agent.pid"), "utf8"));
  const hasInterface = async () =>
    (await run("ip", ["-n", machine, "link", "show", interfaceName])).code === 0;
  const expectHealthy = (person: Person) =>
    eventually(
      async () => {
        const { items } = await person.client.nodes.list();
        expect(items.map(({ name: found, state }) => [found, state])).toEqual([[name, "healthy"]]);
      },
      { timeoutMs: 20_000 },
    );

  beforeAll(async () => {
    dir = temporaryDir("local");
    network = createNetwork();
    machine = await network.addNamespace("machine");
    customerPlace = await network.addNamespace("customer");
    await network.connect(machine, customerPlace, { v4: [`${NODE_ADDRESS}/24`, "198.51.100.10/24"] });
    way = await forwardPort(machine, { host: "127.0.0.1", port: PORT });
  });

  afterAll(async () => {
    await client?.down();
    await plane?.process.stop(15_000);
    await way?.close();
    await network?.destroy();
    await eventually(async () => expect(await processesOf(dir.path)).toEqual([]), { timeoutMs: 10_000 });
    dir.remove();
  });

  test("comes up with a healthy node, and a device's tunnel reaches it", async () => {
    plane = await start();
    expect(greetingOf(plane)).toContain("this machine, UDP port 51820");
    admin = await setUpAdmin(`http://127.0.0.1:${way.port}`, plane.setupLink);
    await expectHealthy(admin);
    const keys = generateKeyPair();
    const device = await admin.client.devices.create({ body: { name: "Phone", public_key: keys.publicKey } });
    expect(device.tunnel?.endpoint).toEqual({ host: NODE_ADDRESS, port: 51820 });
    client = await connectWireGuard(customerPlace, configOf(keys.privateKey, device));
    expect(await ping(customerPlace, INSIDE)).toBe(true);
  });

  test("keeps its tunnels when it is killed, and takes the running node over at the next start", async () => {
    await using pings = await startPings(customerPlace, INSIDE);
    await eventually(() => expect(pings.lastAnswerAt()).toBeGreaterThan(0));
    const pid = agentPid();
    await killControlPlane(plane);
    await pause(1000);
    plane = await start();
    expect(greetingOf(plane)).toContain("this machine, UDP port 51820");
    expect(agentPid()).toBe(pid);
    await expectHealthy(admin);
    const adoptedAt = Date.now();
    await eventually(() => expect(pings.lastAnswerAt()).toBeGreaterThan(adoptedAt));
    expect(pings.lostSince(0)).toBe(0);
  });

  test("takes node and interface along when it is stopped, and brings the tunnel back when started", async () => {
    await plane.process.stop(15_000);
    expect(await hasInterface()).toBe(false);
    expect(await processesOf(dir.path)).toEqual([]);
    plane = await start();
    await eventually(async () => expect(await ping(customerPlace, INSIDE, { timeoutMs: 500 })).toBe(true), {
      timeoutMs: 30_000,
    });
  });

  test("has its node also after it moved to another port, running or not", async () => {
    await plane.process.stop(15_000);
    for (const [port, end] of [
      [OTHER_PORT, killControlPlane],
      [PORT, ({ process: running }: ControlPlane) => running.stop(15_000)],
    ] as const) {
      plane = await start(port);
      await using other = await forwardOther(port);
      await expectHealthy(await logIn(other.url, admin.email));
      await end(plane);
    }
  });

  test("killed while its node is being started, has it at the next start", async () => {
    const running = await launchControlPlane({
      dir: dir.path,
      namespace: machine,
      port: PORT,
      env: settings,
    });
    await eventually(
      async () => expect((await processesOf(dir.path)).join()).toContain("node-agent/main.ts"),
      { timeoutMs: 20_000, everyMs: 10 },
    );
    running.kill("SIGKILL");
    await running.stop();
    plane = await start();
    expect(greetingOf(plane)).toContain("this machine, UDP port 51820");
    await expectHealthy(admin);
    await plane.process.stop(15_000);
    await eventually(async () => expect(await processesOf(dir.path)).toEqual([]));
  });

  test("says when the node's UDP port is taken, and has its node once the port is free", async () => {
    const holder = await startProcess({
      command: process.execPath,
      args: ["-e", "require('dgram').createSocket('udp4').bind(51820, () => console.log('bound'))"],
      namespace: machine,
      readyWhen: /^bound$/,
    });
    plane = await start();
    expect(greetingOf(plane)).toMatch(/not yet: UDP port 51820 is taken by another program/);
    expect(await hasInterface()).toBe(false);
    await holder.stop();
    await eventually(async () => expect(await hasInterface()).toBe(true), { timeoutMs: 30_000 });
    await expectHealthy(admin);
    await plane.process.stop(15_000);
  });

  test("runs without a node where WireGuard's programs are missing, and names what to install", async () => {
    plane = await start(PORT, ["wg", "wireguard-go"]);
    expect(greetingOf(plane)).toMatch(/none on this machine: .*(wg|wireguard-go).*apt/);
    await plane.process.stop(15_000);
  });

  async function forwardOther(port: number) {
    const forward = await forwardPort(machine, { host: "127.0.0.1", port });
    return { url: `http://127.0.0.1:${forward.port}`, [Symbol.asyncDispose]: () => forward.close() };
  }
});
