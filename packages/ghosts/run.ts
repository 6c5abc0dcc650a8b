import { type Clock, invariant } from "@securewave/foundation";
import { judge, type Match } from "./evidence.ts";
import { excerptOf } from "./excerpt.ts";
import { drawGhosts, type Ghost, KINDS, type Kind } from "./identity.ts";
import { createMatcher } from "./matcher.ts";
import type { Pattern } from "./pattern.ts";
import {
  type ControlResult,
  type Hit,
  outcomeOf,
  REPORT_FORMAT,
  type Report,
  type SurfaceReport,
} from "./report.ts";
import { searchFile, type Tally } from "./search.ts";
import { patternsOf } from "./sought.ts";
import { type CheckedSetting, CONTROL_KINDS, type Planted, type Skipped, type Surface } from "./surface.ts";
import { FORM_NAMES } from "./unpack/index.ts";

/** Something that ghosts do while they are there. */
export interface Step {
  /** For the report: `each connects through a tunnel and loads a page`. */
  readonly does: string;
  /**
   * @returns what was learned of the ghosts by it, such as the counts of bytes that came about; undefined for nothing
   */
  act(ghosts: readonly Ghost[]): Promise<readonly Ghost[] | undefined>;
}

export interface RunOptions {
  /** Drawn anew for each run: 32 random bytes. */
  readonly seed: Uint8Array;
  readonly clock: Clock;
  readonly software: { readonly name: string; readonly version: string };
  readonly surfaces: readonly Surface[];
  readonly steps: readonly Step[];
  /** Several, since some encodings are so short that one alone proves nothing. */
  readonly ghosts?: number;
  /** What this run leaves out, besides what every run does. */
  readonly notCovered?: readonly string[];
  readonly onProgress?: (text: string) => void;
}

const GHOSTS = 8;
const DECOYS = 8;
/** Decoys are looked for by what chance may find. */
const DECOY_BITS_MAX = 64;
const HITS_LISTED = 50;
const SKIPPED_LISTED = 50;

/** Row 23 of the leak table, and what the kit itself does not do. */
export const NEVER_COVERED: readonly string[] = [
  "What the hoster of a server, and networks on the way to it, see and keep, such as netflow.",
  "What the payment provider and the mail provider store.",
  "An operator who is forced, or decides, to run other software than this.",
  "What a proxy in front of the service, a name server or a firewall elsewhere logs: its operator answers for it.",
  "The memory of running programs, but for heaps that are named among the surfaces; that of the kernel, but for what its commands show; that of a hypervisor.",
  "Free space and slack of disks, and what a disk's controller keeps of overwritten blocks.",
  "Content that is encrypted, or packed in a form that is not named here.",
  "Values that are hashed with a salt or key, encrypted, or spread over several places.",
  "The times and lengths of records: those are what the twin test compares.",
];

interface Sought {
  readonly owner: string;
  readonly kind: Kind;
  readonly pattern: Pattern;
}

interface Found extends Match {
  readonly kind: Kind;
  readonly encoding: string;
  readonly excerpt: string;
}

