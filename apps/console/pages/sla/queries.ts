import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { client } from "../../api.ts";

const INTERVAL_MS = 60_000;

export const slaQuery = (month: string | undefined) =>
  queryOptions({
    queryKey: ["sla", month ?? null],
    queryFn: ({ signal }) => client.sla.month({ query: month === undefined ? {} : { month }, signal }),
    refetchInterval: INTERVAL_MS,
    placeholderData: keepPreviousData,
  });
