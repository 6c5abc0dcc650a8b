import { infiniteQueryOptions } from "@tanstack/react-query";
import { client } from "../../api.ts";
import { FIRST_PAGE, nextCursor, pageQuery } from "../../queries.ts";

const INTERVAL_MS = 10_000;

export const blocksQuery = infiniteQueryOptions({
  queryKey: ["blocks"],
  queryFn: ({ signal, pageParam }) => client.blocks.list({ query: pageQuery("", pageParam), signal }),
  initialPageParam: FIRST_PAGE.cursor,
  getNextPageParam: nextCursor,
  refetchInterval: INTERVAL_MS,
});
