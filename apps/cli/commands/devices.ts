import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { given, type Perform } from "../call.ts";
import { allOption, cursorOption, limitOption, readList, searchOption } from "../options.ts";
import { moreNote } from "../paging.ts";
import { resolveAccount, resolveOwnDevice } from "../resolve.ts";
import { addDeviceAddCommand } from "./device-add.ts";
import { addDeviceChangeCommands } from "./device-change.ts";
import { addDeviceConfigCommands } from "./device-config.ts";
import { deviceFields, fleetDeviceTable, ownDeviceTable } from "./device-views.ts";

export function addDeviceCommands(program: CommandUnknownOpts, perform: Perform): void {
  const devices = program.command("devices").description("customers' devices, and one's own");
  addListCommands(devices, perform);
  addDeviceAddCommand(devices, perform);
  addDeviceConfigCommands(devices, perform);
  addDeviceChangeCommands(devices, perform);
}

function addListCommands(devices: CommandUnknownOpts, perform: Perform): void {
  devices
    .command("list")
    .description("list the devices of all accounts, or of one; for support agents and admins")
    .option("--account <user>", "mail address or id")
    .addOption(searchOption())
    .addOption(limitOption())
    .addOption(allOption())
    .addOption(cursorOption())
    .addHelpText(
      "after",
      `
Examples:
  $ securewave devices list --account ada@example.org
  $ securewave devices list --search phone --all --json`,
    )
    .action((options) =>
      perform(async ({ client, out, nowMs }) => {
        const api = await client();
        const account =
          options.account === undefined ? undefined : await resolveAccount(api, options.account);
        const page = await readList(options, (query) =>
          api.fleetDevices.list({ query: { ...query, ...given({ account_id: account }) } }),
        );
        out.result(page, () =>
          page.items.length === 0 ? "No devices." : fleetDeviceTable(out, page.items, nowMs),
        );
        moreNote(out, page);
        return undefined;
      }),
    );

  devices
    .command("mine")
    .description("list one's own devices")
    .addOption(searchOption())
    .addOption(limitOption())
    .addOption(allOption())
    .addOption(cursorOption())
    .addHelpText(
      "after",
      `
Examples:
  $ securewave devices mine`,
    )
    .action((options) =>
      perform(async ({ client, out }) => {
        const api = await client();
        const page = await readList(options, (query) => api.devices.list({ query }));
        out.result(page, () =>
          page.items.length === 0
            ? "No devices. Add one: securewave devices add <name>"
            : ownDeviceTable(out, page.items),
        );
        moreNote(out, page);
        return undefined;
      }),
    );

  devices
    .command("show")
    .description("show one of one's own devices")
    .argument("<device>", "name, its beginning, or id")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave devices show Phone`,
    )
    .action((name) =>
      perform(async ({ client, out, nowMs }) => {
        const api = await client();
        const device = await api.devices.show({ params: { id: await resolveOwnDevice(api, name) } });
        out.result(device, () => out.fields(deviceFields(out, device, nowMs)));
        return undefined;
      }),
    );
}
