import type { PrivacyRequest } from "@securewave/contracts";
import { isLate } from "../pages/privacy-requests/late.ts";
import { useNow } from "../use-now.ts";
import { StateBadge, type Tone } from "./state.tsx";

const LOOKS = {
  open: { tone: "waiting", word: "Open" },
  done: { tone: "good", word: "Done" },
  refused: { tone: "still", word: "Refused" },
} as const satisfies Record<PrivacyRequest["state"], { tone: Tone; word: string }>;

const MINUTE_MS = 60_000;

export function RequestStateBadge({ request }: { readonly request: PrivacyRequest }) {
  const nowMs = useNow(MINUTE_MS);
  if (isLate(request, nowMs)) return <StateBadge tone="bad">Late</StateBadge>;
  const { tone, word } = LOOKS[request.state];
  return <StateBadge tone={tone}>{word}</StateBadge>;
}
