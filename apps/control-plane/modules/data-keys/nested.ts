import type { Envelope } from "@securewave/foundation/envelope";
import type { AccountKey } from "./account-key.ts";

/** What both the service's keys and an account's own key are needed for. */
export interface Nested {
  readonly envelope: Envelope;
  readonly key: AccountKey;
  readonly place: string;
  readonly rowId: string;
  /** What the envelope binds it to. */
  readonly context: string;
}

/** Tells it from what an earlier version sealed by the envelope alone. */
const MARK = "own:";

/** Seals a secret under its account's key, and that in the envelope. */
export function sealNested({ envelope, key, place, rowId, context }: Nested, text: string): Buffer {
  return envelope.seal(MARK + key.seal(place, rowId, text).toString("base64"), context);
}

/** @throws envelope.unopenable, data_keys.unopenable */
export function openNested({ envelope, key, place, rowId, context }: Nested, sealed: Uint8Array): string {
  const inner = envelope.open(sealed, context);
  return inner.startsWith(MARK)
    ? key.open(place, rowId, Buffer.from(inner.slice(MARK.length), "base64"))
    : inner;
}
