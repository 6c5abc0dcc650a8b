import { type CommandUnknownOpts, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import type { Client, DeviceWithTunnel } from "@securewave/contracts";
import { configFileName } from "@securewave/wireguard";
import type { Perform } from "../call.ts";
import { usageError } from "../failure.ts";
import { demandWritable, writePrivateFile } from "../files.ts";
import { BY_NAME, resolveOwnDevice } from "../resolve.ts";
import { readSecrets, STDOUT, writeInto } from "../tunnel-file.ts";
import { formerText, makeOwnKey } from "./device-keys.ts";

/** As the contract has it. */
const DAYS_MAX = 3650;

export const agreeOption = () =>
  new Option("--agree", "agree the preshared key by ML-KEM-1024, safe from later quantum computers");

export function addDeviceRotateCommands(devices: CommandUnknownOpts, perform: Perform): void {
  addRotateCommand(devices, perform);
  addRotationCommand(devices, perform);
}

interface RotateOptions {
  readonly publicKey?: string;
  readonly agree?: true;
  readonly serverKeys?: true;
  readonly file?: string;
  readonly out?: string;
}

function addRotateCommand(devices: CommandUnknownOpts, perform: Perform): void {
  devices
    .command("rotate")
    .description(
      "give a device a new key; its configuration changes, and the former one works some days more",
    )
    .argument("<device>", BY_NAME)
    .option("-f, --file <file>", "bring the device's configuration in this file up to date")
    .option("-o, --out <file>", "a new file for the configuration, - for standard output")
    .option(
      "--public-key <key>",
      "of a key that was made elsewhere: the configuration is shown without the private one",
    )
    .addOption(agreeOption())
    .option("--server-keys", "let the service make and keep the keys")
    .addHelpText(
      "after",
      `
The key is made where the device's last one was, unless an option says otherwise. Made here, the private key goes into
the file alone: <name>.conf if none is named, and an existing one is never overwritten but by --file.

Examples:
  $ securewave devices rotate Laptop --file /etc/wireguard/securewave.conf
  $ securewave devices rotate Phone --out phone-2.conf --agree
  $ securewave devices rotate Router --public-key "$(wg pubkey < new.key)"`,
    )
    .action((name, options: RotateOptions) =>
      perform(async ({ client, out }) => {
        demandSense(options);
        const api = await client();
        const device = await api.devices.show({ params: { id: await resolveOwnDevice(api, name) } });
        const { file, rotate } = planOf(api, device, options);
        if (file === STDOUT || file === undefined) {
          const { device: rotated, config } = await rotate();
          const shown = config === undefined ? { config_path: null } : { config };
          out.result({ device: rotated, ...shown }, () => config ?? rotatedText(rotated, undefined));
          return undefined;
        }
        if (options.file !== undefined) {
          await readSecrets(file, device.public_key);
          await demandWritable(file);
        }
        const { device: rotated } = await (options.file === undefined
          ? writeInto(file, rotate)
          : rotateFile(file, rotate));
        out.result({ device: rotated, config_path: file }, () => rotatedText(rotated, file));
      }),
    );
}

function demandSense({ publicKey, agree, serverKeys, file, out }: RotateOptions): void {
  if (file !== undefined && out !== undefined) throw usageError("Name --file or --out, not both.");
  if (serverKeys && (publicKey !== undefined || agree))
    throw usageError("--server-keys goes with neither --public-key nor --agree.");
  if (publicKey !== undefined && file !== undefined)
    throw usageError(
      "A file is brought up to date with a key that is made here; leave --public-key or --file away.",
    );
}

interface Rotated {
  readonly device: DeviceWithTunnel;
  /** Undefined where it is to be had again. */
  readonly config: string | undefined;
}

/** Where the new key is made, and where the configuration goes. */
function planOf(api: Client, device: DeviceWithTunnel, options: RotateOptions) {
  const { publicKey, agree = false, serverKeys = false } = options;
  const params = { id: device.id };
  const path = options.file ?? options.out;
  const isServers = serverKeys || (device.key_origin === "server" && publicKey === undefined && !agree);
  if (isServers) {
    const rotate = async () => {
      const rotated = await api.devices.rotate({ params, body: {} });
      return {
        device: rotated,
        config: path === undefined ? undefined : await api.devices.config({ params }),
      };
    };
    return { file: path, rotate };
  }
  // Who has agreed one is not to fall back to less without saying so.
  const key = makeOwnKey(agree || device.tunnel?.preshared_key_agreed === true, publicKey);
  const rotate = async () => {
    const { ciphertext, ...rotated } = await api.devices.rotate({ params, body: key.sent });
    return { device: rotated, config: key.configOf({ ...rotated, ...(ciphertext && { ciphertext }) }) };
  };
  return { file: path ?? (publicKey === undefined ? configFileName(device.name) : STDOUT), rotate };
}

async function rotateFile(path: string, rotate: () => Promise<Rotated>): Promise<Rotated> {
  const rotated = await rotate();
  await writePrivateFile(path, rotated.config ?? "");
  return rotated;
}

function rotatedText(device: DeviceWithTunnel, path: string | undefined): string {
  const { name, key_version } = device;
  const next =
    path === undefined
      ? `Get its configuration: securewave devices config ${JSON.stringify(name)}`
      : `Its configuration, with the private key, is in ${path}.`;
  return `${name} has its key number ${key_version}.${formerText(device)}\n${next}`;
}

function addRotationCommand(devices: CommandUnknownOpts, perform: Perform): void {
  devices
    .command("rotation")
    .description(
      "set after how many days a device's key is changed, or asked to be: a number, never, default",
    )
    .argument("<device>", BY_NAME)
    .argument("<days>", "1 to 3650, never, or default: as the service says", rotationDays)
    .addHelpText(
      "after",
      `
Examples:
  $ securewave devices rotation Phone 30
  $ securewave devices rotation Router never`,
    )
    .action((name, days) =>
      perform(async ({ client, out }) => {
        const api = await client();
        const id = await resolveOwnDevice(api, name);
        const rotation_days = days === "default" ? null : days;
        const device = await api.devices.change({ params: { id }, body: { rotation_days } });
        const { next_rotation_on } = device;
        out.result(device, () =>
          next_rotation_on === null
            ? `The key of ${device.name} is never changed.`
            : `The key of ${device.name} is next to be changed on ${next_rotation_on}.`,
        );
      }),
    );
}

function rotationDays(text: string): number | "default" {
  if (text === "default") return text;
  const days = text === "never" ? 0 : Number(text);
  if (text !== "never" && (!/^\d{1,4}$/.test(text) || days < 1 || days > DAYS_MAX))
    throw new InvalidArgumentError(`A number of days from 1 to ${DAYS_MAX}, never or default is wanted.`);
  return days;
}
