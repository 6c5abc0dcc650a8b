import { afterAll, describe, expect, test } from "vitest";
import { codeOf, openTestApp, PASSWORD } from "../../testing.ts";

/** What of a token is secret stands at its end: 32 bytes in Base64url, which may have `_` in them. */
const REFRESH_SECRET_LENGTH = 43;

const service = await openTestApp();
afterAll(() => service.close());
const visitor = service.client();
const refresh = (refresh_token: string) => visitor.sessions.refresh({ body: { refresh_token } });

/** The token that follows; fails when it is refused. */
async function next(refreshToken: string): Promise<string> {
  const { refresh_token } = await refresh(refreshToken);
  return refresh_token ?? "";
}

describe("logging in", () => {
  test("an unknown address and a wrong password get the same answer", async () => {
    const { email } = await service.person();
    const [unknown, wrong] = await Promise.all(
      ["nobody@example.org", email].map((address) =>
        service.send("/api/auth/login", { body: { email: address, password: "not the password" } }),
      ),
    );
    expect(unknown).toMatchObject({ status: 401, json: { code: "sessions.wrong_credentials" } });
    expect([wrong?.status, wrong?.text]).toEqual([unknown?.status, unknown?.text]);
    expect([...(wrong?.headers.keys() ?? [])]).toEqual([...(unknown?.headers.keys() ?? [])]);
  });

  test("the answer carries both tokens, and the access token says nothing of the person", async () => {
    const person = await service.person();
    const session = await visitor.sessions.logIn({ body: { email: person.email, password: PASSWORD } });
    expect(session).toMatchObject({ token_type: "Bearer", expires_in: 86_400, account: { id: person.id } });
    const [, payload = ""] = session.access_token.split(".");
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
    expect(Object.keys(claims).sort()).toEqual(["aud", "exp", "iat", "iss", "sid", "sub"]);
    expect(claims.exp - claims.iat).toBe(86_400);
  });

  test("an access token ends after a day, while the log-in goes on by its refresh token", async () => {
    const person = await service.person();
    service.clock.advanceSeconds(86_399);
    expect(await codeOf(person.client.accounts.me())).toBe("ok");
    service.clock.advanceSeconds(2);
    expect(await codeOf(person.client.accounts.me())).toBe("request.not_logged_in");
    const { access_token } = await refresh(person.refreshToken);
    expect(await codeOf(service.client(access_token).accounts.me())).toBe("ok");
  });

  test("a log-in that is not used for 30 days is over, and the clean-up forgets it", async () => {
    const person = await service.person();
    service.clock.advanceSeconds(29 * 86_400);
    const later = await next(person.refreshToken);
    service.clock.advanceSeconds(32 * 86_400);
    expect(await codeOf(refresh(later))).toBe("sessions.refresh_invalid");
  });
});

