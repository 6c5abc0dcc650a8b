import { frontierOf, parseTrailLine, type TrailHeader } from "./archive.ts";
import {
  beginsLater,
  breakAt,
  cutOff,
  differs,
  endsBefore,
  gone,
  type MissingEntry,
  moved,
  notBehind,
  rewritten,
  skipped,
  type TrailBreak,
  tooLate,
  unsigned,
} from "./breaks.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import { type Entry, leafOf } from "./entry.ts";
import { createErasures } from "./erasures.ts";
import { formatVerifier, parseVerifier, type Verifier } from "./note.ts";
import { append, EMPTY_FRONTIER, rootOf } from "./tree.ts";

export interface TrailReport {
  readonly isWhole: boolean;
  /** The verifier key that was used; undefined when there was none. */
  readonly key: string | undefined;
  /** Index of the first entry. */
  readonly from: number;
  readonly entries: number;
  /** Of which only the hashes are here: the rest of them is in archives. */
  readonly erased: number;
  /** Erased entries for which no entry of this file accounts; in a part, that entry may stand further on. */
  readonly unrecorded: number;
  readonly checkpoints: number;
  /** The last checkpoint that fits, to be kept for the next time. */
  readonly lastCheckpoint: { readonly size: number; readonly note: string } | undefined;
  /** What breaks first; undefined when nothing does. */
  readonly broken: TrailBreak | undefined;
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
const OTHER_TRAIL = "This is another trail than the one that the key belongs to.";

/**
 * Checks an export or an archive from its first entry on, without asking anybody, and says where it breaks. Parts that
 * continue each other, such as all archives and what is left, are checked as one when their lines come in order.
 */
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

/** What is known of a trail while it is read. */
function createCheck(given: Verifier | undefined, known: string | undefined) {
  let verifier = given;
  /** Of the part that is read. */
  let header: TrailHeader | undefined;
  let firstIndex = 0;
  let kept: Checkpoint | undefined;
  let hasBegun = false;
  let frontier = EMPTY_FRONTIER;
  let checkpoints = 0;
  let lastCheckpoint: TrailReport["lastCheckpoint"];
  const erasures = createErasures();
  const signedUpTo = () => lastCheckpoint?.size ?? firstIndex;

  /** Looks at what stands before the first entry, once. */
  function begin(first: TrailHeader | undefined): TrailBreak | undefined {
    hasBegun = true;
    header = first;
    firstIndex = first?.from ?? 0;
    frontier = first ? frontierOf(first) : EMPTY_FRONTIER;
    verifier ??= first && parseVerifier(first.key);
    if (!verifier)
      return breakAt("key_missing", firstIndex, "There is no verifier key to check signatures with.");
    if (first && first.origin !== verifier.name) return breakAt("key_missing", firstIndex, OTHER_TRAIL);
    if (known === undefined) return undefined;
    kept = openCheckpoint(known, verifier);
    if (!kept)
      return breakAt("signature_wrong", 0, "The checkpoint that you kept is not signed by this trail's key.");
    if (kept.size < firstIndex)
      return breakAt("not_continued", kept.size, beginsLater(firstIndex, kept.size));
    return holdKept();
  }

  /** A part that comes behind another one must begin with the state that the other one ends with. */
  function goOn(next: TrailHeader): TrailBreak | undefined {
    const { size } = frontier;
    if (header && header.to >= size) return breakAt("cut_off", size, cutOff(size, header.to + 1));
    if (next.origin !== verifier?.name) return breakAt("key_missing", size, OTHER_TRAIL);
    if (next.from !== size || !rootOf(frontierOf(next)).equals(rootOf(frontier)))
      return breakAt("not_continued", size, notBehind(next.from, size));
    header = next;
    return undefined;
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
      erasures.learn(at, entry.body);
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
    const { first } = erasures.unrecorded();
    if (first === undefined || isPart()) return undefined;
    return breakAt("erasure_unrecorded", first, `Entry ${first} is erased, and no entry says so.`);
  }

  return {
    entries: () => frontier.size - firstIndex,
    take(text: string): TrailBreak | MissingEntry | undefined {
      const at = frontier.size;
      const line = parseTrailLine(text);
      if (!line) return breakAt("line_unreadable", at, `The line for entry ${at} cannot be read.`);
      if ("trail" in line) return hasBegun ? goOn(line.trail) : begin(line.trail);
      const broken = hasBegun ? undefined : begin(undefined);
      if (broken) return broken;
      return "checkpoint" in line ? takeCheckpoint(line.checkpoint) : takeEntry(line.entry);
    },
    end: (): TrailBreak | undefined => (hasBegun ? undefined : begin(undefined)) ?? endsEarly() ?? hidden(),
    report: (broken: TrailBreak | undefined): TrailReport => ({
      isWhole: broken === undefined,
      key: verifier && formatVerifier(verifier),
      from: firstIndex,
      entries: frontier.size - firstIndex,
      erased: erasures.count(),
      unrecorded: erasures.unrecorded().count,
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
