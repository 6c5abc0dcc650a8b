import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { USAGE_HISTORY_TEXT } from "@securewave/contracts/privacy";
import { expect, test } from "vitest";
import { talk } from "../testing/fake-person.ts";
import { PASSWORD } from "../testing/fake-state.ts";
import { useService } from "../testing/service.ts";

const service = useService();
const state = () => service.api().state;
const idOf = (email: string) => state().accounts.find((account) => account.email === email)?.id ?? "";
const admin = () => idOf("admin@example.org");

test("what one agreed to is shown, and what is kept", async () => {
  state().privacy.agreed.set(admin(), "1");
  expect((await service.run("privacy show")).stdout).toBe(
    [
      "Privacy policy  version 2; you agreed to: 1",
      "Usage history   not kept",
      "Deletion        not asked for",
      "",
    ].join("\n"),
  );
  expect((await service.run("privacy show --json")).json()).toMatchObject({ deletion: null });
});

test("an export is a whole new file that its owner alone can read, and replaces none", async () => {
  const path = join(service.home().dir, "me.json");
  const line = `privacy export ${path} --password-stdin`;
  expect((await service.run(line, { stdin: PASSWORD })).stdout).toBe(
    `Everything about you stands in ${path}.\n`,
  );
  expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ account_id: admin() });
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  await writeFile(path, "mine");
  expect((await service.run(line, { stdin: PASSWORD })).stderr).toContain("cli.file_exists");
  expect(await readFile(path, "utf8")).toBe("mine");
  const nowhere = await service.run("privacy export /nowhere/me.json");
  expect(nowhere.stderr).toContain("cli.file_unwritable");
  expect((await readdir(service.home().dir)).filter((name) => name.startsWith("me.json"))).toEqual([
    "me.json",
  ]);
});

test("with a wrong password nothing is exported, and no file is left", async () => {
  const path = join(service.home().dir, "me.json");
  const ran = await service.run(`privacy export ${path} --password-stdin`, { stdin: "wrong password" });
  expect(ran.code).toBe(1);
  expect(await readdir(service.home().dir)).not.toContain("me.json");
});

test("the usage history is kept once its text was agreed to, and erased after asking", async () => {
  const declined = await service.run("privacy history on", { terminal: 80, stdin: "n" });
  expect(declined.stderr.replace(/\s+/g, " ")).toContain(USAGE_HISTORY_TEXT.text);
  expect(state().privacy.historySince.has(admin())).toBe(false);
  const on = await service.run("privacy history on", { terminal: 80, stdin: "y" });
  expect(on.stdout).toContain("kept since 2026-11-20 (today)");
  expect((await service.run("privacy history off")).code).toBe(2);
  expect((await service.run("privacy history off --yes")).stdout).toMatch(/Usage history +not kept/);
  expect((await service.run("privacy history perhaps --yes")).code).toBe(2);
});

test("one's own deletion takes a yes and the password, tells its day, and can be taken back", async () => {
  const line = "privacy delete --password-stdin";
  expect((await service.run(line, { stdin: PASSWORD })).code).toBe(2);
  expect(state().privacy.deletions.size).toBe(0);
  const wrong = await service.run(`${line} --yes`, { stdin: "wrong password" });
  expect([wrong.code, state().privacy.deletions.size]).toEqual([1, 0]);
  const asked = await talk(service, "privacy delete", [
    ["[y/N] ", "y"],
    ["Password: ", PASSWORD],
  ]);
  expect(asked.stdout).toBe("Your account is erased on 2026-11-27.\n");
  expect((await service.run("privacy show")).stdout).toMatch(/Deletion +account is erased on 2026-11-27/);
  expect((await service.run("privacy keep")).stdout).toBe("Your account stays.\n");
  expect((await service.run("privacy keep")).stderr).toContain("privacy.no_deletion");
});

test("a customer asks about the own data, and sees by when it is answered", async () => {
  await service.logIn("ada@example.org");
  const asked = await service.home().run(["privacy", "ask", "other", "Who has seen my address?"]);
  expect(asked.stdout).toMatch(/^Asked, as \w+\. You are answered by 2026-12-20/);
  expect((await service.run("privacy ask deletion --json")).json()).toMatchObject({
    kind: "deletion",
    text: null,
  });
  const { stdout } = await service.run("privacy asked");
  expect(stdout).toMatch(/other +open +2026-12-20 +Who has seen my address\?/);
  expect(stdout).toContain("2 requests");
  expect((await service.run("privacy ask lunch")).code).toBe(2);
  expect((await service.run("privacy requests")).stderr).toContain("request.not_allowed");
});

test("staff see what is asked for, what is late, and close it once", async () => {
  const { addRequest } = state().privacy;
  const late = addRequest({ account_id: idOf("ada@example.org"), kind: "export", due_on: "2026-11-19" });
  const erased = addRequest({ due_on: "2026-11-20" });
  const { stdout } = await service.run("privacy requests --state open");
  expect(stdout).toMatch(/export +late +2026-11-19 \(yesterday\) +acc_/);
  expect(stdout).toMatch(/other +open +2026-11-20 \(today\) +erased/);
  expect((await service.run(`privacy close ${late.id} done`)).stdout).toBe(`Closed ${late.id}: done.\n`);
  expect((await service.run(`privacy close ${late.id} refused`)).stderr).toContain("privacy.request_closed");
  expect((await service.run("privacy requests --state done --json")).json()).toMatchObject({
    items: [{ id: late.id, closed_on: "2026-11-20" }],
  });
  expect((await service.run(`privacy close ${erased.id} forgotten`)).code).toBe(2);
  const unknown = await service.run("privacy close nobody done");
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining("securewave privacy requests")]);
  expect((await service.run(`privacy close ${erased.id.slice(0, 20)} refused`)).stdout).toContain(erased.id);
  expect((await service.run("privacy requests --state open")).stdout).toBe("No requests.\n");
});
