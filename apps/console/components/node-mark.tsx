import type { NodeState } from "@securewave/contracts";

const TONES = {
  healthy: "text-good",
  degraded: "text-warn",
  draining: "text-muted",
  joining: "text-accent",
  offline: "text-bad",
  removed: "text-muted",
} as const satisfies Record<NodeState, string>;

const RING = 2 * Math.PI * 8;

interface NodeMarkProps {
  readonly state: NodeState;
  /** Devices of its capacity, from 0 to 1: a ring around it. */
  readonly load?: number;
}

/** A node as a dot: each state has a shape beside its colour. */
export function NodeMark({ state, load }: NodeMarkProps) {
  return (
    <svg viewBox="-10 -10 20 20" className={`size-5 shrink-0 ${TONES[state]}`} aria-hidden="true">
      {load !== undefined && (
        <>
          <circle r="8" className="fill-surface/80 stroke-line" strokeWidth="2.5" />
          <circle
            r="8"
            fill="none"
            stroke="currentColor"
            strokeWidth="2.5"
            strokeDasharray={`${Math.min(1, load) * RING} ${RING}`}
            transform="rotate(-90)"
          />
        </>
      )}
      <Shape state={state} />
    </svg>
  );
}

function Shape({ state }: { state: NodeState }) {
  switch (state) {
    case "healthy":
      return <circle r="4.5" fill="currentColor" />;
    case "degraded":
      return <path d="M0 -5.5L5.2 4H-5.2Z" fill="currentColor" />;
    case "offline":
      return <path d="M-3.5 -3.5L3.5 3.5M3.5 -3.5L-3.5 3.5" stroke="currentColor" strokeWidth="2.6" />;
    case "joining":
      return <circle r="4" fill="none" stroke="currentColor" strokeWidth="2" strokeDasharray="2.1 2.1" />;
    case "draining":
    case "removed":
      return <circle r="3.8" fill="none" stroke="currentColor" strokeWidth="2.2" />;
  }
}
