import {
  type BreakKind,
  openCheckpoint,
  parseTrailLine,
  type TrailHeader,
  type TrailReport,
  type Verifier,
  verifyTrail,
} from "@securewave/audit-trail";
import { CliError, EXIT } from "../failure.ts";
import { type LineSource, openLines } from "./audit-lines.ts";

export interface TrailCheck {
  readonly verifier: Verifier;
  /** The note of a checkpoint that the trail must continue. */
  readonly known?: string | undefined;
  /** From 0 to 1. */
  readonly onProgress?: (share: number) => void;
}

/** What was found in a file. */
export interface TrailFileReport extends TrailReport {
  /** What the file says of itself; undefined when its first line is missing or damaged. */
  readonly header: TrailHeader | undefined;
  /** Of how many entries the trail is, as the last file says. */
  readonly trailSize: number;
  /** Of the last checkpoint that fits, in base64. */
  readonly root: string | undefined;
  /** Of the first and the last entry that are not erased; only where the trail is whole. */
  readonly span: { readonly first: string; readonly last: string } | undefined;
  /** The line in which it breaks, from 1 on; undefined when no single line is to blame. */
  readonly place: { readonly file: string; readonly line: number } | undefined;
}

/**
 * Verifies a file, or parts that continue each other in any order, from the first line to the last, and asks nobody.
 *
 * @throws CliError `cli.file_unreadable`, `cli.not_a_trail`, each with the exit code of wrong usage
 */
export async function checkTrailFiles(paths: readonly string[], check: TrailCheck): Promise<TrailFileReport> {
  const { verifier, known, onProgress } = check;
  const tally = createTally(paths.length > 1 ? await inOrder(paths) : paths);
  const report = await verifyTrail(tally.lines(), {
    verifier,
    ...(known !== undefined && { known }),
    onProgress: () => onProgress?.(tally.readShare()),
  });
  const { broken } = report;
  const beheaded = tally.beheaded();
  if (beheaded !== undefined) return withoutHeader(report, beheaded);
  return {
    ...report,
    header: tally.header(),
    trailSize: tally.trailSize(),
    root: rootIn(report, verifier),
    span: report.isWhole ? tally.span() : undefined,
    place: broken && KINDS_OF_A_LINE.has(broken.kind) ? tally.placeOf(report) : undefined,
  };
}

/** Parts by their first entry; those that do not tell it come first. */
async function inOrder(paths: readonly string[]): Promise<string[]> {
  const parts: { path: string; from: number }[] = [];
  for (const path of paths) {
    const source = await openLines(path);
    const [first] = (await source.take(1).finally(source.close)).map(parseTrailLine);
    parts.push({ path, from: first && "trail" in first ? first.trail.from : -1 });
  }
  return parts.sort((one, other) => one.from - other.from).map(({ path }) => path);
}

/** Hands lines to the verifier, and looks at them on their way. */
function createTally(paths: readonly string[]) {
  const place = { file: "", line: 0 };
  let emptyLines = 0;
  let hasEnded = false;
  let source: LineSource | undefined;
  let filesRead = 0;
  let header: TrailHeader | undefined;
  let headers = 0;
  let trailSize = 0;
  let beheaded: string | undefined;
  let firstTime: string | undefined;
  let lastTelling: string | undefined;

  const look = (text: string) => {
    place.line++;
    if (text.trim() === "") emptyLines++;
    if (text.startsWith('{"trail":')) headers++;
    if (!text.startsWith('{"entry":') || text.includes('"body":null')) return;
    firstTime ??= timeIn(text);
    lastTelling = text;
  };

  async function* linesOf(path: string): AsyncGenerator<string> {
    Object.assign(place, { file: path, line: 0 });
    source = await openLines(path);
    try {
      const head = await source.take(2);
      const [first, second] = head.map(parseTrailLine);
      if (!first && !second) throw notATrail(path);
      if (first && !("trail" in first)) {
        beheaded = path;
        return;
      }
      header ??= first?.trail;
      trailSize = first?.trail.size ?? 0;
      for (const text of head) {
        look(text);
        yield text;
      }
      for await (const text of source.lines) {
        look(text);
        yield text;
      }
    } finally {
      await source.close();
    }
    filesRead++;
  }

  return {
    async *lines(): AsyncGenerator<string> {
      for (const path of paths) {
        yield* linesOf(path);
        if (beheaded !== undefined) return;
      }
      hasEnded = true;
    },
    /** From 0 to 1; 0 while it is not known. */
    readShare(): number {
      const shareOfFile = source && source.sizeBytes > 0 ? source.readBytes() / source.sizeBytes : 0;
      return filesRead < paths.length ? (filesRead + shareOfFile) / paths.length : 1;
    },
    /** What the first file says of itself. */
    header: () => header,
    trailSize: () => trailSize,
    /** A file whose first line is missing. */
    beheaded: () => beheaded,
    span() {
      const last = lastTelling === undefined ? undefined : timeIn(lastTelling);
      return firstTime === undefined || last === undefined ? undefined : { first: firstTime, last };
    },
    placeOf({ broken, entries, checkpoints }: TrailReport): TrailFileReport["place"] {
      // A checkpoint that was kept is held against the first line.
      if (place.line <= 1 && broken?.kind !== "line_unreadable") return undefined;
      // What is missing is looked for to the end; it is missing behind what was good.
      if (place.line > 1 && headers === 1 && emptyLines === 0)
        return { file: place.file, line: 1 + entries + checkpoints + 1 };
      return hasEnded ? undefined : { ...place };
    },
  };
}

const KINDS_OF_A_LINE: ReadonlySet<BreakKind> = new Set([
  "line_unreadable",
  "entry_changed",
  "entry_missing",
  "order_changed",
  "root_differs",
  "signature_wrong",
]);

function timeIn(text: string): string | undefined {
  const line = parseTrailLine(text);
  return line && "entry" in line ? line.entry.body?.time : undefined;
}

function rootIn({ lastCheckpoint }: TrailReport, verifier: Verifier): string | undefined {
  return lastCheckpoint && openCheckpoint(lastCheckpoint.note, verifier)?.root.toString("base64");
}

/** Without it nobody can tell how far the trail went when it was written. */
function withoutHeader(report: TrailReport, file: string): TrailFileReport {
  const problem = "The first line, which says what the file holds, is missing.";
  return {
    ...report,
    isWhole: false,
    broken: { kind: "line_unreadable", at: report.from + report.entries, problem },
    header: undefined,
    trailSize: 0,
    root: undefined,
    span: undefined,
    place: { file, line: 1 },
  };
}

function notATrail(path: string): CliError {
  return new CliError("cli.not_a_trail", `The file ${path} is not an audit trail as SecureWave exports it.`, {
    next: "Export one: securewave audit export",
    exitCode: EXIT.usage,
  });
}
