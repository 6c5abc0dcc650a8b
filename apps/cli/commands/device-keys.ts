import type { DeviceWithTunnel } from "@securewave/contracts";
import type { DeviceWithKeys } from "@securewave/contracts/devices";
import { type PresharedKey, parsePublicKey } from "@securewave/wireguard";
import { generateAgreement, openAgreement } from "@securewave/wireguard/agreed-keys";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { CliError, usageError } from "../failure.ts";
import { renderTunnel } from "../tunnel-file.ts";

/** A device's new key, whose private half the service never gets. */
interface OwnKey {
  /** What the service is sent. */
  readonly sent: { readonly public_key: string; readonly encapsulation_key?: string };
  /**
   * The configuration with what the service answered, and with the private key where that was made here.
   *
   * @throws CliError `cli.no_tunnel`, `cli.bad_answer`
   */
  readonly configOf: (device: DeviceWithKeys) => string;
}

/**
 * Makes a key on this machine.
 *
 * @param agrees whether a preshared key is agreed by ML-KEM-1024, too
 * @param publicKey of a key that was made elsewhere, in place of making one
 * @throws CliError `cli.usage`
 */
export function makeOwnKey(agrees: boolean, publicKey?: string): OwnKey {
  const pair = publicKey === undefined ? generateKeyPair() : { publicKey: readPublicKey(publicKey) };
  const privateKey = "privateKey" in pair ? pair.privateKey : undefined;
  const agreement = agrees ? generateAgreement() : undefined;
  return {
    sent: {
      public_key: pair.publicKey,
      ...(agreement && { encapsulation_key: agreement.encapsulationKey }),
    },
    configOf(device) {
      const agreed = agreement && openAnswer(agreement.seed, device);
      return renderTunnel(tunnelOf(device), privateKey, agreed);
    },
  };
}

function readPublicKey(text: string): string {
  const key = parsePublicKey(text);
  if (key === undefined) throw usageError("--public-key takes a WireGuard public key: 32 bytes in base64.");
  return key;
}

function openAnswer(seed: string, { id, public_key, ciphertext = "" }: DeviceWithKeys): PresharedKey {
  const key = openAgreement(seed, ciphertext, { deviceId: id, publicKey: public_key });
  if (key === undefined)
    throw new CliError("cli.bad_answer", "The service sent no part of the preshared key.");
  return key;
}

export function tunnelOf(device: DeviceWithTunnel): NonNullable<DeviceWithTunnel["tunnel"]> {
  if (device.tunnel !== null) return device.tunnel;
  throw new CliError("cli.no_tunnel", `${device.name} has no server, so it has no configuration.`, {
    next: `Give it one: securewave devices move ${JSON.stringify(device.name)}. Or remove it: securewave devices remove ${JSON.stringify(device.name)}`,
  });
}

/** Until when configurations from before work; empty where none does. */
export function formerText({ retiring }: Pick<DeviceWithTunnel, "retiring">): string {
  const last = retiring
    .map(({ valid_until }) => valid_until)
    .toSorted()
    .at(-1);
  return last === undefined ? "" : ` The former configuration works until the end of ${last} (UTC).`;
}
