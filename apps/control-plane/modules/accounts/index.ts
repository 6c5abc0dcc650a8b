export type { Account } from "./account.ts";
export { openAccount, sealAccount, viewOf } from "./account.ts";
export type { Notify } from "./notices.ts";
export { isRightPassword } from "./password.ts";
export { mountAccounts } from "./routes.ts";
export type { Accounts } from "./service.ts";
export { createAccounts } from "./service.ts";
