import type { Database } from "@securewave/database";
import { dayOf } from "@securewave/foundation";
import * as store from "./store.ts";

/** The token of a link in a letter; of the token itself only the hash is known here. */
export interface NewLink {
  readonly hash: Buffer;
  readonly purpose: "verify_email" | "reset_password";
  readonly accountId: string;
  readonly untilMs: number;
}

/** So many of one purpose work side by side: whoever asks for one more ends none that its owner is about to open. */
const LINKS_MAX = 3;

/**
 * Keeps a link and sends the letter that holds it; of older ones, the last two go on working.
 *
 * @throws what `deliver` throws; the link is worth nothing then, and the older ones stay
 */
export async function sendLink(
  db: Database["db"],
  { hash, purpose, accountId, untilMs }: NewLink,
  deliver: () => Promise<void>,
): Promise<void> {
  await store.insertToken(db, { hash, purpose, account_id: accountId, expires_on: dayOf(untilMs) });
  try {
    await deliver();
  } catch (error) {
    await store.deleteToken(db, hash);
    throw error;
  }
  await store.deleteOldestTokensOf(db, purpose, accountId, LINKS_MAX);
}
