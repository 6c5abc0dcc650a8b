import { frontierOf, parseTrailLine, type TrailHeader } from "./archive.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import { type Entry, leafOf } from "./entry.ts";
import { createErasures } from "./erasures.ts";
import { formatVerifier, parseVerifier, type Verifier } from "./note.ts";
import { append, EMPTY_FRONTIER, rootOf } from "./tree.ts";

/** How a trail can be broken. */
export type BreakKind =
  /** There is no key to verify with, or it belongs to another trail. */
  | "key_missing"
  | "line_unreadable"
  | "entry_changed"
  | "entry_missing"
  | "order_changed"
  /** The entries are not those that the checkpoint was signed over. */
  | "root_differs"
  | "signature_wrong"
  /** The trail does not continue the checkpoint that was kept. */
  | "not_continued"
  | "cut_off"
  /** Entries are erased, and no entry says so. */
  | "erasure_unrecorded";

export interface TrailReport {
  readonly isWhole: boolean;
  /** The verifier key that was used; undefined when there was none. */
  readonly key: string | undefined;
  /** Index of the first entry. */
  readonly from: number;
  readonly entries: number;
  readonly erased: number;
  /** Erased entries for which no entry of this file accounts; in a part, that entry may stand further on. */
  readonly unrecorded: number;
  readonly checkpoints: number;
  /** The last checkpoint that fits, to be kept for the next time. */
  readonly lastCheckpoint: { readonly size: number; readonly note: string } | undefined;
  /** What breaks first; undefined when nothing does. */
  readonly broken: TrailBreak | undefined;
}

export interface TrailBreak {
  readonly kind: BreakKind;
  /** Index of the entry, or size of the checkpoint, at which it breaks. */
  readonly at: number;
  /** A sentence that holds nothing of the file but numbers. */
  readonly problem: string;
}

export interface VerifyOptions {
  /** The key that the trail must be signed with; the one that the file names when there is none. */
  readonly verifier?: Verifier;
  /** A checkpoint kept from before: the trail must continue it. */
  readonly known?: string;
  readonly onProgress?: (entries: number) => void;
}

const PROGRESS_EVERY = 1000;
/** How far around its place the right place of a moved entry is looked for. */
const NEIGHBOURHOOD = 1000;

/** Checks an export or an archive from its first entry on, without asking anybody, and says where it breaks. */
export async function verifyTrail(
  lines: Iterable<string> | AsyncIterable<string>,
  { verifier, known, onProgress }: VerifyOptions = {},
): Promise<TrailReport> {
  const check = createCheck(verifier, known);
  let broken: TrailBreak | undefined;
  let missing: MissingEntry | undefined;
  for await (const text of lines) {
    if (text.trim() === "") continue;
    if (missing) {
      // Whether it is gone or only moved, the rest tells.
      if (isEntryAt(text, missing.at)) return check.report(moved(missing));
      continue;
    }
    const found = check.take(text);
    if (found && "isMissing" in found) missing = found;
    else broken = found;
    if (broken) break;
    if (check.entries() % PROGRESS_EVERY === 0) onProgress?.(check.entries());
  }
  onProgress?.(check.entries());
  return check.report(broken ?? (missing ? gone(missing) : check.end()));
}

/** Another entry stands in its place. */
interface MissingEntry {
  readonly isMissing: true;
  readonly at: number;
  readonly found: number;
}

