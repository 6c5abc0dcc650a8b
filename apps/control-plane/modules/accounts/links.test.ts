import { randomBytes } from "node:crypto";
import { dayOf } from "@securewave/foundation";
import { afterAll, expect, test } from "vitest";
import { openAccountModules } from "../../testing/account-modules.ts";
import type { Account } from "./index.ts";

const base = await openAccountModules();
afterAll(() => base.close());
const { accounts, clock, database } = base;
const PURPOSE = "reset_password";

async function sendLink({ id }: Account, deliver = async () => {}): Promise<Buffer> {
  const hash = randomBytes(32);
  const link = { hash, purpose: PURPOSE, accountId: id, untilMs: clock.now() + 60_000 } as const;
  await accounts.sendLink(link, deliver);
  return hash;
}

/** Those of the links that work, by their place. */
async function working(links: readonly Buffer[]): Promise<number[]> {
  const today = dayOf(clock.now());
  const owners = await Promise.all(
    links.map((hash) => accounts.findByToken(database.db, hash, PURPOSE, today)),
  );
  return owners.flatMap((owner, at) => (owner ? [at] : []));
}

test("of the links of one account the last three work, and those of others stay", async () => {
  const [account, other] = [await base.account(), await base.account()];
  const ofOther = await sendLink(other);
  const links: Buffer[] = [];
  for (let sent = 0; sent < 7; sent++) {
    links.push(await sendLink(account));
    const all = [...links.keys()];
    expect(await working(links)).toEqual(all.slice(-3));
  }
  expect(await working([ofOther])).toEqual([0]);
});

test("a letter that could not be sent ends no link before, however often it is tried", async () => {
  const account = await base.account();
  const links = [await sendLink(account), await sendLink(account), await sendLink(account)];
  const away = async () => Promise.reject(new Error("the mail server is away"));
  for (let tried = 0; tried < 8; tried++) await expect(sendLink(account, away)).rejects.toThrow("away");
  expect(await working(links)).toEqual([0, 1, 2]);
});
