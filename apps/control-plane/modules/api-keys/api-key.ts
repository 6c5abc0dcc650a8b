import type { ApiKey, Scope } from "@securewave/contracts";
import { SCOPES } from "@securewave/contracts";
import type { ApiKeyRow } from "./store.ts";

export function viewOf(row: ApiKeyRow): ApiKey {
  const { id, name, requests_per_minute, created_on, expires_on, previous_until } = row;
  const scopes = scopesOf(row.scopes);
  return { id, name, scopes, requests_per_minute, created_on, expires_on, previous_until };
}

/** A scope that a later version took away allows nothing. */
export function scopesOf(stored: readonly string[]): Scope[] {
  return SCOPES.filter((scope) => stored.includes(scope));
}
