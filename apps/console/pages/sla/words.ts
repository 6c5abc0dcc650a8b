import type { SlaFigure } from "@securewave/contracts";
import type { Tone } from "../../components/state.tsx";

export const FIGURE_NAMES: Readonly<Record<SlaFigure["name"], string>> = {
  availability: "Uptime",
  error_share: "Failed requests",
  mean_ms: "Mean answer",
  p95_ms: "95 % answered within",
  query_ms: "Mean query",
  processor: "Processor",
  memory: "Memory",
};

export const FIGURE_STATES: Readonly<
  Record<SlaFigure["state"], { readonly tone: Tone; readonly word: string }>
> = {
  met: { tone: "good", word: "Met" },
  missed: { tone: "warn", word: "Missed" },
  alarming: { tone: "bad", word: "Alarming" },
  unknown: { tone: "still", word: "Not known" },
};

/** Never rounded up: 99.9996 % is not all. */
export function percentText(share: number | null, digits = 2): string {
  if (share === null) return "Not known";
  const factor = 10 ** digits;
  return `${(Math.floor(share * 100 * factor + 1e-6) / factor).toFixed(digits)} %`;
}

export function figureText(name: SlaFigure["name"], value: number | null): string {
  if (value === null) return "Not known";
  if (name.endsWith("_ms")) return `${Math.round(value * 10) / 10} ms`;
  return percentText(value, name === "availability" ? 3 : 2);
}

/** `2026-11` in the reader's own way. */
export function monthText(month: string): string {
  const format = new Intl.DateTimeFormat(undefined, { month: "long", year: "numeric", timeZone: "UTC" });
  return format.format(new Date(`${month}-01T00:00:00Z`));
}
