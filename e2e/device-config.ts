import type { DeviceWithTunnel } from "@securewave/contracts";
import { type PrivateKey, parsePresharedKey, parsePublicKey, renderConfig } from "@securewave/wireguard";

/** The `.conf` of a device whose private key the customer has, as console and CLI make it. */
export function configOf(privateKey: PrivateKey, { tunnel }: DeviceWithTunnel): string {
  if (tunnel === null) throw new Error("the device has no tunnel");
  const publicKey = parsePublicKey(tunnel.server_public_key);
  if (publicKey === undefined) throw new Error("the server's key is none");
  const presharedKey = tunnel.preshared_key === null ? undefined : parsePresharedKey(tunnel.preshared_key);
  return renderConfig({
    privateKey,
    addresses: tunnel.addresses,
    dns: tunnel.dns,
    mtu: tunnel.mtu,
    peer: {
      publicKey,
      ...(presharedKey !== undefined && { presharedKey }),
      allowedIps: tunnel.allowed_ips,
      endpoint: tunnel.endpoint,
      persistentKeepaliveSeconds: tunnel.persistent_keepalive_seconds,
    },
  });
}
