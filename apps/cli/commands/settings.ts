import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import type { api, ResultOf } from "@securewave/contracts";
import { given, type Perform } from "../call.ts";
import { usageError } from "../failure.ts";
import { integer } from "../options.ts";

type Settings = ResultOf<typeof api.service.readSettings>;

export function addSettingsCommands(program: CommandUnknownOpts, perform: Perform): void {
  const settings = program.command("settings").description("what admins can change while the service runs");

  settings
    .command("show")
    .description("show the settings")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave settings show
  $ securewave settings show --json`,
    )
    .action(() =>
      perform(async ({ client, out }) => {
        const { service } = await client();
        const current = await service.readSettings();
        out.result(current, () => out.fields(settingFields(current)));
      }),
    );

  settings
    .command("set")
    .description("change settings; those not named stay")
    .option("--service-name <name>", "what customers read")
    .addOption(
      new Option("--registration <state>", "whether anybody may register").choices([
        "open",
        "closed",
      ] as const),
    )
    .option("--devices-per-account-max <number>", "devices that one account may have", integer(1, 1000))
    .addHelpText(
      "after",
      `
Examples:
  $ securewave settings set --registration closed
  $ securewave settings set --service-name "Example VPN" --devices-per-account-max 10`,
    )
    .action((options) =>
      perform(async ({ client, out }) => {
        const change = given({
          service_name: options.serviceName,
          registration: options.registration,
          devices_per_account_max: options.devicesPerAccountMax,
        });
        if (Object.keys(change).length === 0)
          throw usageError("Name at least one setting.", "Add --help to see them.");
        const { service } = await client();
        const current = await service.changeSettings({ body: change });
        out.result(current, () => out.fields(settingFields(current)));
      }),
    );
}

function settingFields(settings: Settings): [string, string][] {
  return [
    ["Service name", settings.service_name],
    ["Registration", settings.registration],
    ["Devices per account", `at most ${settings.devices_per_account_max}`],
  ];
}
