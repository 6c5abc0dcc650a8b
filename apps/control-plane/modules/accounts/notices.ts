import type { Tables } from "@securewave/database";
import type { Jobs } from "@securewave/jobs";
import type { Kysely } from "kysely";
import type { Letter, Mail } from "../mail/index.ts";
import type { SettingsStore } from "../settings/index.ts";
import type { Account } from "./account.ts";
import { type Notice, noticeLetter } from "./notice-letters.ts";

export interface NoticesOptions {
  readonly jobs: Jobs;
  readonly mail: Mail;
  readonly settings: SettingsStore;
  readonly publicUrl: string;
  readonly findAccount: (id: string) => Promise<Account | undefined>;
}

/** Tells an owner by mail what was done to the account; sent exactly if the transaction commits. */
export type Notify = (trx: Kysely<Tables>, accountId: string, notice: Notice) => Promise<void>;

const NOTICE_MAIL_JOB = "security-notice-mail";

export function createNotify({ jobs, mail, settings, publicUrl, findAccount }: NoticesOptions): Notify {
  async function letterOf(accountId: string, notice: Notice): Promise<Letter | undefined> {
    const account = await findAccount(accountId);
    if (!account) return undefined;
    const { service_name: serviceName } = await settings.read();
    return noticeLetter(notice, account.email, serviceName, publicUrl);
  }
  jobs.define<{ accountId: string; notice: Notice }>(NOTICE_MAIL_JOB, async ({ accountId, notice }) => {
    const letter = await letterOf(accountId, notice);
    if (letter) await mail.deliver(letter);
  });
  return (trx, accountId, notice) => jobs.send(NOTICE_MAIL_JOB, { accountId, notice }, trx);
}
