import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseVerifier } from "@securewave/audit-trail";
import { createClient, type ZeroLogRun } from "@securewave/contracts";
import { complaintsOf, type Report, verifyReport } from "@securewave/ghosts";
import {
  createNetwork,
  eventually,
  forwardPort,
  labRequirements,
  type Network,
  type PortForward,
  randomSuffix,
  run,
  runOrThrow,
  type TemporaryDir,
  temporaryDir,
} from "@securewave/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";
import { type Person, setUpAdmin } from "./people.ts";

const SEARCH_WITHIN_MS = 120_000;

/** Has the service searched as staff do, and reads the signed report as a visitor does. */
async function auditOf(admin: Person, url: string): Promise<Report> {
  await admin.client.zeroLog.start({ body: { is_quick: true } });
  const done = await eventually<ZeroLogRun>(
    async () => {
      const { run: now } = await admin.client.zeroLog.run();
      if (now?.state === "running" || now === null) throw new Error(`it still goes on: ${now?.doing}`);
      return now;
    },
    { timeoutMs: SEARCH_WITHIN_MS },
  );
  expect(done.state).toBe("done");
  const answer = await createClient({ baseUrl: url }).zeroLog.latest();
  const verifier = parseVerifier(answer.verifier_key);
  const verified = verifier && verifyReport(answer.report?.note ?? "", verifier);
  if (verified === undefined) throw new Error("the report is not signed");
  expect(verified.isConsistent).toBe(true);
  expect(answer.report).toMatchObject({ number: done.report, outcome: verified.report.outcome });
  return verified.report;
}

/** What is left on the machine of ghosts' own. */
async function remains(): Promise<string> {
  const namespaces = (await run("ip", ["netns", "list"])).stdout;
  return namespaces
    .split("\n")
    .filter((line) => line.startsWith("swghost-"))
    .join(" ");
}

describe("a service on its own store", () => {
  let dir: TemporaryDir;
  let plane: ControlPlane;
  let admin: Person;
  beforeAll(async () => {
    dir = temporaryDir("zero-log-audit");
    await mkdir(join(dir.path, "log"));
    plane = await startControlPlane({
      dir: dir.path,
      env: { LOG_FILE: join(dir.path, "log", "service.log"), LOG_LEVEL: "debug", METRICS_HOST: "127.0.0.1" },
    });
    admin = await setUpAdmin(plane.url, plane.setupLink);
  });
  afterAll(async () => {
    await plane?.process.stop();
    dir?.remove();
  });

  test("proves by a signed report that it keeps nothing of who calls it, and shows it to everybody", async () => {
    const nothing = await (await fetch(`${plane.url}/zero-log`)).text();
    expect(nothing).toContain("No search has been made yet");
    const report = await auditOf(admin, plane.url);
    expect(complaintsOf(report)).toEqual([]);
    expect(report.outcome).toBe("clean");
    expect(report.surfaces.map(({ id }) => id)).toEqual([
      "postgres-data",
      "postgres-wal",
      "postgres-statistics",
      "service-files",
      "service-log",
      "service-metrics",
    ]);
    expect(report.notCovered.join("\n")).toContain("no VPN server on this machine");
    const answer = await fetch(`${plane.url}/zero-log`);
    const page = await answer.text();
    expect(page).toContain("No trace was found");
    expect(page).not.toContain("<script");
    expect(answer.headers.get("content-security-policy")).toMatch(/style-src 'sha256-/);
    expect((await admin.client.service.health()).checks.zero_log).toBeUndefined();
  });
});

const lab = labRequirements(["nft", "wireguard-go"]);

describe.skipIf(!lab.ok)(lab.title("a service that is its own VPN server"), { timeout: 300_000 }, () => {
  let dir: TemporaryDir;
  let network: Network;
  let machine: string;
  let way: PortForward;
  let plane: ControlPlane;
  let admin: Person;
  const port = 8000;

  beforeAll(async () => {
    dir = temporaryDir("zero-log-tunnels");
    network = createNetwork();
    machine = await network.addNamespace("machine");
    await network.connect(machine, await network.addNamespace("outside"), {
      v4: ["198.51.100.1/24", "198.51.100.2/24"],
    });
    plane = await startControlPlane({
      dir: dir.path,
      namespace: machine,
      port,
      env: { LOCAL_NODE: "auto", LOCAL_NODE_NAME: randomSuffix(), LOCAL_NODE_HOST: "198.51.100.1" },
    });
    way = await forwardPort(machine, { host: "127.0.0.1", port });
    admin = await setUpAdmin(`http://127.0.0.1:${way.port}`, plane.setupLink);
    await eventually(async () => expect((await admin.client.nodes.list()).items[0]?.state).toBe("healthy"), {
      timeoutMs: 60_000,
    });
  }, 240_000);
  afterAll(async () => {
    await plane?.process.stop(15_000);
    await way?.close();
    await network?.destroy();
    dir?.remove();
  });

  const audit = () => auditOf(admin, `http://127.0.0.1:${way.port}`);

  test("proves that it keeps nothing of ghosts that went through its tunnels, and takes them away", async () => {
    const report = await audit();
    const traces = report.surfaces
      .filter(({ hitsCount }) => hitsCount > 0)
      .map(({ id, hits }) => ({ id, hits }));
    expect(traces).toEqual([]);
    expect(report.steps.join()).toContain("two connect through tunnels");
    expect(report.surfaces.find(({ id }) => id === "node-kernel")?.controls).toMatchObject([
      { isFound: true },
    ]);
    expect(await remains()).toBe("");
    expect((await admin.client.accounts.list()).items.map(({ email }) => email)).toEqual([admin.email]);
    expect((await admin.client.fleetDevices.list()).items).toEqual([]);
  });

  test("finds that the kernel writes down who connects, once a rule makes it do so", async () => {
    const rules = `add table inet leak
add set inet leak seen { type ipv4_addr; flags dynamic; size 1000; }
add chain inet leak in { type filter hook input priority -300; }
add rule inet leak in meta l4proto udp add @leak seen { ip saddr }
`;
    await runOrThrow("nft", [rules.replaceAll("@leak seen", "@seen")], { namespace: machine });
    const report = await audit();
    expect(report.outcome).toBe("leaking");
    const kernel = report.surfaces.find(({ id }) => id === "node-kernel");
    expect(kernel?.hits.map(({ kind }) => kind)).toContain("ipv4");
    expect(kernel?.hits.map(({ source }) => source)).toContain("nft -a list ruleset");
    expect(report.surfaces.filter(({ hitsCount }) => hitsCount > 0)).toHaveLength(1);
    expect(await remains()).toBe("");
    const health = await admin.client.service.health();
    expect(health).toMatchObject({
      status: "degraded",
      checks: { zero_log: expect.stringContaining("traces") },
    });
    await runOrThrow("nft", ["delete table inet leak"], { namespace: machine });
  });
});
