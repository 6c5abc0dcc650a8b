import fc from "fast-check";
import { Secret, TOTP } from "otpauth";
import { describe, expect, test } from "vitest";
import {
  createRecoveryCodes,
  createTotpSecret,
  hashesFrom,
  hashStep,
  parseAppCode,
  parseRecoveryCode,
  stepOfCode,
  totpUrl,
} from "./codes.ts";

/** RFC 6238 appendix B, with the keys of its errata 2866. */
const VECTORS = [
  [59, "94287082", "46119246", "90693936"],
  [1111111109, "07081804", "68084774", "25091201"],
  [1111111111, "14050471", "67062674", "99943326"],
  [1234567890, "89005924", "91819424", "93441116"],
  [2000000000, "69279037", "90698825", "38618901"],
  [20000000000, "65353130", "77737706", "47863826"],
] as const;
const KEY = "12345678901234567890";
const SECRET = Secret.fromLatin1(KEY).base32;

describe("RFC 6238", () => {
  test.each(VECTORS)(
    "at %i s the library gives the codes of the standard",
    (seconds, sha1, sha256, sha512) => {
      const codeBy = (algorithm: string, bytes: number) => {
        const secret = Secret.fromLatin1(KEY.repeat(4).slice(0, bytes));
        return TOTP.generate({ secret, algorithm, digits: 8, period: 30, timestamp: seconds * 1000 });
      };
      expect([codeBy("SHA1", 20), codeBy("SHA256", 32), codeBy("SHA512", 64)]).toEqual([
        sha1,
        sha256,
        sha512,
      ]);
    },
  );

  test.each(VECTORS)("at %i s the last six digits of the standard's code are taken", (seconds, sha1) => {
    const step = Math.floor(seconds / 30);
    expect(stepOfCode(SECRET, sha1.slice(2), seconds * 1000)).toBe(step);
  });

  test("a code is taken in its own half minute, the one before and the one after, and no other", () => {
    const code = VECTORS[3][1].slice(2);
    const step = Math.floor(1234567890 / 30);
    const taken = [-3, -2, -1, 0, 1, 2, 3].filter(
      (ahead) => stepOfCode(SECRET, code, (step + ahead) * 30_000) === step,
    );
    expect(taken).toEqual([-1, 0, 1]);
  });
});

test("a secret has 160 bits and is never the same", () => {
  const secrets = Array.from({ length: 50 }, createTotpSecret);
  expect(new Set(secrets).size).toBe(50);
  for (const secret of secrets) expect(Secret.fromBase32(secret).bytes).toHaveLength(20);
});

test("the URL carries names with any characters", () => {
  const url = new URL(totpUrl(SECRET, "Wave & Co: VPN", "a+b@example.org"));
  expect([url.protocol, url.host]).toEqual(["otpauth:", "totp"]);
  expect(decodeURIComponent(url.pathname)).toContain("a+b@example.org");
  expect(Object.fromEntries(url.searchParams)).toMatchObject({
    issuer: "Wave & Co: VPN",
    secret: SECRET,
    algorithm: "SHA1",
    digits: "6",
    period: "30",
  });
});

test("what is kept of a step shows neither step nor secret, and rules out all steps of the window before it", () => {
  expect(hashStep(SECRET, 7)).toHaveLength(32);
  expect(hashStep(SECRET, 7)).not.toEqual(hashStep(createTotpSecret(), 7));
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 0, max: 2 }), (step, ahead) => {
      const used = hashStep(SECRET, step + ahead);
      expect(hashesFrom(SECRET, step).some((hash) => hash.equals(used))).toBe(true);
      expect(hashesFrom(SECRET, step + ahead + 1).some((hash) => hash.equals(used))).toBe(false);
    }),
    { numRuns: 20 },
  );
});

test("ten recovery codes of 80 bits are read back however they are typed", () => {
  const codes = createRecoveryCodes();
  expect(new Set(codes).size).toBe(10);
  for (const code of codes) {
    expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$/);
    const plain = code.replaceAll("-", "");
    const typed = [
      code,
      plain,
      code.toLowerCase(),
      ` ${code.replaceAll("-", " ")} `,
      plain.replaceAll("0", "o"),
    ];
    expect(new Set(typed.map(parseRecoveryCode))).toEqual(new Set([plain]));
  }
});

test.each([
  "",
  "123456",
  "ABCD-EFGH-JKMN",
  "UUUU-UUUU-UUUU-UUUU",
  "ABCD-EFGH-JKMN-PQRST",
  "ÄBCD-EFGH-JKMN-PQRS",
])("%j is no recovery code", (text) => expect(parseRecoveryCode(text)).toBeUndefined());

test("a code of an app may be written in groups, and nothing else is one", () => {
  expect(["123456", "123 456", " 123-456 "].map(parseAppCode)).toEqual(["123456", "123456", "123456"]);
  expect(["12345", "1234567", "12345a", "١٢٣٤٥٦"].map(parseAppCode)).toEqual(Array(4).fill(undefined));
});
