import type { IncomingMessage, ServerResponse } from "node:http";
import {
  AUDIT_KINDS,
  type AuditKind,
  api,
  type Client,
  type DrillReport,
  listRoutes,
  USAGE_HISTORY_TEXT,
} from "@securewave/contracts";
import { createId } from "@securewave/foundation";
import { eventually } from "@securewave/testing/eventually";
import { Secret, TOTP } from "otpauth";
import { afterAll, describe, expect, test } from "vitest";
import { createAuthenticator } from "../testing/authenticator.ts";
import { codeOf, connectNode, joinNode, openTestApp, PASSWORD, type Person } from "../testing.ts";

/** Behind a proxy, so that one machine can speak for many addresses. */
const service = await openTestApp({
  jobs: true,
  settings: { TRUSTED_PROXIES: "127.0.0.1", API_TRUSTED_HOSTS: "127.0.0.1", AUTO_BLOCK_FAILED_LOGINS: "10" },
});
afterAll(() => service.close());
const visitor = service.client();
const password = PASSWORD;
const NEW_PASSWORD = "another horse, another battery";

/** Routes of the API that answered well, by name: `devices.create`. */
const answered = new Set<string>();
const routes = listRoutes(api).map(({ name, route }) => ({
  name,
  route,
  pattern: new RegExp(`^${route.method} ${route.path.replace(/\{\w+\}/g, "[^/]+")}$`),
}));
service.app.server.server.prependListener("request", (request: IncomingMessage, reply: ServerResponse) => {
  const called = `${request.method} ${request.url?.split("?", 1)[0]}`;
  const found = routes.find(({ pattern }) => pattern.test(called));
  reply.once("finish", () => found && reply.statusCode < 400 && answered.add(found.name));
});

interface Written {
  readonly kind: string;
  readonly actor: string;
  readonly subject: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly time: string;
  readonly origin?: string;
}

let read = 0;
/** The entries that were written since it was asked last. */
async function newEntries(): Promise<Written[]> {
  await service.app.audit.sign();
  const rows = await service.database.db
    .selectFrom("audit_entries")
    .select("body")
    .where("index", ">=", read)
    .orderBy("index")
    .execute();
  read += rows.length;
  return rows.map(({ body }) => body as Written);
}

const appCode = (secret: string) =>
  TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: service.clock.now() });

/** Somebody whose second factor is on. */
async function careful() {
  const one = await service.person();
  const { secret } = await one.client.secondFactor.begin({ body: { password } });
  const { recovery_codes: codes } = await one.client.secondFactor.confirm({
    body: { code: appCode(secret) },
  });
  service.clock.advanceSeconds(30);
  return { ...one, secret, codes };
}

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

async function deadLetter(): Promise<string> {
  const id = createId("deadLetter");
  const letter = { id, job: "account-mail", data: "{}", failed_on: "2026-01-01", attempts: 9 };
  await service.database.db.insertInto("dead_letters").values(letter).execute();
  return id;
}

interface Act {
  readonly writes: readonly AuditKind[];
  /** Makes what is needed, and tells how to do the act itself. */
  readonly prepare: () => Promise<() => Promise<unknown>>;
  /** Undoes what would stand in the way of others. */
  readonly after?: (() => Promise<unknown>) | undefined;
}

const act = (
  writes: AuditKind | readonly AuditKind[],
  prepare: Act["prepare"],
  after?: Act["after"],
): Act => ({
  writes: typeof writes === "string" ? [writes] : writes,
  prepare,
  after,
});

const incident = (client: Client) =>
  client.statusDesk.openIncident({ body: { title: "Slow", text: "It is slow." } });

function maintenance(client: Client) {
  const inDays = (days: number) => new Date(service.clock.now() + days * 86_400_000).toISOString();
  const times = { starts_at: inDays(2), ends_at: inDays(3) };
  return client.statusDesk.schedule({
    body: { title: "Disks", text: "New ones.", notifies: false, ...times },
  });
}

const DRILL: DrillReport = {
  scenario: "redis-loss",
  outcome: "met",
  version: "0.1.0",
  target: { name: "API", rto_seconds: 7_200, rpo_seconds: 3_600 },
  rto_seconds: 1,
  rpo_seconds: 0,
  writes: { acknowledged: 1, lost: 0 },
  timeline: [{ at_seconds: 0, what: "Redis was killed" }],
  checks: [{ what: "limits hold", is_met: true }],
};

