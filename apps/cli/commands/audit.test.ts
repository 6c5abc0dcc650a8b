import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { auditOf, createFakeTrail, fillTrail } from "../testing/fake-audit.ts";
import { useService } from "../testing/service.ts";

const service = useService();
const audit = () => auditOf(service.api().state);

test("the newest entries come first, and what is left out is told", async () => {
  const { stdout, stderr, code } = await service.run("audit list --limit 2");
  expect(stdout).toBe(
    [
      "NO.  TIME (UTC)           KIND              ACTOR    SUBJECT  DETAILS",
      " 30  2026-11-20 11:30:05  settings_changed  system   service  names=registration",
      " 29  2026-11-20           login_succeeded   acc_209  acc_209  method=password",
      "",
      "2 entries",
      "",
    ].join("\n"),
  );
  expect(stderr).toContain("There are more");
  expect(code).toBe(0);
});

test("the list is filtered by all that the service knows", async () => {
  const indexes = async (options: string) => {
    const { items } = Object((await service.run(`audit list --json ${options}`)).json());
    return items.map(({ index }: { index: number }) => index);
  };
  expect(await indexes("--kind settings_changed")).toEqual([30]);
  expect(await indexes("--actor acc_185")).toEqual([5]);
  expect(await indexes("--subject service")).toEqual([30]);
  expect(await indexes("--from 2026-11-19 --to 2026-11-19 -n 3")).toEqual([19, 18, 17]);
  expect(await indexes("--search registration")).toEqual([30]);
  expect(await indexes("--all")).toHaveLength(31);
});

test("a mail address stands for the id of its account, which alone is in the trail", async () => {
  const admin = service.api().state.accounts[0];
  audit().trail.record("keys_rotated", { actor: admin?.id ?? "", details: { what: "signing" } });
  const { stdout } = await service.run("audit list --actor admin@example.org");
  expect(stdout).toContain("what=signing");
  expect((await service.run("audit list --actor nobody@example.org")).stderr).toContain("no account named");
});

test("what is erased stands in the list as such, and an empty list is told", async () => {
  audit().trail.erase(30);
  expect((await service.run("audit list -n 1")).stdout).toContain(" 30              (erased)");
  expect((await service.run("audit list --actor acc_nobody")).stdout).toBe("No entries.\n");
});

test("a kind or a day that there is not is wrong usage", async () => {
  for (const wrong of ["--kind everything", "--from yesterday", "--to 2026-02-30"])
    expect((await service.run(`audit list ${wrong}`)).code).toBe(2);
});

test("the newest checkpoint is printed as it is to be kept, and what it covers is told", async () => {
  const { stdout, stderr, code } = await service.run("audit checkpoint");
  const { note } = audit().trail.sign();
  expect(stdout).toBe(note);
  expect(stderr).toBe(
    `Signed over 31 entries, the newest of 2026-11-20 11:30:05. The signature is good.\nVerifier key: ${audit().trail.verifierKey}\n`,
  );
  expect(code).toBe(0);
  expect((await service.run("audit checkpoint --json")).json()).toEqual({
    size: 31,
    root: note.split("\n")[2],
    note,
    verifier_key: audit().trail.verifierKey,
    newest_time: "2026-11-20T11:30:05Z",
    unsigned: 0,
    continues: null,
  });
});

test("a checkpoint is proved to continue one that was kept, without reading the trail", async () => {
  const kept = join(service.home().dir, "monday.txt");
  await writeFile(kept, (await service.run("audit checkpoint")).stdout);
  for (let count = 0; count < 6; count++) audit().trail.record("settings_changed");
  const { stdout, stderr, code } = await service.run(`audit checkpoint --since ${kept}`);
  expect(stderr).toContain("It continues the checkpoint over 31 entries.");
  expect([stdout, code]).toEqual([audit().trail.sign().note, 0]);
  expect((await service.run(`audit checkpoint --json --since ${kept}`)).json()).toMatchObject({
    size: 37,
    continues: 31,
  });
});

test("a trail that was cut off or rewritten since a checkpoint was kept is found out, exit code 1", async () => {
  const kept = join(service.home().dir, "monday.txt");
  const { trail } = audit();
  const early = trail.sign();
  trail.record("settings_changed");
  await writeFile(kept, trail.sign().note);
  audit().stuckAt = early;
  const cut = await service.run(`audit checkpoint --since ${kept}`);
  expect(cut.stderr).toContain("ends after 31 entries, but there were 32");
  expect([cut.stdout, cut.code]).toEqual(["", 1]);

  audit().stuckAt = undefined;
  audit().trail = fillTrail(createFakeTrail(undefined, trail));
  for (let count = 0; count < 3; count++) audit().trail.record("settings_changed");
  const rewritten = await service.run(`audit checkpoint --since ${kept}`);
  expect(rewritten.stderr).toContain("cli.not_continued");
  expect(rewritten.code).toBe(1);
});

test("a checkpoint of another service is not one to continue", async () => {
  const kept = join(service.home().dir, "other.txt");
  await writeFile(kept, fillTrail(createFakeTrail()).sign().note);
  expect((await service.run(`audit checkpoint --since ${kept}`)).stderr).toContain("cli.other_key");
});

test("a checkpoint is held against the key that was kept", async () => {
  const kept = join(service.home().dir, "kept.vkey");
  await writeFile(kept, `${audit().trail.verifierKey}\n`);
  expect((await service.run(`audit checkpoint --key ${kept}`)).code).toBe(0);
  await writeFile(kept, createFakeTrail().verifierKey);
  const ran = await service.run(`audit checkpoint --key ${kept}`);
  expect(ran.stderr).toContain("cli.other_key");
  expect([ran.stdout, ran.code]).toEqual(["", 1]);
});

test("a checkpoint that its own key has not signed is not shown", async () => {
  const { trail } = audit();
  const { size, note } = trail.sign();
  audit().stuckAt = { size: size + 1, note: note.replace(`\n${size}\n`, `\n${size + 1}\n`) };
  const ran = await service.run("audit checkpoint");
  expect(ran.stderr).toContain("cli.bad_answer");
  expect([ran.stdout, ran.code]).toEqual(["", 1]);
});

test("that the service has stopped to sign is told, exit code 1", async () => {
  audit().stuckAt = audit().trail.sign();
  for (let count = 0; count < 3; count++) audit().trail.record("settings_changed");
  const ran = await service.run("audit checkpoint");
  expect(ran.stderr).toContain("The newest 3 entries are not signed");
  expect(ran.code).toBe(1);
  expect((await service.run("audit checkpoint --json")).json()).toMatchObject({ size: 31, unsigned: 3 });
});

test("a customer is told that the role does not allow it", async () => {
  await service.logIn("ada@example.org");
  for (const command of ["list", "checkpoint", "export /nowhere/trail.jsonl"])
    expect((await service.run(`audit ${command}`)).stderr).toContain("request.not_allowed");
});

test("the commands, their options and the kinds of entries are completed", async () => {
  const { stdout } = await service.run("completion bash");
  for (const word of ["'audit'", "'audit verify'", "--since", "login_refused"]) {
    expect(stdout).toContain(word.replaceAll("'", ""));
  }
  for (const shell of ["zsh", "fish"])
    expect((await service.run(`completion ${shell}`)).stdout).toContain("checkpoint");
});
