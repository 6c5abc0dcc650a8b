import type { Node } from "@securewave/contracts";
import { Link } from "@tanstack/react-router";
import { Globe, Maximize, X } from "lucide-react";
import { useId, useMemo, useRef, useState } from "react";
import { Button, IconButton } from "../../components/button.tsx";
import { NodeMark } from "../../components/node-mark.tsx";
import { NODE_STATE_LOOKS, NodeStateBadge } from "../../components/node-state.tsx";
import { graticulePath, landPath, WORLD_HEIGHT, WORLD_WIDTH } from "../../components/world.ts";
import { LIVE_STATES } from "../../fleet-filter.ts";
import { plural } from "../../format.ts";
import { useWidth } from "../../use-width.ts";
import { type Cluster, clustersOf, type Place, placesOf, type View, viewOf } from "./clusters.ts";
import { Dots, regionsText } from "./map-dots.tsx";

const WORLD: View = { x: 0, y: 0, width: WORLD_WIDTH, height: WORLD_HEIGHT };
/** In pixels: as far apart as two can be touched by a finger each. */
const TOUCHING = 26;
/** What the outlines are fine enough for. */
const MAGNIFICATION_MAX = 8;
const WIDTH_MIN = WORLD_WIDTH / MAGNIFICATION_MAX;
/** Before one looks closer, whole continents are seen. */
const WIDTH_MIN_AT_FIRST = WORLD_WIDTH / 4;

/** Where the nodes stand. The table says the same and more: whoever cannot see the map misses nothing. */
export function FleetMap({ nodes }: { nodes: readonly Node[] }) {
  const places = useMemo(() => placesOf(nodes), [nodes]);
  const [chosen, setChosen] = useState<"fleet" | "world" | readonly string[]>("fleet");
  const [listed, setListed] = useState<string>();
  const frame = useRef<HTMLDivElement>(null);
  const widthPixels = useWidth(frame);

  const view = useMemo(() => {
    if (chosen === "world") return WORLD;
    if (chosen === "fleet") return viewOf(places, WORLD, WIDTH_MIN_AT_FIRST);
    return viewOf(placesAmong(places, chosen), WORLD, WIDTH_MIN);
  }, [places, chosen]);
  const clusters = useMemo(() => {
    const seen = places.filter(({ x, y }) => isWithin(view, x, y));
    return clustersOf(seen, (TOUCHING * view.width) / Math.max(1, widthPixels));
  }, [places, view, widthPixels]);

  function open(cluster: Cluster): void {
    const ids = cluster.nodes.map(({ id }) => id);
    const closer = viewOf(placesAmong(places, ids), WORLD, WIDTH_MIN);
    const apart = clustersOf(placesAmong(places, ids), (TOUCHING * closer.width) / Math.max(1, widthPixels));
    if (apart.length > 1 && closer.width < view.width * 0.95) {
      setListed(undefined);
      setChosen(ids);
    } else setListed(cluster.id);
  }

  const shown = clusters.find(({ id }) => id === listed);
  return (
    <div className="overflow-hidden rounded-lg border border-line bg-surface shadow-card">
      <div ref={frame} className="relative overflow-hidden bg-sunken">
        <svg
          viewBox={`${view.x} ${view.y} ${view.width} ${view.height}`}
          className="block w-full"
          aria-hidden="true"
        >
          <path d={graticulePath} fill="none" className="stroke-line/70" vectorEffect="non-scaling-stroke" />
          <path
            d={landPath}
            className="fill-line stroke-outline/50"
            strokeWidth="0.5"
            vectorEffect="non-scaling-stroke"
          />
        </svg>
        <Dots clusters={clusters} view={view} onOpen={open} />
        <div className="absolute top-2 right-2 flex gap-1.5">
          {chosen !== "fleet" && (
            <Button size="small" icon={Maximize} onClick={() => setChosen("fleet")}>
              All nodes
            </Button>
          )}
          {chosen === "fleet" && view.width < WORLD_WIDTH && (
            <Button size="small" icon={Globe} onClick={() => setChosen("world")}>
              Whole world
            </Button>
          )}
        </div>
      </div>
      {shown && <Listed cluster={shown} onClose={() => setListed(undefined)} />}
      <Legend nodes={nodes} unplaced={nodes.length - places.length} />
    </div>
  );
}

function placesAmong(places: readonly Place[], ids: readonly string[]): Place[] {
  return places.filter(({ node }) => ids.includes(node.id));
}

function isWithin(view: View, x: number, y: number): boolean {
  return x >= view.x && x <= view.x + view.width && y >= view.y && y <= view.y + view.height;
}

/** Nodes that stand in the same place, which no map can draw apart. */
function Listed({ cluster, onClose }: { cluster: Cluster; onClose: () => void }) {
  const titleId = useId();
  return (
    <section aria-labelledby={titleId} className="border-line border-t px-5 py-3">
      <div className="flex items-center justify-between gap-4">
        <h2 id={titleId} className="font-semibold text-sm" aria-live="polite">
          {plural(cluster.nodes.length, "node")}, {regionsText(cluster)}
        </h2>
        <IconButton icon={X} label="Close the list" onClick={onClose} />
      </div>
      <ul className="grid max-h-60 gap-x-6 gap-y-1 overflow-y-auto pb-2 sm:grid-cols-2">
        {cluster.nodes.map((node) => (
          <li key={node.id} className="flex min-w-0 items-center justify-between gap-3 py-1">
            <Link
              to="/admin/nodes/$id"
              params={{ id: node.id }}
              className="truncate rounded-sm font-medium text-sm underline-offset-3 hover:underline"
            >
              {node.name}
            </Link>
            <NodeStateBadge state={node.state} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Legend({ nodes, unplaced }: { nodes: readonly Node[]; unplaced: number }) {
  const states = LIVE_STATES.filter((state) => nodes.some((node) => node.state === state));
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-1 border-line border-t px-5 py-2.5 text-muted text-xs">
      <ul className="contents" aria-hidden="true">
        {states.map((state) => (
          <li key={state} className="flex items-center gap-1">
            <NodeMark state={state} />
            {NODE_STATE_LOOKS[state].word}
          </li>
        ))}
        <li className="flex items-center gap-1.5">
          <NodeMark state="healthy" load={0.65} />
          The ring: how full
        </li>
      </ul>
      {unplaced > 0 && (
        <p className="sm:ml-auto">
          {plural(unplaced, "node")} without coordinates {unplaced === 1 ? "is" : "are"} in the table only.
        </p>
      )}
    </div>
  );
}
