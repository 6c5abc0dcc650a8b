import { afterAll, expect, test } from "vitest";
import { createAuthenticator } from "../../testing/authenticator.ts";
import { codeOf, openTestApp, PASSWORD } from "../../testing.ts";

const ORIGIN = "http://localhost:8000";
const service = await openTestApp();
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
  await one.client.passkeys.remove({ params });
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
  expect(await codeOf(two.client.passkeys.remove({ params: { id } }))).toBe("passkeys.not_found");
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
