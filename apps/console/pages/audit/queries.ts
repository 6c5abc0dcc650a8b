import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { client } from "../../api.ts";
import type { AuditFilter } from "../../audit-filter.ts";
import { FIRST_PAGE, nextCursor, pageQuery } from "../../queries.ts";

export const auditQuery = ({ kind, actor, subject, from, to }: AuditFilter) =>
  infiniteQueryOptions({
    queryKey: ["audit", "list", { kind, actor, subject, from, to }],
    queryFn: ({ signal, pageParam }) =>
      client.audit.list({
        query: {
          ...pageQuery("", pageParam),
          ...(kind && { kind }),
          ...(actor && { actor }),
          ...(subject && { subject }),
          ...(from && { from }),
          ...(to && { to }),
        },
        signal,
      }),
    initialPageParam: FIRST_PAGE.cursor,
    getNextPageParam: nextCursor,
  });

export const checkpointQuery = queryOptions({
  queryKey: ["audit", "checkpoint"],
  queryFn: ({ signal }) => client.audit.checkpoint({ signal }),
});
