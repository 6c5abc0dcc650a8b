import { EMPTY_FRONTIER, openCheckpoint, rootOf } from "@securewave/audit-trail";
import type { Tables } from "@securewave/database";
import type { Kysely } from "kysely";
import { extend } from "./signing.ts";
import * as store from "./store.ts";

export interface Examined {
  readonly entriesCount: number;
  /** Whether the leaves lead to the state that is stored. */
  readonly isWhole: boolean;
  /** Whether the newest checkpoint is signed by the service and is of these leaves; undefined where there is none. */
  readonly isSigned: boolean | undefined;
}

/**
 * Goes through the trail of a database that no service has open, such as a restored one.
 *
 * @param publicKey of the trail's signer, 32 bytes
 */
export async function examineTrail(db: Kysely<Tables>, publicKey: Buffer | undefined): Promise<Examined> {
  const stored = await store.readFrontier(db);
  const latest = await store.latestCheckpoint(db);
  const signedSize = latest?.size ?? 0;
  const upToSigned = await extend(db, EMPTY_FRONTIER, signedSize);
  const reached = await extend(db, upToSigned, stored.size);
  const isWhole =
    signedSize <= stored.size && reached.size === stored.size && rootOf(reached).equals(rootOf(stored));
  if (latest === undefined || publicKey === undefined)
    return { entriesCount: stored.size, isWhole, isSigned: latest === undefined ? undefined : false };
  const name = latest.note.split("\n", 1)[0] ?? "";
  const checkpoint = openCheckpoint(latest.note, { name, publicKey });
  const isSigned =
    checkpoint?.size === signedSize &&
    upToSigned.size === signedSize &&
    rootOf(upToSigned).equals(checkpoint.root);
  return { entriesCount: stored.size, isWhole, isSigned };
}
