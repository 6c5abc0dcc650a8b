import { afterAll, beforeEach, describe, expect, test } from "vitest";
import type { Attempt, LogInGuard } from "../../log-in-guard.ts";
import { openAccountModules, refusalOf } from "../../testing/account-modules.ts";
import {
  type Authenticator,
  type AuthenticatorOptions,
  createAuthenticator,
  type Lies,
} from "../../testing/authenticator.ts";
import { createPasskeys } from "./index.ts";

const base = await openAccountModules();
afterAll(() => base.close());
const { clock, db, publicUrl: origin } = base;
const refused: Attempt[] = [];
const guard: Pick<LogInGuard, "attempt"> = {
  async attempt(attempt, check) {
    return check().catch((error) => {
      refused.push(attempt);
      throw error;
    });
  },
};
const key = new Uint8Array(32).fill(3);
const passkeys = createPasskeys({ ...base, guard, key });
const ORIGIN_TAG = "tag";

beforeEach(() => {
  refused.length = 0;
});

async function register(account: Parameters<typeof passkeys.begin>[0], device: Authenticator, lies?: Lies) {
  return passkeys.add(account.id, "Phone", device.register(await passkeys.begin(account), lies));
}

/** Somebody with a passkey. */
async function person(options: Partial<AuthenticatorOptions> = {}) {
  const account = await base.account();
  const device = createAuthenticator({ origin, ...options });
  const passkey = await register(account, device);
  const logIn = async (lies?: Lies) =>
    passkeys.logIn(device.logIn(await passkeys.createLogInOptions(), lies), ORIGIN_TAG);
  return { account, device, passkey, logIn };
}

describe("registering and logging in", () => {
  test.each(["ES256", "EdDSA", "RS256"] as const)(
    "a passkey of %s logs in whom it belongs to",
    async (algorithm) => {
      const { account, passkey, logIn } = await person({ algorithm });
      expect(passkey).toMatchObject({ name: "Phone", is_synced: false });
      expect(await passkeys.list(account.id)).toEqual({ items: [passkey] });
      for (let time = 0; time < 3; time++) expect((await logIn()).id).toBe(account.id);
      expect(base.actsOf(account.id)).toEqual(["passkey_added"]);
      expect(refused).toEqual([]);
    },
  );

  test("a synced passkey, which counts nothing, logs in again and again and writes nothing", async () => {
    const { account, passkey, logIn } = await person({ isSynced: true });
    expect(passkey.is_synced).toBe(true);
    const version = () =>
      db
        .selectFrom("passkeys")
        .select((e) => e.ref("xmin" as never).as("xmin"))
        .where("id", "=", passkey.id)
        .execute();
    const before = await version();
    for (let time = 0; time < 3; time++) expect((await logIn()).id).toBe(account.id);
    expect(await version()).toEqual(before);
  });

  test("the browser is asked for a passkey that it can find by itself, checks its user, and is not there yet", async () => {
    const { account, device } = await person();
    expect(await passkeys.begin(account)).toMatchObject({
      rp: { id: "vpn.example.org", name: "Wave & Co" },
      user: { id: Buffer.from(account.id).toString("base64url"), name: account.email },
      attestation: "none",
      authenticatorSelection: { residentKey: "required", userVerification: "required" },
      excludeCredentials: [{ id: device.credentialId, type: "public-key", transports: ["internal"] }],
      timeout: 300_000,
    });
    const options = await passkeys.createLogInOptions();
    expect(options).toMatchObject({ rpId: "vpn.example.org", userVerification: "required" });
    expect(options.allowCredentials ?? []).toEqual([]);
  });

  test("one that is registered is registered no second time, by nobody", async () => {
    const { account, device } = await person();
    expect(await refusalOf(register(account, device))).toBe("passkeys.known");
    expect(await refusalOf(register(await base.account(), device))).toBe("passkeys.known");
  });

  test("twenty are the most, also when two come at once", async () => {
    const account = await base.account();
    const answers = [];
    for (let count = 0; count < 22; count++) {
      answers.push(createAuthenticator({ origin }).register(await passkeys.begin(account)));
    }
    const codes = [];
    for (const answer of answers.slice(0, 19))
      codes.push(await refusalOf(passkeys.add(account.id, "Key", answer)));
    codes.push(
      ...(await Promise.all(
        answers.slice(19).map((answer) => refusalOf(passkeys.add(account.id, "Key", answer))),
      )),
    );
    expect(codes.filter((code) => code === "ok")).toHaveLength(20);
    expect(codes.filter((code) => code === "passkeys.too_many")).toHaveLength(2);
    expect(await refusalOf(passkeys.begin(account))).toBe("passkeys.too_many");
  });

  test("an account that is suspended, or gone, is not logged in", async () => {
    const { account, logIn } = await person();
    await db.updateTable("accounts").set({ state: "suspended" }).where("id", "=", account.id).execute();
    expect(await refusalOf(logIn())).toBe("sessions.account_suspended");
    await db.deleteFrom("accounts").where("id", "=", account.id).execute();
    expect(await refusalOf(logIn())).toBe("sessions.wrong_credentials");
  });
});

