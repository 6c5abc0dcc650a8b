import type { Client, DeviceWithKeys } from "@securewave/contracts";
import { invariant } from "@securewave/foundation";
import { generateKeyPair, type KeyPair } from "@securewave/wireguard";
import type { Agreement } from "./agreed-key.ts";
import { configOf, type TunnelFile, tunnelFileOf } from "./tunnel-file.ts";

/** Who makes a device's keys. */
export interface KeyWish {
  readonly madeBy: "page" | "server";
  /** Whether a preshared key is agreed; only with keys that the page makes. */
  readonly isAgreed: boolean;
}

/** A device that was just given keys, and its config. */
export interface KeyedDevice {
  readonly device: DeviceWithKeys;
  readonly file: TunnelFile;
}

/** What the service is told of keys: nothing where it makes them itself. */
type KeyInput = { readonly public_key?: string; readonly encapsulation_key?: string };

/**
 * Gives devices keys. Those that the page makes are kept until they were used, so that sending the same again after a
 * lost answer leads to the same device.
 *
 * @returns what does it, given the request that tells the service
 */
export function createKeyMaker(client: Pick<Client, "devices">) {
  let pair: KeyPair | undefined;
  let agreement: Agreement | undefined;

  return async function makeKeys(
    { madeBy, isAgreed }: KeyWish,
    send: (input: KeyInput) => Promise<DeviceWithKeys>,
  ): Promise<KeyedDevice> {
    if (madeBy === "server") {
      const device = await send({});
      const text = await client.devices.config({ params: { id: device.id } });
      return { device, file: tunnelFileOf(device.name, text) };
    }
    pair ??= generateKeyPair();
    if (isAgreed) agreement ??= (await import("./agreed-key.ts")).beginAgreement();
    const agreed = isAgreed ? agreement : undefined;
    const device = await send({
      public_key: pair.publicKey,
      ...(agreed && { encapsulation_key: agreed.encapsulationKey }),
    });
    const text = configWith(pair, agreed, device);
    pair = undefined;
    agreement = undefined;
    return { device, file: tunnelFileOf(device.name, text) };
  };
}

function configWith(
  { privateKey, publicKey }: KeyPair,
  agreed: Agreement | undefined,
  device: DeviceWithKeys,
) {
  const { id, tunnel, ciphertext } = device;
  invariant(tunnel !== null, "a device that was given keys has a tunnel");
  if (agreed === undefined) return configOf(privateKey, tunnel);
  invariant(ciphertext !== undefined, "the service answers an encapsulation key");
  return configOf(privateKey, { ...tunnel, preshared_key: agreed.presharedKey(ciphertext, id, publicKey) });
}
