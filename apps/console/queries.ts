import { infiniteQueryOptions, QueryClient, queryOptions } from "@tanstack/react-query";
import { client } from "./api.ts";
import { isPassing } from "./problems.ts";

const PAGE_ITEMS = 25;
const RETRIES = 2;
/** How often pages of the operator look again, so that they show what nodes do at the moment. */
const LIVE_INTERVAL_MS = 3000;

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

/** All servers, those that take devices first: the greatest page is far more than anybody would choose from. */
export const serversQuery = queryOptions({
  queryKey: ["servers"],
  queryFn: async ({ signal }) => {
    const { items } = await client.servers.list({ query: { limit: 100 }, signal });
    return items.toSorted((a, b) => Number(b.available) - Number(a.available));
  },
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

export const nodesQuery = (search: string) =>
  infiniteQueryOptions({
    queryKey: ["nodes", "list", search],
    queryFn: ({ signal, pageParam }) => client.nodes.list({ query: pageQuery(search, pageParam), signal }),
    initialPageParam: FIRST_PAGE.cursor,
    getNextPageParam: nextCursor,
    refetchInterval: LIVE_INTERVAL_MS,
  });

export const nodeQuery = (id: string) =>
  queryOptions({
    queryKey: ["nodes", "one", id],
    queryFn: ({ signal }) => client.nodes.show({ params: { id }, signal }),
    refetchInterval: LIVE_INTERVAL_MS,
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