/** Plants controls, lets ghosts do what they do, and searches every byte of every surface. */
export async function runGhosts(options: RunOptions): Promise<Report> {
  const { seed, surfaces, clock, onProgress = () => {} } = options;
  const at = new Date(clock.now()).toISOString().slice(0, 19);
  const names = (count: number, what: string) =>
    Array.from({ length: count }, (_, index) => `${what}-${index + 1}`);
  const ghostNames = names(options.ghosts ?? GHOSTS, "ghost");
  const decoyNames = names(DECOYS, "decoy");
  const planting = surfaces.filter(({ plant }) => typeof plant === "function");
  const drawn = drawGhosts(seed, [
    ...ghostNames,
    ...decoyNames,
    ...planting.map(({ id }) => `control ${id}`),
  ]);
  const named = new Map(drawn.map((ghost) => [ghost.name, ghost]));
  let ghosts: readonly Ghost[] = ghostNames.flatMap((name) => named.get(name) ?? []);

  const planted = new Map<string, readonly Planted[]>();
  const reports: SurfaceReport[] = [];
  try {
    for (const step of options.steps) {
      onProgress(step.does);
      ghosts = (await step.act(ghosts)) ?? ghosts;
    }
    const failures = new Map<string, string>();
    for (const surface of planting) {
      const control = named.get(`control ${surface.id}`);
      if (control === undefined || typeof surface.plant !== "function") continue;
      await surface.plant(control).then(
        (items) => planted.set(surface.id, items),
        (error: unknown) => failures.set(surface.id, `the control could not be planted: ${messageOf(error)}`),
      );
    }
    const sought = [
      ...ghosts.flatMap((ghost) => soughtOf(ghost)),
      ...decoyNames.flatMap((name) =>
        soughtOf(named.get(name)).filter(({ pattern }) => pattern.bits < DECOY_BITS_MAX),
      ),
      ...planting.flatMap(({ id }) =>
        soughtOf(named.get(`control ${id}`)).filter(({ kind }) => CONTROL_KINDS.includes(kind)),
      ),
    ];
    const searched = await searchAll(surfaces, sought, onProgress);
    const verdicts = judgeAll(searched, sought, ghosts, decoyNames);
    for (const surface of surfaces) {
      const own = searched.get(surface.id);
      invariant(own !== undefined, "each surface was searched");
      const controlId = typeof surface.plant === "string" ? surface.plant : surface.id;
      const items = planted.get(controlId);
      const controls = controlsOf(own.found, controlId, items && (surface.arriving ?? items));
      const failure = failures.get(surface.id);
      reports.push(reportOf(surface, own, controls, verdicts, failure === undefined ? [] : [failure]));
    }
  } finally {
    for (const surface of surfaces) await surface.clear?.().catch(() => {});
  }
  const encodings = ghosts
    .slice(0, 1)
    .flatMap((ghost) => patternsOf(ghost).map(({ pattern }) => pattern.encoding));
  return {
    format: REPORT_FORMAT,
    at: `${at}Z`,
    software: options.software,
    seed: Buffer.from(seed).toString("hex"),
    ghosts: ghostNames,
    kinds: KINDS.filter((kind) =>
      ghosts.some((ghost) => patternsOf(ghost).some((known) => known.kind === kind)),
    ),
    encodings: [...new Set(encodings)].sort(),
    forms: FORM_NAMES,
    steps: options.steps.map(({ does }) => does),
    surfaces: reports,
    notCovered: [...NEVER_COVERED, ...(options.notCovered ?? [])],
    outcome: outcomeOf(reports),
  };
}

function soughtOf(ghost: Ghost | undefined): Sought[] {
  if (ghost === undefined) return [];
  return patternsOf(ghost).map(({ kind, pattern }) => ({ owner: ghost.name, kind, pattern }));
}

interface Searched {
  readonly found: Found[];
  readonly tally: Tally;
  readonly skipped: Skipped[];
  readonly settings: readonly CheckedSetting[];
  sources: number;
}

async function searchAll(
  surfaces: readonly Surface[],
  sought: readonly Sought[],
  onProgress: (text: string) => void,
): Promise<Map<string, Searched>> {
  const matcher = createMatcher(sought.map(({ pattern }) => pattern));
  const searched = new Map<string, Searched>();
  for (const surface of surfaces) {
    onProgress(`search ${surface.title}`);
    const tally: Tally = { bytes: 0, unpackedBytes: 0, forms: new Map(), problems: [] };
    const found: Found[] = [];
    const skipped: Skipped[] = [];
    const fail = (what: string) => (error: unknown) => {
      tally.problems.push({ source: what, text: messageOf(error) });
      return [];
    };
    const settings = await (surface.settings?.().catch(fail("its settings")) ?? []);
    const own: Searched = { found, tally, skipped, settings, sources: 0 };
    searched.set(surface.id, own);
    const onFind = (index: number, source: string, offset: number, around: Buffer, at: number) => {
      const item = sought[index];
      if (item === undefined) return;
      const { owner, kind, pattern } = item;
      const excerpt = excerptOf(around, at, pattern.bytes.length, `${kind} of ${owner}`);
      const { encoding, bits } = pattern;
      const form = formOf(kind, encoding);
      found.push({ surface: surface.id, source, offset, ghost: owner, form, bits, kind, encoding, excerpt });
    };
    try {
      for await (const source of surface.collect({
        skip: (name, reason) => void skipped.push({ name, reason }),
      })) {
        own.sources++;
        const sink = searchFile(matcher, source.name, tally, onFind);
        for await (const piece of source.read()) await sink.write(piece);
        await sink.end();
      }
    } catch (error) {
      fail("the surface")(error);
    }
  }
  return searched;
}

