import type { OwnPlan } from "@securewave/contracts";
import type { FormValues } from "../../components/form.tsx";
import { tagsOf } from "../../components/tags.ts";

const BYTES_PER_GB = 1e9;
const KBIT_PER_MBIT = 1000;

/** An empty field is no limit. */
function limitOf(text: string, factor = 1): number | null {
  return text === "" ? null : Math.round(Number(text) * factor);
}

export function planOf(values: Pick<FormValues, "text">): OwnPlan {
  return {
    name: values.text("name"),
    quota_bytes: limitOf(values.text("quota_bytes"), BYTES_PER_GB),
    on_quota: values.text("on_quota") === "block" ? "block" : "throttle",
    throttle_kbit_per_second: Math.round(Number(values.text("throttle_kbit_per_second")) * KBIT_PER_MBIT),
    speed_kbit_per_second: limitOf(values.text("speed_kbit_per_second"), KBIT_PER_MBIT),
    connections_max: limitOf(values.text("connections_max")),
    devices_max: limitOf(values.text("devices_max")),
    server_tags: tagsOf(values.text("server_tags")),
  };
}

export function gigabytesOf(bytes: number | null | undefined): number | undefined {
  return bytes === null || bytes === undefined ? undefined : bytes / BYTES_PER_GB;
}

export function megabitsOf(kbitPerSecond: number | null | undefined): number | undefined {
  return kbitPerSecond === null || kbitPerSecond === undefined ? undefined : kbitPerSecond / KBIT_PER_MBIT;
}
