import type { Node } from "@securewave/contracts";
import { Link } from "@tanstack/react-router";
import { ArrowDown, ArrowUp } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Button } from "../../components/button.tsx";
import { NodeStateBadge } from "../../components/node-state.tsx";
import { ShareBar } from "../../components/share-bar.tsx";
import { StateBadge } from "../../components/state.tsx";
import type { FleetOrder } from "../../fleet-filter.ts";
import { formatCount, formatMilliseconds } from "../../format.ts";

/** As many as a reader goes through before searching. */
const ROWS_AT_ONCE = 50;
const NEARLY_FULL = 0.8;

export const COLUMNS: readonly (readonly [order: FleetOrder, label: string, isFigure: boolean])[] = [
  ["name", "Node", false],
  ["state", "State", false],
  ["devices", "Devices", false],
  ["connected", "Connected", true],
  ["handshake", "Handshake", true],
  ["throughput", "Throughput", true],
  ["agent", "Agent", false],
];

interface NodesTableProps {
  readonly nodes: readonly Node[];
  readonly order: FleetOrder;
  readonly isDescending: boolean;
  readonly onOrder: (order: FleetOrder) => void;
}

export function NodesTable({ nodes, order, isDescending, onOrder }: NodesTableProps) {
  const [rows, setRows] = useState(ROWS_AT_ONCE);
  const Arrow = isDescending ? ArrowDown : ArrowUp;
  return (
    <>
      <div className="overflow-hidden rounded-lg border border-line bg-surface shadow-card">
        <table className="w-full text-left text-sm max-lg:block">
          <caption className="sr-only">Nodes</caption>
          <thead className="text-muted text-xs max-lg:sr-only">
            <tr className="*:px-3 *:py-1.5 *:first:pl-5 *:last:pr-5">
              {COLUMNS.map(([column, label, isFigure]) => (
                <th
                  key={column}
                  scope="col"
                  aria-sort={column === order ? (isDescending ? "descending" : "ascending") : undefined}
                  className={isFigure ? "text-right" : ""}
                >
                  <button
                    type="button"
                    className={`-mx-1 inline-flex min-h-7 items-center gap-1 rounded-sm px-1 font-medium hover:text-ink ${isFigure ? "flex-row-reverse" : ""} ${column === order ? "text-ink" : ""}`}
                    onClick={() => onOrder(column)}
                  >
                    {label}
                    {column === order && <Arrow className="size-3.5" aria-hidden="true" />}
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          {nodes.slice(0, rows).map((node) => (
            <NodeRow key={node.id} node={node} />
          ))}
        </table>
      </div>
      {nodes.length > rows && (
        <div className="mt-4 flex justify-center">
          <Button onClick={() => setRows(rows + ROWS_AT_ONCE)}>
            Show {formatCount(Math.min(ROWS_AT_ONCE, nodes.length - rows))} more
          </Button>
        </div>
      )}
    </>
  );
}

/** On a phone it becomes a card; each figure then brings its own name. */
function NodeRow({ node }: { node: Node }) {
  const { health } = node;
  return (
    <tbody className="relative border-line border-t transition-colors hover:bg-hover max-lg:block max-lg:first-of-type:border-t-0">
      <tr className="align-top max-lg:grid max-lg:grid-cols-[3fr_2fr] max-lg:gap-x-4 max-lg:gap-y-1.5 max-lg:p-4 lg:*:px-3 lg:*:py-3.5 lg:*:first:pl-5 lg:*:last:pr-5">
        <th scope="row" className="min-w-0 max-w-52 font-normal max-lg:max-w-full">
          <Link
            to="/admin/nodes/$id"
            params={{ id: node.id }}
            className="block truncate rounded-sm font-semibold text-base after:absolute after:inset-0"
          >
            {node.name}
          </Link>
          <span className="block truncate text-muted">{node.region}</span>
        </th>
        <td className="max-lg:justify-self-end">
          <span className="flex flex-wrap gap-1.5 max-lg:justify-end">
            <NodeStateBadge state={node.state} />
            {node.quarantined && <StateBadge tone="bad">Quarantined</StateBadge>}
          </span>
        </td>
        <td className="figures whitespace-nowrap max-lg:col-span-2 lg:w-32">
          <span className="mb-1.5 block">
            <Label>Devices</Label>
            {formatCount(node.devices)}
            <span className="text-muted"> / {formatCount(node.capacity)}</span>
          </span>
          <ShareBar share={node.devices / node.capacity} warnsFrom={NEARLY_FULL} />
        </td>
        <Figure label="Connected">{node.connected}</Figure>
        <Figure label="Handshake">
          {typeof health?.handshake_ms === "number" ? formatMilliseconds(health.handshake_ms) : <Unknown />}
        </Figure>
        <Figure label="Throughput">{health?.throughput ?? <Unknown />}</Figure>
        <td className="figures lg:whitespace-nowrap">
          <Label>Agent</Label>
          {node.agent_version ?? <span className="text-muted">none</span>}
          {node.agent_is_current === false && <span className="text-warn lg:block"> update due</span>}
        </td>
      </tr>
      {node.problem !== null && (
        <tr className="max-lg:block">
          <td
            colSpan={COLUMNS.length}
            className="max-w-prose px-5 pb-3.5 text-muted max-lg:block max-lg:px-4"
          >
            {node.problem}
          </td>
        </tr>
      )}
    </tbody>
  );
}

function Label({ children }: { children: ReactNode }) {
  return <span className="text-muted lg:hidden">{children} </span>;
}

function Figure({ label, children }: { label: string; children: ReactNode }) {
  return (
    <td className="figures lg:whitespace-nowrap lg:text-right">
      <Label>{label}</Label>
      {children}
    </td>
  );
}

function Unknown() {
  return (
    <span className="text-muted">
      <span aria-hidden="true">–</span>
      <span className="sr-only">not known</span>
    </span>
  );
}