describe("a registration is refused", () => {
  test.each<[string, Lies]>([
    ["of another site", { origin: "https://evil.example.org" }],
    ["for another host", { rpId: "evil.example.org" }],
    ["that is a log-in", { type: "webauthn.get" }],
    ["with a challenge of nobody", { challenge: Buffer.alloc(56).toString("base64url") }],
    ["without a check of the user", { isVerified: false }],
    ["with certificates", { format: "packed", statement: new Map<string, unknown>([["x5c", []]]) }],
    ["of a kind with certificates", { format: "android-key" }],
    ["with a statement that none has", { statement: new Map<string, unknown>([["sig", "x"]]) }],
  ])("%s", async (_, lies) => {
    const account = await base.account();
    const device = createAuthenticator({ origin });
    expect(await refusalOf(register(account, device, lies))).toBe("passkeys.refused");
    expect(await refusalOf(register(account, device))).toBe("ok");
  });

  test("that answers a challenge of another account, of a log-in, used before, or of six minutes ago", async () => {
    const [account, stranger] = [await base.account(), await base.account()];
    const add = (options: Record<string, unknown>) =>
      refusalOf(passkeys.add(account.id, "Phone", createAuthenticator({ origin }).register(options)));
    const own = await passkeys.begin(account);
    const { challenge } = await passkeys.begin(stranger);
    expect(await add({ ...own, challenge })).toBe("passkeys.refused");
    expect(await add({ ...own, challenge: (await passkeys.createLogInOptions()).challenge })).toBe(
      "passkeys.refused",
    );
    expect(await add(own)).toBe("ok");
    expect(await add(own)).toBe("passkeys.refused");
    const late = await passkeys.begin(account);
    clock.advanceSeconds(301);
    expect(await add(late)).toBe("passkeys.refused");
  });

  test.each([
    ["nothing", {}],
    ["fields of other types", { id: "a", rawId: 1, type: [], response: "x" }],
    [
      "no CBOR",
      {
        id: "a",
        rawId: "a",
        type: "public-key",
        response: { clientDataJSON: "e30", attestationObject: "AA" },
      },
    ],
    [
      "too much",
      {
        id: "a",
        rawId: "a",
        type: "public-key",
        response: { clientDataJSON: "e30", attestationObject: "A".repeat(30_000) },
      },
    ],
  ])("that is %s", async (_, response) => {
    const account = await base.account();
    expect(await refusalOf(passkeys.add(account.id, "Phone", { id: "a", ...response }))).toBe(
      "passkeys.refused",
    );
  });

  test.each([undefined, "usb", [{}], ["teleport"], { usb: true }])(
    "never for its transports %j, which are left out",
    async (transports) => {
      const account = await base.account();
      expect(await refusalOf(register(account, createAuthenticator({ origin }), { transports }))).toBe("ok");
      const rows = await db
        .selectFrom("passkeys")
        .select("transports")
        .where("account_id", "=", account.id)
        .execute();
      expect(rows).toEqual([{ transports: [] }]);
    },
  );
});

