import { type PrivateKey, parsePresharedKey, parsePublicKey, renderConfig } from "@securewave/wireguard";
import type { Tunnel } from "./devices.ts";

/**
 * The `.conf` of a device: what the service says of its tunnel, put together with its private key by whoever
 * has that. Browser, CLI and control plane so write the same text.
 *
 * @returns undefined when the tunnel names a key that is not a valid WireGuard key
 */
export function renderDeviceConfig(tunnel: Tunnel, privateKey: PrivateKey): string | undefined {
  const publicKey = parsePublicKey(tunnel.server_public_key);
  const presharedKey = tunnel.preshared_key === null ? undefined : parsePresharedKey(tunnel.preshared_key);
  const isPresharedKeyBad = tunnel.preshared_key !== null && presharedKey === undefined;
  if (publicKey === undefined || isPresharedKeyBad) return undefined;
  const keepalive = tunnel.persistent_keepalive_seconds;
  return renderConfig({
    privateKey,
    addresses: tunnel.addresses,
    ...(tunnel.dns.length > 0 && { dns: tunnel.dns }),
    mtu: tunnel.mtu,
    peer: {
      publicKey,
      ...(presharedKey !== undefined && { presharedKey }),
      allowedIps: tunnel.allowed_ips,
      endpoint: tunnel.endpoint,
      ...(keepalive > 0 && { persistentKeepaliveSeconds: keepalive }),
    },
  });
}
