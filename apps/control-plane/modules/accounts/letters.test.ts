import { readFileSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { openAccountModules } from "../../testing/account-modules.ts";
import { PASSWORD } from "../../testing/app.ts";
import { createPasswords } from "../passwords/index.ts";
import { createSecondFactors } from "../second-factors/index.ts";
import { notices } from "./notice-letters.ts";

const base = await openAccountModules({ startsJobs: true });
afterAll(() => base.close());
const { accounts, publicUrl } = base;
const passwords = createPasswords({ ...base, secondFactors: createSecondFactors(base) });
await base.startJobs();

const ROUTER = new URL("../../../console/router.tsx", import.meta.url);

/** The paths of the console's pages, without those that hold an id. */
function consolePaths(): string[] {
  const paths = [...readFileSync(ROUTER, "utf8").matchAll(/^ {2}path: "(\/[^"$]*)",$/gm)];
  return paths.map(([, path = ""]) => path);
}

test("every link of a letter leads to a page that the console has", async () => {
  const pages = consolePaths();
  expect(pages).toContain("/devices");
  const [known, forgetful, told] = [await base.account(), await base.account(), await base.account()];
  const newcomer = "newcomer@example.org";
  await accounts.register(newcomer, PASSWORD);
  await accounts.register(known.email, PASSWORD);
  await passwords.requestReset(forgetful.email);
  for (const { email } of [{ email: newcomer }, known, forgetful]) await base.letterTo(email);
  for (const notice of notices) {
    const before = [...base.letters];
    await base.database.transaction((trx) => accounts.notify(trx, told.id, notice));
    await base.letterTo(told.email, before);
  }

  const links = base.letters.map(({ subject, action }) => ({ subject, link: new URL(action?.url ?? "") }));
  expect(new Set(links.map(({ subject }) => subject)).size).toBe(3 + notices.length);
  for (const { subject, link } of links) {
    expect(link.origin, subject).toBe(publicUrl);
    expect(pages, subject).toContain(link.pathname);
  }
});

test("a notice says what to do, leads to the security page, and names no address, place or time", async () => {
  const account = await base.account();
  for (const notice of notices) {
    const before = [...base.letters];
    await base.database.transaction((trx) => accounts.notify(trx, account.id, notice));
    const { subject, paragraphs, action } = await base.letterTo(account.email, before);
    const text = paragraphs.join(" ");
    expect(subject).toMatch(/ your Wave & Co account$/);
    expect(text).toMatch(/[Ii]f (it was not you|you did not ask them to), /);
    const paths: Partial<Record<typeof notice, string>> = {
      password_changed: "/forgot",
      deletion_requested: "/account/privacy",
    };
    const path = paths[notice] ?? "/account/security";
    expect(action?.url).toBe(publicUrl + path);
    expect(`${subject} ${text}`).not.toMatch(/[@\d]/);
    expect(`${subject} ${text}`).not.toContain(account.id);
  }
});

test("a notice is sent exactly if what it tells of is committed, and to nobody once the account is gone", async () => {
  const [account, gone, last] = [await base.account(), await base.account(), await base.account()];
  const undone = base.database.transaction(async (trx) => {
    await accounts.notify(trx, account.id, "passkey_added");
    throw new Error("undone");
  });
  await expect(undone).rejects.toThrow("undone");
  await base.database.transaction(async (trx) => {
    await accounts.notify(trx, gone.id, "passkey_added");
    await trx.deleteFrom("accounts").where("id", "=", gone.id).execute();
  });
  await base.database.transaction((trx) => accounts.notify(trx, last.id, "passkey_added"));
  await base.letterTo(last.email); // the jobs are done in order
  expect(base.letters.filter(({ to }) => to === account.email || to === gone.email)).toEqual([]);
});
