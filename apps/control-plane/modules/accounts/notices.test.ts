import { Secret, TOTP } from "otpauth";
import { afterAll, expect, test } from "vitest";
import { createBus } from "../../bus.ts";
import { openAccountModules } from "../../testing/account-modules.ts";
import { createAuthenticator } from "../../testing/authenticator.ts";
import { createApiKeys } from "../api-keys/index.ts";
import { createPasskeys } from "../passkeys/index.ts";
import { createSecondFactors } from "../second-factors/index.ts";

const base = await openAccountModules({ startsJobs: true });
afterAll(() => base.close());
const { accounts, clock, database } = base;
const { notify } = accounts;
const secondFactors = createSecondFactors({ ...base, notify });
await base.startJobs();

/** The subjects of the letters to somebody, without whose account it is. */
async function toldOf(email: string, count: number): Promise<string[]> {
  for (let seen: typeof base.letters = []; seen.length < count; )
    seen = [...seen, await base.letterTo(email, seen)];
  const letters = base.letters.filter(({ to }) => to === email);
  // Several are sent at once, in any order.
  return letters.map(({ subject }) => subject.replace(/ \w+ your Wave & Co account$/, "")).toSorted();
}

test("the owner is told when the second factor is switched on or off and when a recovery code is used", async () => {
  const account = await base.account();
  const { secret } = await secondFactors.begin(account);
  const code = TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: clock.now() });
  const [recoveryCode] = await secondFactors.confirm(account.id, code);
  await database.transaction((trx) => secondFactors.demand(trx, account, recoveryCode));
  await secondFactors.disable(account.id);
  expect(await toldOf(account.email, 3)).toEqual([
    "A recovery code was used",
    "A second factor was switched on",
    "The second factor was switched off",
  ]);
});

test("the owner is told when the operator takes the second factor off", async () => {
  const account = await base.account();
  await database.transaction((trx) => secondFactors.remove(trx, account.id));
  expect(await toldOf(account.email, 1)).toEqual(["The second factor was removed"]);
});

test("the owner is told of an API key that was made", async () => {
  const account = await base.account();
  const bus = createBus(database, () => {});
  const apiKeys = createApiKeys({ ...base, bus, notify, daysMax: 90 });
  const key = { name: "script", scopes: ["account:read"], expiresInDays: 90, requestsPerMinute: 60 } as const;
  const { text } = await apiKeys.create(account.id, key);
  expect(await toldOf(account.email, 1)).toEqual(["An API key was made"]);
  expect(JSON.stringify(base.letters)).not.toContain(text);
});

test("the owner is told of a passkey that was added or removed", async () => {
  const account = await base.account();
  const guard = { attempt: <Result>(_: unknown, check: () => Promise<Result>) => check() };
  const passkeys = createPasskeys({ ...base, guard, notify, key: new Uint8Array(32).fill(3) });
  const device = createAuthenticator({ origin: base.publicUrl });
  const { id } = await passkeys.add(account.id, "Phone", device.register(await passkeys.begin(account)));
  await passkeys.remove(account.id, id);
  expect(await toldOf(account.email, 2)).toEqual(["A passkey was added", "A passkey was removed"]);
});
