export type { ApiKeyVerifier, ApiKeyVerifierOptions, KeyHolder, StoredKey } from "./api-keys.ts";
export { createApiKeyVerifier } from "./api-keys.ts";
export type { NewApiKey, ParsedApiKey } from "./key-text.ts";
export { createApiKey, parseApiKey } from "./key-text.ts";
