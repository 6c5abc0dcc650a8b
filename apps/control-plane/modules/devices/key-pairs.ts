import { deviceErrors } from "@securewave/contracts";
import type { Envelope } from "@securewave/foundation/envelope";
import { parsePublicKey } from "@securewave/wireguard";
import { agreePresharedKey } from "@securewave/wireguard/agreed-keys";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { type DataKeys, openNested, PLACES, sealNested } from "../data-keys/index.ts";
import type { Nodes } from "../nodes/index.ts";
import type { DeviceRow } from "./device.ts";
import { keyInUse } from "./refusals.ts";
import type { Tunnels } from "./tunnel.ts";

export interface KeyPairsOptions {
  readonly envelope: Envelope;
  readonly dataKeys: DataKeys;
  readonly nodes: Pick<Nodes, "isKeyOfNode">;
  readonly tunnels: Pick<Tunnels, "newestMaster">;
}

/** What an owner sends of a key: nothing, where the service is to make it. */
export interface WishedKey {
  readonly public_key?: string;
  /** Of ML-KEM-1024: the preshared key is to be agreed by it. */
  readonly encapsulation_key?: string;
}

export interface MadeKey {
  readonly columns: Pick<
    DeviceRow,
    "public_key" | "key_origin" | "sealed_private_key" | "preshared_key_master" | "preshared_key_sealed"
  >;
  /** What the owner's device gets an agreed preshared key from. */
  readonly ciphertext: string | undefined;
}

export type KeyPairs = ReturnType<typeof createKeyPairs>;

/** Which key seals what of a device. */
const sealContext = (deviceId: string) => `private key of ${deviceId}`;

/** Keys of devices: their owners' own, and those that are made here. */
export function createKeyPairs({ envelope, dataKeys, nodes, tunnels }: KeyPairsOptions) {
  async function sealingOf(accountId: string, id: string) {
    const key = await dataKeys.ofAccount(accountId);
    return { envelope, key, place: PLACES.devicePrivateKey, rowId: id, context: sealContext(id) };
  }

  /**
   * Makes a preshared key that only the device and its node have. It is sealed for whichever row its public key stands in:
   * that of the device, or of a key that retires.
   *
   * @throws devices.invalid_encapsulation_key
   */
  async function agree(accountId: string, deviceId: string, publicKey: string, encapsulationKey: string) {
    const agreed = agreePresharedKey(encapsulationKey, { deviceId, publicKey });
    if (!agreed) {
      throw deviceErrors.invalidEncapsulationKey({
        issues: [{ at: "/encapsulation_key", message: "is not an encapsulation key of ML-KEM-1024" }],
      });
    }
    const key = await dataKeys.ofAccount(accountId);
    const preshared_key_sealed = key.seal(PLACES.devicePresharedKey, publicKey, agreed.presharedKey);
    return { preshared_key_sealed, ciphertext: agreed.ciphertext };
  }

  return {
    /** @throws devices.needs_own_key, devices.invalid_key, devices.key_in_use */
    async demandUsable({ public_key, encapsulation_key }: WishedKey): Promise<void> {
      if (public_key === undefined) {
        if (encapsulation_key !== undefined) throw deviceErrors.needsOwnKey();
        return;
      }
      if (parsePublicKey(public_key) === undefined) {
        throw deviceErrors.invalidKey({
          issues: [{ at: "/public_key", message: "is not a valid WireGuard key" }],
        });
      }
      if (await nodes.isKeyOfNode(public_key)) throw keyInUse();
    },

    agree,

    /**
     * The owner's key, or one that is made here, with its preshared key.
     *
     * @throws devices.invalid_encapsulation_key
     */
    async keyFor(
      accountId: string,
      deviceId: string,
      { public_key, encapsulation_key }: WishedKey,
    ): Promise<MadeKey> {
      const derived = { preshared_key_master: tunnels.newestMaster, preshared_key_sealed: null };
      if (public_key === undefined) {
        const made = generateKeyPair();
        const sealed_private_key = sealNested(await sealingOf(accountId, deviceId), made.privateKey);
        const columns = { public_key: made.publicKey, key_origin: "server", sealed_private_key } as const;
        return { columns: { ...columns, ...derived }, ciphertext: undefined };
      }
      const columns = { public_key, key_origin: "customer", sealed_private_key: null } as const;
      if (encapsulation_key === undefined) {
        return { columns: { ...columns, ...derived }, ciphertext: undefined };
      }
      const agreed = await agree(accountId, deviceId, public_key, encapsulation_key);
      const { preshared_key_sealed, ciphertext } = agreed;
      return { columns: { ...columns, preshared_key_master: null, preshared_key_sealed }, ciphertext };
    },

    async open(accountId: string, deviceId: string, sealed: Uint8Array): Promise<string> {
      return openNested(await sealingOf(accountId, deviceId), sealed);
    },
  };
}
