import type { Client } from "@securewave/contracts";
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { client } from "../../api.ts";
import { FIRST_PAGE, nextCursor, pageQuery } from "../../queries.ts";

export const passkeysQuery = queryOptions({
  queryKey: ["security", "passkeys"],
  queryFn: ({ signal }) => client.passkeys.list({ signal }),
});

export const logInsQuery = infiniteQueryOptions({
  queryKey: ["security", "log-ins"],
  queryFn: ({ signal, pageParam }) => client.sessions.list({ query: pageQuery("", pageParam), signal }),
  initialPageParam: FIRST_PAGE.cursor,
  getNextPageParam: nextCursor,
});

/** The set-up of an authenticator app that waits for its first code. */
export type Begun = Awaited<ReturnType<Client["secondFactor"]["begin"]>>;
