import type { Node } from "@securewave/contracts";
import { Link } from "@tanstack/react-router";
import { formatDay } from "../../format.ts";

/** Nodes that are no longer there, the last removed first. */
export function RemovedNodes({ nodes }: { nodes: readonly Node[] }) {
  const last = nodes.toSorted((one, other) => (other.removed_on ?? "").localeCompare(one.removed_on ?? ""));
  return (
    <ul
      aria-label="Removed nodes"
      className="overflow-hidden rounded-lg border border-line bg-surface shadow-card *:border-line *:border-t *:first:border-t-0"
    >
      {last.map((node) => (
        <li
          key={node.id}
          className="relative flex flex-wrap items-baseline justify-between gap-x-6 gap-y-1 px-5 py-3.5 text-sm hover:bg-hover"
        >
          <div className="min-w-0">
            <Link
              to="/admin/nodes/$id"
              params={{ id: node.id }}
              className="block truncate rounded-sm font-semibold text-base after:absolute after:inset-0"
            >
              {node.name}
            </Link>
            <span className="text-muted">{node.region}</span>
          </div>
          {node.removed_on !== null && (
            <span className="text-muted">Removed on {formatDay(node.removed_on)}</span>
          )}
        </li>
      ))}
    </ul>
  );
}
