import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { client } from "../../api.ts";
import { FIRST_PAGE, nextCursor, pageQuery } from "../../queries.ts";

/** They are judged once a minute. */
const INTERVAL_MS = 15_000;

export const alertsQuery = queryOptions({
  queryKey: ["alerts", "list"],
  queryFn: ({ signal }) => client.alerts.list({ signal }),
  refetchInterval: INTERVAL_MS,
});

export const episodesQuery = infiniteQueryOptions({
  queryKey: ["alerts", "history"],
  queryFn: ({ signal, pageParam }) => client.alerts.history({ query: pageQuery("", pageParam), signal }),
  initialPageParam: FIRST_PAGE.cursor,
  getNextPageParam: nextCursor,
  refetchInterval: 4 * INTERVAL_MS,
});
