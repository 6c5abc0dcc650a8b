import { deviceErrors } from "@securewave/contracts";
import type { Envelope } from "@securewave/foundation/envelope";
import { parsePublicKey } from "@securewave/wireguard";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { type DataKeys, openNested, PLACES, sealNested } from "../data-keys/index.ts";
import type { Nodes } from "../nodes/index.ts";
import type { DeviceRow } from "./device.ts";
import { keyInUse } from "./refusals.ts";

export interface KeyPairsOptions {
  readonly envelope: Envelope;
  readonly dataKeys: DataKeys;
  readonly nodes: Pick<Nodes, "isKeyOfNode">;
}

export type KeyPairs = ReturnType<typeof createKeyPairs>;

/** Which key seals what of a device. */
const sealContext = (deviceId: string) => `private key of ${deviceId}`;

/** Keys of devices: their owners' own, and those that are made here. */
export function createKeyPairs({ envelope, dataKeys, nodes }: KeyPairsOptions) {
  async function sealingOf(accountId: string, id: string) {
    const key = await dataKeys.ofAccount(accountId);
    return { envelope, key, place: PLACES.devicePrivateKey, rowId: id, context: sealContext(id) };
  }

  return {
    /** @throws devices.invalid_key, devices.key_in_use */
    async demandUsable(publicKey: string): Promise<void> {
      if (parsePublicKey(publicKey) === undefined) {
        throw deviceErrors.invalidKey({
          issues: [{ at: "/public_key", message: "is not a valid WireGuard key" }],
        });
      }
      if (await nodes.isKeyOfNode(publicKey)) throw keyInUse();
    },

    /** The owner's key, or one that is made here. */
    async keyFor(
      accountId: string,
      deviceId: string,
      publicKey: string | undefined,
    ): Promise<Pick<DeviceRow, "public_key" | "key_origin" | "sealed_private_key">> {
      if (publicKey !== undefined) {
        return { public_key: publicKey, key_origin: "customer", sealed_private_key: null };
      }
      const made = generateKeyPair();
      const sealed_private_key = sealNested(await sealingOf(accountId, deviceId), made.privateKey);
      return { public_key: made.publicKey, key_origin: "server", sealed_private_key };
    },

    async open(accountId: string, deviceId: string, sealed: Uint8Array): Promise<string> {
      return openNested(await sealingOf(accountId, deviceId), sealed);
    },
  };
}