describe("refresh tokens", () => {
  test("each works once and is followed by another", async () => {
    const person = await service.person();
    const second = await next(person.refreshToken);
    const third = await next(second);
    expect(new Set([person.refreshToken, second, third]).size).toBe(3);
  });

  test("pages that refresh side by side all get the same next token", async () => {
    const { refreshToken } = await service.person();
    const tokens = await Promise.all(Array.from({ length: 8 }, () => next(refreshToken)));
    expect(new Set(tokens).size).toBe(1);
    service.clock.advanceSeconds(9);
    expect(await next(refreshToken)).toBe(tokens[0]);
    expect(await codeOf(refresh(tokens[0] ?? ""))).toBe("ok");
  });

  test("an old token used again after the grace ends the log-in, for thief and owner alike", async () => {
    const person = await service.person();
    const second = await next(person.refreshToken);
    service.clock.advanceSeconds(11);
    expect(await codeOf(refresh(person.refreshToken))).toBe("sessions.refresh_reused");
    expect(await codeOf(refresh(second))).toBe("sessions.refresh_invalid");
    expect(await codeOf(person.client.accounts.me())).toBe("request.not_logged_in");
  });

  test("a token of any older generation ends the log-in, also within the grace", async () => {
    for (const generations of [2, 7]) {
      const person = await service.person();
      let present = person.refreshToken;
      for (let step = 0; step < generations; step++) present = await next(present);
      expect(await codeOf(refresh(person.refreshToken))).toBe("sessions.refresh_reused");
      expect(await codeOf(refresh(present))).toBe("sessions.refresh_invalid");
    }
  });

  test("a guess is refused and ends nothing, whatever place in the chain it claims", async () => {
    const person = await service.person();
    const third = await next(await next(person.refreshToken));
    const session = third.slice(0, "swr_ses_".length + 20);
    const claiming = (number: number) => third.replace(/_2(?=_[\w-]{43}$)/, `_${number}`);
    const guesses = [
      ...[0, 1, 3, 5_000, 999_999_999].map(claiming),
      third.replace(/_2_[\w-]{43}$/, `_1_${"A".repeat(43)}`),
      `${session}_${"A".repeat(43)}_0_${"A".repeat(43)}`,
      `${session}_${"A".repeat(43)}`,
      `${third.slice(0, -1)}~`,
      "swr_",
      "x",
      "a".repeat(200),
    ];
    for (const guess of guesses) expect(await codeOf(refresh(guess))).toBe("sessions.refresh_invalid");
    expect(await codeOf(refresh(third))).toBe("ok");
  });

  test("a theft stands in the trail once, and no log-in ends for one that could not be written", async () => {
    const person = await service.person();
    const second = await next(person.refreshToken);
    service.clock.advanceSeconds(11);
    const { pool, db } = service.database;
    await pool.query("alter table audit_queue add constraint audit_queue_full check (false) not valid");
    const failed = await service.send("/api/auth/refresh", { body: { refresh_token: person.refreshToken } });
    expect(failed.status).toBe(500);
    await pool.query("alter table audit_queue drop constraint audit_queue_full");
    const present = await next(second);
    service.clock.advanceSeconds(11);
    const uses = [person.refreshToken, second, person.refreshToken].map((token) => codeOf(refresh(token)));
    expect(await Promise.all(uses)).toContain("sessions.refresh_reused");
    expect(await codeOf(refresh(present))).toBe("sessions.refresh_invalid");
    await service.app.audit.sign();
    const rows = await db.selectFrom("audit_entries").select("body").execute();
    const bodies = rows.map(({ body }) => body as { kind: string; subject: string });
    expect(
      bodies.filter(({ kind, subject }) => kind === "refresh_reused" && subject === person.id),
    ).toHaveLength(1);
  });

  test("are counted by whether they were taken", async () => {
    const server = await service.app.telemetry.listen("127.0.0.1", 0);
    const address = server.address();
    const origin = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
    const countOf = async (result: string) => {
      const text = await (await fetch(`${origin}/metrics`)).text();
      const sample = new RegExp(
        `^sentinel_auth_attempts_total\\{method="refresh",result="${result}"\\} (\\d+)$`,
        "m",
      );
      return Number(sample.exec(text)?.[1] ?? 0);
    };
    const { refreshToken } = await service.person();
    const before = [await countOf("success"), await countOf("failure")];
    await next(refreshToken);
    expect(await codeOf(refresh("swr_"))).toBe("sessions.refresh_invalid");
    const after = [await countOf("success"), await countOf("failure")];
    server.close();
    expect(after).toEqual(before.map((count) => count + 1));
  });

  test("neither token stands in the table", async () => {
    const person = await service.person();
    const rows = await service.database.db
      .selectFrom("sessions")
      .selectAll()
      .where("account_id", "=", person.id)
      .execute();
    const stored = JSON.stringify(rows.map((row) => [row, row.refresh_hash.toString("latin1")]));
    expect(rows).toHaveLength(1);
    const secret = person.refreshToken.slice(-REFRESH_SECRET_LENGTH);
    expect(stored).not.toContain(secret);
  });
});

describe("logging out", () => {
  test("takes effect at once, for this log-in alone", async () => {
    const here = await service.person();
    const there = await service.logIn(here.email);
    await here.client.accounts.me();
    await here.client.sessions.logOut();
    expect(await codeOf(here.client.accounts.me())).toBe("request.not_logged_in");
    expect(await codeOf(refresh(here.refreshToken))).toBe("sessions.refresh_invalid");
    expect(await codeOf(there.client.accounts.me())).toBe("ok");
  });

  test("everywhere ends every log-in at once, and nobody else's", async () => {
    const [here, bystander] = [await service.person(), await service.person()];
    const others = await Promise.all([1, 2, 3].map(() => service.logIn(here.email)));
    for (const each of others) await each.client.accounts.me();
    await here.client.sessions.logOutEverywhere();
    for (const each of [here, ...others]) {
      expect(await codeOf(each.client.accounts.me())).toBe("request.not_logged_in");
      expect(await codeOf(refresh(each.refreshToken))).toBe("sessions.refresh_invalid");
    }
    expect(await codeOf(bystander.client.accounts.me())).toBe("ok");
  });

  test("ends an open stream of connections with it", async () => {
    const person = await service.person();
    const states = person.client.devices.watch()[Symbol.asyncIterator]();
    expect((await states.next()).value).toEqual([]);
    const over = states.next();
    await person.client.sessions.logOut();
    expect((await over).done).toBe(true);
  });
});

