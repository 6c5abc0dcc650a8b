import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { client } from "../../api.ts";
import { FIRST_PAGE, nextCursor, pageQuery } from "../../queries.ts";

/** While something runs, its progress is looked at more often. */
const RUNNING_INTERVAL_MS = 1000;
const IDLE_INTERVAL_MS = 10_000;

export const jobsQuery = queryOptions({
  queryKey: ["jobs", "list"],
  queryFn: async ({ signal }) => (await client.jobs.list({ signal })).items,
  refetchInterval: ({ state }) =>
    state.data?.some((job) => job.kind !== "queued" && job.state !== "idle")
      ? RUNNING_INTERVAL_MS
      : IDLE_INTERVAL_MS,
});

export const jobQuery = (name: string) =>
  queryOptions({
    queryKey: ["jobs", "one", name],
    queryFn: ({ signal }) => client.jobs.get({ params: { name }, signal }),
    refetchInterval: ({ state }) =>
      state.data !== undefined && state.data.state !== "idle" ? RUNNING_INTERVAL_MS : IDLE_INTERVAL_MS,
  });

export const deadLettersQuery = infiniteQueryOptions({
  queryKey: ["jobs", "dead-letters"],
  queryFn: ({ signal, pageParam }) => client.deadLetters.list({ query: pageQuery("", pageParam), signal }),
  initialPageParam: FIRST_PAGE.cursor,
  getNextPageParam: nextCursor,
});

/** Of everything about jobs. */
export const JOBS_KEY = { queryKey: ["jobs"] } as const;
