import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { parseConfig, QR_TEXT_BYTES_MAX, qrMatrix } from "@securewave/wireguard";
import type { Call, Perform } from "../call.ts";
import { CliError, usageError } from "../failure.ts";
import { drawQr } from "../qr-terminal.ts";
import { BY_NAME, resolveOwnDevice } from "../resolve.ts";
import { claimFile, notATunnel, readTunnelFile } from "../tunnel-file.ts";

export function addDeviceConfigCommands(devices: CommandUnknownOpts, perform: Perform): void {
  devices
    .command("config")
    .description("get the configuration of a device whose keys the service made")
    .argument("<device>", BY_NAME)
    .option("-o, --out <file>", "write it into a file that you alone can read")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave devices config Tablet --out tablet.conf
  $ securewave devices config Tablet | sudo tee /etc/wireguard/securewave.conf`,
    )
    .action((name, options) =>
      perform(async (call) => {
        const config = await fetchConfig(call, name);
        if (options.out === undefined) {
          call.out.result({ config }, () => config);
          return undefined;
        }
        const file = await claimFile(options.out);
        await file.write(config);
        call.out.result({ config_path: options.out }, () => `Wrote ${options.out}.`);
      }),
    );

  devices
    .command("qr")
    .description("draw a configuration as a QR code for the WireGuard apps")
    .argument("[device]", `${BY_NAME} of a device whose keys the service made`)
    .option("-f, --file <file>", "take a configuration from this machine")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave devices qr --file Phone.conf
  $ securewave devices qr Tablet`,
    )
    .action((name, options) =>
      perform(async (call) => {
        const config = await readConfig(call, name, options.file);
        if (Buffer.byteLength(config) > QR_TEXT_BYTES_MAX) {
          throw new CliError("cli.too_long_for_qr", "The configuration is too long for a QR code.");
        }
        const modules = qrMatrix(config);
        const rows = modules.map((row) => row.map((isDark) => (isDark ? "1" : "0")).join(""));
        call.out.result({ modules: rows }, () => drawFor(call, modules));
      }),
    );
}

async function fetchConfig({ client }: Call, name: string): Promise<string> {
  const api = await client();
  return api.devices.config({ params: { id: await resolveOwnDevice(api, name) } });
}

async function readConfig(call: Call, name: string | undefined, path: string | undefined): Promise<string> {
  if (path === undefined) {
    if (name === undefined) throw usageError("Name a device, or a file with --file.");
    return fetchConfig(call, name);
  }
  if (name !== undefined) throw usageError("Name a device or a file, not both.");
  const config = await readTunnelFile(path);
  if (parseConfig(config) === undefined) throw notATunnel(path);
  return config;
}

function drawFor({ environment }: Call, modules: readonly (readonly boolean[])[]): string {
  const { env, stdout } = environment;
  const isTerminal = stdout.isTTY === true;
  const columns = stdout.columns || Number.POSITIVE_INFINITY;
  if (isTerminal && columns < modules.length) {
    throw new CliError(
      "cli.terminal_too_narrow",
      `The QR code is ${modules.length} characters wide and the terminal ${columns}.`,
      { next: "Make the window wider or the letters smaller, and try again." },
    );
  }
  return drawQr(modules, isTerminal && !env.NO_COLOR && env.TERM !== "dumb");
}
