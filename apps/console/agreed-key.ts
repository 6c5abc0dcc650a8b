import { ml_kem1024 } from "@noble/post-quantum/ml-kem.js";
import { agreedPresharedKey, type PresharedKey } from "@securewave/wireguard";

/** A device's half of agreeing a preshared key by ML-KEM-1024 (FIPS 203). Its secret stays in this object. */
export interface Agreement {
  /** For the service; base64. */
  readonly encapsulationKey: string;
  /**
   * The preshared key that both sides have then.
   *
   * @param ciphertext what the service answered, in base64
   */
  presharedKey(ciphertext: string, deviceId: string, publicKey: string): PresharedKey;
}

/** Some milliseconds of work. */
export function beginAgreement(): Agreement {
  const { publicKey: encapsulationKey, secretKey } = ml_kem1024.keygen();
  return {
    encapsulationKey: toBase64(encapsulationKey),
    presharedKey(ciphertext, deviceId, publicKey) {
      const sharedSecret = ml_kem1024.decapsulate(fromBase64(ciphertext), secretKey);
      return agreedPresharedKey(sharedSecret, { deviceId, publicKey });
    },
  };
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
