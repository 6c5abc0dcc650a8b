import { createManualClock } from "@securewave/foundation";
import { afterAll, describe, expect, test } from "vitest";
import { codeOf, openTestApp, PASSWORD } from "../../testing.ts";
import { createLifetime } from "./lifetime.ts";
import { deleteExpiredSessions } from "./store.ts";

/** Access tokens that outlast a day show that it is the log-in that ends. */
const service = await openTestApp({ settings: { SESSION_MAX_DAYS: "90", JWT_EXPIRATION_HOURS: "168" } });
afterAll(() => service.close());
const { db } = service.database;
const visitor = service.client();

const refresh = (refresh_token: string) => visitor.sessions.refresh({ body: { refresh_token } });
const advanceDays = (days: number) => service.clock.advanceSeconds(days * 86_400);
const inDays = (days: number) => new Date(service.clock.now() + days * 86_400_000).toISOString().slice(0, 10);

async function logInByCookie(email: string, cookie = "", password = PASSWORD) {
  const answer = await service.send("/api/session", { body: { email, password }, headers: { cookie } });
  return { status: answer.status, cookie: answer.headers.get("set-cookie")?.split(";")[0] ?? "" };
}
const show = (cookie: string) => service.send("/api/session", { headers: { cookie } });
const isLoggedIn = async (cookie: string) => (await show(cookie)).json.session !== null;
const sessionsOf = (accountId: string) =>
  db.selectFrom("sessions").selectAll().where("account_id", "=", accountId).execute();

/** What stands in the trail of an account: kind and who did it. */
async function trailOf(accountId: string): Promise<string[]> {
  await service.app.audit.sign();
  const rows = await db.selectFrom("audit_entries").select("body").orderBy("index").execute();
  const bodies = rows.map(({ body }) => body as { kind: string; actor: string; subject: string });
  return bodies.filter(({ subject }) => subject === accountId).map(({ kind, actor }) => `${kind} ${actor}`);
}

describe("a log-in ends 90 days after it was opened", () => {
  test("of a program, however often it refreshes", async () => {
    const person = await service.person();
    const last = inDays(90);
    let session = await refresh(person.refreshToken);
    for (let month = 0; month < 3; month++) {
      advanceDays(28);
      session = await refresh(session.refresh_token);
    }
    advanceDays(6);
    session = await refresh(session.refresh_token);
    const client = service.client(session.access_token);
    const { items } = await client.sessions.list();
    expect(items.map(({ expires_on }) => expires_on)).toEqual([last]);
    advanceDays(1);
    expect(await codeOf(client.accounts.me())).toBe("request.not_logged_in");
    expect(await codeOf(refresh(session.refresh_token))).toBe("sessions.refresh_invalid");
  });

  test("of a browser, and its cookie with it", async () => {
    const { email } = await service.person();
    const { cookie } = await logInByCookie(email);
    for (let weeks = 0; weeks < 84; weeks += 14) {
      expect(await isLoggedIn(cookie)).toBe(true);
      advanceDays(14);
    }
    const prolonged = await show(cookie);
    expect(prolonged.headers.get("set-cookie") ?? "").toMatch(/Max-Age=518400$/); // six days
    advanceDays(6);
    const last = await show(cookie);
    expect([last.json.session !== null, last.headers.get("set-cookie")]).toEqual([true, null]);
    advanceDays(1);
    expect(await isLoggedIn(cookie)).toBe(false);
  });

  test("also one whose row tells a later day, as when the operator sets a shorter time", async () => {
    const person = await service.person();
    const { cookie } = await logInByCookie(person.email);
    const [later, last] = [inDays(300), inDays(90)];
    await db.updateTable("sessions").set({ expires_on: later }).where("account_id", "=", person.id).execute();
    const { items } = await person.client.sessions.list();
    expect(items.map(({ expires_on }) => expires_on)).toEqual([last, last]);
    advanceDays(91);
    expect(await isLoggedIn(cookie)).toBe(false);
    expect(await codeOf(refresh(person.refreshToken))).toBe("sessions.refresh_invalid");
    expect(await sessionsOf(person.id)).toHaveLength(2);
    const lifetime = createLifetime(service.clock, service.config.sessions);
    await deleteExpiredSessions(db, lifetime.validity());
    expect(await sessionsOf(person.id)).toHaveLength(0);
  });
});

