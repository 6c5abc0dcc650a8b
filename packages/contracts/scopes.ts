import { OneOf } from "./schemas.ts";

/** What an API key may be allowed; it never allows more than the role of its account does. */
export const SCOPES = [
  "account:read",
  "devices:read",
  "devices:write",
  "servers:read",
  "fleet:read",
  "fleet:write",
  "accounts:read",
  "accounts:write",
  "settings:read",
  "settings:write",
  "blocks:read",
  "blocks:write",
  "audit:read",
  "backups:read",
  "backups:write",
] as const;
export type Scope = (typeof SCOPES)[number];
export const ScopeSchema = OneOf(SCOPES);
