import {
  type Account,
  type ApiKey,
  accountErrors,
  apiKeyErrors,
  type Block,
  blockErrors,
  type Client,
  type Device,
  deviceErrors,
  type Incident,
  type LogIn,
  type Maintenance,
  type Node,
  nodeErrors,
  type Plan,
  type PrivacyRequest,
  planErrors,
  privacyErrors,
  type Server,
  serverErrors,
  sessionErrors,
  statusErrors,
} from "@securewave/contracts";
import { ID_PREFIXES, type IdKind, idPattern, type Refusal } from "@securewave/foundation";
import { CliError } from "./failure.ts";
import { type ListPage, type PageRequest, readPages } from "./paging.ts";

/** What is taken for a node, a device, a plan or an API key. */
export const BY_NAME = "name, its beginning, or id";
/** What is taken for an account: the service holds addresses sealed. */
export const BY_MAIL = "mail address or id";

interface Named {
  readonly id: string;
}

interface Kind<Item extends Named> {
  readonly id: IdKind;
  readonly word: string;
  readonly nameOf: (item: Item) => string;
  readonly notFound: Refusal;
  /** What can be written for it, when not a name, the beginning of one, or an id. */
  readonly taken?: string;
  readonly list: (query: PageRequest & { readonly search?: string }) => Promise<ListPage<Item>>;
}

const SEARCH_CHARACTERS_MAX = 100;
const CANDIDATES_SHOWN_MAX = 8;

/** Reads a node's id, name, or the beginning of either, and gives its id. */
export function resolveNode(client: Client, text: string): Promise<string> {
  return resolve<Node>(text, {
    id: "node",
    word: "node",
    nameOf: (node) => node.name,
    notFound: nodeErrors.notFound,
    list: (query) => client.nodes.list({ query }),
  });
}

export async function showNode(client: Client, text: string): Promise<Node> {
  return client.nodes.show({ params: { id: await resolveNode(client, text) } });
}

/** The same as `resolveNode` with what customers may see. */
export function resolveServer(client: Client, text: string): Promise<string> {
  return resolve<Server>(text, {
    id: "node",
    word: "server",
    nameOf: (server) => server.name,
    notFound: serverErrors.notFound,
    list: (query) => client.servers.list({ query }),
  });
}

/** Among one's own devices. */
export function resolveOwnDevice(client: Client, text: string): Promise<string> {
  return resolve<Device>(text, { ...deviceKind, list: (query) => client.devices.list({ query }) });
}

/** Among the devices of all accounts; for staff. */
export function resolveFleetDevice(client: Client, text: string): Promise<string> {
  return resolve<Pick<Device, "id" | "name">>(text, {
    ...deviceKind,
    list: (query) => client.fleetDevices.list({ query }),
  });
}

const deviceKind = {
  id: "device",
  word: "device",
  nameOf: (device: { readonly name: string }) => device.name,
  notFound: deviceErrors.notFound,
} as const;

export function resolveAccount(client: Client, text: string): Promise<string> {
  return resolve<Account>(text, {
    id: "account",
    word: "account",
    nameOf: (account) => account.email,
    notFound: accountErrors.notFound,
    taken: "A whole mail address or an id is taken here: the service holds addresses sealed.",
    list: (query) => client.accounts.list({ query }),
  });
}

export function resolvePlan(client: Client, text: string): Promise<string> {
  return resolve<Plan>(text, {
    id: "plan",
    word: "plan",
    nameOf: (plan) => plan.name,
    notFound: planErrors.notFound,
    list: (query) => client.plans.list({ query }),
  });
}

/** Finds a block by its id, what is blocked, or the beginning of either. */
export function findBlock(client: Client, text: string): Promise<Block> {
  return find<Block>(text, {
    id: "block",
    word: "block",
    nameOf: (block) => block.origin,
    notFound: blockErrors.notFound,
    taken: "What is blocked, an id, or the beginning of either is taken here.",
    list: ({ search: _, ...query }) => client.blocks.list({ query }),
  });
}

/** Among one's own API keys. */
export function findApiKey(client: Client, text: string): Promise<ApiKey> {
  return find<ApiKey>(text, {
    id: "apiKey",
    word: "API key",
    nameOf: (key) => key.name,
    notFound: apiKeyErrors.notFound,
    list: ({ search: _, ...query }) => client.apiKeys.list({ query }),
  });
}

