import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { client } from "../../api.ts";
import { FIRST_PAGE, nextCursor, pageQuery } from "../../queries.ts";

export const privacyQuery = queryOptions({
  queryKey: ["privacy"],
  queryFn: ({ signal }) => client.privacy.show({ signal }),
});

const HISTORY_DAYS = 31;

/** The newest day first. */
export const historyQuery = queryOptions({
  queryKey: ["privacy", "history"],
  queryFn: async ({ signal }) =>
    (await client.privacy.history({ query: { limit: HISTORY_DAYS }, signal })).items,
});

export const ownRequestsQuery = infiniteQueryOptions({
  queryKey: ["privacy", "requests"],
  queryFn: ({ signal, pageParam }) => client.privacy.ownRequests({ query: pageQuery("", pageParam), signal }),
  initialPageParam: FIRST_PAGE.cursor,
  getNextPageParam: nextCursor,
});
