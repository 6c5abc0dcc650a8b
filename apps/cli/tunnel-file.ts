import { open, readFile, rm } from "node:fs/promises";
import type { Tunnel } from "@securewave/contracts";
import { renderDeviceConfig } from "@securewave/contracts/device-config";
import { type PrivateKey, parseConfig, publicKeyOf } from "@securewave/wireguard";
import { CliError } from "./failure.ts";
import { exists, isErrno, unwritable } from "./files.ts";

/** The `.conf` of a tunnel whose private key is at hand. */
export function renderTunnel(tunnel: Tunnel, privateKey: PrivateKey): string {
  const config = renderDeviceConfig(tunnel, privateKey);
  if (config !== undefined) return config;
  throw new CliError("cli.bad_answer", "The service sent a key that is not a valid WireGuard key.");
}

/**
 * Takes the name of a file that only its owner can read, before what goes into it exists, so that a key is not made
 * that then has nowhere to go.
 *
 * @throws CliError `cli.file_exists`, `cli.file_unwritable`
 */
export async function claimFile(
  path: string,
): Promise<{ write(text: string): Promise<void>; drop(): Promise<void> }> {
  const file = await open(path, "wx", 0o600).catch((error: unknown) => {
    const next = "Name another one: --out <file>";
    throw isErrno(error, "EEXIST") ? exists(path, next) : unwritable(path, error, next);
  });
  return {
    async write(text) {
      await file.writeFile(text);
      await file.sync();
      await file.close();
    },
    async drop() {
      await file.close();
      await rm(path, { force: true });
    },
  };
}

/** @throws CliError `cli.file_unreadable` */
export async function readTunnelFile(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    throw new CliError("cli.file_unreadable", `The file ${path} cannot be read.`);
  }
}

/**
 * Reads the private key from the `.conf` of a device.
 *
 * @param publicKey the device's, so that another device's file is not taken
 * @throws CliError `cli.file_unreadable`, `cli.not_a_tunnel`, `cli.other_device`
 */
export async function readPrivateKey(path: string, publicKey: string): Promise<PrivateKey> {
  const tunnel = parseConfig(await readTunnelFile(path));
  if (tunnel === undefined) throw notATunnel(path);
  if (publicKeyOf(tunnel.privateKey) !== publicKey) {
    throw new CliError("cli.other_device", `The file ${path} belongs to another device.`);
  }
  return tunnel.privateKey;
}

export function notATunnel(path: string): CliError {
  return new CliError(
    "cli.not_a_tunnel",
    `The file ${path} is not a WireGuard configuration as SecureWave writes it.`,
  );
}
