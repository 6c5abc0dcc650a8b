import { queryOptions } from "@tanstack/react-query";
import { client } from "../../api.ts";

const INTERVAL_MS = 15_000;

export const healthDetailsQuery = queryOptions({
  queryKey: ["health", "details"],
  queryFn: ({ signal }) => client.alerts.health({ signal }),
  refetchInterval: INTERVAL_MS,
});
