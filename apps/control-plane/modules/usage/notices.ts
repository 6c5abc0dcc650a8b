import { formatSpeed } from "@securewave/contracts";
import { type Clock, MINUTE_MS } from "@securewave/foundation";
import type { Account } from "../accounts/index.ts";
import type { Letter, Mail } from "../mail/index.ts";
import type { Plan } from "../plans/index.ts";
import type { SettingsStore } from "../settings/index.ts";
import { judge, monthOf, resetDayOf, type Told, type Verdict } from "./quota.ts";

export interface UsageNoticesOptions {
  readonly clock: Clock;
  readonly mail: Pick<Mail, "deliver">;
  readonly settings: SettingsStore;
  readonly publicUrl: string;
  readonly planOf: (accountId: string) => Plan;
  /** Does the same work whoever is looked for. */
  readonly findAmongAll: (ids: readonly string[]) => Promise<Pick<Account, "id" | "email" | "state">[]>;
  onTrouble(error: unknown): void;
}

/** Who is to be told that they used so much of the month's quota. */
export interface Telling {
  readonly accountId: string;
  readonly percent: 80 | 100;
}

export type UsageNotices = ReturnType<typeof createUsageNotices>;

/** What the mail server did not take is tried again after so many minutes each, and then left to the console. */
const RETRY_MINUTES = [1, 5, 15, 60, 180];
const LETTERS_AT_ONCE = 4;

/**
 * Letters to owners at 80 % and 100 % of the month's quota. They go out by the clock, with the day's rewriting of the
 * ledger, and from memory alone: a row in the queue would name accounts that used much (ZERO-LOG R1). So each is sent
 * once at most: of one that a crash stops on its way, the sealed row says that it was told. The console and the API show
 * how much is used as it happens.
 */
export function createUsageNotices(options: UsageNoticesOptions) {
  const { clock, mail, settings, publicUrl, planOf, findAmongAll, onTrouble } = options;
  const timers = new Set<NodeJS.Timeout>();
  let isClosed = false;

  async function write(tellings: readonly Telling[], month: number): Promise<Letter[]> {
    const { service_name: serviceName } = await settings.read();
    const owners = await findAmongAll(tellings.map(({ accountId }) => accountId));
    const accounts = new Map(owners.map((account) => [account.id, account]));
    return tellings.flatMap(({ accountId, percent }) => {
      const account = accounts.get(accountId);
      const plan = planOf(accountId);
      if (account?.state !== "active" || plan.quota_bytes === null) return [];
      const resetDay = resetDayOf(month);
      return usageLetter({ to: account.email, serviceName, publicUrl, percent, plan, resetDay });
    });
  }

  /** A letter that waits for the mail server into the next month would be wrong, so it is dropped. */
  async function deliver(letters: readonly Letter[], month: number, failures: number): Promise<void> {
    const queue = [...letters];
    const left: Letter[] = [];
    async function work(): Promise<void> {
      for (let letter = queue.shift(); letter !== undefined; letter = queue.shift()) {
        if (isClosed || monthOf(clock.now()) !== month) return;
        const undelivered = letter;
        await mail.deliver(letter).catch(() => left.push(undelivered));
      }
    }
    await Promise.all(Array.from({ length: LETTERS_AT_ONCE }, work));
    if (left.length === 0 || isClosed) return;
    const minutes = RETRY_MINUTES[failures];
    if (minutes === undefined) {
      onTrouble(new Error("letters about usage could not be delivered"));
      return;
    }
    const timer = setTimeout(() => {
      timers.delete(timer);
      void deliver(left, month, failures + 1);
    }, minutes * MINUTE_MS);
    timers.add(timer.unref());
  }

  return {
    /** What an account's owner is to be told, and then knows. From memory alone. */
    judge(accountId: string, usedBytes: number, told: Told): Pick<Verdict, "tell" | "told"> {
      const month = monthOf(clock.now());
      return judge({ month, usedBytes, told }, planOf(accountId), month);
    },

    /** Writes the letters and begins to send them; does the same work in the database when there are none. */
    async tell(tellings: readonly Telling[]): Promise<void> {
      const month = monthOf(clock.now());
      try {
        void deliver(await write(tellings, month), month, 0);
      } catch (error) {
        onTrouble(error);
      }
    },

    /** What has not been delivered is dropped. */
    close(): void {
      isClosed = true;
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

interface UsageLetter extends Pick<Telling, "percent"> {
  readonly to: string;
  readonly serviceName: string;
  readonly publicUrl: string;
  readonly plan: Pick<Plan, "on_quota" | "throttle_kbit_per_second">;
  readonly resetDay: string;
}

/** It says how much of the quota, and never how many bytes or when: letters lie in mailboxes for years. */
export function usageLetter({ to, serviceName, publicUrl, percent, plan, resetDay }: UsageLetter): Letter {
  const speed = formatSpeed(plan.throttle_kbit_per_second);
  const isReached = percent === 100;
  const consequence =
    plan.on_quota === "block"
      ? `your devices ${isReached ? "have" : "then have"} no connection through ${serviceName}`
      : `your devices ${isReached ? "go on" : "then go on"} at ${speed} each`;
  return {
    to,
    subject: isReached
      ? `This month's traffic at ${serviceName} is used up`
      : `80 % of this month's traffic at ${serviceName} is used`,
    paragraphs: [
      isReached
        ? `You have used all the traffic that your plan has for this month: until ${resetDay} (UTC) ${consequence}.`
        : `You have used more than 80 % of the traffic that your plan has for this month. When it is used up, ${consequence}, until ${resetDay} (UTC).`,
      "This is written once a day and so can be a little behind; the page “Usage” shows it as it is.",
    ],
    action: { label: "Look at your usage", url: `${publicUrl}/account/usage` },
  };
}
