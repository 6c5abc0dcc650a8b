import { formatSpeed, type OwnPlan, type Usage } from "@securewave/contracts";
import type { Tone } from "../../components/state.tsx";
import { formatBytes, formatCount, formatDay } from "../../format.ts";

/** What happens when the quota is used up, as the end of a sentence. */
export function consequenceOf({ on_quota, throttle_kbit_per_second }: OwnPlan): string {
  return on_quota === "block"
    ? "your devices have no connection"
    : `each device goes on at ${formatSpeed(throttle_kbit_per_second)}`;
}

export interface UsageNotice {
  readonly tone: Tone;
  readonly title: string;
  readonly text: string;
}

/** What somebody should know of the month's use; undefined while all is well. */
export function noticeOf(usage: Usage, plan: OwnPlan): UsageNotice | undefined {
  const until = `until ${formatDay(usage.resets_on)}`;
  const consequence = consequenceOf(plan);
  switch (usage.level) {
    case "below":
      return undefined;
    case "warned":
      return {
        tone: "warn",
        title: "More than 80 % is used",
        text: `When all of it is used, ${consequence}, ${until}.`,
      };
    case "reached":
      return {
        tone: "bad",
        title: "This month's traffic is used up",
        text: `${consequence.charAt(0).toUpperCase()}${consequence.slice(1)}, ${until}.`,
      };
  }
}

/** `75 GB of 200 GB`. */
export function usedText({ used_bytes, quota_bytes }: Usage): string {
  const used = formatBytes(used_bytes);
  return quota_bytes === null ? used : `${used} of ${formatBytes(quota_bytes)}`;
}

/** What a plan allows, a line each. */
export function planLines(plan: OwnPlan): readonly (readonly [term: string, text: string])[] {
  const atMost = (max: number | null, none: string) => (max === null ? none : `At most ${max}`);
  const then = plan.on_quota === "block" ? "no connection" : formatSpeed(plan.throttle_kbit_per_second);
  const quota =
    plan.quota_bytes === null ? "Unlimited" : `${formatBytes(plan.quota_bytes)} a month, then ${then}`;
  return [
    ["Traffic", quota],
    ["Speed", speedText(plan)],
    ["Connected at the same time", atMost(plan.connections_max, "Unlimited")],
    ["Devices", atMost(plan.devices_max, "As the service allows")],
  ];
}

/** Which servers a plan has, of all that there are. */
export function serversText(servers: readonly { readonly included: boolean }[]): string {
  const included = servers.filter((server) => server.included).length;
  if (included === servers.length) return "All";
  return `${formatCount(included)} of ${formatCount(servers.length)}`;
}

/** A device's speed while there is quota. */
export function speedText({ speed_kbit_per_second: speed }: OwnPlan): string {
  return speed === null ? "Unlimited" : `${formatSpeed(speed)} for each device, in each direction`;
}
