export type { TrailHeader } from "./archive.ts";
export { parseTrailLine, writeTrail } from "./archive.ts";
export type { BreakKind, TrailBreak } from "./breaks.ts";
export type { Checkpoint } from "./checkpoint.ts";
export { openCheckpoint, parseCheckpoint, signCheckpoint } from "./checkpoint.ts";
export type { Entry, EntryBody } from "./entry.ts";
export { ARCHIVED_KIND, ERASED_KIND, leafOf, SALT_BYTES } from "./entry.ts";
export type { Verifier } from "./note.ts";
export { formatVerifier, parseVerifier, rawPublicKey } from "./note.ts";
export type { Frontier, LeafRange } from "./tree.ts";
export {
  append,
  consistencyRanges,
  createRangeRoots,
  EMPTY_FRONTIER,
  HASH_BYTES,
  inclusionRanges,
  isConsistent,
  isIncluded,
  rootOf,
} from "./tree.ts";
export type { TrailReport } from "./verify.ts";
export { verifyTrail } from "./verify.ts";
