import { queryOptions } from "@tanstack/react-query";
import { client } from "../../api.ts";

const INTERVAL_MS = 5000;

export const keysQuery = queryOptions({
  queryKey: ["keys"],
  queryFn: ({ signal }) => client.keys.list({ signal }),
  refetchInterval: INTERVAL_MS,
});
