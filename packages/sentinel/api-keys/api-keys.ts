import type { CredentialVerifierOptions, StoredCredential } from "../credentials/index.ts";
import { createCredentialVerifier } from "../credentials/index.ts";
import { parseApiKey } from "./key-text.ts";

/** For whom a key acts, and what it may do. */
export interface KeyHolder {
  readonly id: string;
  readonly accountId: string;
  readonly role: string;
  readonly scopes: readonly string[];
  readonly requestsPerMinute: number;
}

export type StoredKey<Holder = KeyHolder> = StoredCredential<Holder>;
export type ApiKeyVerifierOptions<Holder = KeyHolder> = CredentialVerifierOptions<Holder>;

export interface ApiKeyVerifier<Holder = KeyHolder> {
  /** @returns at once what memory knows, else a promise; rejects when the store does */
  verify(text: string): Holder | undefined | Promise<Holder | undefined>;
  /** To be called when a key is revoked or rotated, or its account changes; takes effect at once. */
  forget(idOrPredicate: string | ((holder: Holder) => boolean)): void;
}

export function createApiKeyVerifier<Holder = KeyHolder>(
  options: ApiKeyVerifierOptions<Holder>,
): ApiKeyVerifier<Holder> {
  const { verify, forget } = createCredentialVerifier(options);
  return {
    verify(text) {
      const key = parseApiKey(text);
      return key && verify(key.id, key.secretHash);
    },
    forget,
  };
}
