import { createHmac } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";

/** An authenticator app, written from the RFC alone: it shares no code with what checks its codes. */
export interface AuthenticatorApp {
  /** The present code, or the next when the present one was given already; waits where both were. */
  nextCode(): Promise<string>;
}

/** RFC 6238 §4.1. */
const STEP_SECONDS = 30;
/** RFC 4648 §6. */
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** @param secret in base 32 */
export function openAuthenticatorApp(secret: string): AuthenticatorApp {
  const key = fromBase32(secret);
  let lastStep = 0;
  return {
    async nextCode() {
      lastStep = Math.max(lastStep + 1, Math.floor(Date.now() / 1000 / STEP_SECONDS));
      // The service takes the codes of the steps beside the present one too.
      while (lastStep > Date.now() / 1000 / STEP_SECONDS + 1) await pause(200);
      return codeOf(key, lastStep);
    },
  };
}

/** RFC 4226 §5.3. */
function codeOf(key: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac("sha1", key).update(counter).digest();
  const offset = (digest.at(-1) ?? 0) & 0xf;
  const number = (digest.readUInt32BE(offset) & 0x7fff_ffff) % 1_000_000;
  return String(number).padStart(6, "0");
}

function fromBase32(text: string): Buffer {
  const bits = [...text].map((letter) => BASE32.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const bytes = bits.match(/.{8}/g) ?? [];
  return Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2)));
}
