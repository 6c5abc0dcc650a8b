import { MINUTE_MS } from "@securewave/foundation";
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from "@simplewebauthn/server";

/** What a browser sent or is to be given, as JSON. */
export type Json = Readonly<Record<string, unknown>>;

export interface WebauthnOptions {
  /** Where the console is: its host is what passkeys are bound to. */
  readonly publicUrl: string;
  /** Tells whether a challenge was made for this purpose and is not used up, and uses it up. */
  readonly takeChallenge: (purpose: string, challenge: string) => boolean;
}

export interface NewCredential {
  readonly id: Buffer;
  readonly publicKey: Buffer;
  readonly counter: number;
  readonly transports: string[];
  readonly isSynced: boolean;
}

/** What is kept of a credential, and whose it is. */
export interface KnownCredential {
  readonly id: Buffer;
  readonly publicKey: Buffer;
  readonly counter: number;
  readonly transports: readonly string[];
  readonly accountId: string;
}

export const CEREMONY_MS = 5 * MINUTE_MS;
/** WebAuthn §4: a credential id has at most 1023 bytes. */
const CREDENTIAL_ID_BYTES_MAX = 1023;
const TEXT_MAX = 20_000;
/** EdDSA, ES256 and RS256, by their numbers in COSE (IANA): what every authenticator has one of. */
const supportedAlgorithmIDs = [-8, -7, -257];
/** WebAuthn §5.8.4. */
const TRANSPORTS = ["ble", "hybrid", "internal", "nfc", "usb"] as const;

/**
 * The ceremonies of WebAuthn, for passkeys that know their user and check who holds them.
 *
 * @see https://www.w3.org/TR/webauthn-3/
 */
export function createWebauthn({ publicUrl, takeChallenge }: WebauthnOptions) {
  const { origin, hostname: rpID } = new URL(publicUrl);
  const expected = (purpose: string) => ({
    expectedChallenge: (challenge: string) => takeChallenge(purpose, challenge),
    expectedOrigin: origin,
    expectedRPID: rpID,
    requireUserVerification: true,
  });

  return {
    async registrationOptions(
      account: { id: string; email: string },
      serviceName: string,
      challenge: Uint8Array<ArrayBuffer>,
      present: readonly KnownCredential[],
    ): Promise<Json> {
      const { generateRegistrationOptions } = await loadLibrary();
      const made = await generateRegistrationOptions({
        rpName: serviceName,
        rpID,
        userName: account.email,
        userID: new Uint8Array(Buffer.from(account.id)),
        challenge,
        timeout: CEREMONY_MS,
        attestationType: "none",
        supportedAlgorithmIDs,
        excludeCredentials: present.map(({ id, transports }) => ({
          id: id.toString("base64url"),
          transports: transportsOf(transports),
        })),
        authenticatorSelection: { residentKey: "required", userVerification: "required" },
      });
      return { ...made };
    },

    async logInOptions(challenge: Uint8Array<ArrayBuffer>): Promise<Json> {
      const { generateAuthenticationOptions } = await loadLibrary();
      const wishes = { rpID, challenge, timeout: CEREMONY_MS, userVerification: "required" } as const;
      return { ...(await generateAuthenticationOptions(wishes)) };
    },

    /** @returns undefined when anything about the answer is not as it must be */
    async verifyRegistration(response: Json, purpose: string): Promise<NewCredential | undefined> {
      if (!isRegistration(response)) return undefined;
      try {
        const { verifyRegistrationResponse, decodeAttestationObject } = await loadLibrary();
        const attestation = Buffer.from(response.response.attestationObject, "base64url");
        if (!isPlain(decodeAttestationObject(new Uint8Array(attestation)))) return undefined;
        const { verified, registrationInfo } = await verifyRegistrationResponse({
          response,
          supportedAlgorithmIDs,
          ...expected(purpose),
        });
        if (!verified) return undefined;
        const { credential, credentialBackedUp } = registrationInfo;
        const id = Buffer.from(credential.id, "base64url");
        if (id.length > CREDENTIAL_ID_BYTES_MAX) return undefined;
        return {
          id,
          publicKey: Buffer.from(credential.publicKey),
          counter: credential.counter,
          transports: transportsOf(response.response.transports),
          isSynced: credentialBackedUp,
        };
      } catch {
        return undefined; // the library throws on all that is wrong, with texts that quote it
      }
    },

    /** @returns the passkey's counter, or undefined when anything about the answer is not as it must be */
    async verifyLogIn(
      response: Json,
      purpose: string,
      { id, publicKey, counter, accountId }: KnownCredential,
    ): Promise<number | undefined> {
      if (!isAuthentication(response)) return undefined;
      const user = Buffer.from(response.response.userHandle ?? "", "base64url").toString();
      if (user !== accountId) return undefined;
      try {
        const { verifyAuthenticationResponse } = await loadLibrary();
        const credential = { id: id.toString("base64url"), publicKey: new Uint8Array(publicKey), counter };
        const answer = { response, credential, ...expected(purpose) };
        const { verified, authenticationInfo } = await verifyAuthenticationResponse(answer);
        return verified ? authenticationInfo.newCounter : undefined;
      } catch {
        return undefined;
      }
    },
  };
}

/** Loaded at first use: 25 MB of memory and a third of a second, for services whose people may have no passkeys. */
async function loadLibrary() {
  const [library, helpers] = await Promise.all([
    import("@simplewebauthn/server"),
    import("@simplewebauthn/server/helpers"),
  ]);
  return { ...library, decodeAttestationObject: helpers.decodeAttestationObject };
}

/**
 * Attestation was not asked for. What comes with certificates all the same is refused unread: to check them, the
 * library would fetch the lists of revoked ones from wherever they say.
 */
function isPlain(attestation: { get(name: "fmt"): unknown; get(name: "attStmt"): unknown }): boolean {
  const statement = attestation.get("attStmt");
  const format = attestation.get("fmt");
  return format === "none" || (format === "packed" && statement instanceof Map && !statement.has("x5c"));
}

function isRegistration(json: Json): json is Json & RegistrationResponseJSON {
  return (
    hasTexts(json, ["id", "rawId", "type"]) &&
    hasTexts(json.response, ["clientDataJSON", "attestationObject"])
  );
}

function isAuthentication(json: Json): json is Json & AuthenticationResponseJSON {
  const fields = ["clientDataJSON", "authenticatorData", "signature", "userHandle"];
  return hasTexts(json, ["id", "rawId", "type"]) && hasTexts(json.response, fields);
}

function hasTexts(value: unknown, fields: readonly string[]): boolean {
  if (typeof value !== "object" || value === null) return false;
  const texts = new Map<string, unknown>(Object.entries(value));
  return fields.every((field) => {
    const text = texts.get(field);
    return typeof text === "string" && text.length <= TEXT_MAX;
  });
}

/** @param named by the browser, and so anything */
function transportsOf(named: unknown): (typeof TRANSPORTS)[number][] {
  return Array.isArray(named) ? TRANSPORTS.filter((transport) => named.includes(transport)) : [];
}
