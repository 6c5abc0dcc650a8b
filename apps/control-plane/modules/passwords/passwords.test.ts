import { hashToken } from "@securewave/foundation/secret";
import { eventually } from "@securewave/testing/eventually";
import { Secret, TOTP } from "otpauth";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { openAccountModules, refusalOf } from "../../testing/account-modules.ts";
import { PASSWORD } from "../../testing/app.ts";
import { compareTimes, isTold } from "../../testing/timing.ts";
import { type Account, isRightPassword } from "../accounts/index.ts";
import { createSecondFactors } from "../second-factors/index.ts";
import { createPasswords } from "./index.ts";

const base = await openAccountModules({ startsJobs: true });
afterAll(() => base.close());
const { accounts, clock, db } = base;
const secondFactors = createSecondFactors(base);
const ended: { accountId: string; exceptId: string | undefined; isTold: boolean }[] = [];
let failEnding = false;
accounts.onPasswordSet(async (_, accountId, exceptId) => {
  if (failEnding) throw new Error("the log-ins could not be ended");
  const end = { accountId, exceptId, isTold: false };
  ended.push(end);
  return () => {
    end.isTold = true;
  };
});
const passwords = createPasswords({ ...base, secondFactors });
await base.startJobs();
beforeEach(() => {
  ended.length = 0;
  failEnding = false;
});

const NEW_PASSWORD = "another horse, another battery";

/** Waits until one more letter may be sent, asks for a link, and gives back its token. */
async function linkFor({ email }: Account): Promise<string> {
  clock.advanceSeconds(66);
  const before = [...base.letters];
  await passwords.requestReset(email);
  // A notice of what was done before may come before it, or after.
  return eventually(async () => {
    const fresh = base.letters.filter((letter) => letter.to === email && !before.includes(letter));
    const urls = fresh.map(({ action }) => action?.url ?? "");
    const link = urls.find((url) => url.startsWith("https://vpn.example.org/reset#token=swp_"));
    expect(link, urls.join(" ")).toBeDefined();
    return link?.split("#token=")[1] ?? "";
  });
}

async function hasPassword({ id }: Account, password: string): Promise<boolean> {
  return isRightPassword((await accounts.get(id)).password_hash, password);
}

const reset = (token: string, password = NEW_PASSWORD, code?: string) =>
  refusalOf(passwords.reset(token, password, code));

