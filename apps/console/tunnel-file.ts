import type { Tunnel } from "@securewave/contracts";
import { renderDeviceConfig } from "@securewave/contracts/device-config";
import { invariant } from "@securewave/foundation";
import { configFileName, type PrivateKey, qrMatrix, qrSvgDataUrl } from "@securewave/wireguard";

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
  const config = renderDeviceConfig(tunnel, privateKey);
  invariant(config !== undefined, "the service names usable keys");
  return config;
}

export function tunnelFileOf(deviceName: string, text: string): TunnelFile {
  return {
    name: configFileName(deviceName),
    text,
    qrUrl: qrSvgDataUrl(text),
    qrModules: qrMatrix(text).length,
  };
}
