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

export interface TrailBreak {
  readonly kind: BreakKind;
  /** Index of the entry, or size of the checkpoint, at which it breaks. */
  readonly at: number;
  /** A sentence that holds nothing of the file but numbers. */
  readonly problem: string;
}

export function breakAt(kind: BreakKind, at: number, problem: string): TrailBreak {
  return { kind, at, problem };
}

/** Another entry stands in the place of one. */
export interface MissingEntry {
  readonly isMissing: true;
  readonly at: number;
  readonly found: number;
}

export function moved({ at, found }: MissingEntry): TrailBreak {
  return breakAt("order_changed", at, `The order was changed: entry ${found} stands before entry ${at}.`);
}

export function gone({ at, found }: MissingEntry): TrailBreak {
  const which = found === at + 1 ? `Entry ${at} is missing` : `Entries ${at} to ${found - 1} are missing`;
  return breakAt("entry_missing", at, `${which}: entry ${found} stands there.`);
}

export function skipped(size: number, signed: number): string {
  const which =
    signed === size + 1 ? `Entry ${size} is missing` : `Entries ${size} to ${signed - 1} are missing`;
  return `${which}: a checkpoint that was signed over them stands there.`;
}

export function tooLate(signed: number, size: number): string {
  return `The checkpoint over ${signed} entries stands behind entry ${size - 1}: lines were moved or put in.`;
}

export function differs(since: number, size: number): string {
  const which =
    since >= size - 1
      ? `Entry ${size - 1} is not the one`
      : `The entries ${since} to ${size - 1} are not those`;
  return `${which} that the checkpoint over ${size} entries was signed over.`;
}

export function rewritten(size: number): string {
  return `The trail does not continue the checkpoint that you kept: something before entry ${size} was rewritten.`;
}

export function beginsLater(from: number, kept: number): string {
  return `This part begins at entry ${from}, so it cannot show that it continues the checkpoint over ${kept} entries.`;
}

export function notBehind(from: number, size: number): string {
  return `A part begins at entry ${from}, and does not continue the one that ends after ${size} entries.`;
}

export function endsBefore(size: number, kept: number): string {
  return `This part ends after entry ${size - 1}, before the checkpoint over ${kept} entries that you kept.`;
}

export function cutOff(size: number, wanted: number): string {
  return `The trail ends after ${size} entries, but there were ${wanted}: its end was cut off.`;
}

export function unsigned(signed: number, size: number): string {
  if (size === signed) return "No checkpoint stands behind the last entry: its end was cut off.";
  return `No signature covers the entries ${signed} to ${size - 1}: lines were put in or cut off at the end.`;
}
