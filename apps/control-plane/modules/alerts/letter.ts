import type { Tables } from "@securewave/database";
import type { Jobs } from "@securewave/jobs";
import type { AlertRule } from "@securewave/monitoring";
import type { Kysely } from "kysely";
import type { Accounts } from "../accounts/index.ts";
import type { Letter, Mail } from "../mail/index.ts";
import type { SettingsStore } from "../settings/index.ts";

export type AlertEvent = "fires" | "is over";

export interface AlertLetterOptions {
  readonly jobs: Pick<Jobs, "define" | "send">;
  readonly accounts: Pick<Accounts, "find" | "listAdmins">;
  readonly mail: Pick<Mail, "deliver">;
  readonly settings: SettingsStore;
  readonly publicUrl: string;
  readonly ruleOf: (name: string) => AlertRule | undefined;
}

const MAIL_JOB = "alert-mail";

interface AlertMail {
  readonly accountId: string;
  readonly alert: string;
  readonly event: AlertEvent;
}

/** Tells admins by mail; sent exactly if the transaction commits. */
export type TellAlert = (trx: Kysely<Tables>, alert: string, event: AlertEvent) => Promise<void>;

/** One job for each admin, so that nobody gets the letter again because another's could not be delivered. */
export function defineAlertLetter(options: AlertLetterOptions): TellAlert {
  const { jobs, accounts, mail, settings, publicUrl, ruleOf } = options;

  jobs.define<AlertMail>(MAIL_JOB, async ({ accountId, alert, event }) => {
    const account = await accounts.find(accountId);
    const rule = ruleOf(alert);
    if (account?.state !== "active" || account.role !== "admin" || !rule) return;
    const { service_name: serviceName } = await settings.read();
    await mail.deliver(letterOf(rule, event, { to: account.email, serviceName, publicUrl }));
  });

  return async (trx, alert, event) => {
    for (const accountId of await accounts.listAdmins(trx))
      await jobs.send(MAIL_JOB, { accountId, alert, event } satisfies AlertMail, trx);
  };
}

interface LetterFacts {
  readonly to: string;
  readonly serviceName: string;
  readonly publicUrl: string;
}

function letterOf(
  { name, severity, summary, advice }: AlertRule,
  event: AlertEvent,
  { to, serviceName, publicUrl }: LetterFacts,
): Letter {
  const action = { label: "Look at the alerts", url: `${publicUrl}/admin/alerts` };
  if (event === "is over")
    return {
      to,
      subject: `${serviceName}: over: ${name}`,
      paragraphs: [`This is over: ${summary}.`],
      action,
    };
  return {
    to,
    subject: `${serviceName}: ${severity}: ${name}`,
    paragraphs: [
      `${summary}.`,
      advice,
      "You can silence it on the page below while you work on it. The operator's runbook has a section for it.",
    ],
    action,
  };
}
