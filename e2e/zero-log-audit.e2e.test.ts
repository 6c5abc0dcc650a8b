import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseVerifier } from "@securewave/audit-trail";
import { createClient, type ZeroLogRun } from "@securewave/contracts";
import { complaintsOf, type Report, verifyReport } from "@securewave/ghosts";
import {
  eventually,
  labRequirements,
  run,
  runOrThrow,
  type TemporaryDir,
  temporaryDir,
} from "@securewave/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";
import { type Person, setUpAdmin } from "./people.ts";
import { openZeroLogMachine, type ZeroLogMachine } from "./zero-log-machine.ts";
import { isZeroLogPossible, zeroLogRequirements } from "./zero-log-scene.ts";

const SEARCH_WITHIN_MS = 200_000;

/** Has the service searched as staff do, and reads the signed report as a visitor does. */
async function auditOf(admin: Person, url: string): Promise<Report> {
  await admin.client.zeroLog.start({ body: { is_quick: true } });
  const done = await eventually<ZeroLogRun>(
    async () => {
      const { run: now } = await admin.client.zeroLog.run();
      if (now?.state === "running" || now === null) throw new Error(`it still goes on: ${now?.doing}`);
      return now;
    },
    { timeoutMs: SEARCH_WITHIN_MS, everyMs: 500 },
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
      "backup-database",
      "backup-archive",
      "backup-config",
      "backup-vpn",
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

const isPossible = isZeroLogPossible && labRequirements(["nft", "wireguard-go"]).ok;

describe.skipIf(!isPossible)(
  zeroLogRequirements.title("a machine with all there is"),
  { timeout: 300_000 },
  () => {
    let scene: ZeroLogMachine;
    beforeAll(async () => {
      scene = await openZeroLogMachine();
    }, 240_000);
    afterAll(() => scene?.close());

    const audit = () => auditOf(scene.admin, scene.url);

    test("proves that it keeps nothing of ghosts that went through its tunnels, in no store, and takes them away", async () => {
      const { admin } = scene;
      const report = await audit();
      expect(complaintsOf(report)).toEqual([]);
      expect(report.outcome).toBe("clean");
      expect(report.surfaces.map(({ id }) => id)).toEqual([
        "postgres-data",
        "postgres-wal",
        "postgres-archive",
        "postgres-replica",
        "postgres-base-backup",
        "postgres-dump",
        "postgres-statistics",
        "postgres-log",
        "redis-memory",
        "service-files",
        "service-log",
        "folder-3",
        "folder-4",
        "folder-5",
        "service-metrics",
        "backup-database",
        "backup-archive",
        "backup-config",
        "backup-vpn",
        "node-kernel",
        "node-system-log",
      ]);
      expect(report.steps.join()).toContain("two connect through tunnels");
      expect(report.kinds).toEqual(expect.arrayContaining(["tunnel_ipv4", "tunnel_ipv6"]));
      expect(report.surfaces.find(({ id }) => id === "node-kernel")?.controls).toMatchObject([
        { isFound: true },
      ]);
      expect(await remains()).toBe("");
      expect((await admin.client.accounts.list()).items.map(({ email }) => email)).toEqual([admin.email]);
      expect((await admin.client.fleetDevices.list()).items).toEqual([]);
    });

    test("finds that the kernel writes down who connects, once a rule makes it do so, and a trace that is in a backup alone", async () => {
      const rules = `add table inet leak
add set inet leak seen { type ipv4_addr; flags dynamic; size 1000; }
add chain inet leak in { type filter hook input priority -300; }
add rule inet leak in meta l4proto udp add @leak seen { ip saddr }
`;
      await runOrThrow("nft", [rules.replaceAll("@leak seen", "@seen")], { namespace: scene.namespace });
      // Keys of devices are kept in the store by design, and in a backup of the settings they are not.
      await scene.tellDatabase(`
        create function leak() returns trigger language plpgsql as $$ begin
          insert into settings values ('seen ' || new.public_key, '1');
          return new;
        end $$;
        create trigger leak after insert on devices for each row execute function leak()`);
      const report = await audit();
      expect(report.outcome).toBe("leaking");
      const kernel = report.surfaces.find(({ id }) => id === "node-kernel");
      expect(kernel?.hits.map(({ kind }) => kind)).toContain("ipv4");
      expect(kernel?.hits.map(({ source }) => source)).toContain("nft -a list ruleset inet");
      const backup = report.surfaces.find(({ id }) => id === "backup-config");
      expect(backup?.hits.map(({ kind }) => kind)).toContain("public_key");
      expect(report.surfaces.filter(({ hitsCount }) => hitsCount > 0)).toHaveLength(2);
      expect(await remains()).toBe("");
      const health = await scene.admin.client.service.health();
      expect(health).toMatchObject({
        status: "degraded",
        checks: { zero_log: expect.stringContaining("traces") },
      });
      await runOrThrow("nft", ["delete table inet leak"], { namespace: scene.namespace });
      await scene.tellDatabase("drop function leak cascade; delete from settings where name like 'seen %'");
    });
  },
);
