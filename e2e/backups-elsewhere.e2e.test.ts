import { randomBytes } from "node:crypto";
import { chmod, copyFile, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { openTestS3, type TestS3 } from "@securewave/backup/targets/testing-s3";
import { BACKUP_KINDS, type BackupKind } from "@securewave/contracts";
import {
  eventually,
  freeTcpPort,
  requirements,
  runOrThrow,
  startProcess,
  type TemporaryDir,
  temporaryDir,
} from "@securewave/testing";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { commandAt } from "./cli-program.ts";
import { type ControlPlane, dataDirOf, killControlPlane, startControlPlane } from "./control-plane.ts";
import {
  hasPostgresPackages,
  identity,
  openDebianPostgres,
  postgresBinDir,
  postgresOwner,
} from "./debian-postgres.ts";
import { logIn, PASSWORD, type Person, setUpAdmin } from "./people.ts";
import { processesOf } from "./remains.ts";

const WAIT = { timeoutMs: 60_000 };

/** Each test goes on where the one before ended. */
describe("a service whose backups go to S3", { timeout: 300_000 }, () => {
  let dir: TemporaryDir;
  let s3: TestS3;
  let port: number;
  let plane: ControlPlane;
  let admin: Person;
  const at = (name: string) => join(dir.path, name);
  const target = () => ({
    BACKUP_TARGET: s3.url,
    BACKUP_ACCESS_KEY: s3.credentials.accessKeyId,
    BACKUP_SECRET_KEY: s3.credentials.secretAccessKey,
  });
  const keyFiles = () => ({ DATA_KEY_FILE: at("keys/data.key"), LEDGER_KEY_FILE: at("keys/ledger.key") });
  const { securewave } = commandAt(() => ({ homeDir: dir.path, url: plane.url }));

  /** Runs a command on the service's machine, with its settings. */
  async function told(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const settings = { ...target(), ...keyFiles(), DATA_DIR: dataDirOf(dir.path), ...env };
    const { code, stdout, stderr } = await securewave([...args, "--json"], "", settings);
    return { code, told: stdout === "" ? undefined : JSON.parse(stdout), error: errorIn(stderr) };
  }
  async function start(): Promise<void> {
    const env = { ...target(), ...keyFiles(), BACKUP_ARCHIVE_SECONDS: "1" };
    plane = await startControlPlane({ dir: dir.path, port, env });
  }
  const addAccount = (email: string) => admin.client.accounts.create({ body: { email, password: PASSWORD } });
  async function archived(): Promise<void> {
    const since = Date.now();
    await eventually(async () => {
      const { archive } = await admin.client.backups.state();
      expect(archive).toMatchObject({ state: "following", problem: null });
      expect(Date.parse(archive.restorable_to ?? "")).toBeGreaterThan(since);
    }, WAIT);
  }
  /** The ids of backups by their kinds, the newest first. */
  async function idsOf(kind: BackupKind): Promise<string[]> {
    return (await admin.client.backups.list({ query: { kind } })).items.map(({ id }) => id);
  }

  beforeAll(async () => {
    dir = temporaryDir("backups-s3");
    s3 = await openTestS3();
    port = await freeTcpPort();
    await start();
    admin = await setUpAdmin(plane.url, plane.setupLink);
    const words = ["login", "--email", admin.email, "--password-stdin"];
    expect((await securewave(words, `${PASSWORD}\n`)).code).toBe(0);
    await addAccount("first@example.org");
  });

  afterAll(async () => {
    await plane?.process.stop();
    await s3?.close();
    expect(await processesOf(dir.path)).toEqual([]);
    dir.remove();
  });

  test("makes, lists and verifies a backup of each kind, of which S3 sees nothing readable", async () => {
    expect(await told(["backup", "run"])).toMatchObject({ code: 0, told: { succeeded: 3, failed: 0 } });
    const { told: listed } = await told(["backup", "list"]);
    const kinds = listed.items.map(({ kind }: { kind: BackupKind }) => kind);
    expect(kinds.sort()).toEqual(["config", "database", "vpn"]);
    const { told: verified } = await told(["backup", "verify"]);
    expect(verified.verification).toMatchObject({ outcome: "passed" });
    const { told: status } = await told(["backup", "status"]);
    expect(status).toMatchObject({ target: "s3", is_on_stores_disk: false });
    for (const [name, object] of s3.objects) {
      if (name.endsWith(".age"))
        expect(object.subarray(0, 21).toString(), name).toBe("age-encryption.org/v1");
      expect(object.includes("first@example.org"), name).toBe(false);
    }
    expect(s3.uploads.size).toBe(0);
  });

  test("says that S3 is away where staff look, loses nothing by it, and says that it is back", async () => {
    s3.answer(503);
    await addAccount("while-away@example.org");
    await eventually(async () => {
      const { archive } = await admin.client.backups.state();
      expect(archive).toMatchObject({ state: "stopped", problem_code: "backup_target.unreachable" });
    }, WAIT);
    const ran = await told(["backup", "run", "--kind", "vpn"]);
    expect(ran).toMatchObject({
      code: 1,
      told: { succeeded: 0, failed: 1, problem: expect.stringContaining("cannot be reached") },
    });
    const status = await securewave(["backup", "status"], "", target());
    expect([status.code, status.stdout]).toEqual([1, expect.stringContaining("cannot be reached")]);
    expect(status.stdout + status.stderr).not.toContain(s3.credentials.secretAccessKey);
    expect(await backupsHealth()).toMatchObject({ state: "failing", alerts: ["BackupBroken"] });
    expect(await idsOf("vpn")).toHaveLength(1); // what there is stays listed

    s3.answer(undefined);
    await archived();
    expect((await told(["backup", "run", "--kind", "vpn"])).code).toBe(0);
    expect(await backupsHealth()).toMatchObject({ state: "well", alerts: [] });
    expect((await told(["backup", "status"])).code).toBe(0);
    expect(plane.process.lines().filter((line) => line.includes('"backup_failed"')).length).toBeLessThan(5);
  });

  async function backupsHealth() {
    const { checks } = await admin.client.alerts.health();
    return checks.find(({ id }) => id === "backups");
  }

  test("exports a backup sealed, as a folder that can be restored from, or opened where it is text", async () => {
    await archived();
    const [database = "", config = ""] = await Promise.all(
      BACKUP_KINDS.map(async (kind) => (await idsOf(kind))[0] ?? ""),
    );
    const exported = await told(["backup", "export", database, "--out", at("exported")]);
    expect(exported.told.files).toContain(`backups/database/${database}/manifest.json`);
    expect(exported.told.files.some((name: string) => name.startsWith("archive/"))).toBe(true);

    expect((await told(["backup", "export", config, "--out", at("opened"), "--open"])).code).toBe(0);
    const { tables } = JSON.parse(await readFile(at("opened/config.json"), "utf8"));
    expect(tables.plans.length).toBeGreaterThan(0);
    const refusal = async (...args: string[]) => (await told(["backup", "export", database, ...args])).error;
    expect(await refusal("--out", at("text"), "--open")).toMatchObject({ code: "backup_export.no_text" });
    expect(await refusal("--out", at("opened"))).toMatchObject({ code: "backup_export.folder_in_use" });
    expect(await refusal("--out", "/proc/backups/exported")).toBeDefined();

    const folder = { BACKUP_TARGET: at("exported") };
    const restored = await told(["backup", "restore", "--to", "latest", "--into", at("looked-into")], folder);
    expect(restored).toMatchObject({ code: 0, told: { backup_id: database } });
    expect(await readdir(at("looked-into"))).toContain("PG_VERSION");
  });

  test("seals for a new key after its rotation; the former one opens what is older", async () => {
    const keyFile = join(dataDirOf(dir.path), "secrets/backup-key");
    await copyFile(keyFile, at("former-key"));
    const { told: former } = await told(["backup", "key", "show", "--public"]);
    const { told: rotated } = await told(["backup", "key", "rotate", "--yes"]);
    expect(rotated.file).toBe(keyFile);
    expect(rotated.recipient).not.toBe(former.recipient);
    expect((await admin.client.backups.state()).recipient).toBe(former.recipient); // until the next start

    await plane.process.stop();
    await start();
    admin = await logIn(plane.url, admin.email);
    expect((await admin.client.backups.state()).recipient).toBe(rotated.recipient);
    await addAccount("after-rotation@example.org");
    expect((await told(["backup", "run", "--kind", "config"])).code).toBe(0);
    const [newer = "", older = ""] = await idsOf("config");
    const { told: verified } = await told(["backup", "verify", older]);
    expect(verified.verification).toMatchObject({ outcome: "passed" });
    const open = (id: string, out: string) =>
      told(["backup", "export", id, "--out", at(out), "--open", "--key-file", at("former-key")]);
    expect((await open(older, "older")).code).toBe(0);
    expect(await open(newer, "newer")).toMatchObject({ code: 1, error: { code: "backup_seal.wrong_key" } });
    await archived();
  });

  test("removes what its days are over for, also from S3", async () => {
    const [newest = "", oldest = ""] = await idsOf("config");
    const manifest = [...s3.objects.keys()].find((name) => name.endsWith(`${oldest}/manifest.json`)) ?? "";
    const text = (s3.objects.get(manifest) ?? "").toString();
    s3.objects.set(manifest, Buffer.from(text.replace(/"takenAt": "\d{4}/, '"takenAt": "2020')));
    const cleaned = await told(["backup", "cleanup", "--yes"]);
    expect(cleaned).toMatchObject({ code: 0, told: { succeeded: 1, failed: 0 } });
    expect(await idsOf("config")).toEqual([newest]);
    expect([...s3.objects.keys()].filter((name) => name.includes(oldest))).toEqual([]);
  });

  test("is restored from S3 by the command, from a base of the former key over an archive of both", async () => {
    await killControlPlane(plane);
    await eventually(async () => expect(await processesOf(dir.path)).toEqual([]), WAIT);
    await rm(join(dataDirOf(dir.path), "store"), { recursive: true });
    const withFormer = await told(["backup", "restore", "--to", "latest", "--key-file", at("former-key")]);
    expect(withFormer).toMatchObject({ code: 1, error: { code: "backup_seal.wrong_key" } });
    expect(await told(["backup", "restore", "--to", "latest"])).toMatchObject({ code: 0 });
    await start();
    admin = await logIn(plane.url, admin.email);
    const { items } = await admin.client.accounts.list({ query: { limit: 100 } });
    expect(items.map(({ email }) => email).sort()).toEqual([
      "admin@example.org",
      "after-rotation@example.org",
      "first@example.org",
      "while-away@example.org",
    ]);
    await plane.process.stop();
  });
});

const debian = requirements({
  root: true,
  tools: ["setpriv"],
  others: [hasPostgresPackages() ? undefined : "Debian's PostgreSQL"],
});

test.skipIf(!debian.ok)(
  debian.title(
    "on a PostgreSQL of its own, with a login for each work, the one for backups makes what restores it",
  ),
  { timeout: 300_000 },
  async () => {
    using dir = temporaryDir("backups-outside");
    const at = (name: string) => join(dir.path, name);
    const server = await openDebianPostgres();
    const urlOf = (role: string) => server.url.replace("postgres@", `securewave_${role}@`);
    await queried(server.url, [
      "create role securewave_migration login",
      ...["api", "worker", "ingress"].map((name) => `create role securewave_${name} login`),
      "create role securewave_backup login replication",
      "alter database postgres owner to securewave_migration",
      "alter schema public owner to securewave_migration",
    ]);
    const env = {
      DATABASE_URL: urlOf("migration"),
      DATABASE_API_URL: urlOf("api"),
      DATABASE_WORKER_URL: urlOf("worker"),
      DATABASE_INGRESS_URL: urlOf("ingress"),
      BACKUP_DATABASE_URL: urlOf("backup"),
      JWT_SECRET: randomBytes(32).toString("base64"),
      MASTER_KEY: randomBytes(32).toString("base64"),
      BACKUP_TARGET: at("target"),
      BACKUP_ARCHIVE_SECONDS: "1",
    };
    const plane = await startControlPlane({ dir: dir.path, env });
    const { client } = await setUpAdmin(plane.url, plane.setupLink);
    const ended = () =>
      eventually(async () => {
        const { run } = await client.backups.run();
        expect(run?.state).not.toBe("running");
        return run;
      }, WAIT);
    await client.backups.start({ body: { kind: "database" } });
    const run = await ended();
    expect(run).toMatchObject({ state: "done", problem: null });
    const params = { id: run?.backup_ids[0] ?? "" };
    await client.backups.verify({ params });
    expect(await ended()).toMatchObject({ state: "done", problem: null });
    const { verification } = await client.backups.show({ params });
    expect(verification?.checks.filter(({ outcome }) => outcome !== "passed")).toEqual([]);

    await client.accounts.create({ body: { email: "late@example.org", password: PASSWORD } });
    const since = Date.now();
    await eventually(async () => {
      const { archive } = await client.backups.state();
      expect(Date.parse(archive.restorable_to ?? "")).toBeGreaterThan(since);
    }, WAIT);
    await plane.process.stop();
    await server.close();

    const { securewave } = commandAt(() => ({ homeDir: dir.path, url: plane.url }));
    const settings = { ...env, DATA_DIR: dataDirOf(dir.path) };
    const into = at("restored");
    const restored = await securewave(["backup", "restore", "--to", "latest", "--into", into], "", settings);
    expect(restored.code, restored.stderr).toBe(0);
    expect(restored.stdout).toContain("Give the folder to PostgreSQL's user");

    const port = await freeTcpPort();
    await chmod(dir.path, 0o711);
    const owner = await postgresOwner();
    await runOrThrow("chown", ["-R", `${owner.uid}:${owner.gid}`, into]);
    const words = ["-D", into, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="];
    const postgres = await startProcess({
      command: "setpriv",
      args: [
        ...identity(owner),
        join((await postgresBinDir()) ?? "", "postgres"),
        ...words,
        ...["-p", String(port)],
      ],
      cwd: "/",
    });
    const url = `postgresql://securewave_api@127.0.0.1:${port}/postgres`;
    const rows = await eventually(async () => {
      expect(postgres.lines().join("\n")).toContain("ready to accept connections");
      return queried(url, ["select count(*)::int as count from accounts"]);
    });
    expect(rows).toEqual([{ count: 2 }]);
    await postgres.stop();
  },
);

/** What the last of some statements finds. */
async function queried(url: string, statements: readonly string[]): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    let found: unknown[] = [];
    for (const statement of statements) found = (await client.query(statement)).rows;
    return found;
  } finally {
    await client.end();
  }
}

function errorIn(stderr: string) {
  const line = stderr.trim().split("\n").at(-1) ?? "";
  return line.startsWith("{") ? JSON.parse(line).error : undefined;
}
