import type { Figures } from "./figures.ts";

/** One slot of one node. */
export interface Place {
  readonly figures: Figures;
  readonly slot: number;
}

/** Which slots a key has: one, but for a device that moved and is not settled where it was. */
export interface Places {
  add(publicKey: string, figures: Figures, slot: number): void;
  remove(publicKey: string, figures: Figures): void;
  of(publicKey: string): Place[];
}

/** A slot's number in what is kept: below 2^53 with 2^22 slots for each of 2^31 incarnations. */
const SLOTS_MAX = 2 ** 22;

export function createPlaces(): Places {
  const first = new Map<string, number>();
  const others = new Map<string, number[]>();
  const known = new Map<number, Figures>();
  const numbers = new Map<Figures, { readonly number: number; slots: number }>();
  const free: number[] = [];

  function codeOf(figures: Figures, slot: number): number {
    let kept = numbers.get(figures);
    if (!kept) {
      kept = { number: free.pop() ?? known.size, slots: 0 };
      numbers.set(figures, kept);
      known.set(kept.number, figures);
    }
    kept.slots++;
    return kept.number * SLOTS_MAX + slot;
  }

  function release(figures: Figures): void {
    const kept = numbers.get(figures);
    if (!kept || --kept.slots > 0) return;
    numbers.delete(figures);
    known.delete(kept.number);
    free.push(kept.number);
  }

  function placeOf(code: number): Place | undefined {
    const figures = known.get(Math.floor(code / SLOTS_MAX));
    return figures && { figures, slot: code % SLOTS_MAX };
  }

  const isOf = (code: number, figures: Figures) => known.get(Math.floor(code / SLOTS_MAX)) === figures;

  return {
    add(publicKey, figures, slot) {
      const code = codeOf(figures, slot);
      const held = first.get(publicKey);
      first.set(publicKey, code);
      if (held !== undefined) others.set(publicKey, [...(others.get(publicKey) ?? []), held]);
    },
    remove(publicKey, figures) {
      const held = first.get(publicKey);
      if (held === undefined) return;
      const rest = others.get(publicKey) ?? [];
      const left = [held, ...rest].filter((code) => !isOf(code, figures));
      if (left.length === rest.length + 1) return;
      release(figures);
      const [next, ...more] = left;
      if (next === undefined) first.delete(publicKey);
      else first.set(publicKey, next);
      if (more.length > 0) others.set(publicKey, more);
      else others.delete(publicKey);
    },
    of(publicKey) {
      const code = first.get(publicKey);
      if (code === undefined) return [];
      const codes = [code, ...(others.get(publicKey) ?? [])];
      return codes.map(placeOf).filter((place) => place !== undefined);
    },
  };
}
