import type { DeviceType } from "@securewave/contracts";
import { Box, Laptop, type LucideIcon, Monitor, Router, Smartphone, Tablet } from "lucide-react";

export const DEVICE_TYPES: readonly { type: DeviceType; label: string; icon: LucideIcon }[] = [
  { type: "phone", label: "Phone", icon: Smartphone },
  { type: "tablet", label: "Tablet", icon: Tablet },
  { type: "laptop", label: "Laptop", icon: Laptop },
  { type: "desktop", label: "Desktop", icon: Monitor },
  { type: "router", label: "Router", icon: Router },
  { type: "other", label: "Other", icon: Box },
];

function lookOf(type: DeviceType) {
  return DEVICE_TYPES.find((look) => look.type === type) ?? { label: "Other", icon: Box };
}

export function deviceTypeLabel(type: DeviceType): string {
  return lookOf(type).label;
}

export function DeviceTypeIcon({ type, isOn = false }: { type: DeviceType; isOn?: boolean }) {
  const { icon: Icon } = lookOf(type);
  return (
    <span
      className={`grid size-10 shrink-0 place-items-center rounded-md ${isOn ? "bg-good-soft text-good" : "bg-sunken text-muted"}`}
    >
      <Icon className="size-5" aria-hidden="true" />
    </span>
  );
}

export function DeviceTypeChoice({ initial }: { initial: DeviceType }) {
  return (
    <fieldset>
      <legend className="mb-1.5 font-medium text-sm">Type</legend>
      <div className="grid grid-cols-3 gap-2 sm:grid-cols-6">
        {DEVICE_TYPES.map(({ type, label, icon: Icon }) => (
          <label
            key={type}
            className="grid min-h-18 place-items-center content-center gap-1.5 rounded-md border border-line bg-surface text-muted text-sm transition-colors hover:bg-hover has-checked:border-accent has-checked:bg-accent-soft has-checked:font-medium has-checked:text-accent has-checked:inset-ring-1 has-checked:inset-ring-accent has-focus-visible:outline-2 has-focus-visible:outline-accent has-focus-visible:outline-offset-2"
          >
            <input
              type="radio"
              name="type"
              value={type}
              defaultChecked={type === initial}
              className="sr-only"
            />
            <Icon className="size-5" aria-hidden="true" />
            {label}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

export function isDeviceType(text: string): text is DeviceType {
  return DEVICE_TYPES.some(({ type }) => type === text);
}
