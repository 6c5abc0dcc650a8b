export type { Block } from "./block.ts";
export type { Blocklist, BlocklistOptions, NewBlock } from "./blocklist.ts";
export { createBlocklist } from "./blocklist.ts";
export { createBlocklistStep } from "./step.ts";
