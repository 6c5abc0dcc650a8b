export type { AccessClaims, AccessTokens, AccessTokensOptions } from "./access-tokens.ts";
export { createAccessTokens } from "./access-tokens.ts";
export type { SigningKey } from "./key-ring.ts";
