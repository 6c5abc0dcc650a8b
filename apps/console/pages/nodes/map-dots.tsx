import { useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, useRef, useState } from "react";
import { NodeMark } from "../../components/node-mark.tsx";
import { NODE_STATE_LOOKS } from "../../components/node-state.tsx";
import { LIVE_STATES } from "../../fleet-filter.ts";
import { formatCount, plural } from "../../format.ts";
import { type Cluster, neighbourOf, type View } from "./clusters.ts";

const DIRECTIONS: Readonly<Record<string, { readonly x: number; readonly y: number }>> = {
  ArrowRight: { x: 1, y: 0 },
  ArrowLeft: { x: -1, y: 0 },
  ArrowDown: { x: 0, y: 1 },
  ArrowUp: { x: 0, y: -1 },
};

interface DotsProps {
  readonly clusters: readonly Cluster[];
  readonly view: View;
  readonly onOpen: (cluster: Cluster) => void;
}

/** The nodes on a map: one stop of the tab key; the arrows go from dot to dot. */
export function Dots({ clusters, view, onOpen }: DotsProps) {
  const navigate = useNavigate();
  const group = useRef<HTMLDivElement>(null);
  const [current, setCurrent] = useState<string>();
  const stop = clusters.some(({ id }) => id === current) ? current : clusters[0]?.id;

  function onKeyDown(event: KeyboardEvent, from: Cluster): void {
    const direction = DIRECTIONS[event.key];
    if (direction === undefined) return;
    event.preventDefault();
    const next = neighbourOf(clusters, from, direction);
    if (next) group.current?.querySelector<HTMLElement>(`[data-cluster="${next.id}"]`)?.focus();
  }

  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for what is filled in
    <div ref={group} role="group" aria-label="Nodes on the map; the table says the same">
      {clusters.map((cluster) => {
        const [first] = cluster.nodes;
        const isOne = cluster.nodes.length === 1;
        return (
          <div
            key={cluster.id}
            className="group -translate-1/2 absolute hover:z-10 has-focus-visible:z-10"
            style={{
              left: `${((cluster.x - view.x) / view.width) * 100}%`,
              top: `${((cluster.y - view.y) / view.height) * 100}%`,
            }}
          >
            <button
              type="button"
              data-cluster={cluster.id}
              tabIndex={cluster.id === stop ? 0 : -1}
              aria-label={nameOf(cluster)}
              className="grid size-7 place-items-center rounded-full"
              onFocus={() => setCurrent(cluster.id)}
              onKeyDown={(event) => onKeyDown(event, cluster)}
              onClick={() =>
                isOne ? void navigate({ to: "/admin/nodes/$id", params: { id: first.id } }) : onOpen(cluster)
              }
            >
              {isOne ? (
                <NodeMark state={first.state} load={first.devices / first.capacity} />
              ) : (
                <Heap cluster={cluster} />
              )}
            </button>
            <Tip
              cluster={cluster}
              isRight={(cluster.x - view.x) / view.width > 0.6}
              isLow={(cluster.y - view.y) / view.height > 0.6}
            />
          </div>
        );
      })}
    </div>
  );
}

/** Several nodes in one place: how many, and the mark of the worst one. */
function Heap({ cluster }: { cluster: Cluster }) {
  return (
    <span className="flex items-center rounded-full border border-outline bg-raised pr-1.5 shadow-card">
      <NodeMark state={cluster.nodes[0].state} />
      <span className="figures font-semibold text-xs">{formatCount(cluster.nodes.length)}</span>
    </span>
  );
}

/** What a dot is, while it is pointed at or has the focus. */
function Tip({ cluster, isRight, isLow }: { cluster: Cluster; isRight: boolean; isLow: boolean }) {
  const [first] = cluster.nodes;
  const corner = `${isRight ? "right-0" : "left-0"} ${isLow ? "bottom-full" : "top-full"}`;
  return (
    <span
      aria-hidden="true"
      className={`pointer-events-none absolute z-10 hidden w-max max-w-56 rounded-md border border-line bg-raised px-3 py-2 text-left text-xs shadow-float group-hover:block group-has-focus-visible:block ${corner}`}
    >
      {cluster.nodes.length === 1 ? (
        <>
          <strong className="block font-semibold text-sm">{first.name}</strong>
          <span className="block text-muted">{first.region}</span>
          {NODE_STATE_LOOKS[first.state].word}, {formatCount(first.devices)} of {formatCount(first.capacity)}{" "}
          devices
        </>
      ) : (
        <>
          <strong className="block font-semibold text-sm">{plural(cluster.nodes.length, "node")}</strong>
          <span className="block text-muted">{regionsText(cluster)}</span>
          {statesText(cluster)}
        </>
      )}
    </span>
  );
}

function nameOf(cluster: Cluster): string {
  const [first] = cluster.nodes;
  if (cluster.nodes.length > 1)
    return `${plural(cluster.nodes.length, "node")}, ${regionsText(cluster)}: ${statesText(cluster)}`;
  const share = Math.round((100 * first.devices) / first.capacity);
  return `${first.name}, ${first.region}: ${NODE_STATE_LOOKS[first.state].word}, ${share} % full`;
}

/** `Frankfurt and 2 other regions`. */
export function regionsText({ nodes }: Cluster): string {
  const [region, ...others] = new Set(nodes.map((node) => node.region));
  return others.length === 0 ? String(region) : `${region} and ${plural(others.length, "other region")}`;
}

/** `4 healthy, 1 offline`. */
function statesText({ nodes }: Cluster): string {
  return LIVE_STATES.map((state) => [state, nodes.filter((node) => node.state === state).length] as const)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${formatCount(count)} ${NODE_STATE_LOOKS[state].word.toLowerCase()}`)
    .join(", ");
}
