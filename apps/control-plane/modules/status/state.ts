import type { ComponentState, ServiceMinutes } from "@securewave/contracts";

const ORDER: readonly ComponentState[] = ["up", "unknown", "maintenance", "degraded", "down"];
/** Shorter ones do not colour a day; its figures tell them. */
const TOLD_MINUTES = 2;
const UNKNOWN_MINUTES = 60;

export function worst(states: readonly ComponentState[]): ComponentState {
  return states.reduce((one, other) => (ORDER.indexOf(other) > ORDER.indexOf(one) ? other : one), "up");
}

/** Without its API the service is down; without one region's tunnels it is degraded. */
export function stateOfService(
  components: readonly { readonly component: string; readonly state: ComponentState }[],
): ComponentState {
  const whole = worst(components.map(({ state }) => state));
  if (whole !== "down") return components.length === 0 ? "unknown" : whole;
  const { state = "unknown" } = components.find(({ component }) => component === "api") ?? {};
  const isAllDown = components.every((one) => one.state === "down");
  return state === "down" || isAllDown ? "down" : "degraded";
}

/** A day of which nobody measured an hour or more is not shown as one on which all was well. */
export function stateOfDay({ up, degraded, down, maintenance, unknown }: ServiceMinutes): ComponentState {
  if (down >= TOLD_MINUTES) return "down";
  if (degraded + down >= TOLD_MINUTES) return "degraded";
  if (unknown >= UNKNOWN_MINUTES || up + degraded + down + maintenance === 0) return "unknown";
  return maintenance > up ? "maintenance" : "up";
}
