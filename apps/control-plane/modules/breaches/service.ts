import { type Breach, breachErrors, type Credential, nodeErrors } from "@securewave/contracts";
import { type Database, isUniqueViolation, type Tables } from "@securewave/database";
import { type Clock, createId, invariant, SECOND_MS } from "@securewave/foundation";
import type { Kysely } from "kysely";
import { boundsOf, type PageRequest, pageOf } from "../../http/paging.ts";
import type { Audit } from "../audit/index.ts";
import type { Nodes } from "../nodes/index.ts";
import type { NewNotice, Notices } from "../notices/index.ts";
import { type Asking, type CredentialsOptions, createCredentials } from "./credentials.ts";
import * as store from "./store.ts";

export interface BreachesOptions extends CredentialsOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly audit: Pick<Audit, "record">;
  readonly nodes: Pick<Nodes, "renewal" | "directory">;
  readonly notices: Pick<Notices, "send" | "lettersOfNewest">;
  /** Hears that one was opened or closed, once it is committed. */
  readonly onChanged: () => void;
}

export type Breaches = ReturnType<typeof createBreaches>;

/**
 * What is done when somebody has got in: ending what may have been taken, telling who is affected. While a breach is
 * open, nobody but staff is let in; tunnels and nodes' connections go on.
 */
export function createBreaches(options: BreachesOptions) {
  const { database, clock, audit, nodes, notices, onChanged } = options;
  const { db } = database;
  const credentials = createCredentials(options);
  /** Whole seconds: they are read by people. */
  const now = () => new Date(Math.floor(clock.now() / SECOND_MS) * SECOND_MS);

  function write(trx: Kysely<Tables>, breach_id: string, kind: store.EntryRow["kind"], detail: string) {
    return store.addEntry(trx, { breach_id, at: now(), kind, detail });
  }

  /** @throws breaches.not_found, breaches.closed */
  async function demandOpen(trx: Kysely<Tables>, id: string): Promise<void> {
    const breach = await store.lockBreach(trx, id);
    if (!breach) throw breachErrors.notFound();
    if (breach.closed_at !== null) throw breachErrors.closed();
  }

  async function show(id: string): Promise<Breach> {
    const breach = await store.findBreach(db, id);
    if (!breach) throw breachErrors.notFound();
    const entries = await store.listEntries(db, id);
    const hasWritten = entries.some(({ kind }) => kind === "notified");
    return {
      ...summaryOf(breach),
      entries: entries.map(({ breach_id: _, at, ...entry }) => ({ ...entry, at: at.toISOString() })),
      waiting: {
        ...(await credentials.waiting()),
        letters: hasWritten ? ((await notices.lettersOfNewest()) ?? null) : null,
      },
      by_hand: credentials.byHand(),
    };
  }

  return {
    show,

    isOpen: async (): Promise<boolean> => (await store.findOpenBreach(db)) !== undefined,

    /** @throws breaches.already_open */
    async start(summary: string, actor: string): Promise<Breach> {
      const id = createId("breach");
      await database
        .transaction(async (trx) => {
          await store.insertBreach(trx, { id, summary, opened_at: now() });
          await write(trx, id, "opened", summary);
          await write(trx, id, "isolated", "only staff are let in; tunnels go on");
          await audit.record(trx, { kind: "breach_opened", actor, subject: id });
        })
        .catch((error: unknown) => {
          throw isUniqueViolation(error, "breaches_one_open") ? breachErrors.alreadyOpen() : error;
        });
      onChanged();
      return show(id);
    },

    async list(page: PageRequest) {
      const bounds = boundsOf(page, ["instant", "text"]);
      const rows = await store.listBreaches(db, bounds);
      return pageOf(rows, bounds, ({ opened_at, id }) => [opened_at.toISOString(), id], summaryOf);
    },

    /** @throws breaches.not_found, breaches.closed */
    async note(id: string, text: string, actor: string): Promise<Breach> {
      await database.transaction(async (trx) => {
        await demandOpen(trx, id);
        await write(trx, id, "noted", text);
        await audit.record(trx, { kind: "breach_noted", actor, subject: id });
      });
      return show(id);
    },

    /** @throws breaches.not_found, breaches.closed, keys.rotation_running, keys.ring_full */
    async rotate(id: string, what: Credential, asking: Asking): Promise<Breach> {
      const details = { what };
      const [within, beyond] = [credentials.within[what], credentials.beyond[what]];
      if (beyond) await database.transaction((trx) => demandOpen(trx, id));
      const done = await beyond?.(asking);
      const announce = await database.transaction(async (trx) => {
        if (!beyond) await demandOpen(trx, id);
        const ended = done ?? (await within?.(trx, asking));
        invariant(ended, "each credential ends somewhere");
        await write(trx, id, "rotated", ended.detail);
        const actor = asking.accountId;
        await audit.record(trx, { kind: "breach_credentials_ended", actor, subject: id, details });
        return ended.announce;
      });
      announce?.();
      return show(id);
    },

    /** @throws breaches.not_found, breaches.closed, nodes.not_found */
    async notify(id: string, notice: NewNotice, actor: string): Promise<Breach> {
      const { nodeId } = notice;
      const node = nodeId === undefined ? undefined : (await nodes.directory()).get(nodeId);
      if (nodeId !== undefined && !node) throw nodeErrors.notFound();
      await database.transaction(async (trx) => {
        await demandOpen(trx, id);
        await notices.send(trx, notice);
        const whom = node ? `everybody who has a device on ${node.name}` : "everybody";
        await write(trx, id, "notified", `a letter to ${whom}: ${notice.subject}`);
        await audit.record(trx, { kind: "breach_notified", actor, subject: id });
      });
      return show(id);
    },

    /** @throws breaches.not_found, breaches.closed */
    async close(id: string, text: string | undefined, actor: string): Promise<Breach> {
      await database.transaction(async (trx) => {
        await demandOpen(trx, id);
        await write(trx, id, "reopened", "whom maintenance does not keep out is let in again");
        await write(trx, id, "closed", text ?? "closed");
        await store.closeBreach(trx, id, now());
        await audit.record(trx, { kind: "breach_closed", actor, subject: id });
      });
      onChanged();
      return show(id);
    },
  };
}

function summaryOf({ id, summary, opened_at, closed_at }: store.BreachRow) {
  return { id, summary, opened_at: opened_at.toISOString(), closed_at: closed_at?.toISOString() ?? null };
}
