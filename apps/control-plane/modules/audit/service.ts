import { randomBytes } from "node:crypto";
import {
  consistencyRanges,
  createRangeRoots,
  formatVerifier,
  inclusionRanges,
  type LeafRange,
  SALT_BYTES,
} from "@securewave/audit-trail";
import { type AuditEntry, auditErrors } from "@securewave/contracts";
import type { Database, Tables } from "@securewave/database";
import { type Clock, DAY_MS, dayOf } from "@securewave/foundation";
import type { Kysely } from "kysely";
import { boundsOf, type PageRequest, pageOf } from "../../http/paging.ts";
import type { ServiceKey } from "../service-keys/index.ts";
import { type Act, bodyOf } from "./act.ts";
import { readPart, unlessArchived } from "./parts.ts";
import { createQueueSeal } from "./queue-seal.ts";
import { type CountedAct, createRefusals } from "./refusals.ts";
import { createRetention } from "./retention.ts";
import { createSequencer } from "./sequencer.ts";
import { createSigning, type Signed, TrailChangedError } from "./signing.ts";
import * as store from "./store.ts";

export interface AuditOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly key: ServiceKey;
  /** What the trail is called: stands in each checkpoint. A trail that has one keeps its name. */
  readonly origin: string;
  readonly archiveDir: string;
  readonly retentionDays: number;
  readonly onError: (error: unknown) => void;
}

export type Audit = ReturnType<typeof createAudit>;

/** Names that many erased entries in one. */
const ERASED_PER_ENTRY = 500;

export function createAudit(options: AuditOptions) {
  const { database, clock, key, origin, archiveDir, retentionDays, onError } = options;
  const { db } = database;
  const seal = createQueueSeal(key);
  const signing = createSigning(key, origin);
  const sequencer = createSequencer({ database, seal, onWritten: signing.witness, onError });
  const retention = createRetention({ database, signing, archiveDir, write });
  const refusals = createRefusals((acts) => write(db, acts), onError);
  sequencer.soon(); // what a process that was killed has left

  async function write(trx: Kysely<Tables>, acts: readonly Act[]): Promise<void> {
    const nowMs = clock.now();
    const queued = acts.map((act) => {
      const body = bodyOf(act, nowMs);
      return { sealed: seal.seal(randomBytes(SALT_BYTES), body), body };
    });
    await store.insertQueued(trx, queued);
    sequencer.soon();
  }

  /** Signs the present state of the trail, if it is known to continue what was signed before. */
  async function signIfGood(): Promise<{ signed: Signed; isChanged: boolean }> {
    await refusals.flush();
    await sequencer.run();
    try {
      const signed = await database.as("worker", () =>
        database.transaction(async (trx) => {
          await store.lockTrail(trx);
          return signing.sign(trx);
        }),
      );
      return { signed, isChanged: false };
    } catch (error) {
      const signed = error instanceof TrailChangedError ? await store.latestCheckpoint(db) : undefined;
      if (!signed) throw error;
      onError(error);
      return { signed, isChanged: true };
    }
  }

  /** The roots of some ranges of leaves, in base64. */
  async function rootsOf(ranges: readonly LeafRange[], size: number): Promise<string[]> {
    const roots = createRangeRoots(ranges);
    for await (const leaves of store.leavesOf(db, 0, size)) for (const leaf of leaves) roots.add(leaf);
    return roots.roots().map((hash) => hash.toString("base64"));
  }

  return {
    /** Writes an act into the trail, within the transaction of the act itself. */
    record: (trx: Kysely<Tables>, act: Act) => write(trx, [act]),

    /** Writes what happens in attacks a little later, like things as one with their number. */
    recordLater: (act: CountedAct): void => refusals.add(act),

    /**
     * Signs the present state of the trail. One that was changed from outside is not signed: that is reported, and
     * the newest checkpoint stays what it was.
     */
    sign: async (): Promise<Signed> => (await signIfGood()).signed,
    sequence: sequencer.run,

    /**
     * The newest checkpoint, and the proof that it continues an earlier state of a given size.
     *
     * @returns no proof where the trail is shorter than that
     */
    async checkpoint(since?: number) {
      const { size, note } = (await signIfGood()).signed;
      const consistency =
        since === undefined || since > size ? undefined : await rootsOf(consistencyRanges(since, size), size);
      return {
        size,
        note,
        verifier_key: formatVerifier(await signing.verifier(db)),
        ...(consistency && { consistency }),
      };
    },

    async list(filter: store.EntryFilter, page: PageRequest) {
      const bounds = boundsOf(page, ["integer"]);
      const before = bounds.after && Number(bounds.after[0]);
      const { pattern, rows: rowsMax } = bounds;
      const rows = await store.listEntries(db, { ...filter, pattern }, { before, rows: rowsMax });
      return pageOf(rows, bounds, ({ index }) => [String(index)], viewOf);
    },

    /** @throws audit.not_found */
    async prove(index: number) {
      const { size, note } = (await signIfGood()).signed;
      const leaf = index < size ? await store.readLeaf(db, index) : undefined;
      if (!leaf) throw auditErrors.notFound();
      const proof = await rootsOf(inclusionRanges(index, size), size);
      return { index, size, leaf: leaf.toString("base64"), proof, note };
    },

    /**
     * A part of the trail, or all of it, up to the first checkpoint that covers what was asked for. That it was
     * exported is an entry behind it.
     *
     * @returns pieces of whole lines
     * @throws audit.not_found
     */
    async export(
      actor: string,
      { from = 0, to = undefined as number | undefined } = {},
    ): Promise<AsyncIterable<string>> {
      const { signed, isChanged } = await signIfGood();
      // What nobody will sign is sent as it is, so that it can be seen where it breaks.
      const { size } = isChanged ? await store.readFrontier(db) : signed;
      if (from > 0 && from >= size) throw auditErrors.notFound();
      const covering =
        to === undefined ? undefined : await store.checkpointAtOrAbove(db, Math.max(from, to) + 1);
      const end = Math.min(covering ?? size, size);
      const details = { from, to: end - 1 };
      await write(db, [{ kind: "audit_exported", actor, subject: "service", details }]);
      const part = await readPart(db, { from, end, size }, await signing.verifier(db));
      return unlessArchived(db, from, part);
    },

    /** Moves entries past their time into an archive file; their hashes stay. */
    async archiveOld(): Promise<void> {
      await signIfGood();
      await retention.archiveBefore(dayOf(clock.now() - retentionDays * DAY_MS));
    },

    /**
     * Erases what tells of one account and of nobody else, but for the hashes, by which everything else is still
     * verified; one entry more says which ones. What is in archives stays there.
     */
    async eraseAccount(trx: Kysely<Tables>, accountId: string, actor: string): Promise<void> {
      await store.lockTrail(trx);
      const indexes = await store.entriesAbout(trx, accountId);
      await store.eraseSingle(trx, indexes);
      const acts: Act[] = [];
      for (let at = 0; at === 0 || at < indexes.length; at += ERASED_PER_ENTRY) {
        const entries = indexes.slice(at, at + ERASED_PER_ENTRY);
        acts.push({ kind: "account_erased", actor, subject: "unknown", details: { entries } });
      }
      await write(trx, acts);
    },

    async close(): Promise<void> {
      await refusals.close().catch(onError);
      await sequencer.close();
    },
  };
}

function viewOf({ index, leaf, body }: store.EntryRow): AuditEntry {
  return { index, leaf: leaf.toString("base64"), body: body as AuditEntry["body"] };
}
