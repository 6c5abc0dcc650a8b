import { Argument, type CommandUnknownOpts } from "@commander-js/extra-typings";
import type { Client } from "@securewave/contracts";
import type { Perform } from "../call.ts";
import { given } from "../call.ts";
import { NAME_KINDS, type NameKind } from "../completion/tree.ts";
import { plain } from "../output.ts";
import { type ListPage, type PageRequest, readPages } from "../paging.ts";

/** More than that nobody reads through. */
const NAMES_MAX = 200;
const NEWEST = { limit: 100 } as const;

type ReadNames = (
  query: PageRequest & { readonly search?: string },
) => Promise<ListPage<{ readonly name: string }>>;

type ReadAll = (api: Client, beginning: string) => Promise<string[]>;

const READ: Readonly<Record<NameKind, ReadAll>> = {
  nodes: (api, beginning) => namesOf((query) => api.nodes.list({ query }), beginning),
  servers: (api, beginning) => namesOf((query) => api.servers.list({ query }), beginning),
  devices: (api, beginning) => namesOf((query) => api.devices.list({ query }), beginning),
  plans: (api, beginning) => namesOf((query) => api.plans.list({ query }), beginning),
  regions: regionsOf,
  jobs: async (api) => (await api.jobs.list()).items.map(({ name }) => name),
  alerts: async (api) => (await api.alerts.list()).items.map(({ name }) => name),
  backups: async (api) => (await api.backups.list({ query: NEWEST })).items.map(({ id }) => id),
  incidents: async (api) =>
    (await api.statusDesk.incidents({ query: NEWEST })).items.map(({ title }) => title),
  maintenance: async (api) =>
    (await api.statusDesk.windows({ query: NEWEST })).items.map(({ title }) => title),
};

export function addNamesCommand(program: CommandUnknownOpts, perform: Perform): void {
  program
    .command("names")
    .description("write the names of what there is, one a line; shells complete with them")
    .addArgument(new Argument("<what>", "of what").choices(Object.values(NAME_KINDS)))
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
        const found = await READ[what](api, beginning);
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
