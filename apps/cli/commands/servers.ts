import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { Server } from "@securewave/contracts";
import type { Alternative } from "@securewave/contracts/nodes";
import { lists } from "../acts.ts";
import { given, type Perform } from "../call.ts";
import { EXIT } from "../failure.ts";
import { integer, type ReadFound, searchOption } from "../options.ts";
import { type Column, plain } from "../output.ts";
import { readPages } from "../paging.ts";
import { countryOption, regionOption } from "../place-options.ts";

/** As the contract has it. */
const BEST_MAX = 100;
const BEST_DEFAULT = 10;

export function addServerCommands(program: CommandUnknownOpts, perform: Perform): void {
  const servers = program.command("servers").description("the servers that one's own devices can use");
  addListCommand(servers, perform);
  addBestCommand(servers, perform);
}

function addListCommand(servers: CommandUnknownOpts, perform: Perform): void {
  const list = servers
    .command("list")
    .description("list servers by name, also those that are full or beyond one's own plan")
    .addOption(searchOption())
    .option("-r, --region <region>", "all of this region")
    .addOption(countryOption())
    .addHelpText(
      "after",
      `
Examples:
  $ securewave servers list
  $ securewave servers list --region Frankfurt --country DE`,
    );
  lists(list, perform, {
    noun: "server",
    open(api, { region, country }) {
      const read: ReadFound<Server> = (query) =>
        api.servers.list({ query: { ...query, ...given({ country }) } });
      return region === undefined ? read : readsRegion(read, region);
    },
    columns: (_call, items) => columnsOf(items),
  });
}

/** The service finds servers by name only: to find those of a region, all are read. */
function readsRegion(read: ReadFound<Server>, region: string): ReadFound<Server> {
  const wanted = region.toLowerCase();
  return async ({ search }) => {
    const found = given({ search });
    const { items } = await readPages((page) => read({ ...page, ...found }), Number.POSITIVE_INFINITY);
    return { items: items.filter((server) => server.region.toLowerCase() === wanted), next_cursor: null };
  };
}

function addBestCommand(servers: CommandUnknownOpts, perform: Perform): void {
  servers
    .command("best")
    .description("list the servers that would be chosen, the best first; exit code 1 when there is none")
    .addOption(regionOption())
    .addOption(countryOption())
    .option("-n, --limit <number>", "how many to show", integer(1, BEST_MAX), BEST_DEFAULT)
    .addHelpText(
      "after",
      `
Examples:
  $ securewave servers best --country DE
  $ securewave servers best --region Frankfurt --limit 1 --json`,
    )
    .action(({ region, country, limit }) =>
      perform(async ({ client, out }) => {
        const api = await client();
        const found = await api.servers.best({ query: { limit, ...given({ region, country }) } });
        const { items, alternative } = found;
        out.result(found, () =>
          items.length > 0 ? out.table(columnsOf(items), items) : noneText(region, alternative),
        );
        return items.length === 0 ? EXIT.failed : undefined;
      }),
    );
}

function noneText(region: string | undefined, alternative: Alternative | null): string {
  const none =
    region === undefined
      ? "No server takes devices at the moment. Please try again later."
      : `No server of ${region} takes devices at the moment.`;
  if (alternative === null) return none;
  const { region: other, distance_km } = alternative;
  const far = distance_km === null ? "" : `, ${distance_km} km away`;
  return `${none} The nearest one is in ${plain(other)}${far}: securewave servers best --region ${JSON.stringify(other)}`;
}

function columnsOf(servers: readonly Server[]): Column<Server>[] {
  const isPlaced = servers.some(({ distance_km }) => distance_km !== null);
  return [
    { title: "NAME", value: ({ name }) => name, style: () => "bold" },
    { title: "REGION", value: ({ region }) => region },
    ...(isPlaced ? [DISTANCE] : []),
    { title: "LOAD", value: ({ load }) => load },
    { title: "SCORE", value: ({ score }) => String(score), align: "right" },
    {
      title: "",
      value: whyNot,
      style: (server) => (whyNot(server) === "" ? undefined : "yellow"),
    },
  ];
}

const DISTANCE: Column<Server> = {
  title: "DISTANCE",
  value: ({ distance_km }) => (distance_km === null ? "-" : `${distance_km} km`),
  align: "right",
};

/** Why a device cannot be put there; empty when it can. */
function whyNot({ available, included }: Server): string {
  if (!included) return "not in your plan";
  return available ? "" : "takes no devices at the moment";
}
