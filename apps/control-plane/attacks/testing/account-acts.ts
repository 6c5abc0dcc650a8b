import { eventually } from "@securewave/testing/eventually";
import { Secret, TOTP } from "otpauth";
import { expect } from "vitest";
import { createAuthenticator } from "../../testing/authenticator.ts";
import { PASSWORD, type Person, type TestApp } from "../../testing.ts";
import { type Acts, act } from "./act.ts";

const password = PASSWORD;
export const NEW_PASSWORD = "another horse, another battery";

const appCode = (service: TestApp, secret: string) =>
  TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: service.clock.now() });

/** Somebody whose second factor is on. */
export async function careful(service: TestApp) {
  const one = await service.person();
  const { secret } = await one.client.secondFactor.begin({ body: { password } });
  const { recovery_codes: codes } = await one.client.secondFactor.confirm({
    body: { code: appCode(service, secret) },
  });
  service.clock.advanceSeconds(30);
  return { ...one, secret, codes };
}

/** What people do with accounts, log-ins and what opens them. */
export function accountActs(service: TestApp): Acts {
  const visitor = service.client();

  async function withPasskey() {
    const one = await service.person();
    const device = createAuthenticator({ origin: "http://localhost:8000", isSynced: true });
    const response = device.register(await one.client.passkeys.begin({ body: { password } }));
    const { id } = await one.client.passkeys.add({ body: { name: "My phone", response } });
    return { ...one, device, passkeyId: id };
  }

  async function resetLinkOf({ email }: Person): Promise<string> {
    await visitor.passwords.requestReset({ body: { email } });
    return eventually(async () => {
      const [link = ""] = (await service.latestMail(email)).links;
      const token = /\/reset#token=(\S+)/.exec(link)?.[1] ?? "";
      expect(token).toMatch(/^swp_/);
      return token;
    });
  }

  const newKey = async ({ client }: Person) =>
    client.apiKeys.create({ body: { name: "Laptop", scopes: ["devices:read"], password } });

  return {
    "service.setUp": act(["setup_completed", "login_succeeded"], async () => {
      const token = (await service.app.accounts.createSetupToken()) ?? "";
      return () => visitor.service.setUp({ body: { token, email: "boss@example.org", password } });
    }),
    "service.changeSettings": act("settings_changed", async () => {
      const { client } = await service.admin();
      return () => client.service.changeSettings({ body: { service_name: "Sea Wave" } });
    }),
    "accounts.create": act("account_created", async () => {
      const { client } = await service.admin();
      return () =>
        client.accounts.create({ body: { email: "colleague@example.org", password, role: "support" } });
    }),
    "accounts.change": act("account_changed", async () => {
      const [{ client }, { id }] = [await service.admin(), await service.person()];
      return () => client.accounts.change({ params: { id }, body: { state: "suspended" } });
    }),
    "passwords.reset": act(["password_reset", "sessions_ended"], async () => {
      const token = await resetLinkOf(await service.person());
      return () => visitor.passwords.reset({ body: { token, password: NEW_PASSWORD } });
    }),
    "passwords.change": act(["password_changed", "sessions_ended"], async () => {
      const { client } = await service.person();
      return () => client.passwords.change({ body: { current_password: password, password: NEW_PASSWORD } });
    }),
    "session.open": act("login_succeeded", async () => {
      const { email } = await service.person();
      return () => visitor.session.open({ body: { email, password } });
    }),
    "session.openWithPasskey": act("login_succeeded", async () => {
      const { device } = await withPasskey();
      const response = device.logIn(await visitor.session.passkeyOptions());
      return () => visitor.session.openWithPasskey({ body: { response } });
    }),
    "sessions.logIn": act("login_succeeded", async () => {
      const { email } = await service.person();
      return () => visitor.sessions.logIn({ body: { email, password } });
    }),
    "sessions.logOutEverywhere": act("sessions_ended", async () => {
      const { client } = await service.person();
      return () => client.sessions.logOutEverywhere();
    }),
    "sessions.end": act("session_ended", async () => {
      const { client, email } = await service.person();
      await service.logIn(email);
      const other = (await client.sessions.list()).items.find(({ is_current }) => !is_current);
      return () => client.sessions.end({ params: { id: other?.id ?? "" } });
    }),
    "sessions.endAllOf": act("sessions_ended", async () => {
      const [{ client }, { id }] = [await service.admin(), await service.person()];
      return () => client.sessions.endAllOf({ params: { id } });
    }),
    "secondFactor.confirm": act("second_factor_enabled", async () => {
      const { client } = await service.person();
      const { secret } = await client.secondFactor.begin({ body: { password } });
      return () => client.secondFactor.confirm({ body: { code: appCode(service, secret) } });
    }),
    "secondFactor.disable": act("second_factor_disabled", async () => {
      const { client, secret } = await careful(service);
      return () => client.secondFactor.disable({ body: { password, code: appCode(service, secret) } });
    }),
    "secondFactor.renewRecoveryCodes": act("recovery_codes_renewed", async () => {
      const { client, secret } = await careful(service);
      return () =>
        client.secondFactor.renewRecoveryCodes({ body: { password, code: appCode(service, secret) } });
    }),
    "secondFactor.resetOf": act(["second_factor_reset_by_staff", "sessions_ended"], async () => {
      const [{ client }, { id }] = [await service.admin(), await careful(service)];
      return () => client.secondFactor.resetOf({ params: { id } });
    }),
    "passkeys.add": act("passkey_added", async () => {
      const { client } = await service.person();
      const device = createAuthenticator({ origin: "http://localhost:8000" });
      const response = device.register(await client.passkeys.begin({ body: { password } }));
      return () => client.passkeys.add({ body: { name: "My phone", response } });
    }),
    "passkeys.remove": act("passkey_removed", async () => {
      const { client, passkeyId } = await withPasskey();
      return () => client.passkeys.remove({ params: { id: passkeyId }, body: { password } });
    }),
    "apiKeys.create": act("api_key_created", async () => {
      const one = await service.person();
      return () => newKey(one);
    }),
    "apiKeys.rotate": act("api_key_rotated", async () => {
      const one = await service.person();
      const { id } = await newKey(one);
      return () => one.client.apiKeys.rotate({ params: { id }, body: { password } });
    }),
    "apiKeys.revoke": act("api_key_revoked", async () => {
      const one = await service.person();
      const { id } = await newKey(one);
      return () => one.client.apiKeys.revoke({ params: { id } });
    }),
  };
}
