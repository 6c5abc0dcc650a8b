import type { Node } from "@securewave/contracts";
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Plus, SearchX, Server } from "lucide-react";
import { type ReactNode, useCallback } from "react";
import { ButtonLink } from "../../components/button.tsx";
import { NodeStateBadge } from "../../components/node-state.tsx";
import { EmptyState, ErrorState, MoreButton, PageTitle, SkeletonRows } from "../../components/page.tsx";
import { SearchField } from "../../components/search.tsx";
import { formatCount } from "../../format.ts";
import { nodesQuery } from "../../queries.ts";
import { useIsAdmin } from "../../use-session.ts";

const route = getRouteApi("/account/staff/admin/nodes");

export function NodesPage() {
  const { search = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const list = useInfiniteQuery(nodesQuery(search));
  const nodes = list.data?.pages.flatMap((page) => page.items) ?? [];
  const onSearch = useCallback(
    (text: string) => void navigate({ search: text === "" ? {} : { search: text }, replace: true }),
    [navigate],
  );
  const isEmpty = list.isSuccess && nodes.length === 0;
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
        actions={isEmpty && search === "" ? undefined : addButton}
      />
      {(search !== "" || nodes.length > 5) && (
        <div className="mb-4">
          <SearchField label="Search nodes" value={search} onSearch={onSearch} />
        </div>
      )}
      {list.isPending && <SkeletonRows label="Loading nodes" />}
      {list.isError && nodes.length === 0 && <ErrorState error={list.error} onRetry={list.refetch} />}
      {isEmpty && search === "" && (
        <EmptyState icon={Server} title="Add the first node" action={addButton}>
          A node is a VPN server. Register it here, run one command there, and it joins by itself.
        </EmptyState>
      )}
      {isEmpty && search !== "" && (
        <EmptyState icon={SearchX} title="No node of that name">
          Nothing matches “{search}”.
        </EmptyState>
      )}
      {nodes.length > 0 && <NodesTable nodes={nodes} />}
      <MoreButton list={list} />
    </>
  );
}

function NodesTable({ nodes }: { nodes: readonly Node[] }) {
  return (
    <div className="overflow-hidden rounded-lg border border-line bg-surface shadow-card">
      <table className="w-full text-left text-sm max-md:block">
        <thead className="text-muted text-xs max-md:sr-only">
          <tr className="*:px-4 *:py-2.5 *:font-medium *:first:pl-5 *:last:pr-5">
            <th scope="col">Node</th>
            <th scope="col">State</th>
            <th scope="col" className="text-right">
              Devices
            </th>
            <th scope="col" className="text-right">
              Connected
            </th>
            <th scope="col" className="text-right">
              Revision
            </th>
            <th scope="col">Agent</th>
          </tr>
        </thead>
        <tbody className="max-md:block">
          {nodes.map((node) => (
            <NodeRow key={node.id} node={node} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** On a phone the row becomes a card; each figure then brings its own name. */
function NodeRow({ node }: { node: Node }) {
  return (
    <tr className="relative border-line border-t align-top transition-colors hover:bg-hover max-md:grid max-md:grid-cols-[5fr_4fr] max-md:gap-x-4 max-md:gap-y-1.5 max-md:p-4 max-md:first:border-t-0 md:*:px-4 md:*:py-4 md:*:first:pl-5 md:*:last:pr-5">
      <th scope="row" className="min-w-0 font-normal">
        <Link
          to="/admin/nodes/$id"
          params={{ id: node.id }}
          className="block truncate rounded-sm font-semibold text-base after:absolute after:inset-0"
        >
          {node.name}
        </Link>
        <span className="block truncate text-muted">{node.region}</span>
      </th>
      <td className="max-md:justify-self-end max-md:text-right md:max-w-72">
        <NodeStateBadge state={node.state} />
        {node.problem !== null && <p className="mt-1.5 text-muted max-md:hidden">{node.problem}</p>}
      </td>
      {node.problem !== null && <td className="col-span-2 text-muted md:hidden">{node.problem}</td>}
      <Figure label="Devices">
        {formatCount(node.devices)}
        <span className="text-muted"> / {formatCount(node.capacity)}</span>
      </Figure>
      <Figure label="Connected">{node.connected}</Figure>
      <Figure label="Revision">
        <Revision node={node} />
      </Figure>
      <td className="figures text-muted">
        <span className="md:hidden">Agent </span>
        {node.agent_version ?? "none"}
      </td>
    </tr>
  );
}

function Figure({ label, children }: { label: string; children: ReactNode }) {
  return (
    <td className="figures whitespace-nowrap md:text-right">
      <span className="text-muted md:hidden">{label} </span>
      {children}
    </td>
  );
}

function Revision({ node }: { node: Node }) {
  if (node.applied_revision === null)
    return <span className="text-muted">{formatCount(node.revision)}, unseen</span>;
  const behind = node.revision - node.applied_revision;
  return (
    <>
      {formatCount(node.applied_revision)}
      <span className={`text-xs max-md:ml-1.5 md:block ${behind > 0 ? "text-warn" : "text-muted"}`}>
        {behind > 0 ? `${formatCount(behind)} behind` : "up to date"}
      </span>
    </>
  );
}
