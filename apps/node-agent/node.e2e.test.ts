import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  connectWireGuard,
  createNetworkLab,
  curl,
  eventually,
  LAB_ADDRESSES,
  labRequirements,
  type NetworkLab,
  ping,
  type RunningProcess,
  randomSuffix,
  run,
  serveHttp,
  startProcess,
  temporaryDir,
  type WebServer,
} from "@securewave/testing";
import { publicKeyOf, renderConfig } from "@securewave/wireguard";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readIdentity } from "./identity.ts";

const lab = labRequirements();
const PLANE_PORT = 8000;

/** One after the other, as in the life of a node: each test begins where the one before ended. */
describe.skipIf(!lab.ok)(lab.title("a node in its own namespace"), () => {
  const dir = temporaryDir("node");
  const interfaceName = `sw${randomSuffix()}`;
  const stateDir = join(dir.path, "state");
  const runtimeDir = join(dir.path, "run");
  const folders = ["--state-dir", stateDir, "--runtime-dir", runtimeDir];
  const peersPath = join(dir.path, "peers.json");
  const customerKeys = generateKeyPair();
  let scene: NetworkLab;
  let plane: RunningProcess;
  let agent: RunningProcess;
  let web: { v4: WebServer; v6: WebServer };

  beforeAll(async () => {
    scene = await createNetworkLab();
    const { internet } = LAB_ADDRESSES;
    web = {
      v4: await serveHttp(scene.internet, internet.v4, 80, "hello over IPv4"),
      v6: await serveHttp(scene.internet, internet.v6, 80, "hello over IPv6"),
    };
    writePeers([customerKeys.publicKey]);
    plane = await startPlane();
  });

  afterAll(async () => {
    await agent?.stop();
    await run("ip", ["link", "delete", "dev", interfaceName], { namespace: scene.node });
    await scene.destroy();
    dir.remove();
  });

  test("up joins, serves, and a customer's traffic reaches the internet through NAT", async () => {
    agent = await startAgent(["up", ...(await joiningArgs())]);
    await agent.waitForLine(/"applied","revision":1/);
    await connectWireGuard(scene.customer, await customerConfig());
    expect(await curl(scene.customer, web.v4.url)).toMatchObject({ status: 200, body: "hello over IPv4" });
    expect(await curl(scene.customer, web.v6.url)).toMatchObject({ status: 200, body: "hello over IPv6" });
    expect(web.v4.visitors()).toEqual([LAB_ADDRESSES.nodeForInternet.v4]);
    expect(web.v6.visitors()).toEqual([LAB_ADDRESSES.nodeForInternet.v6]);
  });

  test("a customer may ping the node and nothing more", async () => {
    const local = await serveHttp(scene.node, "::", 81, "for the operator only");
    expect(await ping(scene.customer, "10.8.0.1")).toBe(true);
    expect(await ping(scene.customer, "fd5e:c0de::1")).toBe(true);
    for (const url of [
      "http://10.8.0.1:81/",
      "http://[fd5e:c0de::1]:81/",
      `http://${LAB_ADDRESSES.nodeForInternet.v4}:81/`,
    ]) {
      expect((await curl(scene.customer, url, { timeoutMs: 300 })).status).toBeUndefined();
    }
    expect(local.visitors()).toEqual([]);
    await local.stop();
  });

  test("status tells that it runs, and a second agent is refused", async () => {
    const status = await node("status", "--json");
    expect(JSON.parse(status.stdout)).toMatchObject({
      joined: true,
      running: true,
      interface: interfaceName,
      agent: { connected: true, revision: 1, peers: 1, implementation: "userspace", problem: null },
    });
    const second = await node("run");
    expect(second).toMatchObject({ code: 1 });
    expect(second.stderr).toContain("Another agent");
    expect((await node("leave")).stderr).toContain("Stop it first");
  });

  test("with control plane and agent killed the tunnel carries on, and a new agent takes it over", async () => {
    plane.kill("SIGKILL");
    agent.kill("SIGKILL");
    await agent.exited;
    expect(await curl(scene.customer, web.v4.url)).toMatchObject({ status: 200 });
    agent = await startAgent(["run"]);
    await agent.waitForLine(/interface-adopted/);
    await agent.waitForLine(/interface-settled/);
    expect(await curl(scene.customer, web.v4.url)).toMatchObject({ status: 200 });
    plane = await startPlane();
    await agent.waitForLine(/"applied"/);
    expect(await curl(scene.customer, web.v4.url)).toMatchObject({ status: 200 });
  });

  test("a revoked peer's traffic stops", async () => {
    writePeers([]);
    plane.kill("SIGHUP");
    await eventually(async () =>
      expect(await ping(scene.customer, "10.8.0.1", { timeoutMs: 300 })).toBe(false),
    );
  });

  test("an interface that is lost comes back with its peers and rules", async () => {
    writePeers([customerKeys.publicKey]);
    plane.kill("SIGHUP");
    const peersOf = () => run("wg", ["show", interfaceName, "peers"]);
    await eventually(async () => expect((await peersOf()).stdout).toContain(customerKeys.publicKey));
    await run("ip", ["link", "delete", "dev", interfaceName], { namespace: scene.node });
    await agent.waitForLine(/interface-created/);
    await eventually(async () => expect((await peersOf()).stdout).toContain(customerKeys.publicKey));
    const addresses = await run("ip", ["address", "show", "dev", interfaceName], { namespace: scene.node });
    expect(addresses.stdout).toContain("10.8.0.1/16");
  });

  test("no line that the agent wrote holds a key or an address of a customer", async () => {
    const text = agent.lines().join("\n");
    for (const secret of [customerKeys.publicKey, LAB_ADDRESSES.customer.v4, "10.8.0.2", "swj_"]) {
      expect(text).not.toContain(secret);
    }
  });

  test("stopping leaves the tunnel, leaving takes everything away", async () => {
    expect(await agent.stop()).toMatchObject({ code: 0 });
    expect((await run("ip", ["link", "show", "dev", interfaceName], { namespace: scene.node })).code).toBe(0);
    expect(await node("leave")).toMatchObject({ code: 0 });
    await expectNothingLeft();
  });

  test("a node that staff removes takes everything away by itself, and tells systemd not to start it again", async () => {
    agent = await startAgent(["up", ...(await joiningArgs())]);
    await agent.waitForLine(/"applied"/);
    plane.kill("SIGUSR2");
    expect(await agent.exited).toMatchObject({ code: 78 });
    expect(agent.lines().at(-1)).toMatch(
      / was removed from its control plane\. .* make a node in the console/,
    );
    await expectNothingLeft();
  });

  test("a port that is taken is an error with what to do", async () => {
    const [, url = "", token = ""] = (await plane.waitForLine(/^listening/)).split(" ");
    const holder = await startProcess({
      command: process.execPath,
      args: ["-e", 'require("dgram").createSocket("udp4").bind(51820, () => console.log("bound"))'],
      namespace: scene.node,
      readyWhen: /bound/,
    });
    const joining = ["--control-plane", url, "--token", token, "--endpoint", "node.example.org"];
    const taken = await node("up", ...joining, "--listen-port", "51820", "--interface", interfaceName);
    expect(taken).toMatchObject({ code: 1 });
    expect(taken.stderr).toContain("UDP port 51820 is taken");
    await holder.stop();
  });

  async function joiningArgs(): Promise<string[]> {
    const [, url = "", token = ""] = (await plane.waitForLine(/^listening/)).split(" ");
    const endpoint = `${LAB_ADDRESSES.nodeForCustomer.v4}:51820`;
    const joining = ["--control-plane", url, "--token", token, "--endpoint", endpoint];
    return [...joining, "--interface", interfaceName];
  }

  async function expectNothingLeft(): Promise<void> {
    const link = await run("ip", ["link", "show", "dev", interfaceName], { namespace: scene.node });
    expect(link.code).not.toBe(0);
    expect((await run("nft", ["list", "tables"], { namespace: scene.node })).stdout).toBe("");
    expect(JSON.parse((await node("status", "--json")).stdout)).toEqual({ joined: false, running: false });
  }

  function startPlane(): Promise<RunningProcess> {
    return startProcess({
      command: process.execPath,
      args: [pathOf("testing-plane-process.ts"), String(PLANE_PORT), peersPath, join(dir.path, "plane.pem")],
      namespace: scene.node,
      readyWhen: /^listening/,
    });
  }

  function startAgent(args: string[]): Promise<RunningProcess> {
    return startProcess({
      command: process.execPath,
      args: [pathOf("bin/securewave-node.mjs"), ...args, ...folders],
      namespace: scene.node,
      readyWhen: /"starting"/,
    });
  }

  function node(command: string, ...args: string[]) {
    const script = pathOf("bin/securewave-node.mjs");
    return run(process.execPath, [script, command, ...args, ...folders], { namespace: scene.node });
  }

  async function customerConfig(): Promise<string> {
    const identity = await readIdentity(stateDir);
    if (identity === undefined) throw new Error("the node has joined");
    return renderConfig({
      privateKey: customerKeys.privateKey,
      addresses: ["10.8.0.2/32", "fd5e:c0de::2/128"],
      peer: {
        publicKey: publicKeyOf(identity.wireguard_private_key),
        allowedIps: ["0.0.0.0/0", "::/0"],
        endpoint: { host: LAB_ADDRESSES.nodeForCustomer.v4, port: 51820 },
      },
    });
  }

  function writePeers(publicKeys: string[]): void {
    const allowed_ips = ["10.8.0.2/32", "fd5e:c0de::2/128"];
    const peers = publicKeys.map((public_key) => ({ public_key, preshared_key: null, allowed_ips, tier: 0 }));
    writeFileSync(peersPath, JSON.stringify(peers));
  }
});

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}
