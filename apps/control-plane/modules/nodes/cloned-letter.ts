import type { Database } from "@securewave/database";
import type { Jobs } from "@securewave/jobs";
import type { Accounts } from "../accounts/index.ts";
import type { Letter, Mail } from "../mail/index.ts";
import type { SettingsStore } from "../settings/index.ts";
import type { TellCloned } from "./cloning.ts";
import * as store from "./store.ts";

export interface ClonedLetterOptions {
  readonly database: Database;
  readonly jobs: Pick<Jobs, "define" | "send">;
  readonly accounts: Pick<Accounts, "find" | "listAdmins">;
  readonly mail: Pick<Mail, "deliver">;
  readonly settings: SettingsStore;
  readonly publicUrl: string;
}

const MAIL_JOB = "node-cloned-mail";

interface ClonedMail {
  readonly accountId: string;
  readonly nodeId: string;
}

/** One job for each admin, so that nobody gets the letter again because another's could not be delivered. */
export function defineClonedLetter(options: ClonedLetterOptions): TellCloned {
  const { database, jobs, accounts, mail, settings, publicUrl } = options;

  jobs.define<ClonedMail>(MAIL_JOB, async ({ accountId, nodeId }) => {
    const account = await accounts.find(accountId);
    const node = await store.findNode(database.db, nodeId);
    if (account?.state !== "active" || account.role !== "admin" || !node) return;
    const { service_name: serviceName } = await settings.read();
    const url = `${publicUrl}/admin/nodes/${nodeId}`;
    await mail.deliver(clonedLetter({ to: account.email, serviceName, nodeName: node.name, url }));
  });

  return async (trx, nodeId) => {
    for (const accountId of await accounts.listAdmins(trx)) {
      await jobs.send(MAIL_JOB, { accountId, nodeId } satisfies ClonedMail, trx);
    }
  };
}

interface LetterFacts {
  readonly to: string;
  readonly serviceName: string;
  readonly nodeName: string;
  readonly url: string;
}

function clonedLetter({ to, serviceName, nodeName, url }: LetterFacts): Letter {
  return {
    to,
    subject: `The credential of the ${serviceName} node ${nodeName} was copied`,
    paragraphs: [
      `Two machines connected as the node ${nodeName} of ${serviceName} at the same time, over and over. One of them has a copy of the node's credential: a cloned disk, a restored backup, or somebody who took it.`,
      "The credential works no more, for neither of them. The tunnels that there are go on; devices that are added, changed or removed reach the node no more.",
      "Find the copy and switch it off. Then make a fresh join token by the link below and join the right machine anew. If you do not know the copy, set the machine up anew first: its WireGuard key may have been taken, too.",
    ],
    action: { label: "Look at the node", url },
  };
}
