import { expect, test } from "vitest";
import { PASSWORD } from "../testing/fake-state.ts";
import { useService } from "../testing/service.ts";

const service = useService();
const account = (email: string) => service.api().state.accounts.find((each) => each.email === email);

test("accounts are listed", async () => {
  const { stdout } = await service.run("users list --search ada");
  expect(stdout).toBe(
    [
      "EMAIL             ROLE      STATE   CREATED",
      "ada@example.org   customer  active  2026-11-17 (3 days ago)",
      "adam@example.org  customer  active  2026-11-17 (3 days ago)",
      "",
      "2 accounts",
      "",
    ].join("\n"),
  );
  expect((await service.run("users list --search adam --json")).json()).toEqual({
    items: [account("adam@example.org")],
    next_cursor: null,
  });
});

test("an exact address wins over one that begins like it", async () => {
  expect((await service.run("users show ada@example.org --json")).json()).toEqual(account("ada@example.org"));
  expect((await service.run("users show ada")).stderr).toContain("cli.ambiguous");
  expect((await service.run("users show adam")).stdout).toMatch(/Account\s+adam@example\.org/);
});

test("an account is created with a password from standard input", async () => {
  const ran = await service.run("users create sam@example.org --role support --password-stdin", {
    stdin: `${PASSWORD}\n`,
  });
  expect(ran.stdout).toBe("Created sam@example.org as support.\n");
  expect(account("sam@example.org")?.role).toBe("support");
});

test("a new password is asked for twice", async () => {
  const differing = await service.run("users create sam@example.org", {
    terminal: 80,
    stdin: `${PASSWORD}\nanother one`,
  });
  expect(differing.stderr).toContain("cli.passwords_differ");
  expect(account("sam@example.org")).toBeUndefined();
  await service.run("users create sam@example.org", { terminal: 80, stdin: `${PASSWORD}\n${PASSWORD}` });
  expect(account("sam@example.org")).toBeDefined();
});

test("input that the contract does not allow is named by its place", async () => {
  const ran = await service.run("users create nobody --password-stdin --json", { stdin: PASSWORD });
  expect(ran.code).toBe(1);
  expect(JSON.parse(ran.stderr).error).toMatchObject({ code: "request.invalid", issues: [{ at: "body" }] });
});

test("an account is suspended after asking, and let in again", async () => {
  expect((await service.run("users suspend ada@example.org --json")).code).toBe(2);
  await service.run("users suspend ada@example.org", { terminal: 80, stdin: "y" });
  expect(account("ada@example.org")?.state).toBe("suspended");
  expect((await service.run("users reactivate ada@example.org")).stdout).toBe(
    "Reactivated ada@example.org.\n",
  );
});

test("an account's role is changed to one that there is", async () => {
  expect((await service.run("users role adam support --json")).json()).toMatchObject({ role: "support" });
  expect((await service.run("users role adam king")).code).toBe(2);
});

test("an account is logged out everywhere after asking", async () => {
  await service.logIn("ada@example.org");
  await service.logIn("admin@example.org");
  const id = account("ada@example.org")?.id;
  const own = () => service.api().state.sessions.filter(({ accountId }) => accountId === id);
  expect((await service.run("users log-out ada@example.org")).code).toBe(2);
  expect(own().map(({ hasEnded }) => hasEnded)).toEqual([false]);
  const ran = await service.run("users log-out ada@example.org", { terminal: 80, stdin: "y" });
  expect(ran.stdout).toBe("ada@example.org is logged out everywhere.\n");
  expect(own().map(({ hasEnded }) => hasEnded)).toEqual([true]);
});

test("a second factor is taken off after asking whether it is the owner who asks", async () => {
  const id = account("ada@example.org")?.id ?? "";
  const { codes } = service.api().state.security;
  codes.set(id, ["123456"]);
  const line = "users reset-second-factor ada@example.org";
  const declined = await service.run(line, { terminal: 80, stdin: "n" });
  expect(declined.stderr).toContain("Is it really the owner who asks?");
  expect(codes.has(id)).toBe(true);
  expect((await service.run(`${line} --yes --json`)).json()).toEqual(account("ada@example.org"));
  expect(codes.has(id)).toBe(false);
});

test("an account is erased after asking, on the day that is told, or today, and kept again", async () => {
  const { deletions } = service.api().state.privacy;
  const id = account("ada@example.org")?.id ?? "";
  expect((await service.run("users delete ada@example.org")).code).toBe(2);
  expect(deletions.size).toBe(0);
  const ran = await service.run("users delete ada@example.org", { terminal: 80, stdin: "y" });
  expect(ran.stdout).toBe("ada@example.org is erased on 2026-11-27.\n");
  expect((await service.run("users keep ada@example.org")).stdout).toBe("ada@example.org stays.\n");
  expect(deletions.has(id)).toBe(false);
  expect((await service.run("users keep ada@example.org")).stderr).toContain("privacy.no_deletion");
  const atOnce = await service.run("users delete ada@example.org --now --yes --json");
  expect(atOnce.json()).toEqual({ asked_on: "2026-11-20", due_on: "2026-11-20" });
});
