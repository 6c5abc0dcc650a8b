import type { ApiKey, Scope } from "@securewave/contracts";
import { SCOPES } from "@securewave/contracts";
import { type AccountKey, PLACES } from "../data-keys/index.ts";
import type { ApiKeyRow } from "./store.ts";

export function viewOf(row: ApiKeyRow, key: AccountKey): ApiKey {
  const { id, name_sealed, requests_per_minute, created_on, expires_on, previous_until } = row;
  const scopes = scopesOf(row.scopes);
  const name = key.open(PLACES.apiKeyName, id, name_sealed);
  return { id, name, scopes, requests_per_minute, created_on, expires_on, previous_until };
}

/** A scope that a later version took away allows nothing. */
export function scopesOf(stored: readonly string[]): Scope[] {
  return SCOPES.filter((scope) => stored.includes(scope));
}
