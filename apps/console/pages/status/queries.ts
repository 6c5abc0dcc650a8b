import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { client } from "../../api.ts";
import { FIRST_PAGE, nextCursor, pageQuery, queryClient } from "../../queries.ts";

const KEY = "status-desk";

export const incidentsQuery = infiniteQueryOptions({
  queryKey: [KEY, "incidents"],
  queryFn: ({ signal, pageParam }) =>
    client.statusDesk.incidents({ query: pageQuery("", pageParam), signal }),
  initialPageParam: FIRST_PAGE.cursor,
  getNextPageParam: nextCursor,
});

export const windowsQuery = infiniteQueryOptions({
  queryKey: [KEY, "windows"],
  queryFn: ({ signal, pageParam }) => client.statusDesk.windows({ query: pageQuery("", pageParam), signal }),
  initialPageParam: FIRST_PAGE.cursor,
  getNextPageParam: nextCursor,
});

export const modeQuery = queryOptions({
  queryKey: [KEY, "mode"],
  queryFn: ({ signal }) => client.statusDesk.maintenance({ signal }),
  refetchInterval: 30_000,
});

export const statusQuery = queryOptions({
  queryKey: [KEY, "page"],
  queryFn: ({ signal }) => client.status.show({ signal }),
  refetchInterval: 60_000,
});

export const refreshStatus = () => queryClient.invalidateQueries({ queryKey: [KEY] });