test("what ends before it can go unused lasts no longer for that", () => {
  const clock = createManualClock(Date.parse("2026-03-01T23:59:59Z"));
  const lifetime = createLifetime(clock, { refreshDays: 30, maxDays: 7 });
  expect(lifetime.firstEnd()).toBe("2026-03-08");
  expect(lifetime.cookieSeconds(lifetime.firstEnd())).toBe(7 * 86_400);
});

describe("an account has 50 log-ins at once", () => {
  test("one more ends the one that would end first, and the trail says so", async () => {
    const first = await service.person();
    advanceDays(1);
    const second = await service.logIn(first.email);
    advanceDays(1);
    for (let opened = 2; opened < 50; opened++) await service.logIn(first.email);
    expect(await codeOf(first.client.accounts.me())).toBe("ok");
    const bystander = await service.person();
    const { cookie } = await logInByCookie(first.email);
    expect(await codeOf(first.client.accounts.me())).toBe("request.not_logged_in");
    for (const { client } of [second, bystander]) expect(await codeOf(client.accounts.me())).toBe("ok");
    expect(await isLoggedIn(cookie)).toBe(true);
    expect(await sessionsOf(first.id)).toHaveLength(50);
    const ended = (await trailOf(first.id)).filter((entry) => !entry.startsWith("login_succeeded"));
    expect(ended).toEqual(["session_ended system"]);
  });

  test("also when several are opened side by side", async () => {
    const person = await service.person();
    for (let opened = 1; opened < 49; opened++) await service.logIn(person.email);
    await Promise.all(Array.from({ length: 8 }, () => service.logIn(person.email)));
    expect(await sessionsOf(person.id)).toHaveLength(50);
  });

  test("those that are over do not count", async () => {
    const person = await service.person();
    for (let opened = 1; opened < 50; opened++) await service.logIn(person.email);
    advanceDays(31);
    const next = await service.logIn(person.email);
    expect(await trailOf(person.id)).not.toContain("session_ended system");
    expect(await codeOf(next.client.accounts.me())).toBe("ok");
  });
});

describe("a browser that logs in anew", () => {
  test("has that log-in alone: the one before ends", async () => {
    const { id, email } = await service.person();
    const before = await logInByCookie(email);
    const elsewhere = await logInByCookie(email);
    const after = await logInByCookie(email, before.cookie);
    expect(await Promise.all([before, elsewhere, after].map(({ cookie }) => isLoggedIn(cookie)))).toEqual([
      false,
      true,
      true,
    ]);
    expect(await sessionsOf(id)).toHaveLength(3);
  });

  test("as somebody else leaves no log-in of who was there before", async () => {
    const [one, other] = [await service.person(), await service.person()];
    const before = await logInByCookie(one.email);
    const after = await logInByCookie(other.email, before.cookie);
    expect(await isLoggedIn(before.cookie)).toBe(false);
    expect((await show(after.cookie)).json.session.account.id).toBe(other.id);
    expect(await codeOf(one.client.accounts.me())).toBe("ok");
  });

  test("and does not prove itself keeps the log-in that it has", async () => {
    const { email } = await service.person();
    const { cookie } = await logInByCookie(email);
    expect((await logInByCookie(email, cookie, "not the password")).status).toBe(401);
    expect(await isLoggedIn(cookie)).toBe(true);
  });

  test("ends nothing by a cookie that only names a log-in", async () => {
    const [victim, thief] = [await service.person(), await service.person()];
    const { cookie } = await logInByCookie(victim.email);
    const forged = cookie.replace(/_[\w-]{43}$/, `_${"A".repeat(43)}`);
    expect((await logInByCookie(thief.email, forged)).status).toBe(200);
    expect(await isLoggedIn(cookie)).toBe(true);
  });
});
