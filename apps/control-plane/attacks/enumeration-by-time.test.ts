import { invariant } from "@securewave/foundation";
import { Secret, TOTP } from "otpauth";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hashPassword } from "../modules/accounts/password.ts";
import { compareTimes, isTold } from "../testing/timing.ts";
import { openTestApp, PASSWORD } from "../testing.ts";

/** Behind a proxy, so that no try is held back for what came from the same address before. */
const service = await openTestApp({ jobs: true, settings: { TRUSTED_PROXIES: "127.0.0.1" } });
afterAll(() => service.close());

type Kind = "customer" | "second factor" | "suspended" | "unverified";

/** Longer than failures are remembered: every try is the first. */
const FORGOTTEN_AFTER_SECONDS = 2 * 3600;
/** Each try checks a slow hash, and the machine may be busy. */
const LONG_MS = 180_000;
const emails = new Map<Kind, string>();
let tries = 0;

beforeAll(async () => {
  const owner = await service.person();
  const { secret } = await owner.client.secondFactor.begin({ body: { password: PASSWORD } });
  const timestamp = service.clock.now();
  const code = TOTP.generate({ secret: Secret.fromBase32(secret), timestamp });
  await owner.client.secondFactor.confirm({ body: { code } });
  emails.set("second factor", owner.email);
  for (const kind of ["customer", "suspended", "unverified"] as const)
    emails.set(kind, (await service.person()).email);
  // People of a test have a hash that costs nothing; here it is the cost that counts.
  const { db } = service.database;
  const { accounts } = service.app;
  for (const [kind, email] of emails) {
    const account = await accounts.findByEmail(email);
    invariant(account, "everybody here has an account");
    await accounts.setPassword(db, account.id, await hashPassword(PASSWORD));
    if (kind !== "suspended" && kind !== "unverified") continue;
    await db.updateTable("accounts").set({ state: kind }).where("id", "=", account.id).execute();
  }
});

const unknown = () => `nobody-${tries}@example.org`;

/** Asks as a visitor who was never there before, and gives what a visitor can see of the answer but the time. */
async function ask(path: string, body: object): Promise<string> {
  service.clock.advanceSeconds(FORGOTTEN_AFTER_SECONDS);
  const headers = { "x-forwarded-for": `203.0.${tries >> 8}.${tries & 255}` };
  tries++;
  const { status, json } = await service.send(path, { body, headers });
  return `${status} ${json?.code}`;
}

/** The known address and the unknown one are answered alike every time, and their times are compared. */
async function compareAddresses(known: string, path: string, rest: object) {
  const answers = new Set<string>();
  const asking = (emailOf: () => string) => async () => {
    answers.add(await ask(path, { email: emailOf(), ...rest }));
  };
  const times = await compareTimes(
    asking(() => known),
    asking(unknown),
  );
  expect([...answers]).toHaveLength(1);
  return { times, answer: [...answers][0] };
}

const WRONG = { password: "not the password 1" };

describe("user enumeration by time", () => {
  test.each<[Kind, string]>([
    ["customer", "/api/auth/login"],
    ["second factor", "/api/auth/login"],
    ["suspended", "/api/auth/login"],
    ["unverified", "/api/auth/login"],
    ["customer", "/api/session"],
  ])(
    "a wrong password of an account (%s) takes at %s as long as an address without one",
    async (kind, path) => {
      const { times, answer } = await compareAddresses(emails.get(kind) ?? "", path, WRONG);
      expect(answer).toBe("401 sessions.wrong_credentials");
      expect(isTold(times), JSON.stringify(times)).toBe(false);
    },
    LONG_MS,
  );

  test.each<[string, object]>([
    ["/api/auth/password/reset-request", {}],
    ["/api/auth/verification", {}],
    ["/api/auth/register", { password: "another long password 8" }],
  ])(
    "%s takes as long for every kind of account as for an address without one",
    async (path, rest) => {
      for (const kind of ["customer", "suspended", "unverified"] as const) {
        const { times, answer } = await compareAddresses(emails.get(kind) ?? "", path, rest);
        expect(answer).toMatch(/^202 /);
        expect(isTold(times), `${kind} ${JSON.stringify(times)}`).toBe(false);
      }
    },
    LONG_MS,
  );

  test(
    "the same measurement tells an account apart whose hash is checked faster",
    async () => {
      const { email } = await service.person();
      const { times } = await compareAddresses(email, "/api/auth/login", WRONG);
      expect(isTold(times), JSON.stringify(times)).toBe(true);
      expect(times.oneMs).toBeLessThan(times.otherMs);
    },
    LONG_MS,
  );
});
