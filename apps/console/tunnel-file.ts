import type { Tunnel } from "@securewave/contracts";
import { invariant } from "@securewave/foundation";
import {
  configFileName,
  type PrivateKey,
  parsePresharedKey,
  parsePublicKey,
  qrMatrix,
  qrSvgDataUrl,
  renderConfig,
} from "@securewave/wireguard";

/** A device's configuration as it is handed over: as a file and as a code, from one text. */
export interface TunnelFile {
  readonly name: string;
  readonly text: string;
  readonly qrUrl: string;
  /** Modules along one side of the code, its white border included. */
  readonly qrModules: number;
}

/** Puts the private key, which only this page has, to what the service said of the tunnel. */
export function configOf(privateKey: PrivateKey, tunnel: Tunnel): string {
  const publicKey = parsePublicKey(tunnel.server_public_key);
  invariant(publicKey !== undefined, "the service names a usable key of its server");
  const presharedKey = tunnel.preshared_key === null ? undefined : parsePresharedKey(tunnel.preshared_key);
  invariant(tunnel.preshared_key === null || presharedKey !== undefined, "a preshared key is a usable one");
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
      ...(tunnel.persistent_keepalive_seconds > 0 && {
        persistentKeepaliveSeconds: tunnel.persistent_keepalive_seconds,
      }),
    },
  });
}

export function tunnelFileOf(deviceName: string, text: string): TunnelFile {
  return {
    name: configFileName(deviceName),
    text,
    qrUrl: qrSvgDataUrl(text),
    qrModules: qrMatrix(text).length,
  };
}

/** Hands the file to the browser's downloads; nothing goes over the network. */
export function download(file: TunnelFile): void {
  const url = URL.createObjectURL(new Blob([file.text], { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
