import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { type api, type BodyOf, MAINTENANCE_MODES, type Maintenance } from "@securewave/contracts";
import { MINUTE_MS } from "@securewave/foundation";
import { asksFirst } from "../acts.ts";
import { given, type Perform } from "../call.ts";
import { usageError } from "../failure.ts";
import { commaList } from "../options.ts";
import { findMaintenance } from "../resolve.ts";
import { maintenanceLength, spanText, utcTime } from "./maintenance-times.ts";

type Change = BodyOf<typeof api.statusDesk.reschedule>;

interface Options {
  readonly starts?: number | undefined;
  /** Minutes. */
  readonly for?: number | undefined;
  readonly mode?: Change["mode"] | undefined;
  readonly parts?: string[] | undefined;
  readonly title?: string | undefined;
  readonly text?: string | undefined;
  readonly emergency?: true | undefined;
}

export function addRescheduleCommand(maintenance: CommandUnknownOpts, perform: Perform): void {
  const reschedule = maintenance
    .command("reschedule")
    .description("move maintenance that has not begun, or change what it is; for admins")
    .argument("<maintenance>", "its title, the beginning of it, or its id")
    .addOption(
      new Option("-s, --starts <time>", "in UTC: 2026-11-25T02:00; it takes as long as before").argParser(
        utcTime,
      ),
    )
    .addOption(new Option("-f, --for <duration>", "how long: 30m, 2h").argParser(maintenanceLength))
    .addOption(new Option("-m, --mode <mode>", "what customers may do meanwhile").choices(MAINTENANCE_MODES))
    .addOption(new Option("-p, --parts <parts>", "such as tunnels/us-east,mail").argParser(commaList))
    .option("--title <title>", "another title")
    .option("-t, --text <text>", "what is going to be done")
    .option("--emergency", "let it begin less than 24 hours from now, which everybody is shown")
    .addHelpText(
      "after",
      `
What is moved, longer, stricter or of other parts is announced anew: 24 hours ahead at least, and customers whom it
concerns get a mail, if they were to get one.

Examples:
  $ securewave maintenance reschedule "New disks" --starts 2026-11-25T02:00
  $ securewave maintenance reschedule "New disks" --for 3h --text "There are more disks." --yes`,
    );
  asksFirst(reschedule, perform, {
    find: findMaintenance,
    question: (window, options: Options) => questionOf(window, changeOf(window, options)),
    act: (client, window, options: Options) =>
      client.statusDesk.reschedule({ params: { id: window.id }, body: changeOf(window, options) }),
    done: (window) => `${window.title} is announced for ${spanText(window)}.`,
  });
}

function changeOf(window: Maintenance, options: Options): Change {
  const { starts, for: minutes, mode, parts, title, text, emergency } = options;
  const [formerMs, formerEndMs] = [Date.parse(window.starts_at), Date.parse(window.ends_at)];
  const startsMs = starts ?? formerMs;
  const lengthMs = minutes === undefined ? formerEndMs - formerMs : minutes * MINUTE_MS;
  const change = {
    ...given({ mode, title, text, components: parts, is_emergency: emergency }),
    ...(starts !== undefined && { starts_at: new Date(startsMs).toISOString() }),
    ...((starts ?? minutes) !== undefined && { ends_at: new Date(startsMs + lengthMs).toISOString() }),
  };
  if (Object.keys(change).length === 0)
    throw usageError("Say what is to change.", "Add --help to see the options.");
  // One that was an emergency is none at its new time, unless that is said again.
  return starts !== undefined && window.is_emergency ? { is_emergency: false, ...change } : change;
}

function questionOf(window: Maintenance, change: Change): string {
  const [from, to] = [spanText(window), spanText({ ...window, ...change })];
  const what = from === to ? `Change ${window.title}?` : `Move ${window.title} from ${from} to ${to} (UTC)?`;
  return window.notifies
    ? `${what} Customers whom it concerns get a mail, unless it is only shorter or told in other words.`
    : `${what} No mail is sent.`;
}
