import { ARCHIVED_KIND, type Entry, ERASED_KIND } from "./entry.ts";

/** Holds what is erased against what entries say of erasures. */
export function createErasures() {
  /** Of erased entries that follow each other, the first and the last. */
  const runs: { first: number; last: number }[] = [];
  const single = new Set<number>();
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
    learn({ kind, details }: NonNullable<Entry["body"]>): void {
      if (kind === ARCHIVED_KIND) archivedUpTo = Math.max(archivedUpTo, Number(details.to) || 0);
      if (kind === ERASED_KIND) single.add(Number(details.index));
    },
    unrecorded(): number[] {
      const indexes: number[] = [];
      for (const { first, last } of runs)
        for (let index = Math.max(first, archivedUpTo + 1); index <= last; index++)
          if (!single.has(index)) indexes.push(index);
      return indexes;
    },
  };
}