function formOf(kind: Kind, encoding: string): string {
  return `${kind} ${encoding}`;
}

interface Verdicts {
  readonly proved: ReadonlySet<Found>;
  readonly faint: ReadonlySet<Found>;
}

function judgeAll(
  searched: ReadonlyMap<string, Searched>,
  sought: readonly Sought[],
  ghosts: readonly Ghost[],
  decoyNames: readonly string[],
): Verdicts {
  const isOf = new Set([...ghosts.map(({ name }) => name), ...decoyNames]);
  const { proved, faint } = judge({
    matches: [...searched.values()].flatMap(({ found }) => found).filter(({ ghost }) => isOf.has(ghost)),
    decoys: new Set(decoyNames),
    ghosts: ghosts.length,
    patterns: sought.flatMap(({ owner, kind, pattern }) =>
      owner === ghosts[0]?.name ? [{ form: formOf(kind, pattern.encoding), bits: pattern.bits }] : [],
    ),
    bytesBySurface: new Map([...searched].map(([id, { tally }]) => [id, tally.bytes + tally.unpackedBytes])),
  });
  return { proved: new Set(proved), faint: new Set(faint) };
}

/** Each encoding that was planted must be among what was found of the surface's control. */
function controlsOf(
  found: readonly Found[],
  controlId: string,
  planted: readonly Planted[] = [],
): ControlResult[] {
  const own = found.filter(({ ghost }) => ghost === `control ${controlId}`);
  return planted.map(({ kind, encoding }) => ({
    kind,
    encoding: encoding ?? "any",
    isFound: own.some((one) => one.kind === kind && (encoding === undefined || one.encoding === encoding)),
  }));
}

function reportOf(
  surface: Surface,
  { found, tally, skipped, settings, sources }: Searched,
  controls: readonly ControlResult[],
  { proved, faint }: Verdicts,
  problems: readonly string[],
): SurfaceReport {
  const { id, title, rows, permits = {}, permitsIn } = surface;
  const isPermitted = ({ kind, source }: Found) =>
    permits[kind] !== undefined && (permitsIn?.some((start) => source.startsWith(start)) ?? true);
  const leaks = found.filter((one) => proved.has(one) && !isPermitted(one));
  const hits: Hit[] = leaks
    .slice(0, HITS_LISTED)
    .map(({ ghost, kind, encoding, source, offset, excerpt }) => ({
      ghost,
      kind,
      encoding,
      source,
      offset,
      excerpt,
    }));
  return {
    id,
    title,
    rows,
    sources,
    bytes: tally.bytes,
    unpackedBytes: tally.unpackedBytes,
    permits: Object.entries(permits).map(([kind, reason]) => ({ kind: kind as Kind, reason })),
    controls,
    hits,
    hitsCount: leaks.length,
    faintCount: found.filter((one) => faint.has(one) && !isPermitted(one)).length,
    settings,
    skipped: skipped.slice(0, SKIPPED_LISTED),
    skippedCount: skipped.length,
    problems: [...problems, ...tally.problems.map(({ source, text }) => `${source}: ${text}`)],
  };
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  return "code" in error && typeof error.code === "string"
    ? error.code
    : (error.message.split("\n")[0] ?? "");
}
