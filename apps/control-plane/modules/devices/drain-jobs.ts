import type { Tables } from "@securewave/database";
import type { Jobs } from "@securewave/jobs";
import type { Kysely } from "kysely";
import type { Accounts } from "../accounts/index.ts";
import type { Mail } from "../mail/index.ts";
import type { Nodes } from "../nodes/index.ts";
import type { SettingsStore } from "../settings/index.ts";
import { movedLetter } from "./letters.ts";
import type { Devices } from "./service.ts";

export interface DrainJobsOptions {
  readonly jobs: Pick<Jobs, "define" | "send">;
  readonly devices: Pick<Devices, "drainAll">;
  readonly nodes: Pick<Nodes, "onDraining">;
  readonly accounts: Pick<Accounts, "find">;
  readonly mail: Pick<Mail, "deliver">;
  readonly settings: SettingsStore;
  readonly publicUrl: string;
}

const DRAIN_JOB = "drain-nodes";
const MAIL_JOB = "moved-devices-mail";
/** Each minute, for those that found no place before. */
const DRAIN_CRON = "* * * * *";

interface MovedMail {
  readonly accountId: string;
  /** The last day of the former configs. */
  readonly validUntil: string;
}

/** Has devices leave nodes as soon as they drain, and their owners told. */
export function defineDrainJobs(options: DrainJobsOptions): void {
  const { jobs, devices, nodes, accounts, mail, settings, publicUrl } = options;

  function tell(trx: Kysely<Tables>, accountId: string, validUntil: string): Promise<void> {
    return jobs.send(MAIL_JOB, { accountId, validUntil } satisfies MovedMail, trx);
  }

  jobs.define(DRAIN_JOB, () => devices.drainAll(tell), { cron: DRAIN_CRON });
  jobs.define<MovedMail>(MAIL_JOB, async ({ accountId, validUntil }) => {
    const account = await accounts.find(accountId);
    if (account?.state !== "active") return;
    const { service_name: serviceName } = await settings.read();
    const letter = { to: account.email, serviceName, url: `${publicUrl}/devices` };
    await mail.deliver(movedLetter(letter, validUntil));
  });
  nodes.onDraining((trx) => jobs.send(DRAIN_JOB, {}, trx));
}
