import {
  CircleAlert,
  CircleCheck,
  CircleDashed,
  CircleOff,
  CirclePause,
  type LucideIcon,
} from "lucide-react";
import type { ReactNode } from "react";

const TONES = {
  good: { classes: "bg-good-soft text-good", icon: CircleCheck },
  warn: { classes: "bg-warn-soft text-warn", icon: CircleAlert },
  bad: { classes: "bg-bad-soft text-bad", icon: CircleOff },
  waiting: { classes: "bg-accent-soft text-accent", icon: CircleDashed },
  still: { classes: "bg-sunken text-muted", icon: CirclePause },
} as const satisfies Record<string, { classes: string; icon: LucideIcon }>;

export type Tone = keyof typeof TONES;

/** A state in a word, with a shape beside the colour. */
export function StateBadge({ tone, children }: { tone: Tone; children: ReactNode }) {
  const { classes, icon: Icon } = TONES[tone];
  return (
    <span
      className={`inline-flex items-center gap-1.5 whitespace-nowrap rounded-full py-0.5 pr-2.5 pl-2 font-medium text-xs ${classes}`}
    >
      <Icon className="size-3.5" aria-hidden="true" />
      {children}
    </span>
  );
}

/** Something the reader should know before going on. */
export function Notice({ tone, title, children }: { tone: Tone; title?: string; children: ReactNode }) {
  const { classes, icon: Icon } = TONES[tone];
  return (
    <div className={`flex gap-3 rounded-lg p-4 text-sm ${classes}`}>
      <Icon className="mt-0.5 size-4.5 shrink-0" aria-hidden="true" />
      <div className="min-w-0">
        {title !== undefined && <p className="font-semibold">{title}</p>}
        <div className="text-ink">{children}</div>
      </div>
    </div>
  );
}
