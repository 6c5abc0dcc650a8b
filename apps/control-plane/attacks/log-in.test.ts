import { afterAll, describe, expect, test } from "vitest";
import { codeOf, openTestApp, PASSWORD } from "../testing.ts";

/** Behind a proxy, so that one machine can speak for many addresses. */
const service = await openTestApp({
  jobs: true,
  settings: {
    TRUSTED_PROXIES: "127.0.0.1",
    AUTO_BLOCK_FAILED_LOGINS: "10",
    CHALLENGE_FAILED_LOGINS: "60",
  },
});
afterAll(() => service.close());

const from = (address: string) => ({ "x-forwarded-for": address });
const logIn = (email: string, password: string, address: string) =>
  service.send("/api/auth/login", { body: { email, password }, headers: from(address) });

test("password spraying: an origin that tries one password on many accounts is blocked, and nobody else", async () => {
  const victims = await Promise.all(Array.from({ length: 4 }, () => service.person()));
  const codes: string[] = [];
  for (let attempt = 0; attempt < 40; attempt++) {
    const email = victims[attempt]?.email ?? `nobody${attempt}@example.org`;
    codes.push((await logIn(email, "Summer-2026-sun", "198.51.100.7")).json.code);
  }
  expect(codes[0]).toBe("sessions.wrong_credentials");
  expect(codes.at(-1)).toBe("sentinel.blocked");
  expect(codes.filter((code) => code === "sessions.wrong_credentials").length).toBeLessThan(20);
  expect((await logIn(victims[0]?.email ?? "", PASSWORD, "198.51.100.7")).json.code).toBe("sentinel.blocked");
  expect((await logIn(victims[0]?.email ?? "", PASSWORD, "198.51.100.8")).status).toBe(200);
});

test("guessing one password from many origins: the account is locked for a while, also against the right one", async () => {
  const { email } = await service.person();
  const answers = [];
  for (let attempt = 0; attempt < 12; attempt++)
    answers.push(await logIn(email, `guess number ${attempt}`, `203.0.113.${attempt}`));
  expect(answers.at(-1)).toMatchObject({ status: 429, json: { code: "sessions.locked" } });
  const wait = Number(answers.at(-1)?.headers.get("retry-after"));
  expect(wait).toBeGreaterThan(0);
  expect((await logIn(email, PASSWORD, "203.0.113.200")).json.code).toBe("sessions.locked");
  service.clock.advanceSeconds(901);
  expect((await logIn(email, PASSWORD, "203.0.113.200")).status).toBe(200);
});

test("credential stuffing over many addresses: a proof of work is demanded of everybody while it lasts", async () => {
  const owner = await service.person();
  const codes: string[] = [];
  for (let attempt = 0; attempt < 200; attempt++) {
    const address = `100.64.${attempt >> 4}.${attempt}`;
    codes.push((await logIn(`leaked${attempt}@example.org`, "from a list 42", address)).json.code);
  }
  expect(codes[0]).toBe("sessions.wrong_credentials");
  expect(codes.at(-1)).toBe("sentinel.challenge_required");
  expect((await logIn(owner.email, PASSWORD, "192.0.2.1")).json.code).toBe("sentinel.challenge_required");
  service.clock.advanceSeconds(3600);
  expect((await logIn(owner.email, PASSWORD, "192.0.2.1")).status).toBe(200);
});

describe("user enumeration by answer", () => {
  test.each([
    ["log-in", "/api/auth/login", { password: "not the password" }, 401],
    ["registration", "/api/auth/register", { password: PASSWORD }, 202],
    ["password reset", "/api/auth/password/reset-request", {}, 202],
    ["verification mail", "/api/auth/verification", {}, 202],
  ])("%s answers the same for known and unknown addresses", async (_, path, rest, expected) => {
    const { email } = await service.person();
    const ask = async (address: string) => {
      const { status, text, headers } = await service.send(path, { body: { email: address, ...rest } });
      return { status, text, headers: [...headers.keys()].sort() };
    };
    const known = await ask(email);
    expect(known.status).toBe(expected);
    expect(known).toEqual(await ask("somebody.else@example.org"));
  });

  test("an unknown account is locked as a known one is", async () => {
    const { email } = await service.person();
    const codesOf = async (address: string, net: number) => {
      const codes = [];
      for (let attempt = 0; attempt < 9; attempt++)
        codes.push((await logIn(address, "wrong password", `10.${net}.0.${attempt}`)).json.code);
      return codes;
    };
    expect(await codesOf("not.there@example.org", 1)).toEqual(await codesOf(email, 2));
  });
});

describe("session fixation", () => {
  test("a session that came before the log-in is not the one after it", async () => {
    const { email } = await service.person();
    const planted = "securewave_session=swc_ses_00000000000000000000_planted";
    const body = { email, password: PASSWORD };
    const answer = await service.send("/api/session", { body, headers: { cookie: planted } });
    expect(answer.status).toBe(200);
    const set = answer.headers.get("set-cookie") ?? "";
    expect(set).not.toContain("planted");
    expect(set).toMatch(/^securewave_session=swc_ses_/);
    const other = await service.send("/api/session", { headers: { cookie: planted } });
    expect(other.json).toEqual({ session: null });
  });

  test("each log-in has an id of its own", async () => {
    const { email } = await service.person();
    const body = { email, password: PASSWORD };
    const cookies = await Promise.all([1, 2, 3].map(() => service.send("/api/session", { body })));
    expect(new Set(cookies.map(({ headers }) => headers.get("set-cookie")?.slice(0, 50))).size).toBe(3);
  });
});

test("refresh-token theft: the thief's use ends the log-in for both, and the trail says so", async () => {
  const person = await service.person();
  const refresh = (refresh_token: string) => service.client().sessions.refresh({ body: { refresh_token } });
  const { refresh_token: owners } = await refresh(person.refreshToken);
  service.clock.advanceSeconds(60);
  expect(await codeOf(refresh(person.refreshToken))).toBe("sessions.refresh_reused");
  expect(await codeOf(refresh(owners))).toBe("sessions.refresh_invalid");
  expect(await codeOf(person.client.accounts.me())).toBe("request.not_logged_in");
});
