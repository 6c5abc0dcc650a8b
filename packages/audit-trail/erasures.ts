import { ARCHIVED_KIND, type EntryBody } from "./entry.ts";

/** Holds what is erased against what entries say of archives. */
export function createErasures() {
  /** Of erased entries that follow each other, the first and the last. */
  const runs: { readonly first: number; last: number }[] = [];
  let archivedUpTo = -1;
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
    learn(index: number, { kind, details: { to } }: EntryBody): void {
      if (kind !== ARCHIVED_KIND || typeof to !== "number" || to >= index) return;
      archivedUpTo = Math.max(archivedUpTo, to);
    },
    /** The first erased entry that no entry accounts for, and how many there are. */
    unrecorded(): { first: number | undefined; count: number } {
      const open = runs.filter(({ last }) => last > archivedUpTo);
      const firsts = open.map(({ first }) => Math.max(first, archivedUpTo + 1));
      const counts = open.map(({ last }, at) => last + 1 - (firsts[at] ?? last));
      return { first: firsts[0], count: counts.reduce((sum, each) => sum + each, 0) };
    },
  };
}