describe("by cookie", () => {
  async function logInByCookie(email: string) {
    const answer = await service.send("/api/session", { body: { email, password: PASSWORD } });
    const cookie = answer.headers.get("set-cookie") ?? "";
    return { answer, cookie, value: cookie.split(";")[0] ?? "", csrf: String(answer.json.csrf_token) };
  }
  const show = async (cookie: string) => (await service.send("/api/session", { headers: { cookie } })).json;

  test("the session goes where no script reads it and no other site sends it from", async () => {
    const { email } = await service.person();
    const { answer, cookie } = await logInByCookie(email);
    expect(answer.json).toEqual({
      account: expect.objectContaining({ email }),
      csrf_token: expect.any(String),
    });
    expect(cookie).toMatch(/^securewave_session=swc_ses_/);
    for (const attribute of ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=2592000"])
      expect(cookie).toContain(attribute);
  });

  test("a page that is loaded again learns who is logged in, and a visitor that nobody is", async () => {
    const { email } = await service.person();
    const { value, answer } = await logInByCookie(email);
    expect(await show(value)).toEqual({ session: answer.json });
    expect(await show("")).toEqual({ session: null });
    expect(await show(`${value}x`)).toEqual({ session: null });
  });

  test("reading takes the cookie alone, changing takes the token of the page too", async () => {
    const { email } = await service.person();
    const { value: cookie, csrf } = await logInByCookie(email);
    expect((await service.send("/api/account", { headers: { cookie } })).status).toBe(200);
    const close = (headers: Record<string, string>) =>
      service.send("/api/session", { method: "DELETE", headers: { cookie, ...headers } });
    expect((await close({})).json.code).toBe("sentinel.forged_request");
    const closed = await close({ "x-csrf-token": csrf });
    expect(closed.status).toBe(204);
    expect(closed.headers.get("set-cookie")).toContain("Max-Age=0");
    expect(await show(cookie)).toEqual({ session: null });
  });

  test("a session that is used goes on, and is written seldom enough to tell nobody when", async () => {
    const person = await service.person();
    const { value } = await logInByCookie(person.email);
    const endOf = async () => {
      const { items } = await (await service.logIn(person.email)).client.sessions.list();
      return items.find(({ kind }) => kind === "browser")?.expires_on;
    };
    const first = await endOf();
    service.clock.advanceSeconds(10 * 86_400);
    await show(value);
    expect(await endOf()).toBe(first);
    service.clock.advanceSeconds(8 * 86_400);
    const prolonged = await service.send("/api/session", { headers: { cookie: value } });
    expect(prolonged.headers.get("set-cookie")).toContain(value);
    expect(await endOf()).not.toBe(first);
  });
});

describe("one's own log-ins", () => {
  test("are listed, with this one marked, and each can be ended by itself", async () => {
    const here = await service.person();
    const there = await service.logIn(here.email);
    const { items } = await here.client.sessions.list();
    expect(items.map(({ kind }) => kind)).toEqual(["program", "program"]);
    const [other] = items.filter(({ is_current }) => !is_current);
    await here.client.sessions.end({ params: { id: other?.id ?? "" } });
    expect(await codeOf(there.client.accounts.me())).toBe("request.not_logged_in");
    expect(await codeOf(here.client.accounts.me())).toBe("ok");
  });

  test("somebody else's log-in is not to be found", async () => {
    const [one, two] = [await service.person(), await service.person()];
    const { items } = await one.client.sessions.list();
    const id = items[0]?.id ?? "";
    expect(await codeOf(two.client.sessions.end({ params: { id } }))).toBe("sessions.not_found");
    expect(await codeOf(one.client.accounts.me())).toBe("ok");
  });

  test("an admin ends all of somebody's", async () => {
    const admin = await service.admin();
    const person = await service.person();
    await admin.client.sessions.endAllOf({ params: { id: person.id } });
    expect(await codeOf(person.client.accounts.me())).toBe("request.not_logged_in");
  });
});

test("behind https the cookie goes over https alone, to this very host", async () => {
  const secure = await openTestApp({ settings: { PUBLIC_URL: "https://vpn.example.org" } });
  const { email } = await secure.person();
  const answer = await secure.send("/api/session", { body: { email, password: PASSWORD } });
  expect(answer.headers.get("set-cookie")).toMatch(/^__Host-securewave_session=.*Secure/);
  expect(answer.headers.get("strict-transport-security")).toMatch(/max-age=\d{8}/);
  await secure.close();
});
