import { Option } from "@commander-js/extra-typings";
import { BACKUP_KINDS, type Backup } from "@securewave/contracts";
import { SECOND_MS } from "@securewave/foundation";
import { counted, humanBytes, humanDuration, timeText } from "../human.ts";
import type { Output, Style } from "../output.ts";

export const kindOption = () =>
  new Option("-k, --kind <kind>", "of one kind only").choices([...BACKUP_KINDS] as const);

export function backupText(out: Output, backup: Backup, nowMs: number): string {
  const { verification } = backup;
  const tables = Object.entries(backup.counts).filter(([name]) => !name.startsWith("@"));
  const rows = tables.filter(([, count]) => count > 0).map(([name, count]) => `${name} ${count}`);
  const facts = out.fields([
    ["Id", backup.id],
    ["Kind", backup.kind],
    ["Taken", `${timeText(backup.taken_at.slice(0, 19))} UTC (${ageText(backup.taken_at, nowMs)})`],
    ["Size", `${humanBytes(backup.bytes)} in ${counted(backup.objects, "object")}`],
    ["Version", backup.version],
    ["Rows", rows.length === 0 ? undefined : rows.sort().join(", ")],
    ["Verified", verification === null ? "never" : ageText(verification.verified_at, nowMs)],
  ]);
  return verification === null ? facts : `${facts}\n\n${checksText(out, verification.checks)}`;
}

const MARKS = {
  passed: ["✓", "green"],
  failed: ["✗", "red"],
  skipped: ["–", "dim"],
} as const satisfies Record<string, readonly [string, Style]>;

export function checksText(
  out: Output,
  checks: readonly { readonly name: string; readonly outcome: keyof typeof MARKS; readonly detail: string }[],
): string {
  return checks
    .map(({ name, outcome, detail }) => {
      const [mark, style] = MARKS[outcome];
      return `${out.style(style, mark)} ${name.replaceAll("_", " ")}: ${detail}`;
    })
    .join("\n");
}

export function ageText(instant: string, nowMs: number): string {
  return `${humanDuration(Math.max(0, (nowMs - Date.parse(instant)) / SECOND_MS))} ago`;
}
