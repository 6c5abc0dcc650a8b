import { writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  createNetwork,
  labRequirements,
  type RunningProcess,
  randomSuffix,
  run,
  runOrThrow,
  startProcess,
  temporaryDir,
} from "@securewave/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const lab = labRequirements();
const ACCT = "net.netfilter.nf_conntrack_acct";
const LOGGING = "table inet foreign {\n chain input {\n type filter hook input priority 0; log\n }\n}\n";

/** One after the other, as in the life of a node: each test begins where the one before ended. */
describe.skipIf(!lab.ok)(lab.title("a node whose machine would keep something"), () => {
  const network = createNetwork();
  const dir = temporaryDir("hardening");
  const interfaceName = `sw${randomSuffix()}`;
  const folders = ["--state-dir", join(dir.path, "state"), "--runtime-dir", join(dir.path, "run")];
  let here: { namespace: string };
  let plane: RunningProcess;
  let agent: RunningProcess;

  beforeAll(async () => {
    here = { namespace: await network.addNamespace("node") };
    const peersPath = join(dir.path, "peers.json");
    writeFileSync(peersPath, "[]");
    plane = await startProcess({
      command: process.execPath,
      args: [pathOf("../testing-plane-process.ts"), "8000", peersPath, join(dir.path, "plane.pem")],
      ...here,
      readyWhen: /^listening/,
    });
    await runOrThrow("nft", ["-f", "-"], { ...here, input: LOGGING });
    await runOrThrow("sysctl", ["-q", "-w", `${ACCT}=1`], here);
  });

  afterAll(async () => {
    await agent?.stop();
    await run("ip", ["link", "delete", "dev", interfaceName], here);
    await network.destroy();
    dir.remove();
  });

  test("it does not serve, and says which table logs", async () => {
    const [, url = "", token = ""] = (await plane.waitForLine(/^listening/)).split(" ");
    const joining = ["--control-plane", url, "--token", token, "--endpoint", "192.0.2.1:51820"];
    agent = await startProcess({
      command: process.execPath,
      args: [pathOf("../main.ts"), "up", ...joining, "--interface", interfaceName, ...folders],
      ...here,
    });
    await agent.waitForLine(/"failing".*table inet foreign logs packets/);
    expect(await isUp()).toBe(false);
    const status = await node("status", "--json");
    expect(JSON.parse(status.stdout).agent).toMatchObject({
      connected: true,
      problem: expect.stringContaining("inet foreign"),
    });
  });

  test("it serves by itself once that is mended, with the kernel's settings as they should be", async () => {
    await runOrThrow("nft", ["delete", "table", "inet", "foreign"], here);
    await agent.waitForLine(/"safe-host"/);
    await agent.waitForLine(/"applied"/);
    expect(await isUp()).toBe(true);
    expect((await runOrThrow("sysctl", ["-n", ACCT], here)).stdout.trim()).toBe("0");
    const pid = (await runOrThrow("ip", ["netns", "pids", here.namespace])).stdout
      .split("\n")
      .filter(Boolean);
    const names = await Promise.all(pid.map((one) => readFile(`/proc/${one}/comm`, "utf8").catch(() => "")));
    const wireguard = pid[names.indexOf("wireguard-go\n")];
    const limits = await readFile(`/proc/${wireguard}/limits`, "utf8");
    expect(limits).toMatch(/Max core file size +[01] /);
  });

  test("a check lists each demand, and finds rules that were taken away", async () => {
    const check = () => node("harden", "--check", "--json");
    const before = await check();
    expect(before.code).toBe(0);
    const { serves, demands } = JSON.parse(before.stdout);
    expect(serves).toBe(true);
    for (const { state } of demands) expect(state).not.toBe("failed");
    expect((await node("harden", "--check")).stdout).toMatch(/^firewall +met +essential/m);
    await runOrThrow("nft", ["flush", "ruleset"], here);
    const after = await check();
    expect(after.code).toBe(1);
    expect(JSON.parse(after.stdout).demands[0]).toMatchObject({ id: "firewall", state: "failed" });
  });

  test("what the operator answers for is left alone", async () => {
    await runOrThrow("nft", ["-f", "-"], { ...here, input: LOGGING });
    const accepted = await node("harden", "--check", "--accept", "firewall,no-log-rules");
    expect(accepted).toMatchObject({ code: 0 });
    expect(accepted.stdout).toMatch(/^no-log-rules +accepted/m);
    await runOrThrow("nft", ["delete", "table", "inet", "foreign"], here);
  });

  test("leaving puts the kernel's settings back", async () => {
    expect(await agent.stop()).toMatchObject({ code: 0 });
    expect(await node("leave")).toMatchObject({ code: 0 });
    expect((await runOrThrow("sysctl", ["-n", ACCT], here)).stdout.trim()).toBe("1");
    expect((await run("nft", ["list", "tables"], here)).stdout).toBe("");
  });

  test("a node that may not serve stops when it is told to, and tells why when it starts", async () => {
    await runOrThrow("nft", ["-f", "-"], { ...here, input: LOGGING });
    const [, url = "", token = ""] = (await plane.waitForLine(/^listening/)).split(" ");
    const joining = ["--control-plane", url, "--token", token, "--endpoint", "192.0.2.1:51820"];
    agent = await startProcess({
      command: process.execPath,
      args: [pathOf("../main.ts"), "up", ...joining, "--interface", interfaceName, ...folders],
      ...here,
    });
    await agent.waitForLine(/"failing"/);
    expect(await agent.stop()).toMatchObject({ code: 0 });
  });

  async function isUp(): Promise<boolean> {
    const { stdout } = await run("ip", ["-json", "link", "show", "dev", interfaceName], here);
    const [link] = JSON.parse(stdout || "[{}]");
    return link?.flags?.includes("UP") ?? false;
  }

  function node(command: string, ...args: string[]) {
    return run(process.execPath, [pathOf("../main.ts"), command, ...args, ...folders], here);
  }
});

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}
