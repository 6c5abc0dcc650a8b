import type { BackupKind } from "@securewave/contracts";
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { client } from "../../api.ts";
import { FIRST_PAGE, nextCursor, pageQuery } from "../../queries.ts";

const STATE_INTERVAL_MS = 10_000;
const RUN_INTERVAL_MS = 700;

export const backupStateQuery = queryOptions({
  queryKey: ["backups", "state"],
  queryFn: ({ signal }) => client.backups.state({ signal }),
  refetchInterval: STATE_INTERVAL_MS,
});

export const backupsQuery = (kind: BackupKind | undefined) =>
  infiniteQueryOptions({
    queryKey: ["backups", "list", kind ?? null],
    queryFn: ({ signal, pageParam }) =>
      client.backups.list({ query: { ...pageQuery("", pageParam), ...(kind && { kind }) }, signal }),
    initialPageParam: FIRST_PAGE.cursor,
    getNextPageParam: nextCursor,
  });

/** Asked often while something goes on. */
export const backupRunQuery = queryOptions({
  queryKey: ["backups", "run"],
  queryFn: async ({ signal }) => (await client.backups.run({ signal })).run,
  refetchInterval: ({ state }) => (state.data?.state === "running" ? RUN_INTERVAL_MS : STATE_INTERVAL_MS),
});