/** What is known of a trail while it is read. */
function createCheck(given: Verifier | undefined, known: string | undefined) {
  let verifier = given;
  let header: TrailHeader | undefined;
  let kept: Checkpoint | undefined;
  let hasBegun = false;
  let frontier = EMPTY_FRONTIER;
  let checkpoints = 0;
  let lastCheckpoint: TrailReport["lastCheckpoint"];
  const erasures = createErasures();
  const from = () => header?.from ?? 0;
  const signedUpTo = () => lastCheckpoint?.size ?? from();

  /** Looks at what stands before the first entry, once. */
  function begin(first: TrailHeader | undefined): TrailBreak | undefined {
    hasBegun = true;
    header = first;
    frontier = first ? frontierOf(first) : EMPTY_FRONTIER;
    verifier ??= first && parseVerifier(first.key);
    if (!verifier)
      return breakAt("key_missing", from(), "There is no verifier key to check signatures with.");
    if (first && first.origin !== verifier.name)
      return breakAt("key_missing", from(), "This is another trail than the one that the key belongs to.");
    if (known === undefined) return undefined;
    kept = openCheckpoint(known, verifier);
    if (!kept)
      return breakAt("signature_wrong", 0, "The checkpoint that you kept is not signed by this trail's key.");
    if (kept.size < from()) return breakAt("not_continued", kept.size, beginsLater(from(), kept.size));
    return holdKept();
  }

  function holdKept(): TrailBreak | undefined {
    if (!kept || kept.size !== frontier.size || rootOf(frontier).equals(kept.root)) return undefined;
    return breakAt("not_continued", kept.size, rewritten(kept.size));
  }

  function takeCheckpoint(note: string): TrailBreak | undefined {
    const { size } = frontier;
    const checkpoint = verifier && openCheckpoint(note, verifier);
    if (!checkpoint)
      return breakAt(
        "signature_wrong",
        size,
        `The checkpoint behind entry ${size - 1} has no good signature.`,
      );
    if (checkpoint.size < size) return breakAt("order_changed", size, tooLate(checkpoint.size, size));
    if (checkpoint.size > size) return breakAt("entry_missing", size, skipped(size, checkpoint.size));
    if (!rootOf(frontier).equals(checkpoint.root))
      return breakAt("root_differs", size, differs(signedUpTo(), size));
    checkpoints++;
    lastCheckpoint = { size, note };
    return undefined;
  }

  function takeEntry(entry: Entry): TrailBreak | MissingEntry | undefined {
    const at = frontier.size;
    if (entry.index < at)
      return breakAt("order_changed", at, `In the place of entry ${at} stands entry ${entry.index} again.`);
    if (entry.index > at) return { isMissing: true, at, found: entry.index };
    const leaf = Buffer.from(entry.leaf, "base64");
    if (entry.body === null || entry.salt === null) erasures.add(at);
    else {
      if (!leafOf(at, Buffer.from(entry.salt, "base64"), entry.body).equals(leaf)) return misfit(entry, leaf);
      erasures.learn(entry.body);
    }
    frontier = append(frontier, leaf);
    return holdKept();
  }

  const isPart = () => header !== undefined && frontier.size < header.size;

  function endsEarly(): TrailBreak | undefined {
    const { size } = frontier;
    if (header && header.to >= size) return breakAt("cut_off", size, cutOff(size, header.to + 1));
    if (kept && kept.size > size)
      return isPart()
        ? breakAt("not_continued", kept.size, endsBefore(size, kept.size))
        : breakAt("cut_off", size, cutOff(size, kept.size));
    const signed = lastCheckpoint?.size;
    return signed === size ? undefined : breakAt("cut_off", signedUpTo(), unsigned(signedUpTo(), size));
  }

  /** What accounts for an erasure stands behind it, so a part does not have it for sure. */
  function hidden(): TrailBreak | undefined {
    const [first] = isPart() ? [] : erasures.unrecorded();
    if (first === undefined) return undefined;
    return breakAt("erasure_unrecorded", first, `Entry ${first} is erased, and no entry says so.`);
  }

  return {
    entries: () => frontier.size - from(),
    take(text: string): TrailBreak | MissingEntry | undefined {
      const at = frontier.size;
      const line = parseTrailLine(text);
      const unreadable = breakAt("line_unreadable", at, `The line for entry ${at} cannot be read.`);
      if (!line || ("trail" in line && hasBegun)) return unreadable;
      if ("trail" in line) return begin(line.trail);
      const broken = hasBegun ? undefined : begin(undefined);
      if (broken) return broken;
      return "checkpoint" in line ? takeCheckpoint(line.checkpoint) : takeEntry(line.entry);
    },
    end: (): TrailBreak | undefined => (hasBegun ? undefined : begin(undefined)) ?? endsEarly() ?? hidden(),
    report: (broken: TrailBreak | undefined): TrailReport => ({
      isWhole: broken === undefined,
      key: verifier && formatVerifier(verifier),
      from: from(),
      entries: frontier.size - from(),
      erased: erasures.count(),
      unrecorded: erasures.unrecorded().length,
      checkpoints,
      lastCheckpoint,
      broken,
    }),
  };
}

/** An entry's content is not what its hash was made of: it was changed, or belongs elsewhere. */
function misfit({ index, salt, body }: Entry, leaf: Buffer): TrailBreak {
  const near = { first: Math.max(0, index - NEIGHBOURHOOD), last: index + NEIGHBOURHOOD };
  for (let other = near.first; body && salt !== null && other <= near.last; other++) {
    if (!leafOf(other, Buffer.from(salt, "base64"), body).equals(leaf)) continue;
    return breakAt("order_changed", index, `In the place of entry ${index} stands what was entry ${other}.`);
  }
  return breakAt("entry_changed", index, `Entry ${index} was changed: its content does not fit its hash.`);
}

function isEntryAt(text: string, index: number): boolean {
  const line = parseTrailLine(text);
  return line !== undefined && "entry" in line && line.entry.index === index;
}

function breakAt(kind: BreakKind, at: number, problem: string): TrailBreak {
  return { kind, at, problem };
}

function moved({ at, found }: MissingEntry): TrailBreak {
  return breakAt("order_changed", at, `The order was changed: entry ${found} stands before entry ${at}.`);
}

function gone({ at, found }: MissingEntry): TrailBreak {
  const which = found === at + 1 ? `Entry ${at} is missing` : `Entries ${at} to ${found - 1} are missing`;
  return breakAt("entry_missing", at, `${which}: entry ${found} stands there.`);
}

function skipped(size: number, signed: number): string {
  const which =
    signed === size + 1 ? `Entry ${size} is missing` : `Entries ${size} to ${signed - 1} are missing`;
  return `${which}: a checkpoint that was signed over them stands there.`;
}

function tooLate(signed: number, size: number): string {
  return `The checkpoint over ${signed} entries stands behind entry ${size - 1}: lines were moved or put in.`;
}

function differs(since: number, size: number): string {
  const which =
    since >= size - 1
      ? `Entry ${size - 1} is not the one`
      : `The entries ${since} to ${size - 1} are not those`;
  return `${which} that the checkpoint over ${size} entries was signed over.`;
}

function rewritten(size: number): string {
  return `The trail does not continue the checkpoint that you kept: something before entry ${size} was rewritten.`;
}

function beginsLater(from: number, kept: number): string {
  return `This part begins at entry ${from}, so it cannot show that it continues the checkpoint over ${kept} entries.`;
}

function endsBefore(size: number, kept: number): string {
  return `This part ends after entry ${size - 1}, before the checkpoint over ${kept} entries that you kept.`;
}

function cutOff(size: number, wanted: number): string {
  return `The trail ends after ${size} entries, but there were ${wanted}: its end was cut off.`;
}

function unsigned(signed: number, size: number): string {
  if (size === signed) return "No checkpoint stands behind the last entry: its end was cut off.";
  return `No signature covers the entries ${signed} to ${size - 1}: lines were put in or cut off at the end.`;
}
