import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { examineOnce, refusedOf } from "@securewave/sentinel/redis";
import { requirements, run, runOrThrow, temporaryDir } from "@securewave/testing";
import { openTestRedis } from "@securewave/testing/redis";
import { describe, expect, onTestFinished, test } from "vitest";
import { judgeCluster, type PatroniReading } from "./check.ts";
import { renderHaproxy } from "./haproxy.ts";
import { renderPatroni } from "./patroni.ts";
import { PATRONI_MIN, parsePatroniVersion, takesLeaderKeyBlindly } from "./patroni-version.ts";
import { examplePlan, mistakesIn } from "./plan.ts";
import { redisUrlOf, renderRedis } from "./redis.ts";
import { renderCluster } from "./render.ts";

const DEPLOY_DIR = fileURLToPath(new URL("../../deploy/high-availability/", import.meta.url));
const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));
const plan = examplePlan();
const haproxy = requirements({ tools: ["haproxy"] });
const redis = requirements({ tools: ["redis-server"] });

describe("a plan", () => {
  test("of the example bears the loss of any one machine", () => {
    expect(mistakesIn(plan)).toEqual([]);
  });

  test("that cannot be read, or lacks parts, is refused by a sentence", async () => {
    const folder = temporaryDir("plan");
    onTestFinished(() => folder.remove());
    writeFileSync(join(folder.path, "empty.json"), "{}");
    writeFileSync(join(folder.path, "broken.json"), "x{");
    for (const name of ["empty.json", "broken.json", "none.json"]) {
      const path = join(folder.path, name);
      const { code, stderr } = await run(process.execPath, [MAIN, "render", folder.path, path]);
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^\S+ is no plan: .+\n$/) });
    }
  });

  test("that cannot bear it is refused, with everything that is wrong", () => {
    const poor = { ...plan, database: plan.database.slice(0, 2), etcd: [...plan.etcd, ...plan.etcd] };
    expect(mistakesIn(poor)).toEqual([
      "members of etcd: two have the same name",
      "members of PostgreSQL: 2, and not at least 3",
      "etcd: an even number bears no more losses than one less",
    ]);
  });
});

describe("the configuration", () => {
  test.each([...renderCluster(plan)])(
    "deploy/high-availability/%s is what is rendered",
    async (path, text) => {
      await expect(text).toMatchFileSnapshot(join(DEPLOY_DIR, path));
    },
  );

  test("holds no secret, and no place for a log of who called", () => {
    for (const text of renderCluster(plan).values()) {
      expect(text).not.toMatch(/^\s*(password|requirepass|masterauth|log|option tcplog|option httplog)\b/m);
    }
  });

  test("acknowledges nothing that is on one machine only, and logs no values", () => {
    const [member] = plan.database;
    if (member === undefined) throw new Error("the example has no database");
    const text = renderPatroni(plan, member, { settings: { max_connections: "50" } });
    for (const line of [
      "synchronous_mode: true",
      "synchronous_mode_strict: true",
      'synchronous_commit: "on"',
      'fsync: "on"',
      'log_parameter_max_length: "0"',
      'max_connections: "50"',
    ]) {
      expect(text).toContain(line);
    }
  });

  test("sends nothing a second time that may have been carried out", () => {
    expect(renderHaproxy(plan)).toContain("http-request disable-l7-retry unless METH_GET");
  });

  test("lets the first Redis lead at the beginning, and the others follow it", () => {
    const texts = plan.redis.map((member) => renderRedis(plan, member));
    expect(texts.map((text) => /^replicaof (.*)$/m.exec(text)?.[1])).toEqual([
      undefined,
      "192.0.2.11 6379",
      "192.0.2.11 6379",
    ]);
    expect(redisUrlOf(plan, "a/b")).toBe(
      "redis+sentinel://:a%2Fb@192.0.2.11:26379,192.0.2.12:26379,192.0.2.13:26379/securewave",
    );
  });
});

test.skipIf(!haproxy.ok)(haproxy.title("HAProxy takes its configuration without a warning"), async () => {
  using dir = temporaryDir("haproxy");
  const path = join(dir.path, "haproxy.cfg");
  writeFileSync(path, renderHaproxy(plan));
  const { stdout, stderr } = await runOrThrow("haproxy", ["-c", "-f", path]);
  expect(stdout + stderr).not.toMatch(/WARNING|ALERT/);
});

test.skipIf(!redis.ok)(redis.title("Redis takes its configuration, and keeps nothing by it"), async () => {
  using dir = temporaryDir("redis-config");
  mkdirSync(join(dir.path, "data"));
  const [member] = plan.redis;
  if (member === undefined) throw new Error("the example has no Redis");
  const text = renderRedis(plan, { ...member, host: "127.0.0.1", port: 0, dataDir: join(dir.path, "data") });
  const settings = Object.fromEntries(
    text
      .split("\n")
      .map((line) => /^([a-z-]+) (.+)$/.exec(line))
      .flatMap((found) => (found ? [[found[1] ?? "", found[2] === '""' ? "" : (found[2] ?? "")]] : []))
      .filter(([name]) => !["bind", "port", "dir", "loglevel"].includes(name ?? "")),
  );
  await using server = await openTestRedis({ settings });
  const found = await examineOnce(server.url);
  expect(refusedOf(found ?? [], "refused")).toEqual([]);
  expect(found?.map(({ about }) => about)).toEqual(["ACL"]); // which users there are is the operator's
});

describe("a running cluster", () => {
  const good: PatroniReading = {
    version: PATRONI_MIN.join("."),
    config: { synchronous_mode: true, synchronous_mode_strict: true, failsafe_mode: true },
    roles: ["leader", "sync_standby", "replica"],
  };
  const textsOf = (change: Partial<PatroniReading>) =>
    judgeCluster({ ...good, ...change }).map(({ weight, text }) => `${weight}: ${text}`);

  test("as it is rendered is found faultless", () => {
    expect(textsOf({})).toEqual([]);
  });

  test("of a Patroni that can make two members lead is refused", () => {
    expect(textsOf({ version: "3.0.2" })).toEqual([
      "loses-writes: Patroni 3.0.2 can make two members lead over etcd 3: install 4.1.0 or later.",
    ]);
    expect(textsOf({ version: "3.3.2" })).toEqual([
      "advice: Patroni 3.3.2 was not tried: 4.1.0 or later was.",
    ]);
    expect(textsOf({ version: undefined })).toEqual(["loses-writes: Patroni does not tell its version."]);
  });

  test("that acknowledges what one machine alone has, or has nobody to follow, is told so", () => {
    expect(textsOf({ config: {} })).toHaveLength(2);
    expect(textsOf({ config: { ...good.config, synchronous_mode_strict: false } })[0]).toContain(
      "loses-writes",
    );
    expect(textsOf({ roles: ["leader", "replica"] })).toHaveLength(2);
  });

  test("tells its version in more than one form", () => {
    expect(parsePatroniVersion("patroni 3.0.2\n")).toEqual([3, 0, 2]);
    expect(parsePatroniVersion("none")).toBeUndefined();
    expect(
      ["3.0.2", "3.0.3", "4.1.0"].map((text) =>
        takesLeaderKeyBlindly(parsePatroniVersion(text) ?? PATRONI_MIN),
      ),
    ).toEqual([true, false, false]);
  });
});
