import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { lists } from "../acts.ts";
import type { Perform } from "../call.ts";
import { searchOption } from "../options.ts";
import { BY_MAIL, BY_NAME, resolveAccount, resolveOwnDevice } from "../resolve.ts";
import { addDeviceAddCommand } from "./device-add.ts";
import { addDeviceChangeCommands } from "./device-change.ts";
import { addDeviceConfigCommands } from "./device-config.ts";
import { addDeviceRotateCommands } from "./device-rotate.ts";
import { deviceFields, fleetDeviceColumns, ownDeviceColumns } from "./device-views.ts";

export function addDeviceCommands(program: CommandUnknownOpts, perform: Perform): void {
  const devices = program.command("devices").description("customers' devices, and one's own");
  addListCommands(devices, perform);
  addDeviceAddCommand(devices, perform);
  addDeviceConfigCommands(devices, perform);
  addDeviceRotateCommands(devices, perform);
  addDeviceChangeCommands(devices, perform);
}

function addListCommands(devices: CommandUnknownOpts, perform: Perform): void {
  const ofFleet = devices
    .command("list")
    .description("list the devices of all accounts, or of one; for support agents and admins")
    .option("--account <user>", BY_MAIL)
    .addOption(searchOption())
    .addHelpText(
      "after",
      `
Examples:
  $ securewave devices list --account ada@example.org
  $ securewave devices list --search phone --all --json`,
    );
  lists(ofFleet, perform, {
    noun: "device",
    async open(api, { account }) {
      const ofAccount = account === undefined ? {} : { account_id: await resolveAccount(api, account) };
      return (query) => api.fleetDevices.list({ query: { ...query, ...ofAccount } });
    },
    columns: fleetDeviceColumns,
  });

  const own = devices
    .command("mine")
    .description("list one's own devices")
    .addOption(searchOption())
    .addHelpText(
      "after",
      `
Examples:
  $ securewave devices mine`,
    );
  lists(own, perform, {
    noun: "device",
    none: "No devices. Add one: securewave devices add <name>",
    open: (api) => (query) => api.devices.list({ query }),
    columns: ownDeviceColumns,
  });

  devices
    .command("show")
    .description("show one of one's own devices")
    .argument("<device>", BY_NAME)
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
      }),
    );
}
