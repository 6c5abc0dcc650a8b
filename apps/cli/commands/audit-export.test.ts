import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { auditOf, createFakeTrail } from "../testing/fake-audit.ts";
import { fakeApiKey } from "../testing/fake-security.ts";
import { useService } from "../testing/service.ts";

const service = useService();
const audit = () => auditOf(service.api().state);
const inHome = (name: string) => join(service.home().dir, name);
const exportTo = (name: string, more = "", options = {}) =>
  service.run(`audit export ${inHome(name)}${more}`, options);
const filesNow = async () => (await readdir(service.home().dir)).filter((name) => name !== ".config");

test("the whole trail is written, with its key beside it, for its owner alone, and is verified", async () => {
  const ran = await exportTo("trail.jsonl");
  expect(ran.stdout).toMatch(/trail\.jsonl: 31 entries, 4 checkpoints, [\d.]+ kB\. It is whole\.$/m);
  expect([ran.stderr, ran.code]).toEqual(["", 0]);
  expect(await readFile(inHome("trail.jsonl"), "utf8")).toBe(await audit().trail.text());
  expect(await readFile(inHome("trail.jsonl.vkey"), "utf8")).toBe(`${audit().trail.verifierKey}\n`);
  expect((await filesNow()).sort()).toEqual(["trail.jsonl", "trail.jsonl.vkey"]);
  for (const name of await filesNow()) expect((await stat(inHome(name))).mode & 0o777).toBe(0o600);
  expect((await service.run(`audit verify ${inHome("trail.jsonl")}`)).code).toBe(0);
});

test("with --json one value tells what was written", async () => {
  const ran = await exportTo("trail.jsonl", " --json", { terminal: 80 });
  expect(ran.json()).toMatchObject({
    file: inHome("trail.jsonl"),
    key_file: inHome("trail.jsonl.vkey"),
    bytes: (await stat(inHome("trail.jsonl"))).size,
    whole: true,
    entries: 31,
    size: 31,
    broken: null,
  });
  expect(ran.stderr).toBe("");
});

test("a later export continues an earlier one", async () => {
  await exportTo("first.jsonl");
  audit().trail.record("settings_changed");
  await exportTo("second.jsonl");
  const verify = (file: string, since: string) =>
    service.run(`audit verify ${inHome(file)} --since ${inHome(since)}`);
  expect((await verify("second.jsonl", "first.jsonl")).code).toBe(0);
  expect((await verify("first.jsonl", "second.jsonl")).code).toBe(1);
});

test("what comes behind the archives is exported by itself, and with them is the trail", async () => {
  const archive = inHome("0-9.jsonl");
  await writeFile(archive, await audit().trail.text(0, 10));
  const ran = await exportTo("rest.jsonl", " --from 10 --json");
  expect(ran.json()).toMatchObject({ whole: true, from: 10, entries: 21 });
  const verified = await service.run(`audit verify ${archive} ${inHome("rest.jsonl")} --json`);
  expect(verified.json()).toMatchObject({ whole: true, from: 0, entries: 31 });
  expect((await exportTo("none.jsonl", " --from 31")).stderr).toContain("audit.not_found");
  expect((await filesNow()).sort()).toEqual(["0-9.jsonl", "rest.jsonl", "rest.jsonl.vkey"]);
});

