import { InvariantError } from "@securewave/foundation";

/**
 * Applies entries in batches. A batch that is refused is halved until the bad entries stand alone, so that one bad
 * entry among n costs about 2 log2(n) further attempts and the rest goes through. An entry that cannot even be written,
 * which shows as an InvariantError, counts as refused.
 *
 * @param attempt resolves to false when the batch was refused; throws when no batch would go through
 * @returns the entries that were refused alone
 */
export async function applyInBatches<Entry>(
  entries: readonly Entry[],
  batchMax: number,
  attempt: (batch: readonly Entry[]) => Promise<boolean>,
): Promise<Entry[]> {
  const refused: Entry[] = [];
  for (let at = 0; at < entries.length; at += batchMax) {
    await applyOrHalve(entries.slice(at, at + batchMax));
  }
  return refused;

  async function isAccepted(batch: readonly Entry[]): Promise<boolean> {
    try {
      return await attempt(batch);
    } catch (error) {
      if (error instanceof InvariantError) return false;
      throw error;
    }
  }

  async function applyOrHalve(batch: readonly Entry[]): Promise<void> {
    if (batch.length === 0 || (await isAccepted(batch))) return;
    const [only] = batch;
    if (batch.length === 1 && only !== undefined) {
      refused.push(only);
      return;
    }
    const middle = batch.length >> 1;
    await applyOrHalve(batch.slice(0, middle));
    await applyOrHalve(batch.slice(middle));
  }
}
