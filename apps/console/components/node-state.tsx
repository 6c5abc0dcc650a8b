import type { NodeState } from "@securewave/contracts";
import { StateBadge, type Tone } from "./state.tsx";

export const NODE_STATE_LOOKS = {
  joining: { tone: "waiting", word: "Waiting to join" },
  healthy: { tone: "good", word: "Healthy" },
  degraded: { tone: "warn", word: "Degraded" },
  draining: { tone: "still", word: "Draining" },
  offline: { tone: "bad", word: "Offline" },
  removed: { tone: "still", word: "Removed" },
} as const satisfies Record<NodeState, { tone: Tone; word: string }>;

export function NodeStateBadge({ state }: { state: NodeState }) {
  const { tone, word } = NODE_STATE_LOOKS[state];
  return <StateBadge tone={tone}>{word}</StateBadge>;
}