describe("a log-in is refused, counted and told to nobody why", () => {
  test.each<[string, Lies]>([
    ["of another site", { origin: "https://evil.example.org" }],
    ["for another host", { rpId: "evil.example.org" }],
    ["that is a registration", { type: "webauthn.create" }],
    ["with a challenge of nobody", { challenge: Buffer.alloc(56).toString("base64url") }],
    ["without a check of the user", { isVerified: false }],
    ["that names another account", { userHandle: Buffer.from("acc_0").toString("base64url") }],
    ["that names no account", { userHandle: "" }],
    ["whose signature is wrong", { signature: Buffer.from("no signature") }],
    ["whose counter stands still, as that of a copy does", { counter: 2 }],
    ["whose counter goes backwards", { counter: 1 }],
    ["whose counter is gone", { counter: 0 }],
  ])("%s", async (_, lies) => {
    const { account, logIn } = await person();
    await logIn();
    expect(await refusalOf(logIn(lies))).toBe("sessions.wrong_credentials");
    expect(refused).toMatchObject([{ accountId: account.id, method: "passkey" }]);
    expect((await logIn()).id).toBe(account.id);
  });

  test("with an answer that was used before, also when it comes ten times at once", async () => {
    for (const isSynced of [true, false]) {
      const { device } = await person({ isSynced });
      const answer = device.logIn(await passkeys.createLogInOptions());
      const codes = await Promise.all(
        Array.from({ length: 10 }, () => refusalOf(passkeys.logIn(answer, ORIGIN_TAG))),
      );
      expect(codes.filter((code) => code === "ok")).toHaveLength(1);
    }
  });

  test("with a challenge of six minutes ago, or of a registration", async () => {
    const { account, device } = await person();
    const options = await passkeys.createLogInOptions();
    clock.advanceSeconds(301);
    const logIn = (given: Record<string, unknown>) =>
      refusalOf(passkeys.logIn(device.logIn(given), ORIGIN_TAG));
    expect(await logIn(options)).toBe("sessions.wrong_credentials");
    const { challenge } = await passkeys.begin(account);
    expect(await logIn({ ...options, challenge })).toBe("sessions.wrong_credentials");
    const other = createPasskeys({ ...base, guard, key: new Uint8Array(32).fill(4) });
    expect(await logIn(await other.createLogInOptions())).toBe("sessions.wrong_credentials");
  });

  test("by a passkey that nobody registered, or that is no passkey at all", async () => {
    const options = await passkeys.createLogInOptions();
    const answers = [createAuthenticator({ origin }).logIn(options), { id: "x" }, {}, { id: { $ne: "" } }];
    for (const answer of answers)
      expect(await refusalOf(passkeys.logIn(answer, ORIGIN_TAG))).toBe("sessions.wrong_credentials");
    expect(refused).toMatchObject(answers.map(() => ({ accountId: undefined, method: "passkey" })));
  });
});

test("one's own passkeys are renamed and removed, those of others are not there", async () => {
  const [one, two] = [await person(), await person()];
  const { id } = one.passkey;
  expect(await refusalOf(passkeys.rename(two.account.id, id, "Mine"))).toBe("passkeys.not_found");
  expect(await refusalOf(passkeys.remove(two.account.id, id))).toBe("passkeys.not_found");
  expect(await passkeys.rename(one.account.id, id, "Old phone")).toMatchObject({ id, name: "Old phone" });
  await passkeys.remove(one.account.id, id);
  expect(await refusalOf(one.logIn())).toBe("sessions.wrong_credentials");
  expect(await refusalOf(passkeys.remove(one.account.id, id))).toBe("passkeys.not_found");
  expect(base.actsOf(one.account.id)).toEqual(["passkey_added", "passkey_removed"]);
  await passkeys.removeAll(db, two.account.id);
  expect(await passkeys.list(two.account.id)).toEqual({ items: [] });
});

test("on localhost passkeys work without https, as browsers allow", async () => {
  const local = createPasskeys({ ...base, guard, key, publicUrl: "http://localhost:8000" });
  const account = await base.account();
  const device = createAuthenticator({ origin: "http://localhost:8000" });
  await local.add(account.id, "Laptop", device.register(await local.begin(account)));
  expect((await local.logIn(device.logIn(await local.createLogInOptions()), ORIGIN_TAG)).id).toBe(account.id);
});
