import { open, readFile, rm } from "node:fs/promises";
import type { Tunnel } from "@securewave/contracts";
import { renderDeviceConfig } from "@securewave/contracts/device-config";
import { type PresharedKey, type PrivateKey, parseConfig, publicKeyOf } from "@securewave/wireguard";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { CliError } from "./failure.ts";
import { exists, isErrno, unwritable } from "./files.ts";

/** In place of a file: standard output. */
export const STDOUT = "-";

/** Stands where the private key belongs that was made elsewhere. */
const ELSEWHERE = "<the private key of this public key>";

/**
 * The `.conf` of a tunnel.
 *
 * @param privateKey undefined where it is not at hand; a text in angle brackets then stands in its place
 * @param agreedKey the preshared key that the service does not send, as the device has agreed it
 * @throws CliError `cli.bad_answer`, `cli.agreed_key_missing`
 */
export function renderTunnel(tunnel: Tunnel, privateKey?: PrivateKey, agreedKey?: PresharedKey): string {
  if (tunnel.preshared_key_agreed && agreedKey === undefined) {
    throw new CliError(
      "cli.agreed_key_missing",
      "The preshared key of this device was agreed and is not at hand.",
      {
        next: "Agree another one: securewave devices rotate <device> --agree",
      },
    );
  }
  const whole = tunnel.preshared_key_agreed ? { ...tunnel, preshared_key: agreedKey ?? null } : tunnel;
  const standIn = privateKey ?? generateKeyPair().privateKey;
  const config = renderDeviceConfig(whole, standIn);
  if (config === undefined)
    throw new CliError("cli.bad_answer", "The service sent a key that is not a valid WireGuard key.");
  return privateKey === undefined ? config.replace(standIn, ELSEWHERE) : config;
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

/** Writes a configuration into a new file; where what makes it fails, no file is left. */
export async function writeInto<Made extends { readonly config: string | undefined }>(
  path: string,
  make: () => Promise<Made>,
): Promise<Made> {
  const file = await claimFile(path);
  let made: Made;
  try {
    made = await make();
  } catch (error) {
    await file.drop();
    throw error;
  }
  await file.write(made.config ?? "");
  return made;
}

/** @throws CliError `cli.file_unreadable` */
export async function readTunnelFile(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    throw new CliError("cli.file_unreadable", `The file ${path} cannot be read.`);
  }
}

/** What the file of a device holds that the service does not have. */
interface Secrets {
  readonly privateKey: PrivateKey;
  readonly presharedKey: PresharedKey | undefined;
}

/**
 * Reads the keys from the `.conf` of a device.
 *
 * @param publicKey the device's, so that another device's file is not taken
 * @throws CliError `cli.file_unreadable`, `cli.not_a_tunnel`, `cli.other_device`
 */
export async function readSecrets(path: string, publicKey: string): Promise<Secrets> {
  const tunnel = parseConfig(await readTunnelFile(path));
  if (tunnel === undefined) throw notATunnel(path);
  if (publicKeyOf(tunnel.privateKey) !== publicKey) {
    throw new CliError("cli.other_device", `The file ${path} belongs to another device.`);
  }
  return { privateKey: tunnel.privateKey, presharedKey: tunnel.peer.presharedKey };
}

export function notATunnel(path: string): CliError {
  return new CliError(
    "cli.not_a_tunnel",
    `The file ${path} is not a WireGuard configuration as SecureWave writes it.`,
  );
}
