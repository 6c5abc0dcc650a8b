export type Verdict = "ok" | "warn" | "fail";

/** One thing that was looked at. */
export interface Check {
  readonly name: string;
  readonly verdict: Verdict;
  readonly finding: string;
  /** What to do about it; absent where nothing is wrong. */
  readonly mend?: string;
}

export const ok = (name: string, finding: string): Check => ({ name, verdict: "ok", finding });
export const warn = (name: string, finding: string, mend: string): Check => ({
  name,
  verdict: "warn",
  finding,
  mend,
});
export const fail = (name: string, finding: string, mend: string): Check => ({
  name,
  verdict: "fail",
  finding,
  mend,
});
