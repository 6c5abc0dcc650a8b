import { queryOptions } from "@tanstack/react-query";
import { client } from "../../api.ts";

const KEY = "database";
const INTERVAL_MS = 30_000;

export const databaseQuery = queryOptions({
  queryKey: [KEY, "status"],
  queryFn: ({ signal }) => client.database.status({ signal }),
  refetchInterval: INTERVAL_MS,
});

export const rolesQuery = queryOptions({
  queryKey: [KEY, "roles"],
  queryFn: ({ signal }) => client.database.roles({ signal }),
});

export const migrationsQuery = queryOptions({
  queryKey: [KEY, "migrations"],
  queryFn: ({ signal }) => client.database.migrations({ signal }),
});

export const settingsQuery = queryOptions({
  queryKey: [KEY, "settings"],
  queryFn: ({ signal }) => client.database.settings({ signal }),
});

export const slowQuery = queryOptions({
  queryKey: [KEY, "slow"],
  queryFn: ({ signal }) => client.database.slow({ signal }),
  refetchInterval: INTERVAL_MS,
});
