import { randomBytes } from "node:crypto";
import {
  append,
  type Entry,
  formatVerifier,
  inclusionProof,
  leafOf,
  rawPublicKey,
  rootOf,
  signCheckpoint,
} from "@securewave/audit-trail";
import { type AuditEntry, auditErrors } from "@securewave/contracts";
import type { Database, Tables } from "@securewave/database";
import { type Clock, DAY_MS, dayOf } from "@securewave/foundation";
import type { Kysely } from "kysely";
import { boundsOf, type PageRequest, pageOf } from "../../http/paging.ts";
import type { ServiceKey } from "../service-keys/index.ts";
import { type Act, bodyOf } from "./act.ts";
import { writeArchive } from "./archive.ts";
import { createRefusals } from "./refusals.ts";
import * as store from "./store.ts";

export interface AuditOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly key: ServiceKey;
  /** Which trail: stands in each checkpoint. */
  readonly origin: string;
  readonly archiveDir: string;
  readonly retentionDays: number;
  readonly onError: (error: unknown) => void;
}

export type Audit = ReturnType<typeof createAudit>;

const SALT_BYTES = 16;
const BATCH = 500;
/** Acts that come close together get their places together. */
const SEQUENCING_DELAY_MS = 100;

export function createAudit(options: AuditOptions) {
  const { database, clock, key, origin, archiveDir, retentionDays, onError } = options;
  const { db } = database;
  const verifierKey = formatVerifier({ name: origin, publicKey: rawPublicKey(key.privateKey) });
  let waiting: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let isClosed = false;

  async function write(trx: Kysely<Tables>, acts: readonly Act[]): Promise<void> {
    const nowMs = clock.now();
    await store.insertQueued(
      trx,
      acts.map((act) => ({ salt: randomBytes(SALT_BYTES), body: bodyOf(act, nowMs) })),
    );
    sequenceSoon();
  }
  const refusals = createRefusals((acts) => write(db, acts));

  /** After the act's transaction, most likely; one that takes longer is found by the next, or by the job. */
  function sequenceSoon(): void {
    if (isClosed) return;
    waiting ??= setTimeout(() => {
      waiting = undefined;
      sequence().catch(onError);
    }, SEQUENCING_DELAY_MS).unref();
  }

  function sequence(): Promise<void> {
    running = running.catch(() => undefined).then(sequenceAll);
    return running;
  }

  async function sequenceAll(): Promise<void> {
    while ((await database.transaction(sequenceBatch)) === BATCH);
  }

  /** Gives queued acts their places in the tree. @returns how many there were */
  async function sequenceBatch(trx: Kysely<Tables>): Promise<number> {
    await store.lockTrail(trx);
    const queued = await store.takeQueued(trx, BATCH);
    if (queued.length === 0) return 0;
    let frontier = await store.readFrontier(trx);
    const entries = queued.map(({ salt, body }) => {
      const index = frontier.size;
      const leaf = leafOf(index, salt, body);
      frontier = append(frontier, leaf);
      return { index, leaf, salt, body };
    });
    await store.insertEntries(trx, entries);
    await store.saveFrontier(trx, frontier);
    return queued.length;
  }

  /** Signs the state of the trail, unless that was done already. */
  async function sign(): Promise<{ size: number; note: string }> {
    await refusals.flush();
    await sequence();
    return database.transaction(async (trx) => {
      await store.lockTrail(trx);
      const frontier = await store.readFrontier(trx);
      const latest = await store.latestCheckpoint(trx);
      if (latest && Number(latest.size) === frontier.size) return { size: frontier.size, note: latest.note };
      const checkpoint = { origin, size: frontier.size, root: rootOf(frontier) };
      const note = signCheckpoint(checkpoint, origin, key.privateKey);
      await store.insertCheckpoint(trx, frontier.size, note);
      return { size: frontier.size, note };
    });
  }

  /** The lines of an export: each checkpoint behind the last entry that it covers. */
  async function* linesUpTo(size: number): AsyncGenerator<string> {
    for (let from = 0; from < size; ) {
      const rows = (await store.readEntries(db, from, BATCH)).filter(({ index }) => index < size);
      const last = rows.at(-1);
      if (!last) return;
      const checkpoints = await store.readCheckpoints(db, from, last.index + 1);
      let text = "";
      for (const row of rows) {
        text += `${JSON.stringify({ entry: lineOf(row) })}\n`;
        const note = checkpoints.find((checkpoint) => Number(checkpoint.size) === row.index + 1)?.note;
        if (note !== undefined) text += `${JSON.stringify({ checkpoint: note })}\n`;
      }
      yield text;
      from = last.index + 1;
    }
  }

  return {
    verifierKey,

    /** Writes an act into the trail, within the transaction of the act itself. */
    record: (trx: Kysely<Tables>, act: Act) => write(trx, [act]),

    /** Writes what was refused a little later, like refusals as one with their number. */
    recordLater(act: Act): void {
      refusals.add(act, onError);
    },

    sign,
    sequence,

    async list(filter: store.EntryFilter, page: PageRequest) {
      const bounds = boundsOf(page, 1);
      const before = bounds.after === undefined ? undefined : Number(bounds.after[0]);
      const rows = await store.listEntries(db, filter, {
        before: Number.isSafeInteger(before) ? before : undefined,
        rows: bounds.rows,
      });
      return pageOf(rows, bounds, ({ index }) => [String(index)], viewOf);
    },

    /** @throws audit.not_found */
    async prove(index: number) {
      const { size, note } = await sign();
      const leaves = await store.readLeaves(db, size);
      const leaf = leaves[index];
      if (!leaf) throw auditErrors.notFound();
      const proof = inclusionProof(leaves, index).map((hash) => hash.toString("base64"));
      return { index, size, leaf: leaf.toString("base64"), proof, note };
    },

    /** The whole trail up to a fresh checkpoint, which the export itself then follows. */
    async export(actor: string): Promise<AsyncIterable<string>> {
      const { size } = await sign();
      await write(db, [{ kind: "audit_exported", actor, subject: "service", details: { entries: size } }]);
      return linesUpTo(size);
    },

    /** Moves entries past their time into an archive file; their hashes stay. */
    async archiveOld(): Promise<void> {
      const before = dayOf(clock.now() - retentionDays * DAY_MS);
      const { note } = await sign();
      for (;;) {
        const rows = await store.readOld(db, before, BATCH);
        const [first, last] = [rows[0], rows.at(-1)];
        if (!first || !last) return;
        const lines = rows.map((row) => JSON.stringify({ entry: lineOf(row) }));
        await writeArchive(archiveDir, `${first.index}-${last.index}`, [
          ...lines,
          JSON.stringify({ checkpoint: note }),
        ]);
        await database.transaction(async (trx) => {
          await store.eraseEntries(
            trx,
            rows.map(({ index }) => index),
          );
          const details = { from: first.index, to: last.index };
          await write(trx, [{ kind: "audit_archived", actor: "system", subject: "service", details }]);
        });
      }
    },

    async close(): Promise<void> {
      isClosed = true;
      clearTimeout(waiting);
      await refusals.flush().catch(onError);
      await running.catch(() => undefined);
    },
  };
}

function lineOf({ index, leaf, salt, body }: store.EntryRow): Entry {
  return { index, salt: salt?.toString("base64") ?? null, body, leaf: leaf.toString("base64") };
}

function viewOf({ index, leaf, body }: store.EntryRow): AuditEntry {
  return { index, leaf: leaf.toString("base64"), body: body as AuditEntry["body"] };
}
