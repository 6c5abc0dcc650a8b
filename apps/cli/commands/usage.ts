import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { formatSpeed, type Usage, type UsageForStaff } from "@securewave/contracts";
import type { Perform } from "../call.ts";
import { humanBytes } from "../human.ts";
import { BY_MAIL, resolveAccount } from "../resolve.ts";

export function addUsageCommand(program: CommandUnknownOpts, perform: Perform): void {
  program
    .command("usage")
    .description("show the traffic of this month: one's own, or for support agents and admins an account's")
    .argument("[user]", `${BY_MAIL}; that it was looked at is recorded`)
    .addHelpText(
      "after",
      `
What an account used is known for the month alone, and to staff in whole GiB.

Examples:
  $ securewave usage
  $ securewave usage ada@example.org --json`,
    )
    .action((user) =>
      perform(async ({ client, out }) => {
        const api = await client();
        if (user === undefined) {
          const usage = await api.usage.own();
          out.result(usage, () => out.fields(ownFields(usage)));
          return undefined;
        }
        const usage = await api.usage.ofAccount({ params: { id: await resolveAccount(api, user) } });
        out.result(usage, () => out.fields(staffFields(usage)));
      }),
    );
}

function ownFields(usage: Usage): [string, string][] {
  const { used_bytes, quota_bytes, percent, throttle_kbit_per_second: speed } = usage;
  const quota = quota_bytes === null ? "" : ` of ${humanBytes(quota_bytes)} (${percent} %)`;
  return [
    ["Month", usage.month],
    ["Used", `${humanBytes(used_bytes)}${quota}`],
    ["Devices are", stateOf(usage, speed === null ? "" : ` to ${formatSpeed(speed)}`)],
    ["Begins anew on", usage.resets_on],
  ];
}

function staffFields(usage: UsageForStaff): [string, string][] {
  const quota = usage.quota_gib === null ? "" : ` of ${usage.quota_gib} GiB`;
  return [
    ["Month", usage.month],
    ["Used", `${usage.used_gib} GiB${quota}`],
    ["Devices are", stateOf(usage)],
    ["Begins anew on", usage.resets_on],
  ];
}

function stateOf({ restriction }: Pick<Usage, "restriction">, speed = ""): string {
  if (restriction === "none") return "free";
  return restriction === "blocked" ? "blocked" : `throttled${speed}`;
}