/** Among one's own log-ins, which have no names. */
export function findLogIn(client: Client, text: string): Promise<LogIn> {
  return find<LogIn>(text, {
    id: "session",
    word: "log-in",
    nameOf: (logIn) => logIn.id,
    notFound: sessionErrors.notFound,
    taken: "An id, or the beginning of one, is taken here. See them: securewave sessions list",
    list: ({ search: _, ...query }) => client.sessions.list({ query }),
  });
}

/** Among what people asked for about their data; requests have no names. */
export function resolveRequest(client: Client, text: string): Promise<string> {
  return resolve<PrivacyRequest>(text, {
    id: "privacyRequest",
    word: "request",
    nameOf: (request) => request.id,
    notFound: privacyErrors.requestNotFound,
    taken: "An id, or the beginning of one, is taken here. See them: securewave privacy requests",
    list: ({ search: _, ...query }) => client.privacyDesk.requests({ query }),
  });
}

export function findIncident(client: Client, text: string): Promise<Incident> {
  return find<Incident>(text, {
    id: "incident",
    word: "incident",
    nameOf: (incident) => incident.title,
    notFound: statusErrors.incidentNotFound,
    list: ({ search: _, ...query }) => client.statusDesk.incidents({ query }),
  });
}

export function findMaintenance(client: Client, text: string): Promise<Maintenance> {
  return find<Maintenance>(text, {
    id: "maintenance",
    word: "maintenance",
    nameOf: (window) => window.title,
    notFound: statusErrors.maintenanceNotFound,
    list: ({ search: _, ...query }) => client.statusDesk.windows({ query }),
  });
}

/** @throws CliError `cli.ambiguous`, and the domain's `not_found` */
async function resolve<Item extends Named>(text: string, kind: Kind<Item>): Promise<string> {
  return isIdOf(kind, text) ? text : (await find(text, kind)).id;
}

/** The same for what no route shows by its id. */
async function find<Item extends Named>(text: string, kind: Kind<Item>): Promise<Item> {
  const found = isIdOf(kind, text) ? [] : await findByName(text, kind);
  const [first, ...others] = found.length > 0 ? found : await findByIdStart(text, kind);
  if (first === undefined) {
    throw new CliError(kind.notFound.code, `There is no ${kind.word} named ${text}.`, {
      next: kind.taken ?? "A name, the beginning of one, or an id is taken here.",
    });
  }
  if (others.length > 0) throw ambiguous(text, [first, ...others], kind);
  return first;
}

function isIdOf({ id }: { readonly id: IdKind }, text: string): boolean {
  return new RegExp(idPattern(id)).test(text);
}

async function findByName<Item extends Named>(text: string, kind: Kind<Item>): Promise<Item[]> {
  if (text === "" || text.length > SEARCH_CHARACTERS_MAX) return [];
  const { items } = await readPages((page) => kind.list({ ...page, search: text }), Number.POSITIVE_INFINITY);
  const wanted = text.toLowerCase();
  const named = (isMatch: (name: string) => boolean) => items.filter((item) => isMatch(kind.nameOf(item)));
  for (const matches of [
    named((name) => name === text),
    named((name) => name.toLowerCase() === wanted),
    named((name) => name.toLowerCase().startsWith(wanted)),
  ]) {
    if (matches.length > 0) return matches;
  }
  return [];
}

async function findByIdStart<Item extends Named>(text: string, kind: Kind<Item>): Promise<Item[]> {
  if (!text.startsWith(`${ID_PREFIXES[kind.id]}_`)) return [];
  const { items } = await readPages(kind.list, Number.POSITIVE_INFINITY);
  return items.filter((item) => item.id.startsWith(text));
}

function ambiguous<Item extends Named>(text: string, items: readonly Item[], kind: Kind<Item>): CliError {
  const shown = items.slice(0, CANDIDATES_SHOWN_MAX).map((item) => {
    const name = kind.nameOf(item);
    return name === item.id ? name : `${name} (${item.id})`;
  });
  if (items.length > shown.length) shown.push(`and ${items.length - shown.length} more`);
  return new CliError("cli.ambiguous", `Several ${kind.word}s match ${text}: ${shown.join(", ")}.`, {
    next: "Write more of the name, or the id.",
  });
}
