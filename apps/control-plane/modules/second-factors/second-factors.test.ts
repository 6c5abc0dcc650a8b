import { dayOf } from "@securewave/foundation";
import { Secret, TOTP } from "otpauth";
import { afterAll, expect, test } from "vitest";
import { openAccountModules, refusalOf } from "../../testing/account-modules.ts";
import type { Account } from "../accounts/index.ts";
import { createSecondFactors } from "./index.ts";

const base = await openAccountModules();
afterAll(() => base.close());
const { clock, db } = base;
const factors = createSecondFactors(base);
const nextStep = () => clock.advanceSeconds(30);
const codeOf = (secret: string, offsetSeconds = 0) =>
  TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: clock.now() + offsetSeconds * 1000 });
const rowOf = ({ id }: Account) =>
  db.selectFrom("second_factors").selectAll().where("account_id", "=", id).executeTakeFirst();

/** Somebody whose second factor is on. */
async function person() {
  const account = await base.account();
  const { secret } = await factors.begin(account);
  const recoveryCodes = await factors.confirm(account.id, codeOf(secret));
  nextStep();
  const demand = (code?: string) => refusalOf(factors.demand(db, account, code));
  return { account, secret, recoveryCodes, demand };
}

test("nothing is asked before a first code has confirmed the set-up; then a code is", async () => {
  const account = await base.account();
  expect(await factors.show(account.id)).toEqual({
    is_enabled: false,
    enabled_on: null,
    recovery_codes_left: 0,
  });
  const { secret, url, qr_svg } = await factors.begin(account);
  expect(new URL(url).searchParams.get("issuer")).toBe("Wave & Co");
  expect(decodeURIComponent(url)).toContain(account.email);
  expect(qr_svg).toMatch(/^<svg /);
  expect(await factors.demand(db, account, undefined)).toBe("none");
  expect(await factors.isOn(account.id)).toBe(false);
  expect(await refusalOf(factors.confirm(account.id, "000 000"))).toBe("sessions.wrong_code");

  expect(await factors.confirm(account.id, codeOf(secret))).toHaveLength(10);
  expect(await factors.show(account.id)).toEqual({
    is_enabled: true,
    enabled_on: dayOf(clock.now()),
    recovery_codes_left: 10,
  });
  expect(await refusalOf(factors.demand(db, account, undefined))).toBe("sessions.second_factor_needed");
  nextStep();
  expect(await factors.demand(db, account, codeOf(secret))).toBe("totp");
  expect(base.actsOf(account.id)).toEqual(["second_factor_enabled"]);
});

test("a set-up that was begun anew is confirmed by the newest secret alone, and once", async () => {
  const account = await base.account();
  const { secret: old } = await factors.begin(account);
  const { secret } = await factors.begin(account);
  expect(await refusalOf(factors.confirm(account.id, codeOf(old)))).toBe("sessions.wrong_code");
  const calls = Array.from({ length: 4 }, () => refusalOf(factors.confirm(account.id, codeOf(secret))));
  expect((await Promise.all(calls)).filter((code) => code === "ok")).toHaveLength(1);
  expect(await refusalOf(factors.confirm(account.id, codeOf(secret)))).toBe("second_factor.enabled_already");
  expect(await refusalOf(factors.begin(account))).toBe("second_factor.enabled_already");
});

test("a set-up that is not confirmed by the next day has ended", async () => {
  const account = await base.account();
  expect(await refusalOf(factors.confirm(account.id, "123456"))).toBe("second_factor.not_begun");
  const { secret } = await factors.begin(account);
  await factors.deleteExpired();
  expect(await rowOf(account)).toBeDefined();
  clock.advanceSeconds(2 * 86_400);
  expect(await refusalOf(factors.confirm(account.id, codeOf(secret)))).toBe("second_factor.not_begun");
  const { account: other } = await person();
  clock.advanceSeconds(2 * 86_400);
  await factors.deleteExpired();
  expect(await rowOf(account)).toBeUndefined();
  expect(await rowOf(other)).toBeDefined();
});

