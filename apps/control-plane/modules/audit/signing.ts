import {
  append,
  EMPTY_FRONTIER,
  type Frontier,
  openCheckpoint,
  rawPublicKey,
  rootOf,
  signCheckpoint,
  type Verifier,
} from "@securewave/audit-trail";
import type { Tables } from "@securewave/database";
import type { Kysely } from "kysely";
import type { ServiceKey } from "../service-keys/index.ts";
import * as store from "./store.ts";

export interface Signed {
  readonly size: number;
  readonly note: string;
}

/** What is stored does not lead from what was signed to what is to be signed: it was changed from outside. */
export class TrailChangedError extends Error {
  override readonly name = "TrailChangedError";
}

/**
 * Signs states of the trail, and only such as continue what was signed before: each time the leaves since then are
 * read and have to lead to the stored frontier. The state signed last, and the one that this process wrote last, are
 * kept in memory, out of reach of whoever has the database; a process that has just started takes the newest
 * checkpoint, and reads all leaves up to it once.
 *
 * @param newName what a trail is called that has no checkpoint yet; later it keeps its name
 * @see https://c2sp.org/tlog-checkpoint#signatures
 */
export function createSigning(key: ServiceKey, newName: string) {
  const publicKey = rawPublicKey(key.privateKey);
  let trusted: Frontier | undefined;
  let written = EMPTY_FRONTIER;

  async function verifier(db: Kysely<Tables>): Promise<Verifier> {
    const latest = await store.latestCheckpoint(db);
    return { name: latest?.note.split("\n", 1)[0] || newName, publicKey };
  }

  /** The newest state that is known to be good. */
  async function trustedState(trx: Kysely<Tables>, latest: Signed | undefined): Promise<Frontier> {
    if (trusted || !latest) return trusted ?? EMPTY_FRONTIER;
    const checkpoint = openCheckpoint(latest.note, await verifier(trx));
    const frontier = await extend(trx, EMPTY_FRONTIER, latest.size);
    if (checkpoint?.size !== latest.size || !rootOf(frontier).equals(checkpoint.root))
      throw new TrailChangedError(`the audit trail was changed before entry ${latest.size}`);
    return frontier;
  }

  return {
    verifier,

    /** Takes notice of a state that this process has written. */
    witness(frontier: Frontier): void {
      if (frontier.size > written.size) written = frontier;
    },

    /**
     * Signs the present state, unless that was done already. The trail must be locked.
     *
     * @throws TrailChangedError
     */
    async sign(trx: Kysely<Tables>): Promise<Signed> {
      const latest = await store.latestCheckpoint(trx);
      const signed = await trustedState(trx, latest);
      const known = written.size > signed.size ? await lead(trx, signed, written) : signed;
      const frontier = await lead(trx, known, await store.readFrontier(trx));
      trusted = frontier;
      if (latest?.size === frontier.size) return latest;
      const { name } = await verifier(trx);
      const note = signCheckpoint(
        { origin: name, size: frontier.size, root: rootOf(frontier) },
        key.privateKey,
      );
      await store.insertCheckpoint(trx, frontier.size, note);
      return { size: frontier.size, note };
    },
  };
}

/** Goes by the stored leaves from one state to another. */
async function lead(db: Kysely<Tables>, from: Frontier, to: Frontier): Promise<Frontier> {
  const reached = await extend(db, from, to.size);
  if (reached.size !== to.size || !rootOf(reached).equals(rootOf(to)))
    throw new TrailChangedError(`the audit trail was changed behind entry ${from.size}`);
  return reached;
}

/** Appends the stored leaves up to a size. */
export async function extend(db: Kysely<Tables>, from: Frontier, size: number): Promise<Frontier> {
  let frontier = from;
  for await (const leaves of store.leavesOf(db, from.size, size)) frontier = leaves.reduce(append, frontier);
  return frontier;
}
