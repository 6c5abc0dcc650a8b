import type { PrivacyRequest } from "@securewave/contracts";

/** Whether the day by which it was to be answered is over. Days are those of UTC. */
export function isLate({ state, due_on }: Pick<PrivacyRequest, "state" | "due_on">, nowMs: number): boolean {
  return state === "open" && due_on < new Date(nowMs).toISOString().slice(0, 10);
}
