import { createHmac, generateKeyPairSync } from "node:crypto";
import { createManualClock } from "@securewave/foundation";
import { createSecret } from "@securewave/foundation/secret";
import { afterAll, describe, expect, test } from "vitest";
import { codeOf, openTestApp } from "../../testing.ts";
import { createAccessTokens } from "./access-token.ts";

const SECRET = "a secret of more than thirty-two characters";
const CLAIMS = { accountId: "acc_1", sessionId: "ses_1" };
const clock = createManualClock(Date.now());
const hs256 = createAccessTokens({ algorithm: "HS256", secret: createSecret(SECRET) }, 3600, clock);
const ed25519 = () => generateKeyPairSync("ed25519").privateKey;

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}

/** A token with any header and claims, signed with HMAC. */
function forge(header: object, claims: object, key: string | Buffer = SECRET): string {
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${createHmac("sha256", key).update(text).digest("base64url")}`;
}

const seconds = () => Math.floor(clock.now() / 1000);
const good = () => ({
  sub: "acc_1",
  sid: "ses_1",
  iss: "securewave",
  aud: "securewave-api",
  exp: seconds() + 60,
});

test("a token says which log-in of which account, until it ends", () => {
  const ownClock = createManualClock(Date.now());
  const tokens = createAccessTokens({ algorithm: "HS256", secret: createSecret(SECRET) }, 3600, ownClock);
  const token = tokens.sign(CLAIMS);
  expect(tokens.verify(token)).toEqual(CLAIMS);
  ownClock.advanceSeconds(3599);
  expect(tokens.verify(token)).toEqual(CLAIMS);
  ownClock.advanceSeconds(1);
  expect(tokens.verify(token)).toBeUndefined();
});

test("a forged token with the right key is taken, so that the refusals below have a reason", () => {
  expect(hs256.verify(forge({ alg: "HS256", typ: "JWT" }, good()))).toEqual(CLAIMS);
});

test.each([
  ["signed by nobody (alg none)", () => `${encode({ alg: "none", typ: "JWT" })}.${encode(good())}.`],
  ["without a signature", () => forge({ alg: "HS256" }, good()).replace(/[^.]+$/, "")],
  [
    "signed with another key",
    () => forge({ alg: "HS256" }, good(), "another secret of thirty-two characters"),
  ],
  ["that names another algorithm", () => forge({ alg: "HS512" }, good())],
  ["of another issuer", () => forge({ alg: "HS256" }, { ...good(), iss: "elsewhere" })],
  ["for another audience", () => forge({ alg: "HS256" }, { ...good(), aud: "elsewhere" })],
  ["that has ended", () => forge({ alg: "HS256" }, { ...good(), exp: seconds() - 1 })],
  ["that never ends", () => forge({ alg: "HS256" }, { ...good(), exp: undefined })],
  ["whose end is no number", () => forge({ alg: "HS256" }, { ...good(), exp: "tomorrow" })],
  ["without a session", () => forge({ alg: "HS256" }, { ...good(), sid: undefined })],
  ["whose account is an object", () => forge({ alg: "HS256" }, { ...good(), sub: { id: "acc_1" } })],
  ["that is no token", () => "no.token.at.all"],
  ["that is empty", () => ""],
])("a token %s is refused", (_, make) => {
  expect(hs256.verify(make())).toBeUndefined();
});

test("a changed byte anywhere makes a token worthless", () => {
  const token = hs256.sign(CLAIMS);
  for (let at = 0; at < token.length; at += 7) {
    const other = token[at] === "A" ? "B" : "A";
    const changed = token.slice(0, at) + other + token.slice(at + 1);
    expect(hs256.verify(changed)).toBeUndefined();
  }
});

test("under EdDSA tokens of its own key alone are taken, and its public key is no HMAC secret", () => {
  const privateKey = ed25519();
  const tokens = createAccessTokens({ algorithm: "EdDSA", privateKey }, 3600, clock);
  const token = tokens.sign(CLAIMS);
  expect(tokens.verify(token)).toEqual(CLAIMS);
  expect(JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()).alg).toBe("EdDSA");
  const other = createAccessTokens({ algorithm: "EdDSA", privateKey: ed25519() }, 3600, clock);
  expect(other.verify(token)).toBeUndefined();
  expect(tokens.verify(hs256.sign(CLAIMS))).toBeUndefined();
  const pem = privateKey.export({ format: "pem", type: "pkcs8" });
  expect(tokens.verify(forge({ alg: "HS256" }, good(), String(pem)))).toBeUndefined();
});

describe("over HTTP", async () => {
  const service = await openTestApp({ settings: { JWT_ALGORITHM: "EdDSA" } });
  afterAll(() => service.close());

  test("JWT_ALGORITHM=EdDSA signs with a key of the service that its processes share", async () => {
    const person = await service.person();
    expect(await codeOf(person.client.accounts.me())).toBe("ok");
    const rows = await service.database.db
      .selectFrom("service_keys")
      .select("name")
      .orderBy("name")
      .execute();
    expect(rows.map(({ name }) => name)).toEqual(["access-token", "control-plane"]);
  });

  test("a token of a log-in that never was is refused, however well it is signed", async () => {
    const [one, two] = [await service.person(), await service.person()];
    const parts = (token: string) => token.split(".");
    const mixed = [parts(one.token)[0], parts(two.token)[1], parts(one.token)[2]].join(".");
    expect(await codeOf(service.client(mixed).accounts.me())).toBe("request.not_logged_in");
  });

  test.each(["Basic dXNlcjpwYXNz", "Bearer", "Bearer ", "bearer-token", "Bearer a b c", "\u00ff"])(
    "the header %j is answered as no log-in",
    async (authorization) => {
      const answer = await service.send("/api/account", { headers: { authorization } });
      expect(answer).toMatchObject({ status: 401, json: { code: "request.not_logged_in" } });
    },
  );
});
