import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { client } from "../../api.ts";
import { FIRST_PAGE, nextCursor, pageQuery } from "../../queries.ts";

export const plansQuery = infiniteQueryOptions({
  queryKey: ["plans", "list"],
  queryFn: ({ signal, pageParam }) => client.plans.list({ query: pageQuery("", pageParam), signal }),
  initialPageParam: FIRST_PAGE.cursor,
  getNextPageParam: nextCursor,
});

/** To choose from: the greatest page is far more than anybody offers. */
export const offeredPlansQuery = queryOptions({
  queryKey: ["plans", "offered"],
  queryFn: async ({ signal }) => (await client.plans.list({ query: { limit: 100 }, signal })).items,
});

export const planOfQuery = (id: string) =>
  queryOptions({
    queryKey: ["plans", "of", id],
    queryFn: ({ signal }) => client.plans.ofAccount({ params: { id }, signal }),
  });
