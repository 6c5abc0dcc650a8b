import { type CommandUnknownOpts, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { INCIDENT_STATES, type Incident } from "@securewave/contracts";
import { asksFirst, lists } from "../acts.ts";
import { given, type Perform } from "../call.ts";
import { usageError } from "../failure.ts";
import { timeText } from "../human.ts";
import type { Column } from "../output.ts";
import { findIncident } from "../resolve.ts";

const IMPACTS = ["degraded", "down", "none"] as const;
type Impact = Incident["components"][number];
const WHICH = "title of the incident, the beginning of one, or an id";

export function addStatusPageCommands(program: CommandUnknownOpts, perform: Perform): void {
  const page = program
    .command("status-page")
    .description("what everybody reads at /status; for support agents and admins");
  page
    .command("show")
    .description("show it as everybody sees it")
    .addHelpText(
      "after",
      "\nExamples:\n  $ securewave status-page show\n  $ securewave status-page show --json",
    )
    .action(() =>
      perform(async ({ client, out }) => {
        const { status } = await client();
        const shown = await status.show();
        out.result(shown, () =>
          [
            out.table(
              [
                { title: "PART", value: ({ name }) => name, style: () => "bold" },
                { title: "STATE", value: ({ state }) => state },
                {
                  title: "90 DAYS",
                  value: ({ availability }) =>
                    availability === null
                      ? "unknown"
                      : `${(Math.floor(availability * 10_000) / 100).toFixed(2)} %`,
                  align: "right",
                },
              ],
              shown.components,
            ),
            ...shown.incidents.map(({ title, state }) => `${title}: ${state}`),
            ...shown.maintenance.map(
              ({ title, starts_at }) => `${title}: maintenance from ${timeText(starts_at)} UTC`,
            ),
          ].join("\n"),
        );
      }),
    );
  const incident = page.command("incident").description("what is wrong, and how far it is");
  addOpenCommand(incident, perform);
  addUpdateCommands(incident, perform);
  addEditCommand(incident, perform);
  addListCommand(incident, perform);
  addRemoveCommand(incident, perform);
}

function addOpenCommand(incident: CommandUnknownOpts, perform: Perform): void {
  incident
    .command("open")
    .description("post an incident")
    .argument("<title>", "such as “Log-ins fail”")
    .requiredOption("-t, --text <text>", "what is known")
    .addOption(impactOption())
    .addHelpText(
      "after",
      `
Examples:
  $ securewave status-page incident open "Log-ins fail" --text "We look into it." --impact api=degraded
  $ securewave status-page incident open "us-east is away" -t "A line is cut." -i tunnels/us-east=down`,
    )
    .action((title, options) =>
      perform(async ({ client, out }) => {
        const { statusDesk } = await client();
        const body = { title, text: options.text, components: options.impact ?? [] };
        const opened = await statusDesk.openIncident({ body });
        out.result(opened, () => `${opened.title} is on the status page (${opened.id}).`);
      }),
    );
}

const impactOption = () =>
  new Option(
    "-i, --impact <part=how>",
    "such as api=degraded or tunnels/us-east=down; may be given again",
  ).argParser(impact);

/** @param former false after `--no-impact` */
function impact(text: string, former: Impact[] | false | undefined): Impact[] {
  const [, component, word] = /^(.+)=([a-z]+)$/.exec(text) ?? [];
  const how = IMPACTS.find((one) => one === word);
  if (component === undefined || how === undefined)
    throw new InvalidArgumentError(
      `A part and how it does is wanted, such as api=degraded: ${IMPACTS.join(", ")}.`,
    );
  return [...(former || []), { component, impact: how }];
}

function addUpdateCommands(incident: CommandUnknownOpts, perform: Perform): void {
  incident
    .command("update")
    .description("post what is new of an incident")
    .argument("<incident>", WHICH)
    .addOption(
      new Option("-s, --state <state>", "how far it is; as it was, if not given").choices(INCIDENT_STATES),
    )
    .requiredOption("-t, --text <text>", "what is new")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave status-page incident update "Log-ins fail" --state identified --text "A disk is full."`,
    )
    .action((which, options) =>
      perform(async ({ client, out }) => {
        const api = await client();
        const { id, state } = await findIncident(api, which);
        const body = { state: options.state ?? state, text: options.text };
        const updated = await api.statusDesk.updateIncident({ params: { id }, body });
        out.result(updated, () => `${updated.title}: ${updated.state}.`);
      }),
    );

  incident
    .command("resolve")
    .description("say that an incident is over")
    .argument("<incident>", WHICH)
    .option("-t, --text <text>", "what was done", "It is resolved.")
    .addHelpText(
      "after",
      `\nExamples:\n  $ securewave status-page incident resolve "Log-ins fail" --text "There is room again."`,
    )
    .action((which, { text }) =>
      perform(async ({ client, out }) => {
        const api = await client();
        const { id } = await findIncident(api, which);
        const resolved = await api.statusDesk.updateIncident({
          params: { id },
          body: { state: "resolved", text },
        });
        out.result(resolved, () => `${resolved.title} is resolved.`);
      }),
    );
}

function addEditCommand(incident: CommandUnknownOpts, perform: Perform): void {
  incident
    .command("edit")
    .description("change an incident's title, or which parts it concerns")
    .argument("<incident>", WHICH)
    .option("--title <title>", "another title")
    .addOption(impactOption())
    .option("--no-impact", "say that it concerns no part in particular")
    .addHelpText(
      "after",
      `
What is given with --impact takes the place of all that was said before.

Examples:
  $ securewave status-page incident edit "Log-ins fail" --impact api=degraded --impact mail=down
  $ securewave status-page incident edit "Log-ins fail" --title "Log-ins are slow"`,
    )
    .action((which, { title, impact }) =>
      perform(async ({ client, out }) => {
        const components = impact === false ? [] : impact;
        const body = given({ title, components });
        if (Object.keys(body).length === 0)
          throw usageError("Say what is to change.", "Add --help to see the options.");
        const api = await client();
        const { id } = await findIncident(api, which);
        const edited = await api.statusDesk.changeIncident({ params: { id }, body });
        out.result(edited, () => `${edited.title}: ${impactText(edited)}.`);
      }),
    );
}

function impactText({ components }: Incident): string {
  const parts = components.map(({ component, impact }) => `${component}=${impact}`);
  return parts.length === 0 ? "no part in particular" : parts.join(", ");
}

function addListCommand(incident: CommandUnknownOpts, perform: Perform): void {
  const list = incident
    .command("list")
    .description("list incidents, the newest first")
    .addHelpText(
      "after",
      "\nExamples:\n  $ securewave status-page incident list\n  $ securewave status-page incident list --all --json",
    );
  lists(list, perform, {
    noun: "incident",
    none: "There was no incident.",
    open: (api) => (query) =>
      api.statusDesk.incidents({ query: given({ limit: query.limit, cursor: query.cursor }) }),
    columns: () => COLUMNS,
  });
}

function addRemoveCommand(incident: CommandUnknownOpts, perform: Perform): void {
  const remove = incident
    .command("remove")
    .description("take an incident off the status page")
    .argument("<incident>", WHICH)
    .addHelpText("after", `\nExamples:\n  $ securewave status-page incident remove "Log-ins fail" --yes`);
  asksFirst(remove, perform, {
    find: findIncident,
    question: ({ title }) => `Take ${title} off the status page? To say that it is over, resolve it.`,
    async act(api, one) {
      await api.statusDesk.removeIncident({ params: { id: one.id } });
      return one;
    },
    done: ({ title }) => `${title} is off the status page.`,
  });
}

const COLUMNS: readonly Column<Incident>[] = [
  { title: "INCIDENT", value: ({ title }) => title, style: () => "bold" },
  {
    title: "STATE",
    value: ({ state }) => state,
    style: ({ state }) => (state === "resolved" ? "green" : "yellow"),
  },
  { title: "OPENED (UTC)", value: ({ opened_at }) => timeText(opened_at).slice(0, 16) },
  { title: "PARTS", value: ({ components }) => components.map(({ component }) => component).join(", ") },
  { title: "ID", value: ({ id }) => id, style: () => "dim" },
];
