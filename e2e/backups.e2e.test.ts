import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createIdentity } from "@securewave/backup";
import { eventually, freeTcpPort, temporaryDir } from "@securewave/testing";
import { expect, test } from "vitest";
import { cleanEnvironment, dataDirOf, killControlPlane, startControlPlane } from "./control-plane.ts";
import { logIn, PASSWORD, type Person, setUpAdmin } from "./people.ts";
import { processesOf } from "./remains.ts";

const CLI = fileURLToPath(new URL("../apps/cli/bin/securewave.mjs", import.meta.url));
const WAIT = { timeoutMs: 120_000 };

test("a service that lost its data folder is restored to the last second, and to one before", {
  timeout: 600_000,
}, async () => {
  using dir = temporaryDir("backups");
  const port = await freeTcpPort();
  const at = (name: string) => join(dir.path, name);
  const env = {
    JWT_SECRET: randomBytes(32).toString("base64"),
    MASTER_KEY: randomBytes(32).toString("base64"),
    BACKUP_KEY: createIdentity().identity,
    BACKUP_TARGET: at("target"),
    BACKUP_ARCHIVE_SECONDS: "1",
    DATA_KEY_FILE: at("keys/data.key"),
    LEDGER_KEY_FILE: at("keys/ledger.key"),
  };
  const restore = (...args: string[]) => runCli(dir.path, { ...env, DATA_DIR: dataDirOf(dir.path) }, args);
  const start = () => startControlPlane({ dir: dir.path, port, env });
  let plane = await start();
  const admin = await setUpAdmin(plane.url, plane.setupLink);
  const add = (email: string) => admin.client.accounts.create({ body: { email, password: PASSWORD } });

  await add("before@example.org");
  await admin.client.backups.start({ body: { kind: "database" } });
  await eventually(async () => {
    const { run } = await admin.client.backups.run();
    expect(run).toMatchObject({ state: "done", succeeded: 1 });
  }, WAIT);
  const { restorable_from: first, restorable_to: last } = (await admin.client.backups.state()).archive;
  expect(first ?? "", "what is behind the base may not be archived yet").toSatisfy(
    (from: string) => from <= (last ?? from),
  );
  await add("after@example.org");
  await pause(1_100);
  const instant = new Date().toISOString();
  await pause(1_100);
  await add("late@example.org");
  await eventually(async () => {
    const { archive } = await admin.client.backups.state();
    expect(Date.parse(archive.restorable_to ?? "")).toBeGreaterThan(Date.parse(instant) + 3_000);
  }, WAIT);

  const onRunning = await restore("--to", "latest");
  expect(onRunning).toMatchObject({ code: 1, error: { code: "backup.folder_in_use" } });
  expect(await emailsOf(admin)).toContain("late@example.org");

  for (const { to, hasLate } of [
    { to: "latest", hasLate: true },
    { to: instant, hasLate: false },
  ]) {
    await killControlPlane(plane);
    await eventually(async () => expect(await processesOf(dir.path)).toEqual([]), WAIT);
    await rm(dataDirOf(dir.path), { recursive: true });
    expect(
      await runCli(
        dir.path,
        { ...env, DATA_DIR: dataDirOf(dir.path), BACKUP_KEY: createIdentity().identity },
        ["--to", to],
      ),
    ).toMatchObject({
      code: 1,
      error: { code: "backup_seal.wrong_key" },
    });
    expect(await restore("--to", to)).toMatchObject({ code: 0 });
    plane = await start();
    const again = await logIn(plane.url, admin.email);
    const emails = await emailsOf(again);
    expect(emails).toEqual(expect.arrayContaining(["before@example.org", "after@example.org"]));
    expect(emails.includes("late@example.org")).toBe(hasLate);
    const trail = await again.client.audit.list({ query: { kind: "restored_from_backup" } });
    expect(trail.items.length).toBeGreaterThan(0);
  }
  await plane.process.stop();
});

async function emailsOf({ client }: Person): Promise<string[]> {
  return (await client.accounts.list({ query: { limit: 100 } })).items.map(({ email }) => email);
}

async function runCli(cwd: string, env: Readonly<Record<string, string>>, args: readonly string[]) {
  const options = { cwd, env: { ...process.env, ...cleanEnvironment(), ...env } as NodeJS.ProcessEnv };
  try {
    await promisify(execFile)(process.execPath, [CLI, "backup", "restore", ...args, "--json"], options);
    return { code: 0, error: undefined };
  } catch (error) {
    const { code, stderr } = error as { code: number; stderr: string };
    return { code, error: JSON.parse(stderr).error };
  }
}
