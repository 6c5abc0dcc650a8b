export { createAccountUsage } from "./account-usage.ts";
export { createUsageNotices } from "./notices.ts";
export { openLedger } from "./open-ledger.ts";
export { createRestrictions } from "./restrictions.ts";
export { mountUsage } from "./routes.ts";
export { insertLedgerRow } from "./store.ts";
