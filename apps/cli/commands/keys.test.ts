import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { useService } from "../testing/service.ts";

const service = useService();
const rings = () => service.api().state.keys;

test("both rings are listed, with what still needs each key", async () => {
  const { stdout, stderr, code } = await service.run("keys list");
  expect(stdout).toBe(
    [
      "SIGNING KEY  STATE    ALGORITHM  CREATED     TAKEN UNTIL",
      "0            signing  HS256      configured",
      "",
      "ENCRYPTION KEY  STATE    ALGORITHM    CREATED     SEALED  PRESHARED KEYS",
      "1               sealing  AES-256-GCM  MASTER_KEY      12               7",
      "",
    ].join("\n"),
  );
  expect([stderr, code]).toEqual(["", 0]);
  expect((await service.run("keys list --json")).json()).toEqual(rings());
});

test("a rotation of the signing keys is confirmed, and tells until when tokens of the former key are taken", async () => {
  expect((await service.run("keys rotate signing")).code).toBe(2);
  const declined = await service.run("keys rotate signing", { terminal: 80, stdin: "n" });
  expect(declined.stderr).toContain("cli.cancelled");
  expect(rings().signing).toHaveLength(1);
  const ran = await service.run("keys rotate signing", { terminal: 80, stdin: "y" });
  expect(ran.stdout).toContain(
    "Key 1 signs access tokens; tokens of the former one are taken until 2026-11-21",
  );
  expect((await service.run("keys list")).stdout).toMatch(/^0 +verifying +HS256 /m);
});

test("a rotation of the encryption keys tells how much is left, and ends when all is sealed anew", async () => {
  const ran = await service.run("keys rotate encryption --yes");
  expect(ran.stderr).toBe("12 secrets left to seal anew\n6 secrets left to seal anew\n");
  expect(ran.stdout).toContain("Key 2 seals what is secret.");
  expect(rings().encryption).toMatchObject([
    { number: 1, state: "opening", sealed: 0, preshared_keys: 7 },
    { number: 2, state: "sealing", sealed: 12 },
  ]);
});

test("with --json the rings of the end are the answer, and nothing else is written", async () => {
  const ran = await service.run("keys rotate encryption --yes --json");
  expect(ran.json()).toEqual(rings());
  expect(ran.stderr).toBe("");
});

test("only a ring that there is can be rotated, and a rotation on its way is told", async () => {
  expect((await service.run("keys rotate everything --yes")).code).toBe(2);
  rings().signing.push({
    kid: "1",
    algorithm: "HS256",
    state: "arriving",
    created_on: null,
    retires_on: null,
  });
  const refused = await service.run("keys rotate signing --yes --json");
  expect(JSON.parse(refused.stderr).error).toMatchObject({ code: "keys.rotation_running", status: 409 });
});

test("how to change MASTER_KEY is told, and when its change is complete", async () => {
  expect((await service.run("keys root")).stdout).toContain("MASTER_KEY_PREVIOUS to the present one");
  Object.assign(rings(), { master_key_previous: true });
  expect((await service.run("keys root")).stdout).toContain("take MASTER_KEY_PREVIOUS away");
  expect((await service.run("keys root --json")).json()).toEqual({ master_key_previous: true });
});

test("a customer is told that the role does not allow it", async () => {
  await service.logIn("ada@example.org");
  expect((await service.run("keys list")).stderr).toContain("request.not_allowed");
});

test("the data key is copied whole, for its owner alone, and a copy that is there is replaced", async () => {
  const dir = service.home().dir;
  const keyDir = join(dir, "data", "never-in-backups");
  await mkdir(keyDir, { recursive: true });
  await writeFile(join(keyDir, "data.key"), "the present key");
  const copy = join(dir, "second-disk", "data.key");
  const env = { DATA_DIR: join(dir, "data") };
  const line = `keys data-key copy ${copy}`;
  expect((await service.run(line, { env })).stdout).toContain(`DATA_KEY_COPIES=${copy}`);
  expect(await readFile(copy, "utf8")).toBe("the present key");
  expect((await stat(copy)).mode & 0o777).toBe(0o600);
  const other = join(dir, "other.key");
  await writeFile(other, "another key");
  expect((await service.run(`${line} --file ${other} --json`, { env })).json()).toEqual({ file: copy });
  expect(await readFile(copy, "utf8")).toBe("another key");
  expect(await readdir(join(dir, "second-disk"))).toEqual(["data.key"]);
});

test("where there is no data key nothing is copied, and what to name is told", async () => {
  const { dir } = service.home();
  const env = { DATA_KEY_FILE: join(dir, "nowhere.key") };
  const ran = await service.run(`keys data-key copy ${join(dir, "copy.key")}`, { env });
  expect(ran.stderr).toContain("cli.no_key_file");
  expect(await readdir(dir)).not.toContain("copy.key");
});
