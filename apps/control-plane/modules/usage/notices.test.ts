import { createId } from "@securewave/foundation";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { openAccountModules } from "../../testing/account-modules.ts";
import type { Mail } from "../mail/index.ts";
import type { Plan } from "../plans/index.ts";
import { createAccountUsage } from "./account-usage.ts";
import { createUsageNotices, type UsageNotices, usageLetter } from "./notices.ts";
import { monthOf, monthText, resetDayOf, type Told } from "./quota.ts";

const GIB = 2 ** 30;
const HOUR_MS = 3_600_000;
const DAY_SECONDS = 86_400;
const plan: Plan = {
  id: "plan_standard000000000000",
  name: "Standard",
  quota_bytes: 100 * GIB,
  on_quota: "throttle",
  throttle_kbit_per_second: 1500,
  connections_max: null,
  devices_max: null,
  tier: 1,
  speed_kbit_per_second: null,
  server_tags: [],
  is_default: true,
  is_retired: false,
};

const base = await openAccountModules();
afterAll(() => base.close());
const { accounts, clock } = base;
const troubles: unknown[] = [];

function openNotices(mail: Pick<Mail, "deliver"> = base.mail) {
  const { settings, publicUrl } = base;
  return createUsageNotices({
    ...{ clock, mail, settings, publicUrl, planOf: () => plan, findAmongAll: accounts.findAmongAll },
    onTrouble: (error) => void troubles.push(error),
  });
}
const notices = openNotices();

/** What the daily flush does with one account. */
async function flush(accountId: string, usedBytes: number, told: Told): Promise<Told> {
  const { tell, told: next } = notices.judge(accountId, usedBytes, told);
  await notices.tell(tell ? [{ accountId, percent: tell }] : []);
  return next;
}

test("an owner is told once of each mark, by the flush after it was passed", async () => {
  const { id, email } = await base.account();
  let told = await flush(id, 79 * GIB, 0);
  told = await flush(id, 81 * GIB, told);
  const warned = await base.letterTo(email);
  told = await flush(id, 90 * GIB, told);
  told = await flush(id, 100 * GIB, told);
  const reached = await base.letterTo(email, [warned]);
  await flush(id, 120 * GIB, told);
  expect([warned.subject, reached.subject]).toEqual([
    "80 % of this month's traffic at Wave & Co is used",
    "This month's traffic at Wave & Co is used up",
  ]);
  expect(base.letters.filter(({ to }) => to === email)).toHaveLength(2);
});

test("nothing about it is ever queued", async () => {
  const { id, email } = await base.account();
  await flush(id, 100 * GIB, 0);
  await base.letterTo(email);
  const { rows } = await base.database.pool.query("select to_regclass('jobs.job') as queue");
  expect(rows).toEqual([{ queue: null }]); // no job was ever sent
});

test("a letter tells what happens and until when, and neither bytes nor a time of day", () => {
  const to = { to: "a@example.org", serviceName: "Wave", publicUrl: "https://vpn.example.org" };
  const resetDay = "2026-12-01";
  for (const percent of [80, 100] as const) {
    for (const on_quota of ["throttle", "block"] as const) {
      const letter = usageLetter({ ...to, resetDay, percent, plan: { ...plan, on_quota } });
      const text = [letter.subject, ...letter.paragraphs].join(" ");
      expect(text).toContain("2026-12-01");
      expect(text).toContain(on_quota === "block" ? "no connection" : "1.5 Mbit/s");
      expect(text).not.toMatch(/\d[kMGT]?i?B|\d:\d\d/);
      expect(letter.action?.url).toBe("https://vpn.example.org/account/usage");
    }
  }
});

test("nobody gets a letter who is suspended or gone, and others get theirs all the same", async () => {
  const [suspended, active] = [await base.account("suspended"), await base.account()];
  const ids = [suspended.id, createId("account"), active.id];
  await notices.tell(ids.map((accountId) => ({ accountId, percent: 100 })));
  await base.letterTo(active.email);
  expect(base.letters.filter(({ to }) => to === suspended.email)).toEqual([]);
});

