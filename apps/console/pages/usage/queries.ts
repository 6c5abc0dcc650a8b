import { queryOptions } from "@tanstack/react-query";
import { client } from "../../api.ts";

/** The figure grows with what a tunnel carries; nodes report every five seconds. */
const INTERVAL_MS = 10_000;

export const usageQuery = queryOptions({
  queryKey: ["usage"],
  queryFn: ({ signal }) => client.usage.own({ signal }),
  refetchInterval: INTERVAL_MS,
});

export const ownPlanQuery = queryOptions({
  queryKey: ["plan"],
  queryFn: ({ signal }) => client.plans.own({ signal }),
});
