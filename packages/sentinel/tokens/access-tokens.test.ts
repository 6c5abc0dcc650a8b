import { createHmac, createPublicKey, generateKeyPairSync } from "node:crypto";
import { createManualClock, InvariantError } from "@securewave/foundation";
import { createSecret } from "@securewave/foundation/secret";
import fc from "fast-check";
import { createSigner, createVerifier } from "fast-jwt";
import { describe, expect, test } from "vitest";
import { createAccessTokens, type SigningKey } from "./index.ts";

const SECRET = "a secret of more than thirty-two characters";
const CLAIMS = { accountId: "acc_1", sessionId: "ses_1" };
const LIFE_SECONDS = 3600;
const clock = createManualClock(1_790_000_000_000);

const hmacKey = (kid: string, secret = SECRET): SigningKey => ({
  kid,
  algorithm: "HS256",
  secret: createSecret(secret),
});
const privateKey = generateKeyPairSync("ed25519").privateKey;
const edKey: SigningKey = { kid: "ed", algorithm: "EdDSA", privateKey };
const ring: SigningKey[] = [hmacKey("one"), edKey];
const tokensOf = (keys: () => readonly SigningKey[], ownClock = clock) =>
  createAccessTokens({
    issuer: "securewave",
    audience: "securewave-api",
    lifeSeconds: LIFE_SECONDS,
    clock: ownClock,
    keys,
  });
const tokens = tokensOf(() => ring);
const edTokens = tokensOf(() => [edKey]);

const seconds = () => Math.floor(clock.now() / 1000);
const HEADER = { alg: "HS256", typ: "JWT", kid: "one" };
const good = () => ({
  sub: "acc_1",
  sid: "ses_1",
  iss: "securewave",
  aud: "securewave-api",
  iat: seconds(),
  exp: seconds() + 60,
});

function encode(part: object | string): string {
  return Buffer.from(typeof part === "string" ? part : JSON.stringify(part)).toString("base64url");
}

