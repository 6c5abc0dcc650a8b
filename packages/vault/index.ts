export type { DatabaseLease } from "./database-lease.ts";
export { vaultErrors } from "./errors.ts";
export type { VaultLogin } from "./session.ts";
export type { KvSecret, Vault, VaultOptions } from "./vault.ts";
export { openVault } from "./vault.ts";
