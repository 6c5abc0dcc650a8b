import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { client } from "../../api.ts";
import { FIRST_PAGE, nextCursor, pageQuery, queryClient, serviceQuery } from "../../queries.ts";

const KEY = "status-desk";
/** Colleagues post too, and maintenance begins and ends by itself. */
const INTERVAL_MS = 30_000;

export const incidentsQuery = infiniteQueryOptions({
  queryKey: [KEY, "incidents"],
  queryFn: ({ signal, pageParam }) =>
    client.statusDesk.incidents({ query: pageQuery("", pageParam), signal }),
  initialPageParam: FIRST_PAGE.cursor,
  getNextPageParam: nextCursor,
  refetchInterval: INTERVAL_MS,
});

export const windowsQuery = infiniteQueryOptions({
  queryKey: [KEY, "windows"],
  queryFn: ({ signal, pageParam }) => client.statusDesk.windows({ query: pageQuery("", pageParam), signal }),
  initialPageParam: FIRST_PAGE.cursor,
  getNextPageParam: nextCursor,
  refetchInterval: INTERVAL_MS,
});

export const modeQuery = queryOptions({
  queryKey: [KEY, "mode"],
  queryFn: ({ signal }) => client.statusDesk.maintenance({ signal }),
  refetchInterval: INTERVAL_MS,
});

export const statusQuery = queryOptions({
  queryKey: [KEY, "page"],
  queryFn: ({ signal }) => client.status.show({ signal }),
  refetchInterval: 60_000,
});

/** What the page shows, and the banner above all pages. */
export const refreshStatus = () =>
  Promise.all([
    queryClient.invalidateQueries({ queryKey: [KEY] }),
    queryClient.invalidateQueries(serviceQuery),
  ]);
