export { NOT_EXPORTED } from "./collectors.ts";
export { createDeletions } from "./deletions.ts";
export { createPolicy } from "./policy.ts";
export { addPolicyPage, POLICY_PATH } from "./policy-page.ts";
export { createRequests } from "./requests.ts";
export { mountPrivacy } from "./routes.ts";
export { createPrivacy, type Privacy } from "./service.ts";
export { createUsageHistory } from "./usage-history.ts";
