/** A form of statement that was slow at least once since the process started. It holds no values. */
export interface SlowStatement {
  readonly text: string;
  readonly count: number;
  readonly longestMs: number;
  readonly totalMs: number;
}

const FORMS_MAX = 200;
const TEXT_MAX = 1_000;

/**
 * Remembers, in memory only, which forms of statements took long. PostgreSQL's own log of slow statements says when each
 * ran and may quote values; this one says neither.
 *
 * @param fromMs from which on a statement is slow
 */
export function createSlowStatements(fromMs: number) {
  const forms = new Map<string, { count: number; longestMs: number; totalMs: number }>();
  let total = 0;
  return {
    fromMs,
    note(text: string, milliseconds: number): void {
      if (milliseconds < fromMs) return;
      total++;
      const form = formOf(text);
      const known = forms.get(form);
      if (known === undefined && forms.size >= FORMS_MAX) forms.delete(leastOf(forms));
      const { count, longestMs, totalMs } = known ?? { count: 0, longestMs: 0, totalMs: 0 };
      forms.set(form, {
        count: count + 1,
        longestMs: Math.max(longestMs, milliseconds),
        totalMs: totalMs + milliseconds,
      });
    },
    /** Those that took most altogether come first. */
    list: (): SlowStatement[] =>
      [...forms].map(([text, times]) => ({ text, ...times })).sort((a, b) => b.totalMs - a.totalMs),
    /** How often a statement was slow since the start. */
    count: () => total,
  };
}

export type SlowStatements = ReturnType<typeof createSlowStatements>;

/** One form for all numbers of parameters, in one line. Literals, which code alone writes, are left out too. */
export function formOf(text: string): string {
  return text
    .replace(/'(?:[^']|'')*'/g, "'…'")
    .replace(/\$\d+(?:\s*,\s*\$\d+)+/g, "$…")
    .replace(/(\(\$…\))(?:\s*,\s*\(\$…\))+/g, "$1, …")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, TEXT_MAX);
}

function leastOf(forms: ReadonlyMap<string, { readonly totalMs: number }>): string {
  let least = { text: "", totalMs: Number.POSITIVE_INFINITY };
  for (const [text, { totalMs }] of forms) if (totalMs < least.totalMs) least = { text, totalMs };
  return least.text;
}
