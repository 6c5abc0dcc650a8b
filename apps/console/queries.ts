import type { Node, Server } from "@securewave/contracts";
import { infiniteQueryOptions, keepPreviousData, QueryClient, queryOptions } from "@tanstack/react-query";
import { client } from "./api.ts";
import { isPassing } from "./problems.ts";

const PAGE_ITEMS = 25;
const RETRIES = 2;
/** How often pages of the operator look again, so that they show what nodes do at the moment. */
const LIVE_INTERVAL_MS = 3000;
const HEALTH_INTERVAL_MS = 5000;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5000,
      networkMode: "always",
      retry: (failures, error) => failures < RETRIES && isPassing(error),
    },
    mutations: { networkMode: "always" },
  },
});

export const nextCursor = (page: { readonly next_cursor: string | null }) => page.next_cursor ?? undefined;

export function pageQuery(search: string, cursor: string | undefined) {
  return { limit: PAGE_ITEMS, ...(search && { search }), ...(cursor && { cursor }) };
}

export const FIRST_PAGE: { readonly cursor: string | undefined } = { cursor: undefined };

export const serviceQuery = queryOptions({
  queryKey: ["service"],
  queryFn: ({ signal }) => client.service.info({ signal }),
  staleTime: 60_000,
});

export const devicesQuery = (search: string) =>
  infiniteQueryOptions({
    queryKey: ["devices", "list", search],
    queryFn: ({ signal, pageParam }) => client.devices.list({ query: pageQuery(search, pageParam), signal }),
    initialPageParam: FIRST_PAGE.cursor,
    getNextPageParam: nextCursor,
  });

export const deviceQuery = (id: string) =>
  queryOptions({
    queryKey: ["devices", "one", id],
    queryFn: ({ signal }) => client.devices.show({ params: { id }, signal }),
  });

/** More than anybody looks through; the service chooses among all in any case. */
const SERVER_PAGES_MAX = 10;

/** The servers by name. With a country, how far away each is. */
export const serversQuery = (country: string | undefined) =>
  queryOptions({
    queryKey: ["servers", "list", country ?? null],
    queryFn: async ({ signal }) => {
      const servers: Server[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < SERVER_PAGES_MAX; page++) {
        const query = { limit: 100, ...(cursor && { cursor }), ...(country && { country }) };
        const { items, next_cursor } = await client.servers.list({ query, signal });
        servers.push(...items);
        if (next_cursor === null) return { servers, hasMore: false };
        cursor = next_cursor;
      }
      return { servers, hasMore: true };
    },
    placeholderData: keepPreviousData,
  });

/** The servers that the service would choose, the best first. */
export const bestServersQuery = (country: string | undefined) =>
  queryOptions({
    queryKey: ["servers", "best", country ?? null],
    queryFn: ({ signal }) =>
      client.servers.best({ query: { limit: 3, ...(country && { country }) }, signal }),
    placeholderData: keepPreviousData,
  });

/** Which region is nearest to one that has no server to choose. */
export const neighbourQuery = (region: string, country: string | undefined) =>
  queryOptions({
    queryKey: ["servers", "neighbour", region, country ?? null],
    queryFn: ({ signal }) =>
      client.servers.best({ query: { limit: 1, region, ...(country && { country }) }, signal }),
    staleTime: 60_000,
  });

export const totalsQuery = queryOptions({
  queryKey: ["totals"],
  queryFn: ({ signal }) => client.fleetDevices.totals({ signal }),
  refetchInterval: LIVE_INTERVAL_MS,
});

export const healthQuery = queryOptions({
  queryKey: ["health"],
  queryFn: ({ signal }) => client.service.health({ signal }),
  refetchInterval: 5 * LIVE_INTERVAL_MS,
});

/** Of one request; the greatest that there is. */
const FLEET_PAGE_NODES = 100;
const FLEET_PAGES_MAX = 20;

export interface Fleet {
  readonly nodes: readonly Node[];
  /** False when there are more than a page can show well. */
  readonly isWhole: boolean;
}

/** All nodes, or those that were removed; a great fleet is asked for less often. */
export const fleetQuery = (removed = false) =>
  queryOptions({
    queryKey: ["nodes", "fleet", removed],
    queryFn: async ({ signal }): Promise<Fleet> => {
      const nodes: Node[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < FLEET_PAGES_MAX; page++) {
        const query = { limit: FLEET_PAGE_NODES, ...(removed && { removed }), ...(cursor && { cursor }) };
        const { items, next_cursor } = await client.nodes.list({ query, signal });
        nodes.push(...items);
        if (next_cursor === null) return { nodes, isWhole: true };
        cursor = next_cursor;
      }
      return { nodes, isWhole: false };
    },
    refetchInterval: ({ state }) =>
      LIVE_INTERVAL_MS * Math.max(1, Math.ceil((state.data?.nodes.length ?? 0) / FLEET_PAGE_NODES)),
  });

export const nodeQuery = (id: string) =>
  queryOptions({
    queryKey: ["nodes", "one", id],
    queryFn: ({ signal }) => client.nodes.show({ params: { id }, signal }),
    refetchInterval: LIVE_INTERVAL_MS,
  });

/** The last hour; asked for while the page is looked at. */
export const nodeHealthQuery = (id: string) =>
  queryOptions({
    queryKey: ["nodes", "health", id],
    queryFn: async ({ signal }) => (await client.nodes.health({ params: { id }, signal })).samples,
    refetchInterval: HEALTH_INTERVAL_MS,
  });

export const accountsQuery = (search: string) =>
  infiniteQueryOptions({
    queryKey: ["accounts", search],
    queryFn: ({ signal, pageParam }) => client.accounts.list({ query: pageQuery(search, pageParam), signal }),
    initialPageParam: FIRST_PAGE.cursor,
    getNextPageParam: nextCursor,
  });

export const secondFactorQuery = queryOptions({
  queryKey: ["security", "second-factor"],
  queryFn: ({ signal }) => client.secondFactor.show({ signal }),
});

export const settingsQuery = queryOptions({
  queryKey: ["settings"],
  queryFn: ({ signal }) => client.service.readSettings({ signal }),
});
