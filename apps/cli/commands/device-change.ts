import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { ApiError, type Client, type DeviceWithTunnel, deviceErrors } from "@securewave/contracts";
import { asksFirst } from "../acts.ts";
import type { Perform } from "../call.ts";
import { CliError, usageError } from "../failure.ts";
import { writePrivateFile } from "../files.ts";
import { countryOption, placeOf, regionOption, SERVER_TO_USE } from "../place-options.ts";
import { BY_NAME, resolveFleetDevice, resolveOwnDevice } from "../resolve.ts";
import { readSecrets, renderTunnel } from "../tunnel-file.ts";
import { formerText, tunnelOf } from "./device-keys.ts";

export function addDeviceChangeCommands(devices: CommandUnknownOpts, perform: Perform): void {
  addMoveCommand(devices, perform);
  addRenameCommand(devices, perform);
  addRevokeCommand(devices, perform);
  addRemoveCommand(devices, perform);
}

function addMoveCommand(devices: CommandUnknownOpts, perform: Perform): void {
  devices
    .command("move")
    .description(
      "move a device to another server; its configuration changes, and the former one works on for a while",
    )
    .argument("<device>", BY_NAME)
    .argument("[server]", BY_NAME)
    .option("--to <server>", SERVER_TO_USE)
    .addOption(regionOption())
    .addOption(countryOption())
    .option("-f, --file <file>", "bring the device's configuration in this file up to date")
    .addHelpText(
      "after",
      `
Without a server the service chooses the best one, of the region if one is named.

Examples:
  $ securewave devices move Phone --to US-West-1
  $ securewave devices move Laptop --region Frankfurt --file Laptop.conf`,
    )
    .action((name, server, { to, region, country, file: path }) =>
      perform(async ({ client, out }) => {
        if (server !== undefined && to !== undefined) throw usageError("Name the server once.");
        const api = await client();
        const params = { id: await resolveOwnDevice(api, name) };
        const place = await placeOf(api, { server: server ?? to, region, country });
        const secrets =
          path === undefined
            ? undefined
            : await readSecrets(path, (await api.devices.show({ params })).public_key);
        const device = await api.devices.move({ params, body: place });
        if (path !== undefined && secrets !== undefined) {
          const { privateKey, presharedKey } = secrets;
          await writePrivateFile(path, renderTunnel(tunnelOf(device), privateKey, presharedKey));
        }
        out.result({ device, config_path: path ?? null }, () => movedText(device, path));
      }),
    );
}

function movedText(device: DeviceWithTunnel, path: string | undefined): string {
  const moved = `${device.name} is on ${device.server?.name ?? "another server"}.${formerText(device)}`;
  return path === undefined
    ? `${moved}\nIts configuration has changed: give the device the new one.`
    : `${moved}\n${path} is brought up to date.`;
}

function addRenameCommand(devices: CommandUnknownOpts, perform: Perform): void {
  devices
    .command("rename")
    .description("give a device another name")
    .argument("<device>", BY_NAME)
    .argument("<name>", "its new name")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave devices rename Phone "Old phone"`,
    )
    .action((name, newName) =>
      perform(async ({ client, out }) => {
        const api = await client();
        const id = await resolveOwnDevice(api, name);
        const device = await api.devices.change({ params: { id }, body: { name: newName } });
        out.result(device, () => `Its name is ${device.name}.`);
      }),
    );
}

function addRevokeCommand(devices: CommandUnknownOpts, perform: Perform): void {
  const command = devices
    .command("revoke")
    .description("take a device's access away: one's own, or for support agents and admins anybody's")
    .argument("<device>", BY_NAME)
    .addHelpText(
      "after",
      `
Examples:
  $ securewave devices revoke Phone
  $ securewave devices revoke dev_0123456789abcdefghjk --yes`,
    );
  asksFirst(command, perform, {
    find: async (api, name) => ({ name, id: await resolveAnyDevice(api, name) }),
    question: ({ name, id }) => `Revoke ${name} (${id})? Its tunnel ends at once.`,
    async act(api, { id }) {
      await revokeAny(api, id);
      return { revoked: id };
    },
    done: (_, { name }) => `Revoked ${name}.`,
  });
}

/** One's own device of that name, or where there is none and the role allows it, somebody's. */
async function resolveAnyDevice(api: Client, name: string): Promise<string> {
  try {
    return await resolveOwnDevice(api, name);
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== deviceErrors.notFound.code) throw error;
    return ifStaff(() => resolveFleetDevice(api, name), error);
  }
}

async function revokeAny(api: Client, id: string): Promise<void> {
  try {
    await api.devices.revoke({ params: { id } });
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== deviceErrors.notFound.code) throw error;
    await ifStaff(() => api.fleetDevices.revoke({ params: { id } }), error);
  }
}

/** Throws the first failure where only the role is in the way of the second try. */
async function ifStaff<Result>(attempt: () => Promise<Result>, firstFailure: Error): Promise<Result> {
  try {
    return await attempt();
  } catch (error) {
    throw error instanceof ApiError && error.status === 403 ? firstFailure : error;
  }
}

function addRemoveCommand(devices: CommandUnknownOpts, perform: Perform): void {
  const command = devices
    .command("remove")
    .description("revoke one of one's own devices where needed, and forget it")
    .argument("<device>", BY_NAME)
    .addHelpText(
      "after",
      `
Examples:
  $ securewave devices remove Phone
  $ securewave devices remove Phone --yes --json`,
    );
  asksFirst(command, perform, {
    find: async (api, name) => ({ name, id: await resolveOwnDevice(api, name) }),
    question: ({ name, id }) => `Remove ${name} (${id})? Its tunnel ends at once.`,
    async act(api, { id }) {
      await api.devices.remove({ params: { id } });
      return { removed: id };
    },
    done: (_, { name }) => `Removed ${name}.`,
  });
}
