import { crc32 } from "node:zlib";
import { createManualClock } from "@securewave/foundation";
import { createSecret, equalInConstantTime } from "@securewave/foundation/secret";
import { createApiKey, createApiKeyVerifier } from "@securewave/sentinel/api-keys";
import { createCookieSessions } from "@securewave/sentinel/sessions";
import { createAccessTokens } from "@securewave/sentinel/tokens";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { afterAll, describe, expect, test } from "vitest";
import { compareTimes, isTold } from "../testing/timing.ts";
import { openTestApp, PASSWORD } from "../testing.ts";

const LONG_MS = 180_000;
const service = await openTestApp({ jobs: true });
afterAll(() => service.close());

type Place = "first" | "last";
/** Keys end with their secret: 32 bytes in base64url. */
const SECRET = /[A-Za-z0-9_-]{43}$/;

/** The text with the first or the last of its 32 secret bytes changed. */
function wrongIn(place: Place, text: string): string {
  const secret = SECRET.exec(text)?.[0] ?? "";
  const bytes = Buffer.from(secret, "base64url");
  const at = place === "first" ? 0 : bytes.length - 1;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return text.slice(0, -secret.length) + bytes.toString("base64url");
}

/** A mistyped key is refused before it is compared; the thief of one knows how to make its checksum right. */
function wrongKeyIn(place: Place, key: string): string {
  const unchecked = wrongIn(place, key.slice(0, -9));
  return `${unchecked}_${crc32(unchecked).toString(16).padStart(8, "0")}`;
}

/** What a guess is answered with. */
type Guess = (place: Place) => Promise<{ status: number; text: string }>;

/** Every key of the service that somebody could try to guess byte by byte. */
const KEYS: Readonly<Record<string, () => Promise<Guess>>> = {
  "refresh token": async () => {
    const { refreshToken } = await service.person();
    return (place) =>
      service.send("/api/auth/refresh", { body: { refresh_token: wrongIn(place, refreshToken) } });
  },
  "access token": async () => {
    const { token } = await service.person();
    return (place) => service.send("/api/account", { token: wrongIn(place, token) });
  },
  "API key": async () => {
    const { client } = await service.person();
    const { text } = await client.apiKeys.create({
      body: { name: "Key", scopes: ["account:read"], expires_in_days: 1, password: PASSWORD },
    });
    expect((await service.send("/api/account", { token: text })).status).toBe(200);
    return (place) => service.send("/api/account", { token: wrongKeyIn(place, text) });
  },
  "session cookie": async () => {
    const { cookie } = await openBrowser();
    return (place) => service.send("/api/account", { headers: { cookie: wrongIn(place, cookie) } });
  },
  "CSRF token": async () => {
    const { cookie, csrf } = await openBrowser();
    return (place) =>
      service.send("/api/auth/logout", {
        method: "POST",
        headers: { cookie, "x-csrf-token": wrongIn(place, csrf) },
      });
  },
  "join token": async () => {
    const admin = await service.admin();
    const { join } = await admin.client.nodes.create({ body: { name: "Guessed", region: "Nowhere" } });
    const [secret = "", fingerprint] = join.join_token.split(".");
    const body = {
      credential: "A".repeat(43),
      wireguard_public_key: String(generateKeyPair().publicKey),
      endpoint: { host: "vpn.example.org", port: 51820 },
      agent_version: "0",
    };
    return (place) =>
      service.send("/api/nodes/join", {
        body: { ...body, token: `${wrongIn(place, secret)}.${fingerprint}` },
      });
  },
  "password reset link": async () => {
    const { email } = await service.person();
    await service.send("/api/auth/password/reset-request", { body: { email } });
    const [link = ""] = (await service.latestMail(email)).links;
    const token = link.split("token=")[1] ?? "";
    expect((await service.send("/api/auth/password/check", { body: { token } })).status).toBe(200);
    return (place) => service.send("/api/auth/password/check", { body: { token: wrongIn(place, token) } });
  },
  "confirmation link": async () => {
    const email = "somebody.new@example.org";
    await service.send("/api/auth/register", { body: { email, password: PASSWORD } });
    const [link = ""] = (await service.latestMail(email)).links;
    const token = link.split("token=")[1] ?? "";
    return (place) => service.send("/api/auth/verify", { body: { token: wrongIn(place, token) } });
  },
};

