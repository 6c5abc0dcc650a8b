import type { Database, Tables } from "@securewave/database";
import { type Clock, createId, dayOf } from "@securewave/foundation";
import type { Jobs } from "@securewave/jobs";
import type { Kysely } from "kysely";
import type { Accounts } from "../accounts/index.ts";
import type { Mail } from "../mail/index.ts";
import * as store from "./store.ts";

export interface NoticesOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly jobs: Pick<Jobs, "define" | "send">;
  readonly accounts: Pick<Accounts, "find">;
  readonly mail: Pick<Mail, "deliver">;
  /** Accounts that one step goes through. */
  readonly batch?: number;
}

export interface NewNotice {
  readonly subject: string;
  /** Paragraphs are parted by empty lines. */
  readonly text: string;
  /** Only to those who have a device there. */
  readonly nodeId?: string;
}

export type Notices = ReturnType<typeof createNotices>;

const BATCH_JOB = "notice-batch";
const MAIL_JOB = "notice-mail";
const BATCH = 500;

interface NoticeMail {
  readonly noticeId: string;
  readonly accountId: string;
}

/** Writes to many at once: a letter to each account, each a job of its own, queued exactly once. */
export function createNotices(options: NoticesOptions) {
  const { database, clock, jobs, accounts, mail, batch = BATCH } = options;

  /** One step, and the next one, in one transaction: cut off anywhere, it goes on where it was. */
  jobs.define<{ noticeId: string; after: string }>(BATCH_JOB, async ({ noticeId, after }) => {
    await database.transaction(async (trx) => {
      const notice = await store.lockNotice(trx, noticeId);
      if (!notice || notice.is_complete || notice.reached !== after) return; // done by a former run
      const ids = await store.listAddressees(trx, after, notice.node_id, batch);
      for (const accountId of ids) {
        await jobs.send(MAIL_JOB, { noticeId, accountId } satisfies NoticeMail, trx);
      }
      const reached = ids.at(-1) ?? after;
      const is_complete = ids.length < batch;
      await store.noteProgress(trx, noticeId, { letters: notice.letters + ids.length, reached, is_complete });
      if (!is_complete) await jobs.send(BATCH_JOB, { noticeId, after: reached }, trx);
    });
  });

  jobs.define<NoticeMail>(MAIL_JOB, async ({ noticeId, accountId }) => {
    const [notice, account] = [await store.findNotice(database.db, noticeId), await accounts.find(accountId)];
    if (!notice || !account) return; // erased meanwhile
    const paragraphs = notice.text.split(/\n\s*\n/).map((paragraph) => paragraph.trim());
    await mail.deliver({ to: account.email, subject: notice.subject, paragraphs });
  });

  return {
    /** Begins to write, exactly if the transaction commits. */
    async send(trx: Kysely<Tables>, { subject, text, nodeId }: NewNotice): Promise<string> {
      const id = createId("notice");
      const asked_on = dayOf(clock.now());
      await store.insertNotice(trx, { id, subject, text, node_id: nodeId ?? null, asked_on });
      await jobs.send(BATCH_JOB, { noticeId: id, after: "" }, trx);
      return id;
    },

    /** How many letters of the newest notice are in the queue or were in it; undefined where there is none. */
    async lettersOfNewest(): Promise<number | undefined> {
      return (await store.newestNotice(database.db))?.letters;
    },
  };
}
