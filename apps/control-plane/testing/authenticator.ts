import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isoCBOR } from "@simplewebauthn/server/helpers";

type Json = Readonly<Record<string, unknown>>;

export interface AuthenticatorOptions {
  /** Of the page that asks. */
  readonly origin: string;
  readonly algorithm?: "ES256" | "EdDSA" | "RS256";
  /** Synced passkeys do not count their uses. */
  readonly isSynced?: boolean;
}

/** What an answer says otherwise than an honest device and browser would. */
export interface Lies {
  readonly origin?: string;
  readonly rpId?: string;
  readonly type?: string;
  readonly challenge?: string;
  readonly isVerified?: boolean;
  readonly counter?: number;
  readonly userHandle?: string;
  readonly format?: string;
  readonly statement?: Map<string, unknown>;
  readonly transports?: unknown;
  readonly signature?: Buffer;
}

/** A passkey in software, with the browser before it. @see https://www.w3.org/TR/webauthn-3/#sctn-authenticator-data */
export interface Authenticator {
  readonly credentialId: string;
  /** Answers `navigator.credentials.create`. */
  register(options: Json, lies?: Lies): Json;
  /** Answers `navigator.credentials.get`. */
  logIn(options: Json, lies?: Lies): Json;
}

const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const BACKUP_ELIGIBLE_AND_DONE = 0x18;
const HAS_CREDENTIAL = 0x40;

export function createAuthenticator({
  origin,
  algorithm = "ES256",
  isSynced = false,
}: AuthenticatorOptions): Authenticator {
  const { privateKey, publicKey } = makeKeys(algorithm);
  const id = randomBytes(32);
  const credentialId = id.toString("base64url");
  let userHandle = "";
  let uses = 0;

  function clientData(type: string, options: Json, lies: Lies): Buffer {
    const challenge = lies.challenge ?? options.challenge;
    const data = { type: lies.type ?? type, challenge, origin: lies.origin ?? origin, crossOrigin: false };
    return Buffer.from(JSON.stringify(data));
  }

  function authenticatorData(rpId: unknown, lies: Lies, credential?: Buffer): Buffer {
    const head = Buffer.alloc(5);
    head[0] =
      USER_PRESENT |
      ((lies.isVerified ?? true) ? USER_VERIFIED : 0) |
      (isSynced ? BACKUP_ELIGIBLE_AND_DONE : 0) |
      (credential ? HAS_CREDENTIAL : 0);
    head.writeUInt32BE(lies.counter ?? (isSynced ? 0 : ++uses), 1);
    const hash = createHash("sha256")
      .update(String(lies.rpId ?? rpId))
      .digest();
    return Buffer.concat([hash, head, credential ?? Buffer.alloc(0)]);
  }

  return {
    credentialId,
    register(options, lies = {}) {
      const { user, rp } = options as { user: { id: string }; rp: { id: string } };
      userHandle = user.id;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(id.length);
      const key = Buffer.from(isoCBOR.encode(coseOf(algorithm, publicKey)));
      const credential = Buffer.concat([Buffer.alloc(16), length, id, key]);
      const attestation = new Map<string, unknown>([
        ["fmt", lies.format ?? "none"],
        ["attStmt", lies.statement ?? new Map()],
        ["authData", new Uint8Array(authenticatorData(rp.id, lies, credential))],
      ]);
      return {
        id: credentialId,
        rawId: credentialId,
        type: "public-key",
        clientExtensionResults: {},
        response: {
          clientDataJSON: clientData("webauthn.create", options, lies).toString("base64url"),
          // The library's types know no maps within maps, which are what CBOR is made of.
          attestationObject: Buffer.from(isoCBOR.encode(attestation as never)).toString("base64url"),
          transports: "transports" in lies ? lies.transports : ["internal"],
        },
      };
    },
    logIn(options, lies = {}) {
      const client = clientData("webauthn.get", options, lies);
      const data = authenticatorData(options.rpId, lies);
      const signed = Buffer.concat([data, createHash("sha256").update(client).digest()]);
      const hash = algorithm === "EdDSA" ? null : "sha256";
      return {
        id: credentialId,
        rawId: credentialId,
        type: "public-key",
        clientExtensionResults: {},
        response: {
          clientDataJSON: client.toString("base64url"),
          authenticatorData: data.toString("base64url"),
          signature: (lies.signature ?? sign(hash, signed, privateKey)).toString("base64url"),
          userHandle: lies.userHandle ?? userHandle,
        },
      };
    },
  };
}

function makeKeys(algorithm: "ES256" | "EdDSA" | "RS256") {
  if (algorithm === "EdDSA") return generateKeyPairSync("ed25519");
  if (algorithm === "RS256") return generateKeyPairSync("rsa", { modulusLength: 2048 });
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

/** RFC 9053 §7 and RFC 8230 §4: a public key as COSE writes it. */
function coseOf(
  algorithm: "ES256" | "EdDSA" | "RS256",
  publicKey: KeyObject,
): Map<number, number | Uint8Array> {
  const { x = "", y = "", n = "", e = "" } = publicKey.export({ format: "jwk" });
  const bytes = (text: string) => new Uint8Array(Buffer.from(text, "base64url"));
  if (algorithm === "EdDSA")
    return new Map<number, number | Uint8Array>([
      [1, 1],
      [3, -8],
      [-1, 6],
      [-2, bytes(x)],
    ]);
  if (algorithm === "RS256")
    return new Map<number, number | Uint8Array>([
      [1, 3],
      [3, -257],
      [-1, bytes(n)],
      [-2, bytes(e)],
    ]);
  return new Map<number, number | Uint8Array>([
    [1, 2],
    [3, -7],
    [-1, 1],
    [-2, bytes(x)],
    [-3, bytes(y)],
  ]);
}
