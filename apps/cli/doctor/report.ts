import type { Output, Style } from "../output.ts";
import { plain } from "../output.ts";
import type { Check, Verdict } from "./check.ts";

const MARKS: Readonly<Record<Verdict, string>> = { ok: "ok", warn: "warn", fail: "FAIL" };
const STYLES: Readonly<Record<Verdict, Style>> = { ok: "green", warn: "yellow", fail: "red" };

export function renderReport(out: Output, checks: readonly Check[]): string {
  const nameWidth = Math.max(...checks.map((check) => check.name.length));
  const lines = checks.flatMap(({ name, verdict, finding, mend }) => {
    const mark = out.style(STYLES[verdict], MARKS[verdict].padEnd(4));
    const line = `${mark}  ${name.padEnd(nameWidth)}  ${plain(finding)}`;
    return mend === undefined
      ? [line]
      : [line, `${" ".repeat(nameWidth + 8)}${out.style("cyan", "→")} ${mend}`];
  });
  return `${lines.join("\n")}\n\n${summary(checks)}`;
}

function summary(checks: readonly Check[]): string {
  const count = (verdict: Verdict) => checks.filter((check) => check.verdict === verdict).length;
  const [failed, warned] = [count("fail"), count("warn")];
  if (failed > 0) return `${failed} of ${checks.length} checks failed, ${warned} with a warning.`;
  return warned > 0 ? `Nothing failed; ${warned} of ${checks.length} checks with a warning.` : "All is well.";
}
