export { forgettingErrors } from "./errors.ts";
export type { PuncturableKey, TreeNode } from "./puncturable.ts";
export { createPuncturableKey, INDEX_MAX, parsePuncturableKey } from "./puncturable.ts";
export type { ErasedIn, PuncturableFile, PuncturableFileOptions } from "./puncturable-file.ts";
export { openPuncturableFile } from "./puncturable-file.ts";
export type { Ratchet, RatchetOpening } from "./ratchet.ts";
export { createRatchet, openRatchet } from "./ratchet.ts";
