import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { client } from "../../api.ts";
import { FIRST_PAGE, nextCursor, pageQuery } from "../../queries.ts";

export const drillsQuery = infiniteQueryOptions({
  queryKey: ["drills", "list"],
  queryFn: ({ signal, pageParam }) => client.drills.list({ query: pageQuery("", pageParam), signal }),
  initialPageParam: FIRST_PAGE.cursor,
  getNextPageParam: nextCursor,
});

export const drillQuery = (id: string) =>
  queryOptions({
    queryKey: ["drills", id],
    queryFn: ({ signal }) => client.drills.show({ params: { id }, signal }),
  });
