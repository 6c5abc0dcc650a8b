import { randomBytes } from "node:crypto";
import {
  createRangeRoots,
  EMPTY_FRONTIER,
  type Entry,
  formatVerifier,
  inclusionRanges,
  SALT_BYTES,
  writeTrail,
} from "@securewave/audit-trail";
import { type AuditEntry, auditErrors } from "@securewave/contracts";
import type { Database, Tables } from "@securewave/database";
import { type Clock, DAY_MS, dayOf } from "@securewave/foundation";
import type { Kysely } from "kysely";
import { boundsOf, type PageRequest, pageOf } from "../../http/paging.ts";
import type { ServiceKey } from "../service-keys/index.ts";
import { type Act, bodyOf } from "./act.ts";
import { writeArchive } from "./archive.ts";
import { type CountedAct, createRefusals } from "./refusals.ts";
import { createSequencer } from "./sequencer.ts";
import { createSigning, extend, type Signed, TrailChangedError } from "./signing.ts";
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

export function createAudit(options: AuditOptions) {
  const { database, clock, key, origin, archiveDir, retentionDays, onError } = options;
  const { db } = database;
  const sequencer = createSequencer(database, onError);
  const signing = createSigning(key, origin);
  const refusals = createRefusals((acts) => write(db, acts), onError);
  sequencer.soon(); // what a process that was killed has left

  async function write(trx: Kysely<Tables>, acts: readonly Act[]): Promise<void> {
    const nowMs = clock.now();
    const rows = acts.map((act) => ({ salt: randomBytes(SALT_BYTES), body: bodyOf(act, nowMs) }));
    await store.insertQueued(trx, rows);
    sequencer.soon();
  }

  /** Signs the present state of the trail, if it is known to continue what was signed before. */
  async function signIfGood(): Promise<{ signed: Signed; isChanged: boolean }> {
    await refusals.flush();
    await sequencer.run();
    try {
      const signed = await database.transaction(async (trx) => {
        await store.lockTrail(trx);
        return signing.sign(trx);
      });
      return { signed, isChanged: false };
    } catch (error) {
      const signed = error instanceof TrailChangedError ? await store.latestCheckpoint(db) : undefined;
      if (!signed) throw error;
      onError(error);
      return { signed, isChanged: true };
    }
  }

  /** The lines of a part of the trail. */
  async function readPart(reader: Kysely<Tables>, from: number, end: number, size: number) {
    const verifier = await signing.verifier(reader);
    const before = await extend(reader, EMPTY_FRONTIER, from);
    const frontier = before.hashes.map((hash) => hash.toString("base64"));
    const header = {
      origin: verifier.name,
      key: formatVerifier(verifier),
      from,
      to: end - 1,
      size,
      frontier,
    };
    const checkpoints = await store.readCheckpoints(reader, from, end);
    return writeTrail(header, entriesOf(reader, from, end), checkpoints);
  }

  /** Moves the oldest entries into a file, up to a checkpoint that they all are past their time at. */
  async function archive(trx: Kysely<Tables>, before: string): Promise<void> {
    if (!(await store.lockArchive(trx))) return;
    const { size } = await store.readFrontier(trx);
    const old = await store.findOld(trx, before, size);
    const end = old && (await store.checkpointAtOrBelow(trx, old.end));
    if (!old || end === undefined || end <= old.start) return;
    const [from, to] = [old.start, end - 1];
    const pieces = await readPart(trx, from, end, size);
    if (!(await writeArchive(archiveDir, `${from}-${to}`, pieces, await signing.verifier(trx))))
      throw new TrailChangedError(`the audit trail was changed between entries ${from} and ${to}`);
    await store.eraseEntries(trx, from, to);
    await write(trx, [
      { kind: "audit_archived", actor: "system", subject: "service", details: { from, to } },
    ]);
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

    /** The text of the key that checkpoints are verified with. */
    verifierKey: async () => formatVerifier(await signing.verifier(db)),

    async list(filter: store.EntryFilter, page: PageRequest) {
      const bounds = boundsOf(page, 1);
      const before = bounds.after === undefined ? undefined : Number(bounds.after[0]);
      const rows = await store.listEntries(
        db,
        { ...filter, pattern: bounds.pattern },
        { before: Number.isSafeInteger(before) ? before : undefined, rows: bounds.rows },
      );
      return pageOf(rows, bounds, ({ index }) => [String(index)], viewOf);
    },

    /** @throws audit.not_found */
    async prove(index: number) {
      const { size, note } = (await signIfGood()).signed;
      const leaf = index < size ? await store.readLeaf(db, index) : undefined;
      if (!leaf) throw auditErrors.notFound();
      const beside = createRangeRoots(inclusionRanges(index, size));
      for await (const leaves of store.leavesOf(db, 0, size)) for (const each of leaves) beside.add(each);
      const proof = beside.roots().map((hash) => hash.toString("base64"));
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
      return readPart(db, from, end, size);
    },

    /**
     * Erases one entry; its leaf stays, and an entry says that it was erased.
     *
     * @throws audit.not_found, also for an entry that says what was erased
     */
    async erase(index: number, actor: string): Promise<void> {
      await database.transaction(async (trx) => {
        const row = await store.readEntry(trx, index);
        const kind = row?.body?.kind;
        if (kind === undefined || kind === "audit_archived" || kind === "entry_erased")
          throw auditErrors.notFound();
        await store.eraseEntries(trx, index, index);
        await write(trx, [{ kind: "entry_erased", actor, subject: "service", details: { index } }]);
      });
    },

    /** Moves entries past their time into an archive file; their hashes stay. */
    async archiveOld(): Promise<void> {
      await signIfGood();
      const before = dayOf(clock.now() - retentionDays * DAY_MS);
      await database.transaction((trx) => archive(trx, before));
    },

    async close(): Promise<void> {
      await refusals.close().catch(onError);
      await sequencer.close();
    },
  };
}

async function* entriesOf(db: Kysely<Tables>, from: number, end: number): AsyncGenerator<Entry> {
  for await (const { index, leaf, salt, body } of store.entriesOf(db, from, end)) {
    yield { index, salt: salt?.toString("base64") ?? null, body, leaf: leaf.toString("base64") };
  }
}

function viewOf({ index, leaf, body }: store.EntryRow): AuditEntry {
  return { index, leaf: leaf.toString("base64"), body: body as AuditEntry["body"] };
}
