export type { Catalogue } from "./catalogue.ts";
export { catalogue, createCatalogue, describeField } from "./catalogue.ts";
export {
  fillDocument,
  POLICY_HEADINGS,
  type PolicyRow,
  policyRows,
  policyTable,
  zeroLogTables,
} from "./documents.ts";
export type { Class, Entry, Group, LegalBasis, Room } from "./entry.ts";
export type { Export, Field, Precision, Whose } from "./fields.ts";
export { describeFinding, type Finding } from "./finding.ts";
export { findInFiles } from "./guard/files.ts";
export { findInQueue } from "./guard/jobs.ts";
export { findInLogLines } from "./guard/lines.ts";
export { findInMetrics, readSamples } from "./guard/metrics.ts";
export { findReaches } from "./guard/reaches.ts";
export { findInRedisCommands, findInRedisKeys, type RedisCommand } from "./guard/redis.ts";
export { findInSchema } from "./guard/schema.ts";
export { readSchema, type SchemaFacts } from "./guard/schema-facts.ts";
export { findInSource } from "./guard/source.ts";
export { findInSpans } from "./guard/traces.ts";
export { files } from "./rooms/files.ts";
export { purposeOfJob } from "./rooms/jobs.ts";
export { reaches } from "./rooms/reaches.ts";
