import type { DeviceWithTunnel } from "@securewave/contracts";
import { parseConfig, publicKeyOf } from "@securewave/wireguard";
import { PageError } from "./problems.ts";
import { configOf } from "./tunnel-file.ts";

/** More than any config is long. */
export const CONFIG_FILE_BYTES_MAX = 64 * 1024;

/**
 * Writes a device's present config with the private key of a former one. A preshared key that only the device has is
 * taken over from there, too.
 *
 * @throws PageError when the text is no config, or that of another key
 */
export function renewedConfig(former: string, device: DeviceWithTunnel): string {
  const config = parseConfig(former);
  if (config === undefined) throw new PageError("This is not a WireGuard config.", "former");
  const { privateKey, peer } = config;
  if (device.tunnel === null || publicKeyOf(privateKey) !== device.public_key)
    throw new PageError("This is the config of another key than the one this device has.", "former");
  const preshared_key = device.tunnel.preshared_key ?? peer.presharedKey ?? null;
  return configOf(privateKey, { ...device.tunnel, preshared_key });
}
