import type { Node } from "@securewave/contracts";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Archive, Plus, SearchX, Server } from "lucide-react";
import { lazy, Suspense, useCallback } from "react";
import { Button, ButtonLink } from "../../components/button.tsx";
import { EmptyState, ErrorState, PageTitle, SkeletonRows } from "../../components/page.tsx";
import type { FleetFilter, FleetOrder } from "../../fleet-filter.ts";
import { formatCount, plural } from "../../format.ts";
import { fleetQuery } from "../../queries.ts";
import { useIsAdmin } from "../../use-session.ts";
import { chosen } from "./fleet.ts";
import { FleetFilters, RemovedSwitch, StateCounts } from "./fleet-filters.tsx";
import { NodesTable } from "./nodes-table.tsx";
import { RemovedNodes } from "./removed-nodes.tsx";

const route = getRouteApi("/account/staff/admin/nodes");

/** Without it the table still says all. */
const FleetMap = lazy(async () => {
  try {
    return { default: (await import("./fleet-map.tsx")).FleetMap };
  } catch {
    return { default: () => <p className="text-muted text-sm">The map could not be loaded.</p> };
  }
});

export function NodesPage() {
  const filter = route.useSearch();
  const navigate = route.useNavigate();
  const fleet = useQuery(fleetQuery(filter.removed));
  const nodes = fleet.data?.nodes ?? [];
  const onChange = useCallback(
    (change: FleetFilter) =>
      void navigate({ search: (before) => ({ ...before, ...change }), replace: true, resetScroll: false }),
    [navigate],
  );
  const isEmpty = fleet.isSuccess && nodes.length === 0;
  const addButton = useIsAdmin() ? (
    <ButtonLink to="/admin/nodes/new" tone="primary" icon={Plus}>
      Add node
    </ButtonLink>
  ) : undefined;

  return (
    <>
      <PageTitle
        title="Nodes"
        lead="The VPN servers, as they are at this moment."
        actions={isEmpty && !filter.removed ? undefined : addButton}
      />
      {fleet.isPending && <SkeletonRows label="Loading nodes" />}
      {fleet.isError && !fleet.data && <ErrorState error={fleet.error} onRetry={fleet.refetch} />}
      {isEmpty && !filter.removed && (
        <>
          <EmptyState icon={Server} title="Add the first node" action={addButton}>
            A node is a VPN server. Register it here, run one command there, and it joins by itself.
          </EmptyState>
          <div className="mt-4 flex">
            <RemovedSwitch filter={filter} onChange={onChange} />
          </div>
        </>
      )}
      {fleet.data && filter.removed && (
        <>
          <div className="mb-4 flex">
            <RemovedSwitch filter={filter} onChange={onChange} />
          </div>
          {isEmpty ? (
            <EmptyState icon={Archive} title="No node was removed">
              Nodes that are removed are listed here, with the day.
            </EmptyState>
          ) : (
            <RemovedNodes nodes={nodes} />
          )}
        </>
      )}
      {nodes.length > 0 && !filter.removed && <FleetView nodes={nodes} filter={filter} onChange={onChange} />}
      {fleet.data?.isWhole === false && (
        <p className="mt-4 text-muted text-sm">
          There are more than the {formatCount(nodes.length)} that are shown here.
        </p>
      )}
    </>
  );
}

interface FleetViewProps {
  readonly nodes: readonly Node[];
  readonly filter: FleetFilter;
  readonly onChange: (change: FleetFilter) => void;
}

function FleetView({ nodes, filter, onChange }: FleetViewProps) {
  const { order = "name", isDescending = false } = filter;
  const shown = chosen(nodes, filter);
  const isFiltered = filter.search !== undefined || filter.state !== undefined || filter.region !== undefined;

  function onOrder(wanted: FleetOrder): void {
    const isTurned = wanted === order && !isDescending;
    onChange({ order: wanted === "name" ? undefined : wanted, isDescending: isTurned || undefined });
  }

  return (
    <>
      <StateCounts nodes={nodes} filter={filter} onChange={onChange} />
      <div className="mb-5">
        <Suspense fallback={<div className="aspect-21/10 animate-breathe rounded-lg bg-sunken" />}>
          <FleetMap nodes={shown} />
        </Suspense>
      </div>
      <FleetFilters nodes={nodes} filter={filter} onChange={onChange} />
      <p role="status" className={isFiltered ? "mb-2 text-muted text-sm" : "sr-only"}>
        {isFiltered
          ? `${formatCount(shown.length)} of ${plural(nodes.length, "node")}`
          : plural(nodes.length, "node")}
      </p>
      {shown.length === 0 ? (
        <EmptyState
          icon={SearchX}
          title="No such node"
          action={
            <Button onClick={() => onChange({ search: undefined, state: undefined, region: undefined })}>
              Show all
            </Button>
          }
        >
          Nothing is as wished for.
        </EmptyState>
      ) : (
        <NodesTable nodes={shown} order={order} isDescending={isDescending} onOrder={onOrder} />
      )}
    </>
  );
}
