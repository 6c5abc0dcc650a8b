import type { PrivacyRequest } from "@securewave/contracts";
import type { ReactNode } from "react";
import { KIND_NAMES, STATE_NAMES } from "../pages/privacy-requests/kinds.ts";
import { isLate } from "../pages/privacy-requests/late.ts";
import { useNow } from "../use-now.ts";
import { Row } from "./rows.tsx";
import { StateBadge, type Tone } from "./state.tsx";

const TONES = { open: "waiting", done: "good", refused: "still" } as const satisfies Record<
  PrivacyRequest["state"],
  Tone
>;

const MINUTE_MS = 60_000;

interface RequestRowProps {
  readonly request: PrivacyRequest;
  /** What is known of it besides its kind, its state and its text. */
  readonly facts: ReactNode;
  readonly actions?: ReactNode;
  /** Dialogs that the actions open. */
  readonly children?: ReactNode;
}

/** What somebody asked for about the own data. */
export function RequestRow({ request, facts, actions, children }: RequestRowProps) {
  const { kind, state, text } = request;
  const isOverdue = isLate(request, useNow(MINUTE_MS));
  return (
    <Row
      title={
        <>
          {KIND_NAMES[kind]}
          <StateBadge tone={isOverdue ? "bad" : TONES[state]}>
            {isOverdue ? "Late" : STATE_NAMES[state]}
          </StateBadge>
        </>
      }
      detail={
        <>
          {text !== null && <p className="mt-1 mb-1 whitespace-pre-wrap break-words text-ink">{text}</p>}
          {facts}
        </>
      }
      actions={actions}
    >
      {children}
    </Row>
  );
}