test("a person sees on the terminal how far it is", async () => {
  const { stderr } = await exportTo("trail.jsonl", "", { terminal: 60 });
  expect(stderr).toMatch(/Exporting \[#+\] 100 %/);
  expect(stderr).toMatch(/Verifying \[#+\] 100 %/);
});

test("a file that is there is never written over", async () => {
  await writeFile(inHome("trail.jsonl"), "mine");
  const ran = await exportTo("trail.jsonl");
  expect(ran.stderr).toContain("cli.file_exists");
  expect(ran.code).toBe(1);
  expect(await readFile(inHome("trail.jsonl"), "utf8")).toBe("mine");
  expect(service.api().requests.some((request) => request.includes("export"))).toBe(false);
  expect((await exportTo("no-folder/trail.jsonl")).stderr).toContain("cli.file_unwritable");
});

test("a connection that breaks off leaves nothing", async () => {
  audit().breaksOffAfter = 3_000;
  const ran = await exportTo("trail.jsonl");
  expect(ran.stderr).toContain("cli.broken_off");
  expect([ran.stdout, ran.code]).toEqual(["", 3]);
  expect(await filesNow()).toEqual([]);
});

test("an answer that is no trail leaves nothing", async () => {
  audit().exportText = "<html>Please log in to the hotel's network</html>";
  const ran = await exportTo("trail.jsonl");
  expect(ran.stderr).toContain("cli.bad_answer");
  expect(ran.code).toBe(1);
  expect(await filesNow()).toEqual([]);
});

test("a trail that is broken does not get the name, but is kept to be looked at", async () => {
  audit().trail.sign();
  audit().exportText = (await audit().trail.text()).replace("acc_185", "acc_186");
  const ran = await exportTo("trail.jsonl");
  expect(ran.stdout).toContain("Entry 5 was changed");
  expect(ran.stdout).toContain(`It is kept as ${inHome("trail.jsonl.broken")}.`);
  expect(ran.code).toBe(1);
  expect((await filesNow()).sort()).toEqual(["trail.jsonl.broken", "trail.jsonl.broken.vkey"]);
  expect((await service.run(`audit verify ${inHome("trail.jsonl.broken")}`)).code).toBe(1);
});

test("an export that does not reach the newest checkpoint is broken", async () => {
  const text = await audit().trail.text();
  const [header = "", ...lines] = text.split("\n");
  const end = lines.findIndex((line) => line.includes("audit\\n20\\n"));
  const shorter = header.replace('"to":30,"size":31', '"to":19,"size":20');
  audit().exportText = `${[shorter, ...lines.slice(0, end + 1)].join("\n")}\n`;
  const ran = await exportTo("trail.jsonl");
  expect(ran.stdout).toContain("ends after 20 entries, but there were 31");
  expect(ran.code).toBe(1);
});

test("a service that signs with another key than the kept one is found out", async () => {
  await writeFile(inHome("trail.jsonl.vkey"), createFakeTrail().verifierKey);
  const ran = await exportTo("trail.jsonl");
  expect(ran.stderr).toContain("cli.other_key");
  expect(ran.code).toBe(1);
  expect(await filesNow()).toEqual(["trail.jsonl.vkey"]);
});

test("an access token that has run out is renewed before", async () => {
  service.api().state.expireAccessTokens();
  expect((await exportTo("trail.jsonl")).code).toBe(0);
});

test("what the environment holds is used in place of the log-in", async () => {
  await service.run("logout");
  expect((await exportTo("one.jsonl")).stderr).toContain("request.not_logged_in");
  const { env } = adminEnvironment();
  expect((await exportTo("two.jsonl", "", { env })).code).toBe(0);
  const { accounts, security } = service.api().state;
  const key = fakeApiKey(accounts[0]?.id ?? "", "backup", ["audit:read"]);
  security.apiKeys.push(key);
  expect((await exportTo("three.jsonl", "", { env: { SECUREWAVE_API_KEY: key.text } })).code).toBe(0);
});

test("without a name the file is called by the day, where one stands", async () => {
  const { dir, child } = await spawnExport([]);
  expect(await once(child, "close")).toEqual([0, null]);
  const names = (await readdir(dir)).sort();
  expect(names[0]).toMatch(/^securewave-audit-\d{4}-\d\d-\d\d\.jsonl$/);
  expect(names[1]).toBe(`${names[0]}.vkey`);
  expect(names).toHaveLength(2);
});

test("an export that is interrupted leaves nothing", async () => {
  audit().stallsAfter = 3_000;
  const { dir, child } = await spawnExport(["trail.jsonl"]);
  await vi.waitFor(async () => expect(await readdir(dir)).not.toEqual([]), { timeout: 20_000 });
  expect(await readdir(dir)).toEqual([expect.stringMatching(/\.part$/)]);
  child.kill("SIGINT");
  expect(await once(child, "close")).toEqual([1, null]);
  expect(await readdir(dir)).toEqual([]);
});

function adminEnvironment() {
  const { accounts, openSession } = service.api().state;
  return { env: { SECUREWAVE_TOKEN: openSession(accounts[0]?.id ?? "").access } };
}

/** A real process in a folder of its own. */
async function spawnExport(args: readonly string[]) {
  const dir = inHome("here");
  await mkdir(dir);
  const program = fileURLToPath(new URL("../main.ts", import.meta.url));
  const env = { ...process.env, ...adminEnvironment().env, SECUREWAVE_URL: service.api().url };
  const child = spawn(process.execPath, [program, "audit", "export", ...args], { cwd: dir, env });
  return { dir, child };
}
