import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  connectWireGuard,
  createNetworkLab,
  curl,
  forwardPort,
  LAB_ADDRESSES,
  labRequirements,
  type NetworkLab,
  type PortForward,
  serveHttp,
  type TemporaryDir,
  temporaryDir,
} from "@securewave/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { commandAt } from "./cli-program.ts";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";
import { joinNode, type NodeMachine } from "./node-agent.ts";
import { PASSWORD, setUpAdmin } from "./people.ts";
import { processesOf } from "./remains.ts";

const PORT = 8000;

const lab = labRequirements();

describe.skipIf(!lab.ok)(lab.title("the command on a running service"), { timeout: 240_000 }, () => {
  let dir: TemporaryDir;
  let scene: NetworkLab;
  let way: PortForward;
  let plane: ControlPlane;
  let node: NodeMachine;
  let url: string;

  const { securewave, told, json } = commandAt(() => ({ homeDir: dir.path, url }));

  beforeAll(async () => {
    dir = temporaryDir("cli");
    scene = await createNetworkLab();
    way = await forwardPort(scene.control, { host: "127.0.0.1", port: PORT });
    url = `http://127.0.0.1:${way.port}`;
    const publicUrl = `http://${LAB_ADDRESSES.control.v4}:${PORT}`;
    plane = await startControlPlane({
      dir: dir.path,
      namespace: scene.control,
      port: PORT,
      env: { PUBLIC_URL: publicUrl },
    });
    const admin = await setUpAdmin(url, plane.setupLink);
    node = await joinNode({
      admin,
      namespace: scene.node,
      registered: "EU-Lab-1",
      endpoint: LAB_ADDRESSES.nodeForCustomer.v4,
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

  test("says what to do before a log-in, and that a password is wrong", async () => {
    const { code, stderr } = await securewave(["nodes", "list"]);
    expect(code).toBe(1);
    expect(stderr).toContain("securewave login");
    const wrong = await securewave(
      ["login", "--email", "admin@example.org", "--password-stdin", "--json"],
      "wrong wrong",
    );
    expect(wrong.code).toBe(1);
    expect(JSON.parse(wrong.stderr).error.code).toBe("sessions.wrong_credentials");
  });

  test("logs in with the password from standard input, and keeps the log-in for its owner alone", async () => {
    const { code, stdout } = await securewave(
      ["login", "--email", "admin@example.org", "--password-stdin"],
      `${PASSWORD}\n`,
    );
    expect(code).toBe(0);
    expect(stdout).toContain("Logged in");
    const path = join(dir.path, ".config", "securewave", "credentials.json");
    expect(statSync(path).mode & 0o077).toBe(0);
    expect(readFileSync(path, "utf8")).not.toContain(PASSWORD);
    expect(await json("whoami")).toMatchObject({ account: { email: "admin@example.org", role: "admin" } });
  });

  test("tells how the service and its nodes are", async () => {
    expect(await told("status")).toMatch(/is healthy/);
    expect(await json("status")).toMatchObject({
      health: { status: "healthy" },
      nodes_by_state: { healthy: 1 },
    });
    expect(await told("nodes", "list")).toMatch(/EU-Lab-1.*healthy/);
    expect(await json("nodes", "list")).toMatchObject({ items: [{ name: "EU-Lab-1", state: "healthy" }] });
    expect(await json("nodes", "show", "EU-L")).toMatchObject({ name: "EU-Lab-1" });
  });

  test("examines machine and service, and finds the service well", async () => {
    const { stdout } = await securewave(["doctor", "--json"]);
    const { checks } = JSON.parse(stdout);
    expect(checks).toContainEqual(expect.objectContaining({ name: "Service", verdict: "ok" }));
    expect(checks).toContainEqual(expect.objectContaining({ name: "Log-in", verdict: "ok" }));
    expect((await securewave(["doctor"])).stdout).toContain("Service");
  });

  test("adds a device with keys made here, whose file makes a tunnel as it is", async () => {
    const web = await serveHttp(scene.internet, LAB_ADDRESSES.internet.v4, 80, "hello");
    expect(await told("devices", "add", "Laptop", "--type", "laptop")).toContain("Laptop.conf");
    const path = join(dir.path, "Laptop.conf");
    expect(statSync(path).mode & 0o077).toBe(0);
    const client = await connectWireGuard(scene.customer, readFileSync(path, "utf8"));
    expect(await curl(scene.customer, web.url)).toMatchObject({ status: 200, body: "hello" });
    await client.down();

    const again = await securewave(["devices", "add", "Laptop", "--json"]);
    expect(again.code).toBe(1);
    expect(JSON.parse(again.stderr).error.code).toBe("cli.file_exists");
    expect(await json("devices", "mine")).toMatchObject({
      items: [{ name: "Laptop", key_origin: "customer" }],
    });
    expect(await told("devices", "qr", "--file", "Laptop.conf")).toMatch(/[█▀▄]/);
  });

  test("gets the file of a device whose keys the service made, and revokes it", async () => {
    await told("devices", "add", "Tablet", "--server-keys");
    expect(await told("devices", "config", "Tablet")).toMatch(/^\[Interface\]\nPrivateKey = /);
    const unasked = await securewave(["devices", "revoke", "Tablet"]);
    expect(unasked.code).not.toBe(0);
    await told("devices", "revoke", "Tablet", "--yes");
    expect(await json("devices", "show", "Tablet")).toMatchObject({ state: "revoked" });
    expect(await json("devices", "list")).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ name: "Tablet" })]),
    });
  });

  test("creates, suspends and lets in an account", async () => {
    const created = await securewave(
      ["users", "create", "bob@example.org", "--password-stdin", "--json"],
      PASSWORD,
    );
    expect(created.code, created.stderr).toBe(0);
    expect(JSON.parse(created.stdout)).toMatchObject({ email: "bob@example.org", state: "active" });
    await told("users", "suspend", "bob@example.org", "--yes");
    expect(await json("users", "show", "bob@example.org")).toMatchObject({ state: "suspended" });
    const { stderr } = await securewave(["users", "show", "bob"]);
    expect(stderr).toContain("A whole mail address or an id is taken here");
    await told("users", "reactivate", "bob@example.org");
    expect(await told("users", "list")).toMatch(/bob@example\.org.*active/);
  });

  test("ends the log-in, and tells a service that is not there from one that says no", async () => {
    expect(await json("logout")).toMatchObject({ ended: true });
    expect((await securewave(["whoami"])).code).toBe(1);
    const away = await securewave(["status", "--url", "http://127.0.0.1:9", "--json"]);
    expect(away.code).toBe(3);
    expect(JSON.parse(away.stderr).error.code).toBe("client.unreachable");
  });
});
