import { useInfiniteQuery } from "@tanstack/react-query";
import { LifeBuoy } from "lucide-react";
import { useState } from "react";
import { EmptyState, ErrorState, MoreButton, PageTitle, SkeletonRows } from "../../components/page.tsx";
import { DrillTable } from "./drill-table.tsx";
import { DrillTimeline } from "./drill-timeline.tsx";
import { drillsQuery } from "./queries.ts";

export function DrillsPage() {
  const list = useInfiniteQuery(drillsQuery);
  const [shownId, setShownId] = useState<string>();
  const drills = list.data?.pages.flatMap((page) => page.items) ?? [];

  return (
    <>
      <PageTitle
        title="Drills"
        lead="How fast a service of the same version was back after each disaster, and how much was lost, beside the targets."
      />
      {list.isPending && <SkeletonRows label="Loading drills" />}
      {list.isError && !list.data && <ErrorState error={list.error} onRetry={list.refetch} />}
      {list.data && drills.length === 0 && (
        <EmptyState icon={LifeBuoy} title="No drill was recorded">
          Carry one out on any machine where you are logged in:{" "}
          <code className="font-mono">securewave drill node-loss</code>. It touches nothing but processes of
          its own.
        </EmptyState>
      )}
      {drills.length > 0 && (
        <div className="space-y-5">
          <DrillTable
            drills={drills}
            shownId={shownId}
            onShow={(id) => setShownId(id === shownId ? undefined : id)}
          />
          <MoreButton list={list} />
          {shownId !== undefined && <DrillTimeline key={shownId} id={shownId} />}
        </div>
      )}
    </>
  );
}
