/**
 * When matches prove a leak. Four bytes occur by chance once in 4 GiB, so that such a match says nothing by itself;
 * but that those of several ghosts lie near each other, or that one surface has those of nearly all, does.
 */

/** A false alarm in so many runs; half of it for single matches, half for groups. */
export const FALSE_ALARM_CHANCE = 1e-6;
/** Rows of a table, lines of a log and records of one batch lie within so many bytes of each other. */
export const GROUP_BYTES = 64 * 1024;

export interface Match {
  readonly surface: string;
  /** File, and what it was unpacked from. */
  readonly source: string;
  readonly offset: number;
  readonly ghost: string;
  /** Kind and encoding. A leak writes all ghosts in the same way, so matches are judged by it. */
  readonly form: string;
  readonly bits: number;
}

export interface Judge<M extends Match> {
  readonly matches: readonly M[];
  /** The names of those who were never anywhere; what chance does to them it does to the others. */
  readonly decoys: ReadonlySet<string>;
  /** How many ghosts were looked for, without decoys. */
  readonly ghosts: number;
  /** Each pattern of one ghost. */
  readonly patterns: readonly { readonly form: string; readonly bits: number }[];
  readonly bytesBySurface: ReadonlyMap<string, number>;
}

export interface Verdict<M extends Match> {
  /** Proof of a leak. */
  readonly proved: M[];
  /** Matches that chance explains. */
  readonly faint: M[];
  /** From so many bits on one match is proof, at the size of this run. */
  readonly sureBits: number;
}

/** Tells proof from chance. */
export function judge<M extends Match>(input: Judge<M>): Verdict<M> {
  const total = [...input.bytesBySurface.values()].reduce((sum, bytes) => sum + bytes, 0);
  const sureBits = sureFrom(input, Math.max(1, total));
  const proved = new Set(
    input.matches.filter(({ ghost, bits }) => bits >= sureBits && !input.decoys.has(ghost)),
  );
  const weak = groupBy(
    input.matches.filter(({ bits }) => bits < sureBits),
    ({ form, surface }) => `${form} ${surface}`,
  );
  const forms = new Map<string, number>();
  for (const { form, bits } of input.patterns) {
    if (bits < sureBits) forms.set(form, (forms.get(form) ?? 0) + 2 ** -bits);
  }
  // Each form is judged in each surface, by two rules.
  const budget =
    FALSE_ALARM_CHANCE / 2 / (2 * Math.max(1, forms.size) * Math.max(1, input.bytesBySurface.size));
  for (const matches of weak.values()) {
    const { form = "", surface = "" } = matches[0] ?? {};
    const rate = forms.get(form) ?? 2 ** -Math.min(...matches.map(({ bits }) => bits));
    const bytes = input.bytesBySurface.get(surface) ?? total;
    const everywhere = enoughOf(input.ghosts, (k) => choose(input.ghosts, k) * (bytes * rate) ** k, budget);
    const nearby = enoughOf(input.ghosts, (k) => chanceOfGroup(bytes, rate, input.ghosts, k), budget);
    for (const match of groupsOf([matches], everywhere, input.decoys)) proved.add(match);
    const windows = [...groupBy(matches, (match) => match.source).values()].flatMap(neighbourhoods);
    for (const match of groupsOf(windows, nearby, input.decoys)) proved.add(match);
  }
  const real = input.matches.filter(({ ghost }) => !input.decoys.has(ghost));
  return {
    proved: real.filter((match) => proved.has(match)),
    faint: real.filter((match) => !proved.has(match)),
    sureBits,
  };
}

/** The least number of bits for which all patterns of so many or more together match by chance hardly ever. */
function sureFrom({ ghosts, patterns }: Judge<Match>, bytes: number): number {
  let expected = 0;
  let sure = Number.POSITIVE_INFINITY;
  for (const bits of patterns.map((pattern) => pattern.bits).sort((a, b) => b - a)) {
    expected += ghosts * bytes * 2 ** -bits;
    if (expected > FALSE_ALARM_CHANCE / 2) break;
    sure = bits;
  }
  return sure;
}

/** How many windows have matches of k different ghosts by chance. */
function chanceOfGroup(bytes: number, rate: number, ghosts: number, k: number): number {
  return bytes * ghosts * rate * choose(ghosts - 1, k - 1) * (GROUP_BYTES * rate) ** (k - 1);
}

/** The least number of different ghosts that is no chance; more than there are where any number could be. */
function enoughOf(ghosts: number, chance: (k: number) => number, budget: number): number {
  for (let k = 2; k <= ghosts; k++) if (chance(k) <= budget) return k;
  return ghosts + 1;
}

/** The groups that have matches of enough ghosts, and of more than they have of decoys. */
function groupsOf<M extends Match>(
  groups: readonly (readonly M[])[],
  enough: number,
  decoys: ReadonlySet<string>,
): M[] {
  return groups.flatMap((group) => {
    const names = new Set(group.map(({ ghost }) => ghost));
    const strangers = [...names].filter((name) => decoys.has(name)).length;
    const isProof = names.size - strangers >= enough && names.size - strangers > 2 * strangers;
    return isProof ? group.filter(({ ghost }) => !decoys.has(ghost)) : [];
  });
}

/** For each match of a source, those that lie behind it within the window. */
function neighbourhoods<M extends Match>(matches: readonly M[]): M[][] {
  const sorted = matches.toSorted((a, b) => a.offset - b.offset);
  let end = 0;
  return sorted.map((first, start) => {
    while (end < sorted.length && (sorted[end]?.offset ?? 0) - first.offset <= GROUP_BYTES) end++;
    return sorted.slice(start, end);
  });
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  return Map.groupBy(items, key);
}

function choose(n: number, k: number): number {
  let count = 1;
  for (let at = 1; at <= k; at++) count = (count * (n - k + at)) / at;
  return count;
}
