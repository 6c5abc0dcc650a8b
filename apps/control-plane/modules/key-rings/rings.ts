import { createPrivateKey } from "node:crypto";
import type { KeyRings as KeyRingsView } from "@securewave/contracts/keys";
import { DAY_MS } from "@securewave/foundation";
import type { Envelope, MasterKey } from "@securewave/foundation/envelope";
import { createSecret } from "@securewave/foundation/secret";
import type { SigningKey } from "@securewave/sentinel/tokens";
import { openUnder } from "./root.ts";
import type { EncryptionKeyRow, SigningKeyRow } from "./store.ts";

export type Algorithm = SigningKey["algorithm"];

/** The key of the configuration, which is a ring's only one until its first rotation. */
export const FIRST_KID = "0";
export const FIRST_NUMBER = 1;

export interface EncryptionRing {
  /** The one that seals is the first. */
  readonly keys: readonly MasterKey[];
  readonly shown: readonly Pick<KeyRingsView["encryption"][number], "number" | "state" | "created_on">[];
}

export interface SigningRing {
  /** The one that signs is the first. */
  readonly keys: readonly SigningKey[];
  readonly shown: KeyRingsView["signing"];
  /** When a key of the ring ends, so that the ring must be made anew. */
  readonly untilMs: number;
}

/** @throws envelope.unopenable when another root key has sealed the ring */
export function readEncryptionRing(rows: readonly EncryptionKeyRow[], root: Uint8Array): EncryptionRing {
  if (rows.length === 0) {
    const first = { number: FIRST_NUMBER, state: "sealing", created_on: null } as const;
    return { keys: [{ number: FIRST_NUMBER, key: root }], shown: [first] };
  }
  const isAtWork = ({ state }: EncryptionKeyRow) => state === "sealing";
  const ordered = [...rows].sort((a, b) => Number(isAtWork(b)) - Number(isAtWork(a)));
  return {
    keys: ordered.map(({ number, sealed_key }) => ({ number, key: openUnder(root, number, sealed_key) })),
    shown: rows.map(({ number, state, created_on }) => ({ number, state, created_on })),
  };
}

/**
 * Of keys that do not retire, the oldest signs: another one is on its way to all processes.
 *
 * @param first the key of the configuration, for an empty ring
 */
export function readSigningRing(
  rows: readonly SigningKeyRow[],
  first: SigningKey,
  envelope: Envelope,
  nowMs: number,
): SigningRing {
  if (rows.length === 0) {
    const { kid, algorithm } = first;
    const shown = { kid, algorithm, state: "signing", created_on: null, retires_on: null } as const;
    return { keys: [first], shown: [shown], untilMs: Number.POSITIVE_INFINITY };
  }
  const living = rows.filter((row) => endOf(row) > nowMs).sort(byKid);
  const staying = living.filter(({ retires_on }) => retires_on === null);
  const stateOf = (row: SigningKeyRow) =>
    row.retires_on !== null ? "verifying" : row === staying[0] ? "signing" : "arriving";
  const ordered = [...staying, ...living.filter((row) => !staying.includes(row))];
  return {
    keys: ordered.map((row) => signingKeyOf(row, envelope)),
    shown: living.map((row) => {
      const { kid, algorithm, created_on, retires_on } = row;
      return { kid, algorithm, state: stateOf(row), created_on, retires_on };
    }),
    untilMs: Math.min(...living.map(endOf)),
  };
}

export function byKid(a: SigningKeyRow, b: SigningKeyRow): number {
  return Number(a.kid) - Number(b.kid);
}

/** What a signing key is sealed with; changing it would lose the keys. */
export function contextOfKid(kid: string): string {
  return `signing key ${kid}`;
}

/** A key as text: the secret itself, or PKCS #8 in PEM. */
export function textOf(key: SigningKey): string {
  if (key.algorithm === "HS256") return key.secret.reveal();
  return key.privateKey.export({ format: "pem", type: "pkcs8" }).toString();
}

function signingKeyOf({ kid, algorithm, sealed_key }: SigningKeyRow, envelope: Envelope): SigningKey {
  const text = envelope.open(sealed_key, contextOfKid(kid));
  return algorithm === "HS256"
    ? { kid, algorithm, secret: createSecret(text) }
    : { kid, algorithm, privateKey: createPrivateKey(text) };
}

function endOf({ retires_on }: SigningKeyRow): number {
  return retires_on === null ? Number.POSITIVE_INFINITY : Date.parse(retires_on) + DAY_MS;
}
