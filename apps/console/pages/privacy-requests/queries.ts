import type { PrivacyRequest } from "@securewave/contracts";
import { infiniteQueryOptions } from "@tanstack/react-query";
import { client } from "../../api.ts";
import { FIRST_PAGE, nextCursor, pageQuery } from "../../queries.ts";

/** What is due first stands first, so that what is late stands on top. */
export const requestsQuery = (state: PrivacyRequest["state"]) =>
  infiniteQueryOptions({
    queryKey: ["privacy-requests", state],
    queryFn: ({ signal, pageParam }) =>
      client.privacyDesk.requests({ query: { ...pageQuery("", pageParam), state }, signal }),
    initialPageParam: FIRST_PAGE.cursor,
    getNextPageParam: nextCursor,
  });
