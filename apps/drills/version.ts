import { readFileSync } from "node:fs";

/** Of the whole, agents included: they are released together. */
export const AGENT_VERSION: string = JSON.parse(
  readFileSync(new URL("package.json", import.meta.url), "utf8"),
).version;
