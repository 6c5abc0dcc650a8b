import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fakeMachine, HEALTHY_FILES } from "../testing/fake-machine.ts";
import { useService } from "../testing/service.ts";
import type { Check } from "./check.ts";
import { createMachine, type Machine } from "./machine.ts";

const service = useService();

async function diagnose(changes: Partial<Machine> = {}, env: Record<string, string> = {}) {
  const ran = await service.run("doctor --json", { machine: fakeMachine(changes), env });
  const { ok, checks } = ran.json() as { ok: boolean; checks: Check[] };
  return { code: ran.code, ok, find: (name: string) => checks.find((check) => check.name === name) };
}

test("on a healthy machine nothing is wrong", async () => {
  const ran = await service.run("doctor", { machine: fakeMachine() });
  expect(ran.stdout).toContain("All is well.");
  expect(ran.stdout).not.toContain("warn");
  expect(ran.code).toBe(0);
});

const MISSING = async () => undefined;

test.each<[string, Partial<Machine>, string, Check["verdict"], RegExp]>([
  ["an old Node.js", { nodeVersion: "20.20.2" }, "Node.js", "fail", /npm ci/],
  [
    "packages not installed",
    { readText: async (path) => (path.includes("node_modules") ? undefined : HEALTHY_FILES[path]) },
    "npm packages",
    "fail",
    /npm ci/,
  ],
  ["another system", { platform: "darwin" }, "Operating system", "warn", /Linux/],
  ["no root", { uid: 1000 }, "User", "warn", /root/],
  [
    "no tun device",
    { canOpenDevice: async () => false, exists: (path) => path !== "/dev/net/tun" },
    "/dev/net/tun",
    "warn",
    /modprobe tun/,
  ],
  ["a closed tun device", { canOpenDevice: async () => false }, "/dev/net/tun", "warn", /NET_ADMIN/],
  [
    "no WireGuard",
    { run: MISSING, exists: (path) => !path.includes("wireguard") },
    "Kernel WireGuard",
    "warn",
    /wireguard-go/,
  ],
  ["no wg", { run: MISSING }, "wg", "warn", /apt install wireguard-tools/],
  ["no nft", { run: MISSING }, "nft", "warn", /apt install nftables/],
  ["no ip", { run: MISSING }, "ip", "warn", /apt install iproute2/],
  [
    "no user namespaces",
    { run: async () => ({ succeeded: false, stdout: "" }) },
    "User namespaces",
    "warn",
    /max_user_namespaces/,
  ],
  ["a data folder of others", { canWrite: async () => false }, "Data folder", "fail", /DATA_DIR/],
  ["a full disk", { freeBytes: async () => 1e6 }, "Disk space", "fail", /Make room/],
  ["an almost full disk", { freeBytes: async () => 1e9 }, "Disk space", "warn", /Make room/],
  ["port 8000 taken", { tryTcpPort: async () => "taken" }, "TCP port 8000", "fail", /API_PORT/],
  ["port 9100 taken", { tryTcpPort: async () => "taken" }, "TCP port 9100", "fail", /METRICS_PORT/],
  ["port 51820 taken", { tryUdpPort: async () => "taken" }, "UDP port 51820", "warn", /LOCAL_NODE_PORT/],
  [
    "a clock that is off",
    { get: async () => ({ text: "", date: "Fri, 20 Nov 2026 13:00:00 GMT" }) },
    "Clock",
    "warn",
    /NTP/,
  ],
  [
    "a clock in the past",
    {
      stat: async (path) =>
        path.endsWith("lock.json") ? { mode: 0o644, changedMs: Date.parse("2027-01-01") } : undefined,
    },
    "Clock",
    "fail",
    /NTP/,
  ],
])("%s is found, with how to mend it", async (_, changes, name, verdict, mend) => {
  const { find, ok, code } = await diagnose(changes);
  expect(find(name)).toMatchObject({ verdict });
  expect(find(name)?.mend).toMatch(mend);
  if (verdict === "fail") expect([ok, code]).toEqual([false, 1]);
});

test("ports that SecureWave itself holds are well", async () => {
  const { find, code } = await diagnose({
    tryTcpPort: async () => "taken",
    tryUdpPort: async () => "taken",
    get: async (url) => ({
      text: url.endsWith("/metrics") ? "# HELP x\n" : '{"status":"alive"}',
      date: null,
    }),
    run: async () => ({ succeeded: true, stdout: "local\t51820\n" }),
  });
  expect(find("TCP port 8000")?.finding).toBe("in use by SecureWave");
  expect(find("TCP port 9100")?.finding).toBe("in use by SecureWave");
  expect(find("UDP port 51820")?.finding).toContain("SecureWave's interface local");
  expect(code).toBe(0);
});

test("a package of another version is named", async () => {
  const lock = JSON.stringify({ packages: { "node_modules/one": { version: "2.0.0" } } });
  const { find } = await diagnose({
    readText: async (path) => (path === "/project/package-lock.json" ? lock : HEALTHY_FILES[path]),
  });
  expect(find("npm packages")?.finding).toContain("one");
});

test("settings decide what is looked at, and mistakes in them are told without their values", async () => {
  const env = { API_PORT: "8100", LOCAL_NODE_PORT: "hunter2", DATABASE_URL: "postgres://db/x" };
  const { find } = await diagnose({}, env);
  expect(find("TCP port 8100")).toMatchObject({ verdict: "ok" });
  expect(find("Settings")).toMatchObject({ verdict: "fail", finding: "LOCAL_NODE_PORT: must be 1 to 65535" });
  expect(find("User namespaces")).toBeUndefined();
});

test("without a running service the machine is checked all the same", async () => {
  await service.api().close();
  const { find, code } = await diagnose();
  expect(find("Service")).toMatchObject({ verdict: "warn", mend: "Start it: npm start" });
  expect(find("Log-in")).toBeUndefined();
  expect(code).toBe(0);
  const remote = await diagnose({}, { SECUREWAVE_URL: "http://vpn.invalid" });
  expect(remote.find("Service")).toMatchObject({ verdict: "fail" });
});

test("a service that is unwell, and a log-in that has ended, are found", async () => {
  service.api().state.health = "unhealthy";
  expect((await diagnose()).find("Service")).toMatchObject({ verdict: "fail" });
  service.api().state.health = "degraded";
  for (const session of service.api().state.sessions) session.hasEnded = true;
  const { find } = await diagnose();
  expect(find("Service")).toMatchObject({ verdict: "warn" });
  expect(find("Log-in")).toMatchObject({ verdict: "fail", mend: "securewave login" });
  await service.run("logout");
  expect((await diagnose()).find("Log-in")).toMatchObject({ verdict: "warn", finding: "none" });
});

test("saved log-ins that others can read are found", async () => {
  await chmod(join(service.home().dir, ".config", "securewave", "credentials.json"), 0o644);
  const { find } = await diagnose({ stat: createMachine({}).stat });
  expect(find("Saved log-ins")).toMatchObject({ verdict: "fail" });
});

test("the probes work on the machine that runs this test", async () => {
  const ran = await service.run("doctor --json", { machine: createMachine(process.env) });
  const { checks } = ran.json() as { checks: Check[] };
  expect(checks.find(({ name }) => name === "Node.js")?.verdict).toBe("ok");
  expect(checks.find(({ name }) => name === "Disk space")?.finding).toMatch(/free at/);
  expect(checks.find(({ name }) => name === "Service")?.verdict).toBe("ok");
});
