import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import type { Client, DeviceType, DeviceWithTunnel } from "@securewave/contracts";
import { configFileName } from "@securewave/wireguard";
import { given, type Perform } from "../call.ts";
import { usageError } from "../failure.ts";
import { countryOption, placeOf, regionOption, SERVER_TO_USE } from "../place-options.ts";
import { STDOUT, writeInto } from "../tunnel-file.ts";
import { makeOwnKey } from "./device-keys.ts";
import { agreeOption } from "./device-rotate.ts";

const DEVICE_TYPES = [
  "phone",
  "tablet",
  "laptop",
  "desktop",
  "router",
  "other",
] as const satisfies readonly DeviceType[];

export function addDeviceAddCommand(devices: CommandUnknownOpts, perform: Perform): void {
  devices
    .command("add")
    .description("add a device; its keys are made here and the private one stays here")
    .argument("<name>", "name of the device, for people")
    .addOption(new Option("-t, --type <type>", "what it is").choices(DEVICE_TYPES))
    .option("--server <server>", SERVER_TO_USE)
    .addOption(regionOption())
    .addOption(countryOption())
    .option(
      "-o, --out <file>",
      "where the configuration goes, - for standard output; <name>.conf if not given",
    )
    .option(
      "--server-keys",
      "let the service make and keep the keys, so that it can show the configuration again",
    )
    .addOption(agreeOption())
    .addHelpText(
      "after",
      `
The file holds the private key, can be read by you alone, and an existing one is never overwritten.

Examples:
  $ securewave devices add Phone --type phone
  $ securewave devices qr --file Phone.conf
  $ securewave devices add Laptop --server US-East-1 --out /etc/wireguard/securewave.conf
  $ securewave devices add Router --region Frankfurt --agree
  $ securewave devices add Tablet --server-keys`,
    )
    .action((name, options) =>
      perform(async ({ client, out }) => {
        const { type, server, region, country, serverKeys = false, agree = false } = options;
        if (serverKeys && agree)
          throw usageError("--agree needs a key that is made here; leave --server-keys away.");
        const api = await client();
        const body = { name, ...given({ type }), ...(await placeOf(api, { server, region, country })) };
        const make = () => (serverKeys ? addWithServerKeys(api, body) : addWithOwnKeys(api, body, agree));
        const path = options.out ?? (serverKeys ? undefined : configFileName(name));
        const { device, config } =
          path === undefined || path === STDOUT ? await make() : await writeInto(path, make);
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

async function addWithOwnKeys(api: Client, body: NewDevice, agrees: boolean): Promise<Added> {
  const key = makeOwnKey(agrees);
  const answer = await api.devices.create({ body: { ...body, ...key.sent } });
  const { ciphertext: _, ...device } = answer;
  return { device, config: key.configOf(answer) };
}

async function addWithServerKeys(api: Client, body: NewDevice): Promise<Added> {
  const device = await api.devices.create({ body });
  return { device, config: await api.devices.config({ params: { id: device.id } }) };
}
