import type { Scene } from "./scene.ts";

/** One measured figure of the report. */
export interface Figure {
  readonly id: string;
  readonly value: number;
  readonly unit: string;
  /** The raw way, measured in the same run, in the same unit unless `limitUnit` says otherwise; null where there is none. */
  readonly limit: number | null;
  readonly limitUnit?: string;
  /** An inequality such as `<=1.3`; null for a figure that is only watched. */
  readonly goal: string | null;
  /** What was measured and what the limit is, for the table. */
  readonly note: string;
}

/** What cannot be measured on this machine. */
export interface LeftOut {
  readonly what: string;
  readonly reason: string;
}

export interface Bench {
  /** By which it is asked for. The ids of most of its figures begin so. */
  readonly name: string;
  measure(run: BenchRun): Promise<void>;
}

/** What a benchmark gets of the run that it is part of. */
export interface BenchRun {
  /** Smaller sizes, for finding out whether the benchmarks work at all. */
  readonly isQuick: boolean;
  /** Says on standard error what is being done. */
  progress(text: string): void;
  report(...figures: Figure[]): void;
  /** The service with a node that all benchmarks share; its devices only become more. Undefined where there can be no tunnels. */
  scene(): Promise<Scene | undefined>;
  /** Lists figures that need the scene as left out. */
  leaveOut(what: string): void;
}

/** @returns null for a figure without a goal */
export function isHeld({ value, goal }: Pick<Figure, "value" | "goal">): boolean | null {
  if (goal === null) return null;
  const [, sign, bound] = /^(<=|>=|=)(\d+(?:\.\d+)?)$/.exec(goal) ?? [];
  if (sign === undefined) throw new TypeError(`the goal ${goal} is no inequality`);
  const wanted = Number(bound);
  if (sign === "=") return value === wanted;
  return sign === "<=" ? value <= wanted : value >= wanted;
}

/** Three significant digits; whole numbers stay whole. */
export function rounded(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}

export function jsonOf(figures: readonly Figure[]): string {
  const shown = figures.map((figure) => {
    const { id, unit, goal } = figure;
    const limit = figure.limit === null ? null : rounded(figure.limit);
    return { id, value: rounded(figure.value), unit, limit, goal, holds: isHeld(figure) };
  });
  return JSON.stringify({ figures: shown });
}

export function tableOf(figures: readonly Figure[], leftOut: readonly LeftOut[]): string {
  const head = ["figure", "value", "unit", "limit", "goal", "holds", "what"];
  const rows = figures.map((figure) => [
    figure.id,
    String(rounded(figure.value)),
    figure.unit,
    figure.limit === null ? "" : `${rounded(figure.limit)} ${figure.limitUnit ?? figure.unit}`,
    figure.goal ?? "",
    { true: "yes", false: "NO", null: "" }[`${isHeld(figure)}`],
    figure.note,
  ]);
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const lines = all.map((row) =>
    row
      .map((cell, column) =>
        column === 1 ? cell.padStart(widths[1] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
  const missing = leftOut.map(({ what, reason }) => `not measured: ${what}: ${reason}`);
  return [...lines, ...missing].join("\n");
}
