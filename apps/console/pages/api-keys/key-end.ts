import type { ApiKey } from "@securewave/contracts";

/** So near its end a key asks to be replaced. */
const SOON_DAYS = 7;
const DAY_MS = 86_400_000;

/**
 * How near a key is to its end. It works until its last day is over.
 *
 * @param today in UTC: `2026-11-20`
 */
export function endOf({ expires_on }: Pick<ApiKey, "expires_on">, today: string): "far" | "soon" | "ended" {
  const days = (Date.parse(expires_on) - Date.parse(today)) / DAY_MS;
  if (days < 0) return "ended";
  return days <= SOON_DAYS ? "soon" : "far";
}
