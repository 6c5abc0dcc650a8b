export { type AccountKey, dataKeyErrors } from "./account-key.ts";
export { openNested, sealNested } from "./nested.ts";
export { openDataKeys } from "./open.ts";
export { PLACES } from "./places.ts";
export { createDataKeys, type DataKeys } from "./service.ts";
