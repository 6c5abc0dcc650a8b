import { type KeyRings, keyErrors } from "@securewave/contracts/keys";

/** The rings of a service that has never rotated a key. */
export function createFakeKeys(): KeyRings {
  return {
    signing: [{ kid: "0", algorithm: "HS256", state: "signing", created_on: null, retires_on: null }],
    encryption: [
      {
        number: 1,
        algorithm: "AES-256-GCM",
        state: "sealing",
        created_on: null,
        sealed: 12,
        preshared_keys: 7,
      },
    ],
    master_key_previous: false,
  };
}

/** Six secrets are sealed anew between two looks. */
const RESEALED_AT_ONCE = 6;

type Input = { readonly body: Readonly<Record<string, unknown>> };

export function keyHandlers({ keys }: { readonly keys: KeyRings }) {
  const show = () => structuredClone(keys);
  return {
    "keys.list": () => {
      const atWork = keys.encryption.find(({ state }) => state === "sealing");
      for (const key of keys.encryption) {
        if (key.state !== "opening" || !atWork) continue;
        const moved = Math.min(key.sealed, RESEALED_AT_ONCE);
        Object.assign(key, { sealed: key.sealed - moved });
        Object.assign(atWork, { sealed: atWork.sealed + moved });
      }
      return show();
    },
    "keys.rotate": ({ body }: Input) => {
      const ring = body.what === "signing" ? keys.signing : keys.encryption;
      if (ring.some(({ state }) => state === "arriving")) throw keyErrors.rotationRunning();
      if (body.what === "signing") {
        for (const key of keys.signing) Object.assign(key, { state: "verifying", retires_on: "2026-11-21" });
        const kid = String(keys.signing.length);
        keys.signing.push({
          kid,
          algorithm: "HS256",
          state: "signing",
          created_on: "2026-11-20",
          retires_on: null,
        });
        return show();
      }
      for (const key of keys.encryption) Object.assign(key, { state: "opening" });
      keys.encryption.push({
        number: keys.encryption.length + 1,
        algorithm: "AES-256-GCM",
        state: "sealing",
        created_on: "2026-11-20",
        sealed: 0,
        preshared_keys: 0,
      });
      return show();
    },
  };
}
