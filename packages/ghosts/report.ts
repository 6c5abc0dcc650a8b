import type { KeyObject } from "node:crypto";
import { openNote, signNote, type Verifier } from "@securewave/audit-trail/note";
import type { Kind } from "./identity.ts";
import type { CheckedSetting, Skipped } from "./surface.ts";

/** Of this form of report; others are not read. */
export const REPORT_FORMAT = "securewave zero-log report 1";

export interface Hit {
  readonly ghost: string;
  readonly kind: Kind;
  readonly encoding: string;
  readonly source: string;
  /** In bytes, in what was unpacked. */
  readonly offset: number;
  readonly excerpt: string;
}

export interface ControlResult {
  readonly kind: Kind;
  readonly encoding: string;
  readonly isFound: boolean;
}

export interface SurfaceReport {
  readonly id: string;
  readonly title: string;
  /** Of the leak table of docs/zero-log.md. */
  readonly rows: readonly number[];
  readonly sources: number;
  readonly bytes: number;
  readonly unpackedBytes: number;
  /** What stands here by design, and why. */
  readonly permits: readonly { readonly kind: Kind; readonly reason: string }[];
  readonly controls: readonly ControlResult[];
  readonly hits: readonly Hit[];
  /** How many hits there are; of many the first are listed. */
  readonly hitsCount: number;
  /** Matches of a few bytes that chance explains. */
  readonly faintCount: number;
  readonly settings: readonly CheckedSetting[];
  readonly skipped: readonly Skipped[];
  readonly skippedCount: number;
  /** What could not be searched, and should have been. */
  readonly problems: readonly string[];
}

export type Outcome = "clean" | "leaking" | "incomplete";

export interface Report {
  readonly format: typeof REPORT_FORMAT;
  /** When the run began, ISO 8601 to the second. */
  readonly at: string;
  readonly software: { readonly name: string; readonly version: string };
  /** What ghosts were drawn from, in hexadecimal: who has it can draw them again. */
  readonly seed: string;
  readonly ghosts: readonly string[];
  readonly kinds: readonly Kind[];
  readonly encodings: readonly string[];
  /** Packages that are opened. */
  readonly forms: readonly string[];
  /** What the ghosts did, in order. */
  readonly steps: readonly string[];
  readonly surfaces: readonly SurfaceReport[];
  readonly notCovered: readonly string[];
  readonly outcome: Outcome;
}

/** What the figures of a report come to. A run whose controls were not all found has proved nothing. */
export function outcomeOf(surfaces: readonly SurfaceReport[]): Outcome {
  if (surfaces.some(({ hitsCount }) => hitsCount > 0)) return "leaking";
  const isSound = (surface: SurfaceReport) =>
    surface.problems.length === 0 &&
    surface.controls.length > 0 &&
    surface.controls.every(({ isFound }) => isFound) &&
    surface.settings.every(({ isRight }) => isRight);
  return surfaces.length > 0 && surfaces.every(isSound) ? "clean" : "incomplete";
}

/** Why a report is not clean: a sentence for each reason. */
export function complaintsOf({ surfaces }: Pick<Report, "surfaces">): string[] {
  return surfaces.flatMap((surface) => [
    ...surface.hits.map(
      ({ ghost, kind, encoding, source, offset }) =>
        `${surface.title}: ${kind} of ${ghost} as ${encoding} in ${source} at ${offset}`,
    ),
    ...surface.controls
      .filter(({ isFound }) => !isFound)
      .map(({ kind, encoding }) => `${surface.title}: the control was not found (${kind}, ${encoding})`),
    ...(surface.controls.length === 0 ? [`${surface.title}: there was no control`] : []),
    ...surface.settings
      .filter(({ isRight }) => !isRight)
      .map(({ name, value }) => `${surface.title}: ${name} is ${value || "empty"}`),
    ...surface.problems.map((text) => `${surface.title}: ${text}`),
  ]);
}

/** Writes a report as a signed note: JSON, and the signature below it. */
export function signReport(report: Report, name: string, privateKey: KeyObject): string {
  return signNote(`${JSON.stringify(report, null, 1)}\n`, name, privateKey);
}

export interface Verified {
  readonly report: Report;
  /** Whether the outcome is what the figures come to. */
  readonly isConsistent: boolean;
}

/**
 * Verifies a signed report without asking anybody.
 *
 * @returns undefined for what the verifier's key has not signed, and for what is no report of this form
 */
export function verifyReport(note: string, verifier: Verifier): Verified | undefined {
  const text = openNote(note, verifier);
  const report = text === undefined ? undefined : parseReport(text);
  return report && { report, isConsistent: outcomeOf(report.surfaces) === report.outcome };
}

function parseReport(text: string): Report | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isReport(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What is signed was written by `signReport`, so its form tells what it has. */
function isReport(value: unknown): value is Report {
  return (
    typeof value === "object" &&
    value !== null &&
    "format" in value &&
    value.format === REPORT_FORMAT &&
    "surfaces" in value &&
    Array.isArray(value.surfaces)
  );
}
