import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import type { Client, DeviceType, DeviceWithTunnel } from "@securewave/contracts";
import { configFileName } from "@securewave/wireguard";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { given, type Perform } from "../call.ts";
import { CliError } from "../failure.ts";
import { BY_NAME, resolveServer } from "../resolve.ts";
import { claimFile, renderTunnel } from "../tunnel-file.ts";

const DEVICE_TYPES = [
  "phone",
  "tablet",
  "laptop",
  "desktop",
  "router",
  "other",
] as const satisfies readonly DeviceType[];

/** In place of a file. */
const STDOUT = "-";

export function addDeviceAddCommand(devices: CommandUnknownOpts, perform: Perform): void {
  devices
    .command("add")
    .description("add a device; its keys are made here and the private one stays here")
    .argument("<name>", "name of the device, for people")
    .addOption(new Option("-t, --type <type>", "what it is").choices(DEVICE_TYPES))
    .option("--server <server>", `server to use: ${BY_NAME}`)
    .option(
      "-o, --out <file>",
      "where the configuration goes, - for standard output; <name>.conf if not given",
    )
    .option(
      "--server-keys",
      "let the service make and keep the keys, so that it can show the configuration again",
    )
    .addHelpText(
      "after",
      `
The file holds the private key, can be read by you alone, and an existing one is never overwritten.

Examples:
  $ securewave devices add Phone --type phone
  $ securewave devices qr --file Phone.conf
  $ securewave devices add Laptop --server US-East-1 --out /etc/wireguard/securewave.conf
  $ securewave devices add Tablet --server-keys`,
    )
    .action((name, options) =>
      perform(async ({ client, out }) => {
        const api = await client();
        const server = options.server === undefined ? undefined : await resolveServer(api, options.server);
        const body = { name, ...given({ type: options.type, server_id: server }) };
        const make = () => (options.serverKeys ? addWithServerKeys(api, body) : addWithOwnKeys(api, body));
        const path = options.out ?? (options.serverKeys ? undefined : configFileName(name));
        const { device, config } =
          path === undefined || path === STDOUT ? await make() : await addIntoFile(path, make);
        if (path === STDOUT) {
          out.result({ device, config }, () => config);
          return undefined;
        }
        out.result({ device, config_path: path ?? null }, () => {
          const place = device.server === null ? "" : ` on ${device.server.name}`;
          const next =
            path === undefined
              ? `Get its configuration: securewave devices config ${JSON.stringify(name)}`
              : `Its configuration, with the private key, is in ${path}.\nFor a phone: securewave devices qr --file ${JSON.stringify(path)}`;
          return `Added ${device.name}${place}.\n${next}`;
        });
      }),
    );
}

type NewDevice = Parameters<Client["devices"]["create"]>[0]["body"];

interface Added {
  readonly device: DeviceWithTunnel;
  readonly config: string;
}

async function addIntoFile(path: string, make: () => Promise<Added>): Promise<Added> {
  const file = await claimFile(path);
  let added: Added;
  try {
    added = await make();
  } catch (error) {
    await file.drop();
    throw error;
  }
  await file.write(added.config);
  return added;
}

async function addWithOwnKeys(api: Client, body: NewDevice): Promise<Added> {
  const { privateKey, publicKey } = generateKeyPair();
  const device = await api.devices.create({ body: { ...body, public_key: publicKey } });
  if (device.tunnel === null) {
    throw new CliError(
      "cli.no_tunnel",
      `${device.name} was added, but got no server, so it has no configuration.`,
      {
        next: `Remove it and try later: securewave devices remove ${JSON.stringify(device.name)}`,
      },
    );
  }
  return { device, config: renderTunnel(device.tunnel, privateKey) };
}

async function addWithServerKeys(api: Client, body: NewDevice): Promise<Added> {
  const device = await api.devices.create({ body });
  return { device, config: await api.devices.config({ params: { id: device.id } }) };
}
