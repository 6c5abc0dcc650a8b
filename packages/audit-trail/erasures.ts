import { ARCHIVED_KIND, type EntryBody, ERASED_KIND } from "./entry.ts";

/** Holds what is erased against what entries say of archives and of erased accounts. */
export function createErasures() {
  /** Of erased entries that follow each other, the first and the last. */
  const runs: { readonly first: number; last: number }[] = [];
  let archivedUpTo = -1;
  /** Single entries that another one says were erased with an account. */
  const recorded = new Set<number>();
  let count = 0;
  return {
    count: () => count,
    add(index: number): void {
      count++;
      const run = runs.at(-1);
      if (run?.last === index - 1) run.last = index;
      else runs.push({ first: index, last: index });
    },
    /** @param index of the entry that says it: none accounts for what comes behind it */
    learn(index: number, { kind, details: { to, entries } }: EntryBody): void {
      if (kind === ERASED_KIND && Array.isArray(entries))
        for (const entry of entries) if (typeof entry === "number" && entry < index) recorded.add(entry);
      if (kind !== ARCHIVED_KIND || typeof to !== "number" || to >= index) return;
      archivedUpTo = Math.max(archivedUpTo, to);
    },
    /** The first erased entry that no entry accounts for, and how many there are. */
    unrecorded(): { first: number | undefined; count: number } {
      let first: number | undefined;
      let count = 0;
      for (const run of runs) {
        for (let index = Math.max(run.first, archivedUpTo + 1); index <= run.last; index++) {
          if (recorded.has(index)) continue;
          first ??= index;
          count++;
        }
      }
      return { first, count };
    },
  };
}
