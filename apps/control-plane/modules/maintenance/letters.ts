import type { Database } from "@securewave/database";
import { type Clock, HOUR_MS } from "@securewave/foundation";
import type { Jobs } from "@securewave/jobs";
import type { Accounts } from "../accounts/index.ts";
import type { Letter, Mail } from "../mail/index.ts";
import type { SettingsStore } from "../settings/index.ts";
import { regionOf } from "../sla/index.ts";
import * as store from "./store.ts";
import { stateOf, type WindowRow } from "./window.ts";

export interface LettersOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly jobs: Pick<Jobs, "define" | "send">;
  readonly accounts: Pick<Accounts, "find">;
  readonly mail: Pick<Mail, "deliver">;
  readonly settings: SettingsStore;
  readonly publicUrl: string;
}

export const LETTERS_JOB = "maintenance-letters";
const MAIL_JOB = "maintenance-mail";
/** Also for what was cut off, and for reminders. */
const CRON = "*/10 * * * *";
const REMINDER_MS = 2 * HOUR_MS;
/** Accounts of one transaction. */
const BATCH = 200;

interface MaintenanceMail {
  readonly accountId: string;
  readonly windowId: string;
  readonly kind: store.LetterKind;
}

/** One job for each account, so that nobody gets a letter again because another's could not be delivered. */
export function defineMaintenanceLetters(options: LettersOptions): void {
  const { database, clock, jobs, accounts, mail, settings, publicUrl } = options;

  /** Queues the next batch, exactly if how far it got is kept. @returns whether there is more */
  async function queueBatch(letter: store.LetterRow): Promise<boolean> {
    return database.transaction(async (trx) => {
      const held = await store.lockLetter(trx, letter);
      const window = held && (await store.findWindow(trx, held.window_id));
      if (!held || !window) return false;
      const ids = isCurrent(held.kind, window, clock.now())
        ? await store.listConcerned(trx, held.reached, BATCH, regionsOf(window))
        : [];
      for (const accountId of ids) {
        const data: MaintenanceMail = { accountId, windowId: window.id, kind: held.kind };
        await jobs.send(MAIL_JOB, data, trx);
      }
      const is_done = ids.length < BATCH;
      await store.advanceLetter(trx, held, { reached: ids.at(-1) ?? held.reached, is_done });
      return !is_done;
    });
  }

  jobs.define(
    LETTERS_JOB,
    async () => {
      const nowMs = clock.now();
      await store.putReminders(database.db, new Date(nowMs), new Date(nowMs + REMINDER_MS));
      for (const letter of await store.listUnfinishedLetters(database.db)) while (await queueBatch(letter));
    },
    { cron: CRON },
  );

  jobs.define<MaintenanceMail>(MAIL_JOB, async ({ accountId, windowId, kind }) => {
    const [account, window] = await Promise.all([
      accounts.find(accountId),
      store.findWindow(database.db, windowId),
    ]);
    if (account?.state !== "active" || !window || !isCurrent(kind, window, clock.now())) return;
    const { service_name: serviceName } = await settings.read();
    await mail.deliver(maintenanceLetter(kind, window, account.email, serviceName, publicUrl));
  });
}

/** Whether a letter still says what is so. */
function isCurrent(kind: store.LetterKind, window: WindowRow, nowMs: number): boolean {
  const state = stateOf(window, nowMs);
  if (kind === "cancelled") return state === "cancelled";
  return kind === "reminder" ? state === "scheduled" : state === "scheduled" || state === "active";
}

/** Undefined where it concerns more than tunnels, and so everybody. */
function regionsOf({ components }: WindowRow): string[] | undefined {
  const regions = components.map(regionOf).filter((region) => region !== undefined);
  return components.length > 0 && regions.length === components.length ? regions : undefined;
}

const SUBJECTS: Readonly<Record<store.LetterKind, (serviceName: string) => string>> = {
  announced: (name) => `${name}: maintenance is planned`,
  reminder: (name) => `${name}: maintenance begins soon`,
  changed: (name) => `${name}: maintenance was changed`,
  cancelled: (name) => `${name}: maintenance was cancelled`,
};

const MODE_WORDS: Readonly<Record<WindowRow["mode"], string>> = {
  off: "The console stays open meanwhile.",
  "read-only": "Meanwhile you can look at everything in the console and change nothing.",
  closed: "Meanwhile the console is closed.",
};

function maintenanceLetter(
  kind: store.LetterKind,
  window: WindowRow,
  to: string,
  serviceName: string,
  publicUrl: string,
): Letter {
  const from = instantText(window.starts_at);
  const until = instantText(window.ends_at);
  const times =
    kind === "cancelled"
      ? `The maintenance “${window.title}”, from ${from} to ${until}, will not be done.`
      : `“${window.title}”: from ${from} to ${until}.`;
  const regions = regionsOf(window);
  const tunnels = regions
    ? `Tunnels to servers in ${regions.join(", ")} may be interrupted; those to other servers go on.`
    : "Tunnels that are connected go on.";
  const urgency = window.is_emergency ? "It is an emergency, announced less than 24 hours ahead." : "";
  const rest =
    kind === "cancelled" ? [] : [urgency, ...window.text.split(/\n+/), MODE_WORDS[window.mode], tunnels];
  return {
    to,
    subject: SUBJECTS[kind](serviceName),
    paragraphs: [times, ...rest.filter((paragraph) => paragraph.trim() !== "")],
    action: { label: "See the status page", url: `${publicUrl}/status` },
  };
}

/** `2026-11-24 02:00 UTC` */
function instantText(instant: Date): string {
  return `${instant.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