/** A token with any header and claims, signed with HMAC. */
function forge(header: object | string, claims: object | string, key: string | Buffer = SECRET): string {
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${createHmac("sha256", key).update(text).digest("base64url")}`;
}

function partsOf(token: string): [string, string, string] {
  const [header = "", payload = "", signature = ""] = token.split(".");
  return [header, payload, signature];
}

test("a token says which log-in of which account, until it ends", () => {
  const ownClock = createManualClock(clock.now());
  const own = tokensOf(() => ring, ownClock);
  const token = own.sign(CLAIMS);
  expect(own.verify(token)).toEqual(CLAIMS);
  ownClock.advanceSeconds(LIFE_SECONDS - 1);
  expect(own.verify(token)).toEqual(CLAIMS);
  ownClock.advanceSeconds(1);
  expect(own.verify(token)).toBeUndefined();
});

test("a forged token with the right key is taken, so that the refusals below have a reason", () => {
  expect(tokens.verify(forge(HEADER, good()))).toEqual(CLAIMS);
  expect(tokens.verify(forge(HEADER, { ...good(), nbf: seconds() }))).toEqual(CLAIMS);
  expect(tokens.verify(forge(HEADER, { ...good(), iat: seconds() + 60 }))).toEqual(CLAIMS);
  expect(tokens.verify(forge(HEADER, { ...good(), aud: ["elsewhere", "securewave-api"] }))).toEqual(CLAIMS);
});

test("another library of JWTs reads our tokens, and we read its", () => {
  const pem = createPublicKey(privateKey).export({ format: "pem", type: "spki" });
  const privatePem = privateKey.export({ format: "pem", type: "pkcs8" });
  const clockTimestamp = clock.now();
  const [iss, aud, expiresIn] = ["securewave", "securewave-api", 60_000];
  for (const { own, kid, algorithm, key, signKey } of [
    { own: tokens, kid: "one", algorithm: "HS256" as const, key: SECRET, signKey: SECRET },
    { own: edTokens, kid: "ed", algorithm: "EdDSA" as const, key: String(pem), signKey: String(privatePem) },
  ]) {
    const options = { algorithms: [algorithm], key, allowedIss: iss, allowedAud: aud, clockTimestamp };
    expect(createVerifier(options)(own.sign(CLAIMS))).toMatchObject({ sub: "acc_1", sid: "ses_1" });
    const sign = createSigner({ algorithm, key: signKey, kid, iss, aud, expiresIn, clockTimestamp });
    expect(own.verify(sign({ sub: "acc_1", sid: "ses_1" }))).toEqual(CLAIMS);
  }
});

const publicKey = createPublicKey(privateKey);
const publicPem = publicKey.export({ format: "pem", type: "spki" });
const publicBytes = Buffer.from(String(publicKey.export({ format: "jwk" }).x), "base64url");

describe("attacks on the signature", () => {
  test.each([
    ["alg none", () => `${encode({ ...HEADER, alg: "none" })}.${encode(good())}.`],
    ["alg None", () => `${encode({ ...HEADER, alg: "None" })}.${encode(good())}.`],
    ["alg none without kid", () => `${encode({ alg: "none" })}.${encode(good())}.`],
    ["alg none with a signature", () => forge({ ...HEADER, alg: "none" }, good())],
    ["empty signature", () => forge(HEADER, good()).replace(/[^.]+$/, "")],
    ["no signature", () => forge(HEADER, good()).replace(/\.[^.]+$/, "")],
    ["another secret", () => forge(HEADER, good(), "another secret of thirty-two characters")],
    ["empty secret", () => forge(HEADER, good(), "")],
    ["another algorithm", () => forge({ ...HEADER, alg: "HS512" }, good())],
    ["key confusion, PEM as HMAC secret", () => forge({ ...HEADER, kid: "ed" }, good(), String(publicPem))],
    ["key confusion, raw bytes as HMAC secret", () => forge({ ...HEADER, kid: "ed" }, good(), publicBytes)],
    [
      "key confusion under its own algorithm",
      () => forge({ ...HEADER, alg: "EdDSA", kid: "ed" }, good(), String(publicPem)),
    ],
    [
      "psychic signature of zeros under EdDSA",
      () => `${encode({ ...HEADER, alg: "EdDSA", kid: "ed" })}.${encode(good())}.${"A".repeat(86)}`,
    ],
    ["psychic signature of zeros under HS256", () => `${encode(HEADER)}.${encode(good())}.${"A".repeat(43)}`],
    [
      "header of one key with the signature of another",
      () => {
        const [header] = partsOf(edTokens.sign(CLAIMS));
        const [, payload, signature] = partsOf(tokens.sign(CLAIMS));
        return [header, payload, signature].join(".");
      },
    ],
  ])("%s is refused", (_, make) => {
    expect(tokens.verify(make())).toBeUndefined();
  });

  test("a signature cannot be respelt", () => {
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (const own of [tokens, edTokens]) {
      const token = own.sign(CLAIMS);
      const taken = [...alphabet].filter((last) => own.verify(token.slice(0, -1) + last));
      expect(taken).toEqual([token.at(-1)]);
      for (const more of ["=", "==", " ", "\n", "A", "."]) expect(own.verify(token + more)).toBeUndefined();
    }
  });
});

describe("attacks on the header", () => {
  test.each([
    ["no kid", { alg: "HS256", typ: "JWT" }],
    ["kid of nobody", { ...HEADER, kid: "two" }],
    ["kid injection: path", { ...HEADER, kid: "../../../../dev/null" }],
    ["kid injection: SQL", { ...HEADER, kid: "one' UNION SELECT 'secret' --" }],
    ["kid injection: URL", { ...HEADER, kid: "https://attacker.example/key" }],
    ["kid injection: command", { ...HEADER, kid: "one|id" }],
    ["kid injection: __proto__", { ...HEADER, kid: "__proto__" }],
    ["kid injection: constructor", { ...HEADER, kid: "constructor" }],
    ["kid as a list", { ...HEADER, kid: ["one"] }],
    ["kid empty", { ...HEADER, kid: "" }],
    ["jwk", { ...HEADER, jwk: { kty: "oct", k: "AA" } }],
    ["jku", { ...HEADER, jku: "https://attacker.example/keys" }],
    ["x5u", { ...HEADER, x5u: "https://attacker.example/certificate" }],
    ["x5c", { ...HEADER, x5c: ["AA"] }],
    ["crit", { ...HEADER, crit: ["exp"], exp: 1 }],
    ["b64 false", { ...HEADER, b64: false }],
    ["duplicated alg", '{"alg":"none","alg":"HS256","typ":"JWT","kid":"one"}'],
    ["spaces", '{"alg": "HS256","typ":"JWT","kid":"one"}'],
  ])("%s is refused, even with the right secret", (_, header) => {
    for (const key of [SECRET, "", "\0"]) expect(tokens.verify(forge(header, good(), key))).toBeUndefined();
  });
});

describe("attacks on the claims", () => {
  test.each([
    ["expired", () => ({ ...good(), iat: seconds() - 60, exp: seconds() })],
    ["issued in the future", () => ({ ...good(), iat: seconds() + 61, exp: seconds() + 600 })],
    [
      "issued in the future, valid before",
      () => ({ ...good(), iat: seconds() + 61, nbf: seconds(), exp: seconds() + 600 }),
    ],
    ["not valid yet", () => ({ ...good(), nbf: seconds() + 61 })],
    ["wrong issuer", () => ({ ...good(), iss: "elsewhere" })],
    ["issuer that begins alike", () => ({ ...good(), iss: "securewave.example" })],
    ["no issuer", () => ({ ...good(), iss: undefined })],
    ["wrong audience", () => ({ ...good(), aud: "elsewhere" })],
    ["wrong audiences", () => ({ ...good(), aud: ["elsewhere", "securewave-console"] })],
    ["no audience", () => ({ ...good(), aud: undefined })],
    ["without an end", () => ({ ...good(), exp: undefined })],
    ["end of words", () => ({ ...good(), exp: "tomorrow" })],
    ["endless", () => JSON.stringify(good()).replace(/"exp":\d+/, '"exp":1e999')],
    ["end null", () => ({ ...good(), exp: null })],
    ["without a beginning", () => ({ ...good(), iat: undefined })],
    ["beginning of words", () => ({ ...good(), iat: "now" })],
    ["start of validity null", () => ({ ...good(), nbf: null })],
    ["without a session", () => ({ ...good(), sid: undefined })],
    ["without an account", () => ({ ...good(), sub: undefined })],
    ["account as an object", () => ({ ...good(), sub: { id: "acc_1" } })],
    ["session as a list", () => ({ ...good(), sid: ["ses_1"] })],
    ["duplicated claim", () => JSON.stringify(good()).replace("{", '{"sub":"acc_2",')],
    [
      "duplicated claim in disguise",
      () => JSON.stringify(good()).replace("{", String.raw`{"s\u0075b":"acc_2",`),
    ],
    ["no object", () => "[]"],
    ["null", () => "null"],
    ["no JSON", () => "{"],
    ["__proto__ with the claims", () => `{"__proto__":${JSON.stringify(good())}}`],
  ])("%s is refused, even well signed", (_, make) => {
    expect(tokens.verify(forge(HEADER, make()))).toBeUndefined();
  });
});

describe("attacks on the form", () => {
  test.each([
    ["empty", ""],
    ["one part", "token"],
    ["two parts", "a.b"],
    ["five parts", "a.b.c.d.e"],
    ["dots", "..."],
    ["no token", "no.token.at.all"],
    ["a NUL", "\0.\0.\0"],
  ])("a text of %s is refused", (_, text) => {
    expect(tokens.verify(text)).toBeUndefined();
  });

  test("a truncated token is refused at every length", () => {
    for (const token of [tokens.sign(CLAIMS), edTokens.sign(CLAIMS)]) {
      for (let length = 0; length < token.length; length++)
        expect(tokens.verify(token.slice(0, length))).toBeUndefined();
    }
  });

  test("an oversized token is refused, even well signed", () => {
    const sized = (length: number) => forge(HEADER, { ...good(), more: "x".repeat(length) });
    expect(tokens.verify(sized(100))).toEqual(CLAIMS);
    expect(tokens.verify(sized(1000))).toBeUndefined();
    expect(tokens.verify("a".repeat(10_000_000))).toBeUndefined();
  });

  test("a changed byte anywhere makes a token worthless", () => {
    for (const own of [tokens, edTokens]) {
      const token = own.sign(CLAIMS);
      for (let at = 0; at < token.length; at++) {
        const other = token[at] === "A" ? "B" : "A";
        expect(own.verify(token.slice(0, at) + other + token.slice(at + 1))).toBeUndefined();
      }
    }
  });

  test("no text makes it fail otherwise", () => {
    const [header, payload, signature] = partsOf(tokens.sign(CLAIMS));
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), fc.nat(3), (text, place) => {
        const parts = [header, payload, signature];
        parts[place] = text;
        expect(tokens.verify(parts.join("."))).toBeUndefined();
        expect(tokens.verify(text)).toBeUndefined();
        expect(tokens.verify(forge(HEADER, text))).toBeUndefined();
      }),
    );
  });
});

describe("rotation", () => {
  test("the first key signs, and tokens of the others stay good", () => {
    let keys = [hmacKey("old")];
    const own = tokensOf(() => keys);
    const before = own.sign(CLAIMS);
    keys = [hmacKey("new", `${SECRET}, the next`), ...keys];
    const after = own.sign({ ...CLAIMS, sessionId: "ses_2" });
    expect(JSON.parse(Buffer.from(partsOf(after)[0], "base64url").toString())).toEqual({
      alg: "HS256",
      typ: "JWT",
      kid: "new",
    });
    expect(own.verify(before)).toEqual(CLAIMS);
    expect(own.verify(after)).toMatchObject({ sessionId: "ses_2" });
  });

  test("HS256 and EdDSA tokens are taken side by side", () => {
    expect(tokens.verify(edTokens.sign(CLAIMS))).toEqual(CLAIMS);
    expect(edTokens.verify(tokens.sign(CLAIMS))).toBeUndefined();
    const stranger = generateKeyPairSync("ed25519").privateKey;
    const others = tokensOf(() => [{ kid: "ed", algorithm: "EdDSA", privateKey: stranger }]);
    expect(others.verify(edTokens.sign(CLAIMS))).toBeUndefined();
  });

  test("a key that is removed ends its tokens at once, remembered ones too", () => {
    const [old, next] = [hmacKey("old"), hmacKey("new", `${SECRET}, the next`)];
    const keys = [old];
    const own = tokensOf(() => keys);
    const token = own.sign(CLAIMS);
    expect(own.verify(token)).toEqual(CLAIMS);
    keys.unshift(next);
    expect(own.verify(token)).toEqual(CLAIMS);
    keys.pop();
    expect(own.verify(token)).toBeUndefined();
  });

  test("a kid that gets another secret takes no token of the one before", () => {
    let keys = [hmacKey("one")];
    const own = tokensOf(() => keys);
    const token = own.sign(CLAIMS);
    expect(own.verify(token)).toEqual(CLAIMS);
    keys = [hmacKey("one", `${SECRET}, the next`)];
    expect(own.verify(token)).toBeUndefined();
  });

  test.each([
    ["an empty ring", []],
    ["a short secret", [hmacKey("one", "short")]],
    ["two keys of one kid", [hmacKey("one"), hmacKey("one", `${SECRET}, the next`)]],
    ["a kid with odd characters", [hmacKey("../key")]],
    [
      "an RSA key",
      [
        {
          kid: "rsa",
          algorithm: "EdDSA" as const,
          privateKey: generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey,
        },
      ],
    ],
  ])("%s is a bug", (_, keys: SigningKey[]) => {
    expect(() => tokensOf(() => keys)).toThrow(InvariantError);
  });
});

test("what is remembered of a token ends with it, and no bad token is remembered", () => {
  const ownClock = createManualClock(clock.now());
  const own = tokensOf(() => ring, ownClock);
  const soon = forge(HEADER, { ...good(), iat: seconds(), nbf: seconds() + 120, exp: seconds() + 180 });
  expect(own.verify(soon)).toBeUndefined();
  ownClock.advanceSeconds(60);
  expect(own.verify(soon)).toEqual(CLAIMS);
  ownClock.advanceSeconds(119);
  expect(own.verify(soon)).toEqual(CLAIMS);
  ownClock.advanceSeconds(1);
  expect(own.verify(soon)).toBeUndefined();
});
