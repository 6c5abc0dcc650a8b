import { formatCount } from "../../format.ts";

export const AS_THE_SERVICE_SAYS = "service";
const OFFERED_DAYS = [7, 30, 90, 180, 365];

/** What can be chosen of how often a key is changed; what a device has is among it, whatever it is. */
export function rotationChoices(present: number | null) {
  const days = new Set(OFFERED_DAYS);
  if (present !== null && present > 0) days.add(present);
  return [
    { value: AS_THE_SERVICE_SAYS, label: "As often as the service says" },
    ...[...days]
      .sort((one, other) => one - other)
      .map((count) => ({
        value: String(count),
        label: count === 1 ? "Every day" : `Every ${formatCount(count)} days`,
      })),
    { value: "0", label: "Never" },
  ];
}
