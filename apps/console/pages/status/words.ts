import type { ComponentState, IncidentState, MaintenanceMode } from "@securewave/contracts";
import type { Tone } from "../../components/state.tsx";

export const COMPONENT_STATES: Readonly<
  Record<ComponentState, { readonly tone: Tone; readonly word: string }>
> = {
  up: { tone: "good", word: "Works" },
  degraded: { tone: "warn", word: "Works badly" },
  down: { tone: "bad", word: "Does not work" },
  maintenance: { tone: "waiting", word: "Under maintenance" },
  unknown: { tone: "still", word: "Not known" },
};

export const INCIDENT_WORDS: Readonly<Record<IncidentState, { readonly tone: Tone; readonly word: string }>> =
  {
    investigating: { tone: "bad", word: "Investigating" },
    identified: { tone: "warn", word: "Identified" },
    monitoring: { tone: "waiting", word: "Monitoring" },
    resolved: { tone: "good", word: "Resolved" },
  };

export const MODE_WORDS: Readonly<Record<MaintenanceMode, string>> = {
  off: "Open: customers may do everything",
  "read-only": "Read-only: customers look and change nothing",
  closed: "Closed: only staff are let in",
};

/** What an input of type `datetime-local` holds, which is in the reader's own zone, as an instant. */
export function instantOf(local: string): string | undefined {
  const date = new Date(local);
  return local === "" || Number.isNaN(date.valueOf()) ? undefined : date.toISOString();
}

/** An instant as an input of type `datetime-local` holds it: to the minute, in the reader's own zone. */
export function localOf(instant: string): string {
  const date = new Date(instant);
  const local = new Date(date.valueOf() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}
