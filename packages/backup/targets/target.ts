import { randomUUID } from "node:crypto";
import { targetErrors } from "../errors.ts";

/** An object on a target. */
export interface StoredObject {
  readonly name: string;
  readonly bytes: number;
}

export type Bytes = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/**
 * A place that backups are kept in. Names are paths with `/`. Every act throws `backup_target.unreachable`, `denied`
 * or `failed` where the place does not answer as it should.
 */
export interface Target {
  /** For people: the place without any secret. */
  readonly description: string;
  /**
   * Writes an object whole or not at all, in the place of one that has its name.
   *
   * @returns its bytes
   * @throws backup_target.full
   */
  put(name: string, content: Bytes): Promise<number>;
  /** @throws backup_target.not_found */
  get(name: string): Promise<AsyncIterable<Uint8Array>>;
  /** Lists what begins so, in the order of names. */
  list(prefix: string): AsyncIterable<StoredObject>;
  /** Does nothing where there is none. */
  remove(name: string): Promise<void>;
  /** @returns undefined where there is none */
  find(name: string): Promise<StoredObject | undefined>;
  /** Removes what was begun below the prefix and never finished, by processes that are dead. */
  removeUnfinished(prefix: string): Promise<void>;
}

/** What a target asks for; a folder asks for nothing. */
export interface TargetCredentials {
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly sessionToken?: string;
  /** Of Azure: the account's key, or a shared access signature. */
  readonly accountKey?: string;
  readonly sasToken?: string;
}

/** Writes, reads, lists and removes an object. @throws what is wrong with the place */
export async function checkTarget(target: Target): Promise<void> {
  const words = randomUUID();
  const name = `check/${words}`;
  await target.put(name, [Buffer.from(words)]);
  try {
    const read = Buffer.concat(await Array.fromAsync(await target.get(name)));
    const listed = await Array.fromAsync(target.list(name));
    if (read.toString() !== words || listed.length !== 1) {
      throw targetErrors.failed({ detail: `What is written to ${target.description} is not found there.` });
    }
  } finally {
    await target.remove(name);
  }
}

export async function readObject(target: Target, name: string): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(await target.get(name)));
}