describe("a letter that the mail server does not take", () => {
  afterEach(() => void vi.useRealTimers());

  /** A mail server that refuses so many letters. */
  function refusing(times: number) {
    const tried: string[] = [];
    return {
      tried,
      deliver: async ({ to }: { to: string }) => {
        tried.push(to);
        if (tried.length <= times) throw new Error("refused");
      },
    };
  }

  test("is tried again until it is taken, without the database being asked again", async () => {
    const { id, email } = await base.account();
    const mail = refusing(2);
    let asked = 0;
    const findAmongAll: typeof accounts.findAmongAll = async (ids) => {
      asked++;
      return accounts.findAmongAll(ids);
    };
    const { settings, publicUrl } = base;
    const own = createUsageNotices({
      ...{ clock, mail, settings, publicUrl, planOf: () => plan, findAmongAll },
      onTrouble: (error) => void troubles.push(error),
    });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    await own.tell([{ accountId: id, percent: 80 }]);
    await vi.advanceTimersByTimeAsync(24 * HOUR_MS);
    expect(mail.tried).toEqual([email, email, email]);
    expect(asked).toBe(1);
    own.close();
  });

  test("is given up after some hours, which is said without a name", async () => {
    const { id } = await base.account();
    const mail = refusing(100);
    const own = openNotices(mail);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    await own.tell([{ accountId: id, percent: 80 }]);
    await vi.advanceTimersByTimeAsync(24 * HOUR_MS);
    expect(mail.tried).toHaveLength(6);
    expect(troubles.splice(0).map(String)).toEqual(["Error: letters about usage could not be delivered"]);
    own.close();
  });

  test("is dropped with the month that it speaks of, and when the service ends", async () => {
    const { id } = await base.account();
    for (const end of [(own: UsageNotices) => own.close(), () => clock.advanceSeconds(32 * DAY_SECONDS)]) {
      const mail = refusing(1);
      const own = openNotices(mail);
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      await own.tell([{ accountId: id, percent: 80 }]);
      await vi.advanceTimersByTimeAsync(1000);
      end(own);
      await vi.advanceTimersByTimeAsync(24 * HOUR_MS);
      expect(mail.tried).toHaveLength(1);
      own.close();
    }
  });
});

test("an owner sees the exact use, and what comes of it", async () => {
  const { id } = await base.account();
  let usedBytes = 0;
  const usage = createAccountUsage({ ...base, planOf: () => plan, used: () => usedBytes });
  const month = monthOf(clock.now());
  const same = { month: monthText(month), quota_bytes: 100 * GIB, resets_on: resetDayOf(month) };
  const free = { restriction: "none", throttle_kbit_per_second: null };
  expect(usage.own(id)).toEqual({ ...same, ...free, used_bytes: 0, percent: 0, level: "below" });
  usedBytes = 80 * GIB + 1;
  expect(usage.own(id)).toEqual({ ...same, ...free, used_bytes: usedBytes, percent: 80, level: "warned" });
  usedBytes = 250 * GIB;
  expect(usage.own(id)).toEqual({
    ...same,
    used_bytes: usedBytes,
    percent: 250,
    level: "reached",
    restriction: "throttled",
    throttle_kbit_per_second: 1500,
  });
});

test("staff see whole GiB, and that they looked is in the trail", async () => {
  const { id } = await base.account();
  const actor = createId("account");
  const usage = createAccountUsage({ ...base, planOf: () => plan, used: () => 12.4 * GIB });
  const before = base.acts.length;
  const seen = await usage.forStaff(id, actor);
  expect(seen).toMatchObject({ used_gib: 12, quota_gib: 100, level: "below", restriction: "none" });
  expect(JSON.stringify(seen)).not.toContain(String(12.4 * GIB));
  expect(base.acts.slice(before)).toEqual([{ kind: "account_usage_read", actor, subject: id }]);
  await expect(usage.forStaff(createId("account"), actor)).rejects.toMatchObject({
    code: "accounts.not_found",
  });
  expect(base.acts).toHaveLength(before + 1);
});