async function openBrowser() {
  const { email } = await service.person();
  const answer = await service.send("/api/session", { body: { email, password: PASSWORD } });
  const cookie = answer.headers.get("set-cookie")?.split(";")[0] ?? "";
  return { cookie, csrf: String(answer.json.csrf_token) };
}

describe("timing of key comparison, through the API", () => {
  test.each(Object.entries(KEYS))(
    "%s: one wrong in its first byte is answered as one wrong in its last, and as fast",
    async (_, prepare) => {
      const guess = await prepare();
      const [first, last] = [await guess("first"), await guess("last")];
      expect([401, 403, 404, 410, 422]).toContain(first.status);
      expect([last.status, last.text]).toEqual([first.status, first.text]);
      const times = await compareTimes(
        () => guess("first"),
        () => guess("last"),
      );
      expect(isTold(times), JSON.stringify(times)).toBe(false);
    },
    LONG_MS,
  );
});

/** So many at once that what one comparison takes is seen. */
const BATCH = 2000;

async function compareGuesses(check: (text: string) => unknown, right: string, wrong = wrongIn) {
  const [first, last] = [wrong("first", right), wrong("last", right)];
  await check(first); // whoever asks a store asks once
  const many = (text: string) => async () => {
    for (let count = 0; count < BATCH; count++) check(text);
  };
  return compareTimes(many(first), many(last));
}

describe("timing of key comparison, without the network in between", () => {
  const clock = createManualClock(Date.now());
  const found = (hash: Uint8Array) => async () => ({
    holder: "somebody",
    accepted: [{ hash, untilMs: Number.MAX_SAFE_INTEGER }],
  });

  test("API keys", async () => {
    const { text, hash } = createApiKey();
    const { verify } = createApiKeyVerifier({ clock, find: found(hash) });
    expect(await verify(text)).toBe("somebody");
    const times = await compareGuesses(verify, text, wrongKeyIn);
    expect(isTold(times), JSON.stringify(times)).toBe(false);
  });

  test("session cookies", async () => {
    const maker = { cookieName: "session", isSecure: true, clock };
    const { text, hash } = createCookieSessions({ ...maker, find: async () => undefined }).issue(
      "ses_00000000000000000000",
    );
    const { verify, cookieName } = createCookieSessions({ ...maker, find: found(hash) });
    expect(await verify(`${cookieName}=${text}`)).toBe("somebody");
    const times = await compareGuesses(verify, `${cookieName}=${text}`);
    expect(isTold(times), JSON.stringify(times)).toBe(false);
  });

  test("access tokens", async () => {
    const key = { kid: "1", algorithm: "HS256", secret: createSecret("s".repeat(32)) } as const;
    const tokens = createAccessTokens({
      issuer: "a",
      audience: "b",
      lifeSeconds: 60,
      clock,
      keys: () => [key],
    });
    const token = tokens.sign({ accountId: "acc_1", sessionId: "ses_1" });
    expect(tokens.verify(token)).toMatchObject({ accountId: "acc_1" });
    const times = await compareGuesses(tokens.verify, token);
    expect(isTold(times), JSON.stringify(times)).toBe(false);
  });

  test("any two texts", async () => {
    const text = Buffer.alloc(32, 7).toString("base64url");
    const times = await compareGuesses((given) => equalInConstantTime(given, text), text);
    expect(isTold(times), JSON.stringify(times)).toBe(false);
  });

  test("the same measurement tells a comparison apart that ends at the first difference", async () => {
    const right = Buffer.alloc(32, 7);
    const isEqual = (given: Buffer) => {
      for (let at = 0; at < right.length; at++) if (given[at] !== right[at]) return false;
      return true;
    };
    const [first, last] = [Buffer.from(right), Buffer.from(right)];
    first[0] = 8;
    last[31] = 8;
    let equals = 0;
    const many = (given: Buffer) => async () => {
      for (let count = 0; count < BATCH * 10; count++) equals += isEqual(given) ? 1 : 0;
    };
    const times = await compareTimes(many(first), many(last));
    expect(equals).toBe(0);
    expect(isTold(times), JSON.stringify(times)).toBe(true);
    expect(times.oneMs).toBeLessThan(times.otherMs);
  });
});
