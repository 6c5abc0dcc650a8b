import {
  type Alternative,
  type api,
  deviceErrors,
  type QueryOf,
  type ResultOf,
  type Server as ServerView,
  serverErrors,
} from "@securewave/contracts";
import {
  chooseServer,
  distanceKm,
  type Fleet,
  placeAt,
  placeOfCountry,
  type Server,
  score,
  takesDevices,
} from "@securewave/placement";
import { boundsOf, type PageRequest, pageOf } from "../../http/paging.ts";
import type { NodeRow } from "../nodes/index.ts";
import type { Plans } from "../plans/index.ts";
import { type FleetOptions, followFleet } from "./fleet.ts";
import { isIncluded, shownOf, viewOf } from "./server.ts";

export interface ServersOptions extends FleetOptions {
  readonly plans: Pick<Plans, "planOf">;
}

export type Servers = ReturnType<typeof createServers>;

/** Where a device is to be; without any of it the best server is taken. A server goes before a region. */
export interface PlaceWish {
  readonly server_id?: string | undefined;
  readonly region?: string | undefined;
  /** Of the moment: it is kept nowhere. */
  readonly country?: string | undefined;
}

type BestQuery = QueryOf<typeof api.servers.best>;

const BEST_DEFAULT = 10;

/** Nodes as customers see them, and which of them a device is given to. */
export function createServers({ plans, ...options }: ServersOptions) {
  const follower = followFleet(options);

  function createViewer(nodes: ReadonlyMap<string, NodeRow>, accountId: string, country: string | undefined) {
    const allowedTags = plans.planOf(accountId).server_tags;
    const from = country === undefined ? undefined : placeOfCountry(country);
    return (server: Server): ServerView | undefined => {
      const node = nodes.get(server.id);
      const { coordinates } = server;
      const away = from && coordinates && distanceKm(from, placeAt(coordinates));
      const offer = { score: score(shownOf(server), { country, seed: "" }), distanceKm: away };
      return node && viewOf(node, server, offer, allowedTags);
    };
  }

  /** @returns undefined where no region was wished, or no other one has a server either */
  function alternativeOf(choice: ReturnType<typeof chooseServer>): Alternative | null {
    const { region, distanceKm: km } = choice.alternative ?? {};
    if (region === undefined) return null;
    return { region, distance_km: km === undefined ? null : Math.round(km) };
  }

  /** @throws devices.server_unavailable, devices.server_not_included */
  function demandServer(fleet: Fleet, id: string, allowedTags: readonly string[]): string {
    const server = fleet.find(id);
    if (!server) throw deviceErrors.serverUnavailable();
    if (!isIncluded(server, allowedTags)) throw deviceErrors.serverNotIncluded();
    if (!takesDevices(server)) throw deviceErrors.serverUnavailable();
    return id;
  }

  return {
    /** By name. */
    async list(accountId: string, { country, ...page }: PageRequest & { readonly country?: string }) {
      const { fleet, nodes } = await follower.read();
      const bounds = boundsOf(page, ["text"]);
      const after = bounds.after?.[0] ?? "";
      const sought = page.search?.trim().toLowerCase() ?? "";
      const view = createViewer(nodes, accountId, country);
      const rows = fleet.servers
        .map((server) => ({ server, name: nodes.get(server.id)?.name ?? "" }))
        .filter(({ name }) => name > after)
        .filter(({ name, server }) =>
          [name, server.region].some((text) => text.toLowerCase().includes(sought)),
        )
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .slice(0, bounds.rows)
        .flatMap(({ server }) => view(server) ?? []);
      return pageOf(
        rows,
        bounds,
        ({ name }) => [name],
        (shown) => shown,
      );
    },

    /** Those that take devices and that the account's plan has; of equal ones, the nearest. */
    async best(
      accountId: string,
      { country, region, limit = BEST_DEFAULT }: BestQuery,
    ): Promise<ResultOf<typeof api.servers.best>> {
      const { fleet, nodes } = await follower.read();
      const view = createViewer(nodes, accountId, country);
      const allowedTags = plans.planOf(accountId).server_tags;
      const items = fleet.servers
        .filter((server) => takesDevices(server) && isIncluded(server, allowedTags))
        .filter((server) => region === undefined || server.region === region)
        .flatMap((server) => view(server) ?? [])
        .sort(byScore)
        .slice(0, limit);
      const choice = chooseServer(fleet, { region, country, allowedTags, seed: accountId });
      return { items, alternative: alternativeOf(choice) };
    },

    /** @throws servers.not_found */
    async status(accountId: string, id: string, country: string | undefined): Promise<ServerView> {
      const { fleet, nodes } = await follower.read();
      const server = fleet.find(id);
      const view = server && createViewer(nodes, accountId, country)(server);
      if (!view) throw serverErrors.notFound();
      return view;
    },

    /**
     * The server for a device: the wished one, or else the best that the account's plan has.
     *
     * @param seed by whom servers that are equally good are shared out: the device
     * @throws devices.server_unavailable, devices.server_not_included, devices.region_unavailable, devices.no_server
     */
    async choose(
      accountId: string,
      { server_id, region, country }: PlaceWish,
      seed: string,
      except: ReadonlySet<string>,
    ): Promise<string> {
      const { fleet } = await follower.read();
      const allowedTags = plans.planOf(accountId).server_tags;
      if (server_id !== undefined) return demandServer(fleet, server_id, allowedTags);
      const choice = chooseServer(fleet, { region, country, allowedTags, seed, except });
      if (choice.kind === "chosen") return choice.server.id;
      if (region === undefined) throw deviceErrors.noServer();
      const alternative = alternativeOf(choice);
      throw deviceErrors.regionUnavailable(alternative ? { detail: detailOf(alternative) } : {});
    },

    /** Whether a node is in the region and well, full or not: a device there is where it should be. */
    async isKept(id: string, region: string | undefined): Promise<boolean> {
      const { fleet } = await follower.read();
      const server = fleet.find(id);
      return server?.region === region && server?.state === "healthy";
    },

    /** The server for a device that must leave one: the best of the same region, else of the nearest that has one. */
    async chooseInstead(
      accountId: string,
      region: string,
      seed: string,
      except: ReadonlySet<string>,
    ): Promise<string | undefined> {
      const { fleet } = await follower.read();
      const wish = { allowedTags: plans.planOf(accountId).server_tags, seed, except };
      const choice = chooseServer(fleet, { ...wish, region });
      if (choice.kind === "chosen") return choice.server.id;
      if (choice.alternative === undefined) return undefined;
      const other = chooseServer(fleet, { ...wish, region: choice.alternative.region });
      return other.kind === "chosen" ? other.server.id : undefined;
    },
  };
}

function byScore(a: ServerView, b: ServerView): number {
  const further = (a.distance_km ?? Number.MAX_VALUE) - (b.distance_km ?? Number.MAX_VALUE);
  return b.score - a.score || further || (a.name < b.name ? -1 : 1);
}

function detailOf({ region, distance_km }: Alternative): string {
  const away = distance_km === null ? "" : `, ${distance_km} km away`;
  return `${deviceErrors.regionUnavailable.message} The nearest region that has one is ${region}${away}.`;
}