describe("a forgotten password", () => {
  test("is replaced by the link of a mail; every log-in ends and the owner is told", async () => {
    const account = await base.account();
    const token = await linkFor(account);
    expect(await passwords.check(token)).toEqual({ email: account.email, needs_code: false });
    const before = [...base.letters];
    expect(await reset(token)).toBe("ok");
    expect(await hasPassword(account, NEW_PASSWORD)).toBe(true);
    expect(ended).toEqual([{ accountId: account.id, exceptId: undefined, isTold: true }]);
    expect(base.actsOf(account.id)).toEqual(["password_reset"]);
    const letter = await base.letterTo(account.email, before);
    expect(letter.subject).toBe("A new password was set for your Wave & Co account");
    expect(letter.paragraphs.join(" ")).not.toContain(NEW_PASSWORD);
  });

  test("a link works once, also when it is opened ten times at once", async () => {
    const account = await base.account();
    const token = await linkFor(account);
    const tries = Array.from({ length: 10 }, (_, index) => reset(token, `${NEW_PASSWORD} ${index}`));
    const codes = await Promise.all(tries);
    expect(codes.filter((code) => code === "ok")).toHaveLength(1);
    expect(await hasPassword(account, `${NEW_PASSWORD} ${codes.indexOf("ok")}`)).toBe(true);
    expect(await reset(token)).toBe("accounts.link_invalid");
    expect(await refusalOf(passwords.check(token))).toBe("accounts.link_invalid");
  });

  test("a link works for one hour to the second, whatever time somebody writes into it", async () => {
    const account = await base.account();
    const token = await linkFor(account);
    clock.advanceSeconds(3595);
    expect(await refusalOf(passwords.check(token))).toBe("ok");
    clock.advanceSeconds(10);
    expect(await refusalOf(passwords.check(token))).toBe("accounts.link_invalid");
    expect(await reset(token)).toBe("accounts.link_invalid");
    const later = (Math.floor(clock.now() / 1000) + 9999).toString(36);
    expect(await reset(token.replace(/_[0-9a-z]+_/, `_${later}_`))).toBe("accounts.link_invalid");
    expect(await hasPassword(account, PASSWORD)).toBe(true);
  });

  test("a new link ends none before; opened all at once, one sets the password and all end", async () => {
    const account = await base.account();
    const tokens = [await linkFor(account), await linkFor(account), await linkFor(account)];
    for (const token of tokens) expect(await refusalOf(passwords.check(token))).toBe("ok");
    const codes = await Promise.all(tokens.map((token) => reset(token)));
    expect(codes.toSorted()).toEqual(["accounts.link_invalid", "accounts.link_invalid", "ok"]);
    for (const token of tokens) expect(await reset(token)).toBe("accounts.link_invalid");
  });

  test("every link ends with a change of the password", async () => {
    const account = await base.account();
    const token = await linkFor(account);
    await passwords.change(account, NEW_PASSWORD, "ses_1");
    expect(await reset(token)).toBe("accounts.link_invalid");
  });

  test("of a link, a hash and a day are kept, and in the queue nothing", async () => {
    const account = await base.account();
    const token = await linkFor(account);
    const rows = await db
      .selectFrom("one_time_tokens")
      .selectAll()
      .where("account_id", "=", account.id)
      .execute();
    expect(rows).toEqual([
      {
        hash: hashToken(token),
        purpose: "reset_password",
        account_id: account.id,
        expires_on: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
      },
    ]);
    const { rows: queued } = await base.database.pool.query("select data::text from jobs.job");
    expect(JSON.stringify(queued)).not.toContain(token);
    expect(JSON.stringify(queued)).not.toContain(account.email);
  });

  test("a weak password is refused, and the link still works", async () => {
    const account = await base.account();
    const token = await linkFor(account);
    expect(await reset(token, "password1234")).toBe("accounts.weak_password");
    expect(await reset(token, `${account.email.split("@")[0]}-2026`)).toBe("accounts.weak_password");
    expect(await reset(token)).toBe("ok");
  });

  test("where a second factor is on, its code is needed too; a wrong one leaves the link as it was", async () => {
    const account = await base.account();
    const { secret } = await secondFactors.begin(account);
    const code = () => TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: clock.now() });
    await secondFactors.confirm(account.id, code());
    clock.advanceSeconds(30);
    const token = await linkFor(account);
    expect(await passwords.check(token)).toEqual({ email: account.email, needs_code: true });
    expect(await reset(token)).toBe("sessions.second_factor_needed");
    expect(await reset(token, NEW_PASSWORD, "000000")).toBe("sessions.wrong_code");
    expect(await hasPassword(account, PASSWORD)).toBe(true);
    expect(await reset(token, "password1234", code())).toBe("accounts.weak_password");
    expect(await reset(token, NEW_PASSWORD, code())).toBe("ok");
    expect(await secondFactors.isOn(account.id)).toBe(true);
  });

  test("whoever asks again and again sends one letter a minute, three an hour, and ends no link", async () => {
    const [account, other] = [await base.account(), await base.account()];
    const token = await linkFor(account);
    const sent = () => base.letters.filter(({ to }) => to === account.email).length;
    for (let request = 0; request < 4; request++) await passwords.requestReset(account.email.toUpperCase());
    await linkFor(other); // the jobs are done in order
    expect(sent()).toBe(1);
    for (let minute = 0; minute < 4; minute++) {
      await passwords.requestReset(account.email);
      clock.advanceSeconds(66);
    }
    await linkFor(other);
    expect(sent()).toBe(3);
    expect(await reset(token)).toBe("ok");
  });

  test("where the log-ins cannot be ended, the password stays and the link still works", async () => {
    const account = await base.account();
    const token = await linkFor(account);
    failEnding = true;
    await expect(passwords.reset(token, NEW_PASSWORD, undefined)).rejects.toThrow("could not be ended");
    await expect(passwords.change(account, NEW_PASSWORD, "ses_1")).rejects.toThrow("could not be ended");
    expect(await hasPassword(account, PASSWORD)).toBe(true);
    failEnding = false;
    expect(await reset(token)).toBe("ok");
  });

  test.each(["unverified", "suspended"] as const)("an account that is %s gets no link", async (state) => {
    const [account, other] = [await base.account(state), await base.account()];
    await passwords.requestReset(account.email);
    await linkFor(other); // the jobs are done in order
    expect(base.letters.filter(({ to }) => to === account.email)).toEqual([]);
  });

  test("a link is worth nothing once its account is suspended, nor is that of another purpose", async () => {
    const account = await base.account();
    const token = await linkFor(account);
    expect(await refusalOf(accounts.verifyEmail(token))).toBe("accounts.link_invalid");
    await db.updateTable("accounts").set({ state: "suspended" }).where("id", "=", account.id).execute();
    expect(await reset(token)).toBe("accounts.link_invalid");
    for (const text of ["", "swp_guess", "swv_guess"])
      expect(await reset(text)).toBe("accounts.link_invalid");
  });
});

test("a changed password ends the other log-ins and is told to the owner", async () => {
  const account = await base.account();
  expect(await refusalOf(passwords.change(account, "1234567890", "ses_1"))).toBe("accounts.weak_password");
  const before = [...base.letters];
  await passwords.change(account, NEW_PASSWORD, "ses_1");
  expect(await hasPassword(account, NEW_PASSWORD)).toBe(true);
  expect(ended).toEqual([{ accountId: account.id, exceptId: "ses_1", isTold: true }]);
  expect(base.actsOf(account.id)).toEqual(["password_changed"]);
  expect((await base.letterTo(account.email, before)).subject).toContain("new password was set");
});

describe("how long it takes tells nobody whether an address has an account", () => {
  let count = 0;
  const unknown = () => `nobody-${count++}@example.org`;
  test.each<[string, (email: string) => Promise<unknown>]>([
    ["when a link is asked for", (email) => passwords.requestReset(email)],
    ["when the confirmation is asked for again", (email) => accounts.requestVerification(email)],
    ["when it is registered", (email) => accounts.register(email, NEW_PASSWORD)],
  ])("%s", async (_, act) => {
    const { email } = await base.account();
    const { email: unverified } = await base.account("unverified");
    const actSoMuchLater = (address: string) => {
      clock.advanceSeconds(1320); // a letter is due each time
      return act(address);
    };
    for (const known of [email, unverified]) {
      const times = await compareTimes(
        () => actSoMuchLater(known),
        () => actSoMuchLater(unknown()),
      );
      expect(isTold(times), JSON.stringify(times)).toBe(false);
    }
  });
});
