import { eventually } from "@securewave/testing/eventually";
import { Secret, TOTP } from "otpauth";
import { afterAll, expect, test } from "vitest";
import { codeOf, openTestApp, PASSWORD, type Person } from "../../testing.ts";

/** Behind a proxy, so that one machine can speak for many addresses. */
const service = await openTestApp({
  jobs: true,
  settings: { TRUSTED_PROXIES: "127.0.0.1", API_TRUSTED_HOSTS: "127.0.0.1" },
});
afterAll(() => service.close());
const visitor = service.client();
const NEW_PASSWORD = "another horse, another battery";

/** What a request is refused with that comes from an address of its own: no origin is blocked for it. */
let addresses = 0;
async function refusalFromElsewhere(path: string, body: object, token?: string): Promise<string> {
  const headers = { "x-forwarded-for": `203.0.${addresses >> 8}.${addresses++ & 255}` };
  const { json } = await service.send(path, { body, headers, ...(token === undefined ? {} : { token }) });
  return json?.code ?? "ok";
}

async function linkFor({ email }: Person): Promise<string> {
  expect(await visitor.passwords.requestReset({ body: { email } })).toEqual({ status: "mail_sent" });
  return eventually(async () => {
    const links = (await service.mails())
      .filter(({ to }) => to.includes(email))
      .flatMap((mail) => mail.links);
    const tokens = links.flatMap((link) => /\/reset#token=(swp_\S+)/.exec(link)?.[1] ?? []);
    expect(tokens).not.toEqual([]);
    return tokens.at(-1) ?? "";
  });
}

test("a forgotten password: mail, check, set; all log-ins end, and the new password logs in", async () => {
  const one = await service.person();
  const token = await linkFor(one);
  expect(await visitor.passwords.checkReset({ body: { token } })).toEqual({
    email: one.email,
    needs_code: false,
  });
  const reset = (password: string) => codeOf(visitor.passwords.reset({ body: { token, password } }));
  expect(await reset("password1234")).toBe("accounts.weak_password");
  expect(await reset(NEW_PASSWORD)).toBe("ok");
  expect(await reset(NEW_PASSWORD)).toBe("accounts.link_invalid");
  expect(await codeOf(visitor.passwords.checkReset({ body: { token } }))).toBe("accounts.link_invalid");
  expect(await codeOf(one.client.accounts.me())).toBe("request.not_logged_in");
  expect(await codeOf(visitor.sessions.refresh({ body: { refresh_token: one.refreshToken } }))).toMatch(
    /^sessions\./,
  );
  expect(await codeOf(service.logIn(one.email))).toBe("sessions.wrong_credentials");
  expect(await codeOf(service.logIn(one.email, NEW_PASSWORD))).toBe("ok");
});

test("strangers who lock an account do not keep its owner from setting a new password", async () => {
  const one = await service.person();
  for (let guess = 0; guess < 10; guess++)
    await refusalFromElsewhere("/api/auth/login", { email: one.email, password: `guess ${guess}` });
  expect(await codeOf(service.logIn(one.email))).toBe("sessions.locked");
  const token = await linkFor(one);
  expect(await codeOf(visitor.passwords.reset({ body: { token, password: NEW_PASSWORD } }))).toBe("ok");
});

test("with a second factor a link alone is not enough, and codes are not guessed by it", async () => {
  const one = await service.person();
  const { secret } = await one.client.secondFactor.begin({ body: { password: PASSWORD } });
  const code = () => TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: service.clock.now() });
  await one.client.secondFactor.confirm({ body: { code: code() } });
  service.clock.advanceSeconds(30);
  const token = await linkFor(one);
  const reset = (rest: object) =>
    refusalFromElsewhere("/api/auth/password/reset", { token, password: NEW_PASSWORD, ...rest });
  expect(await reset({})).toBe("sessions.second_factor_needed");
  const guesses = [];
  for (let guess = 0; guess < 10; guess++) guesses.push(await reset({ code: String(100_000 + guess) }));
  expect(guesses[0]).toBe("sessions.wrong_code");
  expect(guesses.at(-1)).toBe("sessions.locked");
  service.clock.advanceSeconds(901);
  expect(await reset({ code: code() })).toBe("ok");
});

test("who changes the password keeps this log-in, loses the others, and must know the present one", async () => {
  const one = await service.person();
  const other = await service.logIn(one.email);
  const change = (current_password: string, password = NEW_PASSWORD) =>
    refusalFromElsewhere("/api/account/password", { current_password, password }, one.token);
  expect(await change("not the password")).toBe("accounts.wrong_password");
  expect(await change(PASSWORD, "qwertyuiop1")).toBe("accounts.weak_password");
  expect(await change(PASSWORD)).toBe("ok");
  expect(await codeOf(one.client.accounts.me())).toBe("ok");
  expect(await codeOf(other.client.accounts.me())).toBe("request.not_logged_in");
  const guesses = [];
  for (let guess = 0; guess < 10; guess++) guesses.push(await change(`guess ${guess}`));
  expect(guesses.at(-1)).toBe("sessions.locked");
});

test("an API key changes no password", async () => {
  const one = await service.person();
  const body = { name: "script", scopes: ["account:read" as const], password: PASSWORD };
  const { text } = await one.client.apiKeys.create({ body });
  const change = service
    .client(text)
    .passwords.change({ body: { current_password: PASSWORD, password: NEW_PASSWORD } });
  expect(await codeOf(change)).toBe("sentinel.scope_missing");
});
