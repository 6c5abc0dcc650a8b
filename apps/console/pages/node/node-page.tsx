import type { Node } from "@securewave/contracts";
import { nodeErrors } from "@securewave/contracts";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { NodeStateBadge } from "../../components/node-state.tsx";
import { Card, ErrorState, PageTitle, SkeletonRows } from "../../components/page.tsx";
import { ShareBar } from "../../components/share-bar.tsx";
import { Notice, StateBadge } from "../../components/state.tsx";
import { formatCount, formatDay } from "../../format.ts";
import { isRefusal } from "../../problems.ts";
import { nodeQuery } from "../../queries.ts";
import { useIsAdmin } from "../../use-session.ts";
import { NothingHere } from "../not-found/not-found-page.tsx";
import { HealthSection } from "./health-section.tsx";
import { NodeActs } from "./node-acts.tsx";

const route = getRouteApi("/account/staff/admin/nodes/$id");
const UP = { label: "Nodes", link: { to: "/admin/nodes" } } as const;

export function NodePage() {
  const { id } = route.useParams();
  const node = useQuery(nodeQuery(id));
  const isAdmin = useIsAdmin();

  if (node.isPending) {
    return (
      <>
        <PageTitle title="Node" up={UP} />
        <SkeletonRows label="Loading the node" count={2} />
      </>
    );
  }
  if (isRefusal(node.error, nodeErrors.notFound)) return <NothingHere />;
  if (!node.data) return <ErrorState error={node.error} onRetry={node.refetch} />;
  return (
    <>
      <PageTitle title={node.data.name} lead={node.data.region} up={UP} />
      <Facts node={node.data} />
      {node.data.joined_on !== null && node.data.removed_on === null && <HealthSection nodeId={id} />}
      {isAdmin && node.data.removed_on === null && (
        <div className="mt-9">
          <NodeActs node={node.data} />
        </div>
      )}
    </>
  );
}

function Facts({ node }: { node: Node }) {
  const behind = node.applied_revision === null ? undefined : node.revision - node.applied_revision;
  return (
    <Card className="overflow-hidden">
      <div className="p-5 sm:px-6" role="status">
        <div className="flex flex-wrap gap-2">
          <NodeStateBadge state={node.state} />
          {node.draining && node.state !== "draining" && <StateBadge tone="still">Draining</StateBadge>}
          {node.quarantined && <StateBadge tone="bad">Quarantined</StateBadge>}
        </div>
        {node.problem !== null && (
          <div className="mt-3">
            <Notice tone="warn">{node.problem}</Notice>
          </div>
        )}
        {node.removed_on !== null && (
          <p className="mt-3 text-muted">
            It was removed on {formatDay(node.removed_on)}. Its agent was told to take the tunnels down, and
            it can join no more.
          </p>
        )}
      </div>
      <dl className="-mb-px grid border-line border-t sm:grid-cols-2 lg:grid-cols-3">
        <Fact label="Devices">
          <span className="mb-2 block">
            {formatCount(node.devices)} of {formatCount(node.capacity)}
          </span>
          <ShareBar share={node.devices / node.capacity} warnsFrom={0.8} />
        </Fact>
        <Fact label="Connected now">{node.connected}</Fact>
        <Fact label="Revision">
          {node.applied_revision === null ? "Unseen" : formatCount(node.applied_revision)} of{" "}
          {formatCount(node.revision)}
          {behind !== undefined && behind > 0 && (
            <span className="text-warn">, {formatCount(behind)} behind</span>
          )}
        </Fact>
        <Fact label="Endpoint">
          {node.endpoint ? (
            <span className="font-mono text-xs">
              <span className="wrap-anywhere">
                {node.endpoint.host.includes(":") ? `[${node.endpoint.host}]` : node.endpoint.host}
              </span>
              <span className="whitespace-nowrap">:{node.endpoint.port}</span>
            </span>
          ) : (
            "Known once it has joined"
          )}
        </Fact>
        <Fact label="Agent">
          {node.agent_version ?? "Not seen"}
          {node.agent_is_current === true && <span className="text-muted">, the newest</span>}
          {node.agent_is_current === false && <span className="text-warn">, an update is due</span>}
        </Fact>
        <Fact label="Joined">{node.joined_on === null ? "Not yet" : formatDay(node.joined_on)}</Fact>
        {node.tags.length > 0 && <Fact label="Tags">{node.tags.join(", ")}</Fact>}
        {node.former_places_until !== null && (
          <Fact label="Former configs work until">{formatDay(node.former_places_until)}</Fact>
        )}
        {node.public_key !== null && (
          <div className="border-line border-b px-5 py-4 sm:col-span-full sm:px-6">
            <dt className="text-muted text-xs">Public key</dt>
            <dd className="mt-1 break-all font-mono text-xs">{node.public_key}</dd>
          </div>
        )}
      </dl>
    </Card>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="border-line border-b px-5 py-4 sm:px-6">
      <dt className="text-muted text-xs">{label}</dt>
      <dd className="figures mt-1 text-sm">{children}</dd>
    </div>
  );
}