/** A breach that is open, while everybody is let in. */
async function breach() {
  const { client } = await service.admin();
  const { id } = await client.breaches.start({ body: { summary: "A lost laptop", password } });
  await client.statusDesk.switchMode({ body: { mode: "off" } });
  return { client, params: { id } };
}

async function closeBreach(): Promise<void> {
  const { client } = await service.admin();
  const { items } = await client.breaches.list();
  for (const { id } of items.filter(({ closed_at }) => closed_at === null))
    await client.breaches.close({ params: { id }, body: { password } });
}

/** What each route that changes something leaves in the trail. */
const WRITTEN: Readonly<Record<string, Act>> = {
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
    return () => client.secondFactor.confirm({ body: { code: appCode(secret) } });
  }),
  "secondFactor.disable": act("second_factor_disabled", async () => {
    const { client, secret } = await careful();
    return () => client.secondFactor.disable({ body: { password, code: appCode(secret) } });
  }),
  "secondFactor.renewRecoveryCodes": act("recovery_codes_renewed", async () => {
    const { client, secret } = await careful();
    return () => client.secondFactor.renewRecoveryCodes({ body: { password, code: appCode(secret) } });
  }),
  "secondFactor.resetOf": act(["second_factor_reset_by_staff", "sessions_ended"], async () => {
    const [{ client }, { id }] = [await service.admin(), await careful()];
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
  "blocks.add": act("block_added", async () => {
    const { client } = await service.person("support");
    return () => client.blocks.add({ body: { network: "192.0.2.0/24", minutes: 10 } });
  }),
  "blocks.lift": act("block_lifted", async () => {
    const { client } = await service.person("support");
    const { id } = await client.blocks.add({ body: { network: "192.0.2.0/24", minutes: 10 } });
    return () => client.blocks.lift({ params: { id } });
  }),
  "alerts.silence": act("alert_silenced", async () => {
    const { client } = await service.person("support");
    return () =>
      client.alerts.silence({ params: { name: "DiskFull" }, body: { minutes: 10, reason: "known" } });
  }),
  "alerts.unsilence": act("alert_unsilenced", async () => {
    const { client } = await service.person("support");
    const params = { name: "DiskFilling" };
    await client.alerts.silence({ params, body: { minutes: 10, reason: "known" } });
    return () => client.alerts.unsilence({ params });
  }),
  "audit.export": act("audit_exported", async () => {
    const { client } = await service.admin();
    return () => client.audit.export();
  }),
  "keys.rotate": act("keys_rotated", async () => {
    const { client } = await service.admin();
    return () => client.keys.rotate({ body: { what: "signing" } });
  }),
  "jobs.run": act("job_started", async () => {
    const { client } = await service.admin();
    return () => client.jobs.run({ params: { name: "clean-up" } });
  }),
  "deadLetters.retry": act("dead_letter_retried", async () => {
    const [{ client }, id] = [await service.admin(), await deadLetter()];
    return () => client.deadLetters.retry({ params: { id } });
  }),
  "deadLetters.discard": act("dead_letter_discarded", async () => {
    const [{ client }, id] = [await service.admin(), await deadLetter()];
    return () => client.deadLetters.discard({ params: { id } });
  }),
  "plans.create": act("plan_created", async () => {
    const { client } = await service.admin();
    return () => client.plans.create({ body: { name: "Harbour" } });
  }),
  "plans.change": act("plan_changed", async () => {
    const { client } = await service.admin();
    const { id } = await client.plans.create({ body: { name: "Changed" } });
    return () => client.plans.change({ params: { id }, body: { is_retired: true } });
  }),
  "plans.remove": act("plan_removed", async () => {
    const { client } = await service.admin();
    const { id } = await client.plans.create({ body: { name: "Removed" } });
    return () => client.plans.remove({ params: { id } });
  }),
  "plans.assign": act("account_plan_changed", async () => {
    const [{ client }, { id }] = [await service.admin(), await service.person()];
    const plan = await client.plans.create({ body: { name: "Assigned" } });
    return () => client.plans.assign({ params: { id }, body: { plan_id: plan.id } });
  }),
  "usage.ofAccount": act("account_usage_read", async () => {
    const [{ client }, { id }] = [await service.person("support"), await service.person()];
    return () => client.usage.ofAccount({ params: { id } });
  }),
  "nodes.create": act("node_created", async () => {
    const { client } = await service.admin();
    return () => client.nodes.create({ body: { name: "Harbour", region: "Nowhere" } });
  }),
  "nodes.change": act("node_changed", async () => {
    const [{ client }, { id }] = [await service.admin(), await joinNode(service)];
    return () => client.nodes.change({ params: { id }, body: { draining: true } });
  }),
  "nodes.renewJoinToken": act("node_join_allowed", async () => {
    const [{ client }, { id }] = [await service.admin(), await joinNode(service)];
    return () => client.nodes.renewJoinToken({ params: { id } });
  }),
  "nodes.remove": act("node_removed", async () => {
    const [{ client }, { id }] = [await service.admin(), await joinNode(service)];
    return () => client.nodes.remove({ params: { id } });
  }),
  "nodes.trust": act("node_trusted", async () => {
    const [{ client }, { id }] = [await service.admin(), await joinNode(service)];
    await service.app.nodes.quarantine(id, "backwards");
    await newEntries();
    return () => client.nodes.trust({ params: { id } });
  }),
  "privacy.export": act("data_exported", async () => {
    const { client } = await service.person();
    return () => client.privacy.export({ body: { password } });
  }),
  "privacy.keepHistory": act("consent_given", async () => {
    const { client } = await service.person();
    return () => client.privacy.keepHistory({ body: { text_version: USAGE_HISTORY_TEXT.version } });
  }),
  "privacy.forgetHistory": act("consent_withdrawn", async () => {
    const { client } = await service.person();
    await client.privacy.keepHistory({ body: { text_version: USAGE_HISTORY_TEXT.version } });
    return () => client.privacy.forgetHistory();
  }),
  "privacy.askDeletion": act("deletion_requested", async () => {
    const { client } = await service.person();
    return () => client.privacy.askDeletion({ body: { password } });
  }),
  "privacy.withdrawDeletion": act("deletion_withdrawn", async () => {
    const { client } = await service.person();
    await client.privacy.askDeletion({ body: { password } });
    return () => client.privacy.withdrawDeletion();
  }),
  "privacyDesk.close": act("privacy_request_closed", async () => {
    const [{ client }, one] = [await service.person("support"), await service.person()];
    const { id } = await one.client.privacy.ask({ body: { kind: "other", text: "Who are you?" } });
    return () => client.privacyDesk.close({ params: { id }, body: { state: "done" } });
  }),
  "privacyDesk.erase": act("deletion_requested", async () => {
    const [{ client }, { id }] = [await service.admin(), await service.person()];
    return () => client.privacyDesk.erase({ params: { id }, body: {} });
  }),
  "privacyDesk.keep": act("deletion_withdrawn", async () => {
    const [{ client }, { id }] = [await service.admin(), await service.person()];
    await client.privacyDesk.erase({ params: { id }, body: {} });
    return () => client.privacyDesk.keep({ params: { id } });
  }),
  "nodes.join": act(["node_created", "node_joined"], async () => () => joinNode(service)),
  "fleetDevices.revoke": act("device_revoked_by_staff", async () => {
    const [{ client }, one] = [await service.admin(), await service.person()];
    await connectNode(service);
    const { id } = await one.client.devices.create({ body: { name: "Phone" } });
    return () => client.fleetDevices.revoke({ params: { id } });
  }),
  "statusDesk.openIncident": act("incident_opened", async () => {
    const { client } = await service.person("support");
    return () => incident(client);
  }),
  "statusDesk.changeIncident": act("incident_edited", async () => {
    const { client } = await service.person("support");
    const { id } = await incident(client);
    return () => client.statusDesk.changeIncident({ params: { id }, body: { title: "Slower" } });
  }),
  "statusDesk.updateIncident": act("incident_updated", async () => {
    const { client } = await service.person("support");
    const { id } = await incident(client);
    const body = { state: "resolved", text: "It is fast." } as const;
    return () => client.statusDesk.updateIncident({ params: { id }, body });
  }),
  "statusDesk.changeUpdate": act("incident_edited", async () => {
    const { client } = await service.person("support");
    const { updates } = await incident(client);
    const params = { id: updates[0]?.id ?? "" };
    return () => client.statusDesk.changeUpdate({ params, body: { text: "It is very slow." } });
  }),
  "statusDesk.removeUpdate": act("incident_edited", async () => {
    const { client } = await service.person("support");
    const { id } = await incident(client);
    const body = { state: "identified", text: "A cable." } as const;
    const { updates } = await client.statusDesk.updateIncident({ params: { id }, body });
    return () => client.statusDesk.removeUpdate({ params: { id: updates[0]?.id ?? "" } });
  }),
  "statusDesk.removeIncident": act("incident_removed", async () => {
    const { client } = await service.person("support");
    const { id } = await incident(client);
    return () => client.statusDesk.removeIncident({ params: { id } });
  }),
  "statusDesk.switchMode": act(
    "maintenance_switched",
    async () => {
      const { client } = await service.admin();
      return () => client.statusDesk.switchMode({ body: { mode: "read-only" } });
    },
    async () => (await service.admin()).client.statusDesk.switchMode({ body: { mode: "off" } }),
  ),
  "statusDesk.schedule": act("maintenance_scheduled", async () => {
    const { client } = await service.admin();
    return () => maintenance(client);
  }),
  "statusDesk.reschedule": act("maintenance_changed", async () => {
    const { client } = await service.admin();
    const { id } = await maintenance(client);
    return () => client.statusDesk.reschedule({ params: { id }, body: { title: "Other disks" } });
  }),
  "statusDesk.cancel": act("maintenance_cancelled", async () => {
    const { client } = await service.admin();
    const { id } = await maintenance(client);
    return () => client.statusDesk.cancel({ params: { id } });
  }),
  "drills.record": act("drill_recorded", async () => {
    const { client } = await service.person("support");
    return () => client.drills.record({ body: DRILL });
  }),
  "breaches.start": act(
    ["breach_opened", "maintenance_switched"],
    async () => {
      const { client } = await service.admin();
      return () => client.breaches.start({ body: { summary: "A lost laptop", password } });
    },
    closeBreach,
  ),
  "breaches.note": act(
    "breach_noted",
    async () => {
      const { client, params } = await breach();
      return () => client.breaches.note({ params, body: { text: "It was found." } });
    },
    closeBreach,
  ),
  "breaches.rotate": act(
    "breach_credentials_ended",
    async () => {
      const { client, params } = await breach();
      return () => client.breaches.rotate({ params, body: { what: "links", password } });
    },
    closeBreach,
  ),
  "breaches.notify": act(
    "breach_notified",
    async () => {
      const { client, params } = await breach();
      const body = { subject: "A lost laptop", text: "Nothing of yours was on it.", password };
      return () => client.breaches.notify({ params, body });
    },
    closeBreach,
  ),
  "breaches.close": act(["maintenance_switched", "breach_closed"], async () => {
    const { client, params } = await breach();
    return () => client.breaches.close({ params, body: { password } });
  }),
};

const NOTHING_YET = "changes nothing until what it sends or shows comes back, and that is written";
const OWN_LOG_IN = "ends or prolongs what its caller holds himself; it would be a record of use";
const OWN_DEVICE = "a customer's own device: no right changes hands, and it would be a record of use";

const IN_ANOTHER_PROCESS = "needs the program that carries it out: modules/backups shows that it is written";

/** Why a route that is not only read from leaves nothing in the trail. */
const SILENT: Readonly<Record<string, string>> = {
  "accounts.register": NOTHING_YET,
  "accounts.requestVerification": NOTHING_YET,
  "accounts.verifyEmail": "the day that a customer came stands with his account",
  "passwords.requestReset": NOTHING_YET,
  "passwords.checkReset": NOTHING_YET,
  "session.close": OWN_LOG_IN,
  "session.passkeyOptions": NOTHING_YET,
  "sessions.refresh": `${OWN_LOG_IN}; a token that was used before is written`,
  "sessions.logOut": OWN_LOG_IN,
  "secondFactor.begin": NOTHING_YET,
  "passkeys.begin": NOTHING_YET,
  "passkeys.rename": "what its owner calls it opens nothing",
  "backups.start": IN_ANOTHER_PROCESS,
  "backups.verify": IN_ANOTHER_PROCESS,
  "backups.cleanUp": IN_ANOTHER_PROCESS,
  "zeroLog.start": "a search for traces changes nothing, and its report is public",
  "privacy.agree": "what was agreed to, and when, stands with the account",
  "privacy.ask": "the request itself is kept, until and after it is answered",
  "devices.create": OWN_DEVICE,
  "devices.ensure": OWN_DEVICE,
  "devices.change": OWN_DEVICE,
  "devices.move": OWN_DEVICE,
  "devices.rotate": OWN_DEVICE,
  "devices.revoke": OWN_DEVICE,
  "devices.remove": OWN_DEVICE,
};

/** Kinds that no single route writes, and what shows that they are written. */
const OTHERWISE: Partial<Record<AuditKind, string>> = {
  login_refused: "below",
  recovery_code_used: "below",
  refresh_reused: "below",
  audit_archived: "modules/audit",
  account_erased: "modules/privacy",
  node_quarantined: "modules/nodes",
  node_cloned: "modules/nodes",
  backup_ordered: "modules/backups",
  restored_from_backup: "e2e/backups",
  node_credential_renewed: "modules/breaches",
  node_credential_ended: "modules/breaches",
};

describe("every act that matters to security is written", () => {
  test.each(Object.entries(WRITTEN))("%s", async (name, { writes, prepare, after }) => {
    const perform = await prepare();
    await newEntries();
    answered.delete(name);
    await perform();
    expect((await newEntries()).map(({ kind }) => kind)).toEqual(writes);
    expect(answered).toContain(name);
    await after?.();
  });

  test("and no route that changes something is forgotten", () => {
    const isTold = (name: string) => ["audit.export", "usage.ofAccount"].includes(name);
    const changing = routes.filter(({ name, route }) => route.method !== "GET" || isTold(name));
    const known = [...Object.keys(WRITTEN), ...Object.keys(SILENT)];
    expect(known.sort()).toEqual(changing.map(({ name }) => name).sort());
  });

  test("and there is no kind of entry that nothing writes", () => {
    const written = new Set([...Object.values(WRITTEN).flatMap(({ writes }) => writes)]);
    expect([...written, ...Object.keys(OTHERWISE)].sort()).toEqual([...AUDIT_KINDS].sort());
  });
});

let addresses = 0;
/** From an address of its own: no origin is blocked for it. */
const send = (path: string, body: object) =>
  service.send(path, { body, headers: { "x-forwarded-for": `203.0.113.${++addresses}` } });

describe("what nobody could do is written too", () => {
  test.each<[string, (one: Awaited<ReturnType<typeof careful>>) => Promise<string>, object[]]>([
    ["a wrong password", ({ email }) => refused({ email, password: "not it" }), [{ method: "password" }]],
    ["a wrong code", ({ email }) => refused({ email, password, code: "000000" }), [{ method: "totp" }]],
    [
      "a wrong password before a change of it",
      async ({ client }) =>
        codeOf(client.passwords.change({ body: { current_password: "not it", password: NEW_PASSWORD } })),
      [{ method: "password" }],
    ],
  ])("%s", async (_, attempt, details) => {
    const one = await careful();
    await newEntries();
    expect(await attempt(one)).toMatch(/wrong/);
    const written = await newEntries();
    expect(written.map(({ kind }) => kind)).toEqual(["login_refused"]);
    expect(written).toMatchObject(
      details.map((each) => ({ details: each, actor: "unknown", subject: one.id })),
    );
    expect(written[0]?.origin).toMatch(/^[\w-]{16}$/);
  });

  test("a passkey that is none, and a mail address that nobody has", async () => {
    await newEntries();
    await send("/api/session/passkey", { response: { id: "AAAA" } });
    await refused({ email: "nobody@example.org", password });
    const expected = ["passkey", "password"].map((method) => ({ subject: "unknown", details: { method } }));
    expect(await newEntries()).toMatchObject(expected);
  });

  test("a recovery code that was used, and the log-in by it", async () => {
    const { email, codes } = await careful();
    await newEntries();
    await send("/api/auth/login", { email, password, code: codes[0] });
    expect(await newEntries()).toMatchObject([
      { kind: "recovery_code_used" },
      { kind: "login_succeeded", details: { method: "recovery_code" } },
    ]);
  });

  test("a refresh token of before: a thief, or whom he stole it from", async () => {
    const one = await service.person();
    const refresh = () => visitor.sessions.refresh({ body: { refresh_token: one.refreshToken } });
    await refresh();
    service.clock.advanceSeconds(60);
    await newEntries();
    expect(await codeOf(refresh())).toBe("sessions.refresh_reused");
    expect(await newEntries()).toMatchObject([{ kind: "refresh_reused", actor: "unknown", subject: one.id }]);
  });

  test("an origin that was blocked by itself, without its address", async () => {
    const headers = { "x-forwarded-for": "198.51.100.7" };
    const { email } = await service.person();
    await newEntries();
    for (let attempt = 0; attempt < 30; attempt++)
      await service.send("/api/auth/login", { body: { email, password: `guess ${attempt}` }, headers });
    const blocks = (await newEntries()).filter(({ kind }) => kind === "block_added");
    expect(blocks).toMatchObject([{ actor: "system", details: { reason: "failed_log_ins", minutes: 15 } }]);
    expect(blocks[0]?.origin).toMatch(/^[\w-]{16}$/);
  });

  async function refused(body: object): Promise<string> {
    return (await send("/api/auth/login", body)).json.code;
  }
});

test("what was refused leaves no entry that says it was done", async () => {
  const { client } = await service.admin();
  const id = (kind: "account" | "node" | "device" | "block") => ({ params: { id: createId(kind) } });
  await newEntries();
  const codes = [
    await codeOf(client.accounts.change({ ...id("account"), body: { role: "admin" } })),
    await codeOf(client.sessions.endAllOf(id("account"))),
    await codeOf(client.secondFactor.resetOf(id("account"))),
    await codeOf(client.blocks.lift(id("block"))),
    await codeOf(client.nodes.renewJoinToken(id("node"))),
    await codeOf(client.nodes.remove(id("node"))),
    await codeOf(client.fleetDevices.revoke(id("device"))),
  ];
  expect(codes.every((code) => code.endsWith(".not_found"))).toBe(true);
  expect(await newEntries()).toEqual([]);
});

test("a change of a node that there is not leaves no entry", async () => {
  const { client } = await service.admin();
  await newEntries();
  await codeOf(client.nodes.change({ params: { id: createId("node") }, body: { draining: true } }));
  expect(await newEntries()).toEqual([]);
});

test("a change of a node names what was changed, and no more", async () => {
  const [{ client }, { id }] = [await service.admin(), await joinNode(service, { capacity: 5 })];
  await newEntries();
  await client.nodes.change({ params: { id }, body: { draining: true } });
  expect(await newEntries()).toMatchObject([{ details: { names: ["is_draining"] } }]);
});

test("no mail address, name, network, token or moment of a customer stands in it, nor waits to", async () => {
  const { rows } = await service.database.pool.query<{ text: string; actor: string; time: string }>(
    `select body::text as text, body ->> 'actor' as actor, body ->> 'time' as time from audit_entries
     union all select body::text, body ->> 'actor', body ->> 'time' from audit_queue`,
  );
  expect(rows.length).toBeGreaterThan(50);
  const { rows: staff } = await service.database.pool.query<{ id: string }>(
    "select id from accounts where role <> 'customer'",
  );
  const timed = new Set(["system", ...staff.map(({ id }) => id)]);
  for (const { text, actor, time } of rows) {
    expect(text).not.toMatch(/@|\d+\.\d+\.\d+\.\d+|::|Phone|phone|Laptop|Harbour|Wave|sw[a-z]_/);
    const isCustomers = actor.startsWith("acc_") && !timed.has(actor);
    if (isCustomers || actor === "unknown") expect(time).toMatch(/^\d{4}-\d\d-\d\d$/);
  }
});
