import { Argument, type CommandUnknownOpts } from "@commander-js/extra-typings";
import type { Client } from "@securewave/contracts";
import type { Perform } from "../call.ts";
import { given } from "../call.ts";
import type { NameKind } from "../completion/tree.ts";
import { plain } from "../output.ts";
import { type ListPage, type PageRequest, readPages } from "../paging.ts";

/** More than that nobody reads through. */
const NAMES_MAX = 200;

type ReadNames = (
  query: PageRequest & { readonly search?: string },
) => Promise<ListPage<{ readonly name: string }>>;

const LISTS: Readonly<Record<Exclude<NameKind, "regions">, (api: Client) => ReadNames>> = {
  nodes: (api) => (query) => api.nodes.list({ query }),
  servers: (api) => (query) => api.servers.list({ query }),
  devices: (api) => (query) => api.devices.list({ query }),
  plans: (api) => (query) => api.plans.list({ query }),
};

export function addNamesCommand(program: CommandUnknownOpts, perform: Perform): void {
  program
    .command("names")
    .description("write the names of what there is, one a line; shells complete with them")
    .addArgument(
      new Argument("<what>", "of what").choices(["nodes", "servers", "regions", "devices", "plans"] as const),
    )
    .argument("[beginning]", "only those that begin with this")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave names nodes us-
  $ securewave names regions`,
    )
    .action((what, beginning = "") =>
      perform(async ({ client, out }) => {
        const api = await client();
        const found = what === "regions" ? await regionsOf(api) : await namesOf(LISTS[what](api), beginning);
        const wanted = beginning.toLowerCase();
        const names = found.map(plain).filter((name) => name.toLowerCase().startsWith(wanted));
        out.result({ names }, () => names.join("\n"));
      }),
    );
}

async function namesOf(read: ReadNames, beginning: string): Promise<string[]> {
  const found = given({ search: beginning === "" ? undefined : beginning });
  const { items } = await readPages((page) => read({ ...page, ...found }), NAMES_MAX);
  return items.map(({ name }) => name);
}

async function regionsOf(api: Client): Promise<string[]> {
  const { items } = await readPages((query) => api.servers.list({ query }), Number.POSITIVE_INFINITY);
  return [...new Set(items.map(({ region }) => region))].sort();
}
