import { Secret, TOTP } from "otpauth";
import { afterAll, expect, test } from "vitest";
import { createAuthenticator } from "../../testing/authenticator.ts";
import { codeOf, openTestApp, PASSWORD } from "../../testing.ts";

const ORIGIN = "http://localhost:8000";
const service = await openTestApp({ settings: { TRUSTED_PROXIES: "127.0.0.1" } });
afterAll(() => service.close());
const visitor = service.client();
const password = PASSWORD;

test("a passkey logs a browser in by cookie, past a second factor, until it is removed", async () => {
  const one = await service.person();
  const device = createAuthenticator({ origin: ORIGIN, isSynced: true });
  const options = await one.client.passkeys.begin({ body: { password } });
  const passkey = await one.client.passkeys.add({
    body: { name: "My phone", response: device.register(options) },
  });
  expect(passkey).toMatchObject({ name: "My phone", is_synced: true });

  const logIn = async () =>
    service.send("/api/session/passkey", {
      body: { response: device.logIn(await visitor.session.passkeyOptions()) },
    });
  const answer = await logIn();
  expect(answer).toMatchObject({ status: 200, json: { account: { id: one.id } } });
  expect(answer.headers.get("set-cookie")).toMatch(/^securewave_session=\S+;.*HttpOnly/);
  const cookie = answer.headers.get("set-cookie")?.split(";")[0] ?? "";
  expect((await service.send("/api/account", { headers: { cookie } })).json).toMatchObject({ id: one.id });

  const params = { id: passkey.id };
  expect(await one.client.passkeys.rename({ params, body: { name: "Old phone" } })).toMatchObject({
    name: "Old phone",
  });
  expect((await one.client.passkeys.list()).items).toMatchObject([{ id: passkey.id, name: "Old phone" }]);
  await one.client.passkeys.remove({ params, body: { password } });
  expect((await logIn()).json.code).toBe("sessions.wrong_credentials");
});

test("one's passkeys are nobody else's, and a new one takes the password", async () => {
  const [one, two] = [await service.person(), await service.person()];
  const device = createAuthenticator({ origin: ORIGIN });
  expect(await codeOf(one.client.passkeys.begin({ body: { password: "not the password" } }))).toBe(
    "accounts.wrong_password",
  );
  const options = await one.client.passkeys.begin({ body: { password } });
  const response = device.register(options);
  expect(await codeOf(two.client.passkeys.add({ body: { name: "Mine", response } }))).toBe(
    "passkeys.refused",
  );
  const { id } = await one.client.passkeys.add({ body: { name: "Mine", response } });
  expect(await codeOf(two.client.passkeys.add({ body: { name: "Mine", response } }))).toBe(
    "passkeys.refused",
  );
  expect((await two.client.passkeys.list()).items).toEqual([]);
  expect(await codeOf(two.client.passkeys.rename({ params: { id }, body: { name: "x" } }))).toBe(
    "passkeys.not_found",
  );
  const remove = (person: typeof one, given: string) =>
    codeOf(person.client.passkeys.remove({ params: { id }, body: { password: given } }));
  expect(await remove(two, password)).toBe("passkeys.not_found");
  expect(await remove(one, "not the password")).toBe("accounts.wrong_password");
  expect((await one.client.passkeys.list()).items).toMatchObject([{ id }]);
});

test("with a second factor on, a passkey is added and removed by password and code alone", async () => {
  const one = await service.person();
  const { secret } = await one.client.secondFactor.begin({ body: { password } });
  const code = () => {
    service.clock.advanceSeconds(30);
    return TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: service.clock.now() });
  };
  await one.client.secondFactor.confirm({ body: { code: code() } });
  expect(await codeOf(one.client.passkeys.begin({ body: { password } }))).toBe(
    "sessions.second_factor_needed",
  );
  const options = await one.client.passkeys.begin({ body: { password, code: code() } });
  const response = createAuthenticator({ origin: ORIGIN }).register(options);
  const { id } = await one.client.passkeys.add({ body: { name: "Phone", response } });
  const remove = (body: { password: string; code?: string }) =>
    codeOf(one.client.passkeys.remove({ params: { id }, body }));
  expect(await remove({ password })).toBe("sessions.second_factor_needed");
  expect(await remove({ password, code: "000000" })).toBe("sessions.wrong_code");
  expect(await remove({ password, code: code() })).toBe("ok");
});

test("made-up passkeys lock nobody's password", async () => {
  const one = await service.person();
  const send = (path: string, body: object, address: string) =>
    service.send(path, { body, headers: { "x-forwarded-for": address } });
  const tries = [];
  for (let guess = 0; guess < 8; guess++) {
    const answer = await send("/api/session/passkey", { response: { id: one.email } }, `198.51.100.${guess}`);
    tries.push(answer.json.code);
  }
  expect(tries.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => "sessions.wrong_credentials"));
  expect(tries.at(-1)).toBe("sessions.locked");
  const body = { email: one.email, password };
  expect((await send("/api/auth/login", body, "198.51.100.100")).status).toBe(200);
});

test("a page of another site opens no session by a passkey", async () => {
  const one = await service.person();
  const device = createAuthenticator({ origin: ORIGIN });
  const options = await one.client.passkeys.begin({ body: { password } });
  await one.client.passkeys.add({ body: { name: "Phone", response: device.register(options) } });
  const response = device.logIn(await visitor.session.passkeyOptions());
  const headers = { origin: "https://evil.example.org" };
  const forged = await service.send("/api/session/passkey", { body: { response }, headers });
  expect(forged).toMatchObject({ status: 403, json: { code: "sentinel.forged_request" } });
});
