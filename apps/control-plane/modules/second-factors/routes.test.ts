import { api } from "@securewave/contracts";
import { eventually } from "@securewave/testing/eventually";
import { Secret, TOTP } from "otpauth";
import { afterAll, expect, test } from "vitest";
import { createAuthenticator } from "../../testing/authenticator.ts";
import { codeOf, openTestApp, PASSWORD, type Person } from "../../testing.ts";

/** Behind a proxy, so that one machine can speak for many addresses. */
const service = await openTestApp({
  settings: { TRUSTED_PROXIES: "127.0.0.1", API_TRUSTED_HOSTS: "127.0.0.1" },
});
afterAll(() => service.close());
const visitor = service.client();
const password = PASSWORD;

const appCode = (secret: string) =>
  TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: service.clock.now() });

/** Somebody whose second factor is on. */
async function person() {
  const one = await service.person();
  const { secret } = await one.client.secondFactor.begin({ body: { password } });
  const { recovery_codes: recoveryCodes } = await one.client.secondFactor.confirm({
    body: { code: appCode(secret) },
  });
  service.clock.advanceSeconds(30);
  return { ...one, secret, recoveryCodes };
}

/** What a request is refused with that comes from an address of its own: no origin is blocked for it. */
let addresses = 0;
async function refusalFromElsewhere(path: string, body: object, token?: string): Promise<string> {
  const headers = { "x-forwarded-for": `203.0.${addresses >> 8}.${addresses++ & 255}` };
  const { json } = await service.send(path, { body, headers, ...(token === undefined ? {} : { token }) });
  return json?.code ?? "ok";
}

const logIn = ({ email }: Person, code?: string) =>
  refusalFromElsewhere("/api/auth/login", { email, password, ...(code === undefined ? {} : { code }) });
const disable = ({ token }: Person, code: string) =>
  refusalFromElsewhere("/api/account/second-factor/disable", { password, code }, token);

test("once it is on, every log-in takes a code of the app or a recovery code, each once", async () => {
  const one = await person();
  expect(await one.client.secondFactor.show()).toMatchObject({ is_enabled: true, recovery_codes_left: 10 });
  expect(await logIn(one)).toBe("sessions.second_factor_needed");
  expect(await logIn(one, "000000")).toBe("sessions.wrong_code");
  const code = appCode(one.secret);
  expect(await Promise.all(Array.from({ length: 10 }, () => logIn(one, code)))).toSatisfy(
    (codes: string[]) => codes.filter((each) => each === "ok").length === 1,
  );
  service.clock.advanceSeconds(901);
  expect(await logIn(one, one.recoveryCodes[0])).toBe("ok");
  expect(await logIn(one, one.recoveryCodes[0])).toBe("sessions.wrong_code");
  const browser = await service.send("/api/session", { body: { email: one.email, password } });
  expect(browser.json.code).toBe("sessions.second_factor_needed");
});

test("what changes it takes the password and a code", async () => {
  const [one, other] = [await person(), await service.person()];
  const path = "/api/account/second-factor";
  const wrong = { password: "not the password" };
  expect(await refusalFromElsewhere(path, wrong, other.token)).toBe("accounts.wrong_password");
  expect(await refusalFromElsewhere(path, { password }, one.token)).toBe("second_factor.enabled_already");
  const code = appCode(one.secret);
  for (const act of [`${path}/disable`, `${path}/recovery-codes`]) {
    expect(await refusalFromElsewhere(act, { ...wrong, code }, one.token)).toBe("accounts.wrong_password");
    expect(await refusalFromElsewhere(act, { password, code: "000000" }, one.token)).toBe(
      "sessions.wrong_code",
    );
  }
  const renewed = await one.client.secondFactor.renewRecoveryCodes({ body: { password, code } });
  expect(renewed.recovery_codes).toHaveLength(10);
  service.clock.advanceSeconds(30);
  expect(await disable(one, appCode(one.secret))).toBe("ok");
  expect(await logIn(one)).toBe("ok");
});

test("guessing codes locks the account, whatever the password; time unlocks it", async () => {
  const one = await person();
  const guesses = [];
  for (let guess = 0; guess < 12; guess++) guesses.push(await logIn(one, String(100_000 + guess)));
  expect(guesses[0]).toBe("sessions.wrong_code");
  expect(guesses.at(-1)).toBe("sessions.locked");
  expect(await logIn(one, appCode(one.secret))).toBe("sessions.locked");
  expect(await disable(one, "000000")).toBe("sessions.locked");
  service.clock.advanceSeconds(901);
  expect(await logIn(one, appCode(one.secret))).toBe("ok");
});

test("a thief of a log-in who has the password too cannot guess the code by asking for other things between", async () => {
  const one = await person();
  const [between, codes] = [new Set(), []] as [Set<string>, string[]];
  for (let guess = 0; guess < 12; guess++) {
    between.add(await refusalFromElsewhere(api.passkeys.begin.path, { password }, one.token));
    codes.push(await disable(one, String(100_000 + guess)));
  }
  expect([...between]).toEqual(["sessions.second_factor_needed", "sessions.locked"]);
  expect(codes.at(-1)).toBe("sessions.locked");
});

test("a right password whose code is still to come holds nobody up", async () => {
  const one = await person();
  const tries = await Promise.all(Array.from({ length: 30 }, () => logIn(one)));
  expect(new Set(tries.slice(20))).toEqual(new Set(["sessions.second_factor_needed"]));
  expect(await logIn(one, appCode(one.secret))).toBe("ok");
});

test("an admin takes it off an account whose owner lost it, with the passkeys and the log-ins; nobody else can", async () => {
  const [one, admin, support] = [await person(), await service.admin(), await service.person("support")];
  const device = createAuthenticator({ origin: "http://localhost:8000" });
  const options = await one.client.passkeys.begin({ body: { password, code: appCode(one.secret) } });
  await one.client.passkeys.add({ body: { name: "Phone", response: device.register(options) } });
  const params = { id: one.id };
  for (const stranger of [support, await service.person(), one])
    expect(await codeOf(stranger.client.secondFactor.resetOf({ params }))).toBe("request.not_allowed");
  await admin.client.secondFactor.resetOf({ params });
  expect(await codeOf(one.client.accounts.me())).toBe("request.not_logged_in");
  expect(await logIn(one)).toBe("ok");
  const response = device.logIn(await visitor.session.passkeyOptions());
  expect(await codeOf(visitor.session.openWithPasskey({ body: { response } }))).toBe(
    "sessions.wrong_credentials",
  );
  const nobody = { id: `acc_${"0".repeat(20)}` };
  expect(await codeOf(admin.client.secondFactor.resetOf({ params: nobody }))).toBe("accounts.not_found");
  await eventually(async () => {
    const { items } = await admin.client.audit.list({ query: { kind: "second_factor_reset_by_staff" } });
    expect(items).toMatchObject([{ body: { actor: admin.id, subject: one.id } }]);
  });
});

test("secrets and codes stand in no log line and in no entry of the trail", async () => {
  const one = await person();
  await logIn(one, one.recoveryCodes[0]);
  const trail = await eventually(async () => {
    const entries = await service.database.db.selectFrom("audit_entries").selectAll().execute();
    expect(JSON.stringify(entries)).toMatch(/recovery_code_used.*login_succeeded/);
    return entries;
  });
  const text = service.logLines.join("\n") + JSON.stringify(trail);
  for (const secret of [one.secret, ...one.recoveryCodes, one.email]) expect(text).not.toContain(secret);
});
