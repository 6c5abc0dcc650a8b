import type { Client, DeviceType, DeviceWithTunnel } from "@securewave/contracts";
import { generateKeyPair, type KeyPair } from "@securewave/wireguard";
import { configOf, type TunnelFile, tunnelFileOf } from "../../tunnel-file.ts";

export interface NewDevice {
  readonly name: string;
  readonly type: DeviceType;
  /** Undefined leaves the choice to the service. */
  readonly serverId: string | undefined;
  readonly keysMadeBy: "page" | "server";
}

export interface AddedDevice {
  readonly device: DeviceWithTunnel;
  readonly file: TunnelFile;
}

/**
 * Adds devices. A key pair is kept until it was used, so that sending the same again after a lost answer leads to
 * the same device.
 */
export function createDeviceAdder(client: Client): (input: NewDevice) => Promise<AddedDevice> {
  let keys: KeyPair | undefined;

  return async (input) => {
    const body = {
      name: input.name,
      type: input.type,
      ...(input.serverId !== undefined && { server_id: input.serverId }),
    };
    if (input.keysMadeBy === "server") {
      const device = await client.devices.create({ body });
      const text = await client.devices.config({ params: { id: device.id } });
      return { device, file: tunnelFileOf(device.name, text) };
    }
    keys ??= generateKeyPair();
    const { privateKey, publicKey } = keys;
    const device = await client.devices.create({ body: { ...body, public_key: publicKey } });
    if (device.tunnel === null) throw new Error("The service made a device without a tunnel.");
    const file = tunnelFileOf(device.name, configOf(privateKey, device.tunnel));
    keys = undefined;
    return { device, file };
  };
}