test("the secret stands sealed, and of its uses nothing that tells a time", async () => {
  const { account, secret } = await person();
  const row = await rowOf(account);
  const bytes = Secret.fromBase32(secret).bytes;
  for (const plain of [secret, Buffer.from(bytes)]) expect(row?.sealed_secret.includes(plain)).toBe(false);
  const stranger = await base.account();
  expect(() =>
    base.envelope.open(row?.sealed_secret ?? Buffer.of(), `second factor ${stranger.id}`),
  ).toThrow();
  expect(row?.last_step_hash).toHaveLength(32);
  expect(Object.values(row ?? {}).filter((value) => value instanceof Date)).toEqual([]);
});

test("of ten who use one code at once, one does it", async () => {
  const { secret, demand, recoveryCodes } = await person();
  const [code, recovery] = [codeOf(secret), recoveryCodes[0]];
  for (const used of [code, recovery]) {
    const results = await Promise.all(Array.from({ length: 10 }, () => demand(used)));
    expect(results.filter((result) => result === "ok")).toHaveLength(1);
    expect(results.filter((result) => result === "sessions.wrong_code")).toHaveLength(9);
  }
});

test("a code does not work again, nor one of a time before it, while the next one does", async () => {
  const { secret, demand } = await person();
  const [early, late] = [codeOf(secret, -30), codeOf(secret, 30)];
  expect(await demand(codeOf(secret))).toBe("ok");
  expect(await demand(codeOf(secret))).toBe("sessions.wrong_code");
  expect(await demand(early)).toBe("sessions.wrong_code");
  expect(await demand(late)).toBe("ok");
  expect(await demand(codeOf(secret))).toBe("sessions.wrong_code");
  nextStep();
  expect(await demand(codeOf(secret))).toBe("sessions.wrong_code");
  nextStep();
  expect(await demand(codeOf(secret))).toBe("ok");
});

test("a code of another account, of another time, or made up is wrong", async () => {
  const [one, two] = [await person(), await person()];
  const far = TOTP.generate({ secret: Secret.fromBase32(one.secret), timestamp: clock.now() + 120_000 });
  for (const code of [
    codeOf(two.secret),
    two.recoveryCodes[0],
    far,
    "",
    "ABCD-EFGH-JKMN-PQRS",
    "0".repeat(6),
  ]) {
    expect(await one.demand(code)).toBe("sessions.wrong_code");
  }
});

test("each recovery code works once, as people type it; new ones end the old", async () => {
  const { account, recoveryCodes, demand } = await person();
  const [first = "", second = "", third = ""] = recoveryCodes;
  expect(await factors.demand(db, account, first.toLowerCase().replaceAll("-", " "))).toBe("recovery_code");
  expect(await demand(first)).toBe("sessions.wrong_code");
  expect(await factors.show(account.id)).toMatchObject({ recovery_codes_left: 9 });
  expect(base.actsOf(account.id)).toEqual(["second_factor_enabled", "recovery_code_used"]);

  const fresh = await factors.renewRecoveryCodes(account.id);
  expect(fresh).toHaveLength(10);
  expect(await demand(second)).toBe("sessions.wrong_code");
  expect(await demand(fresh[0])).toBe("ok");
  expect(await demand(third)).toBe("sessions.wrong_code");
  expect(base.actsOf(account.id)).toContain("recovery_codes_renewed");
  const kept = await db
    .selectFrom("recovery_codes")
    .selectAll()
    .where("account_id", "=", account.id)
    .execute();
  expect(kept).toHaveLength(9);
  for (const { hash } of kept) expect(hash).toHaveLength(32);
});

test("switched off, it leaves nothing behind", async () => {
  const { account, recoveryCodes } = await person();
  await factors.disable(account.id);
  expect(await rowOf(account)).toBeUndefined();
  expect(await factors.demand(db, account, undefined)).toBe("none");
  expect(await factors.demand(db, account, recoveryCodes[0])).toBe("none");
  expect(await refusalOf(factors.disable(account.id))).toBe("second_factor.not_enabled");
  expect(await refusalOf(factors.renewRecoveryCodes(account.id))).toBe("second_factor.not_enabled");
  expect(base.actsOf(account.id)).toEqual(["second_factor_enabled", "second_factor_disabled"]);
});

test("a code that was used in something that failed is not used up", async () => {
  const { account, secret, demand } = await person();
  const failing = base.database.transaction(async (trx) => {
    await factors.demand(trx, account, codeOf(secret));
    throw Object.assign(new Error("the rest failed"), { code: "rest.failed" });
  });
  expect(await refusalOf(failing)).toBe("rest.failed");
  expect(await demand(codeOf(secret))).toBe("ok");
});
