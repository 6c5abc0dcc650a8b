export type { RecentMap } from "./recent-map.ts";
export { createRecentMap } from "./recent-map.ts";
export type {
  AcceptedHash,
  CredentialVerifier,
  CredentialVerifierOptions,
  StoredCredential,
} from "./verifier.ts";
export { createCredentialVerifier } from "./verifier.ts";
