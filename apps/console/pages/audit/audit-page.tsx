import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Download, ScrollText, SearchX } from "lucide-react";
import { useCallback } from "react";
import type { AuditFilter } from "../../audit-filter.ts";
import { Button } from "../../components/button.tsx";
import { EmptyState, ErrorState, MoreButton, PageTitle, SkeletonRows } from "../../components/page.tsx";
import { plural } from "../../format.ts";
import { AuditFilters } from "./audit-filters.tsx";
import { CheckpointPanel } from "./checkpoint-panel.tsx";
import { EntryList } from "./entry-list.tsx";
import { auditQuery } from "./queries.ts";

const route = getRouteApi("/account/staff/admins/admin/audit");

export function AuditPage() {
  const filter = route.useSearch();
  const navigate = route.useNavigate();
  const list = useInfiniteQuery(auditQuery(filter));
  const entries = list.data?.pages.flatMap((page) => page.items) ?? [];
  const isFiltered = Object.values(filter).some((value) => value !== undefined);
  const isEmpty = list.isSuccess && entries.length === 0;
  const onChange = useCallback(
    (change: AuditFilter) =>
      void navigate({ search: (before) => ({ ...before, ...change }), replace: true, resetScroll: false }),
    [navigate],
  );
  const onClear = () => void navigate({ search: {}, replace: true });

  return (
    <>
      <PageTitle
        title="Audit trail"
        lead="Every act that bears on security, in a chain that shows when anything is taken out or changed. What customers do stands in it by the day."
        actions={<ExportLink />}
      />
      <CheckpointPanel />
      <AuditFilters filter={filter} onChange={onChange} onClear={isFiltered ? onClear : undefined} />
      <p role="status" className="sr-only">
        {list.isSuccess && `${plural(entries.length, "entry", "entries")} shown`}
      </p>
      {list.isPending && <SkeletonRows label="Loading the audit trail" count={6} />}
      {list.isError && !list.data && <ErrorState error={list.error} onRetry={list.refetch} />}
      {isEmpty && isFiltered && (
        <EmptyState icon={SearchX} title="No such entry" action={<Button onClick={onClear}>Show all</Button>}>
          Nothing in the trail matches what you chose.
        </EmptyState>
      )}
      {isEmpty && !isFiltered && (
        <EmptyState icon={ScrollText} title="Nothing yet">
          The first act that bears on security is written here.
        </EmptyState>
      )}
      {entries.length > 0 && <EntryList entries={entries} onFilter={onChange} />}
      <MoreButton list={list} />
    </>
  );
}

/** The browser takes it straight to the disk: the whole trail may be more than a page can hold. */
function ExportLink() {
  return (
    <a
      href="/api/admin/audit/export"
      download="securewave-audit.jsonl"
      className="inline-flex min-h-10 items-center justify-center gap-2 whitespace-nowrap rounded-md border border-outline/60 bg-surface px-4 py-2 font-medium text-ink transition-colors hover:bg-hover pointer-coarse:min-h-11"
    >
      <Download className="size-4 shrink-0" aria-hidden="true" />
      Export
    </a>
  );
}
