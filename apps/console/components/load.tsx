import type { Server } from "@securewave/contracts";

const BARS = { low: 1, medium: 2, high: 3 } as const;
const WORDS = { low: "Low load", medium: "Medium load", high: "High load" } as const;

/** How busy a server is: three bars and a word. */
export function LoadMeter({ load }: { load: Server["load"] }) {
  return (
    <span className="inline-flex items-center gap-2 whitespace-nowrap text-muted text-sm">
      <span className="flex items-end gap-0.5" aria-hidden="true">
        {[1, 2, 3].map((bar) => (
          <span
            key={bar}
            className={`w-1 rounded-sm ${["h-1.5", "h-2.5", "h-3.5"][bar - 1]} ${bar <= BARS[load] ? (load === "high" ? "bg-warn" : "bg-accent") : "bg-line"}`}
          />
        ))}
      </span>
      {WORDS[load]}
    </span>
  );
}
