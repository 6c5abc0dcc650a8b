import type { PrivacyState } from "@securewave/contracts/privacy";
import { USAGE_HISTORY_TEXT } from "@securewave/contracts/privacy";
import type { Database } from "@securewave/database";
import type { Clock } from "@securewave/foundation";
import type { Audit } from "../audit/index.ts";
import { type CollectorsOptions, createCollectors } from "./collectors.ts";
import { writeExport } from "./export.ts";

export interface PrivacyOptions extends Omit<CollectorsOptions, "audit"> {
  readonly database: Database;
  readonly clock: Clock;
  readonly audit: Pick<Audit, "list" | "record">;
}

export type Privacy = ReturnType<typeof createPrivacy>;

/** What somebody may see and decide about the own data. */
export function createPrivacy(options: PrivacyOptions) {
  const { database, clock, audit, deletions, history, policy, requests } = options;
  const collectors = createCollectors(options);

  return {
    deletions,
    history,
    policy,
    requests,
    collectors,

    async show(accountId: string): Promise<PrivacyState> {
      const [agreement, consent, deletion] = await Promise.all([
        policy.show(accountId),
        history.find(accountId),
        deletions.find(accountId),
      ]);
      const { version: text_version, text } = USAGE_HISTORY_TEXT;
      return {
        policy: agreement,
        usage_history: { is_on: consent !== undefined, since: consent?.given_on ?? null, text_version, text },
        deletion: deletion ?? null,
        deletion_grace_days: deletions.graceDays,
      };
    },

    /** @returns pieces of one JSON value */
    async export(accountId: string): Promise<AsyncIterable<string>> {
      await audit.record(database.db, { kind: "data_exported", actor: accountId, subject: accountId });
      return writeExport(collectors, { accountId, nowMs: clock.now() });
    },

    /** Brings a database that may come from a backup up to date with what was erased since. For each start. */
    async replay(): Promise<number> {
      await history.replay();
      return deletions.replay();
    },
  };
}
