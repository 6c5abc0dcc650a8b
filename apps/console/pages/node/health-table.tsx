import type { NodeHealthSample } from "@securewave/contracts/nodes";
import { useState } from "react";
import { TableFrame } from "../../components/table-frame.tsx";
import { formatAge, formatCount, formatMilliseconds, formatShare } from "../../format.ts";

const NOT_KNOWN = "not known";

const COLUMNS: readonly (readonly [label: string, textOf: (sample: NodeHealthSample) => string])[] = [
  ["Processor", ({ processor }) => (processor === null ? NOT_KNOWN : formatShare(processor))],
  ["Memory", ({ memory }) => (memory === null ? NOT_KNOWN : formatShare(memory))],
  ["Throughput", ({ throughput }) => throughput ?? "not shown"],
  ["Connected", ({ connected }) => connected],
  ["Handshake", ({ handshake_ms }) => (handshake_ms === null ? "none" : formatMilliseconds(handshake_ms))],
  ["Echo", ({ echo_ms }) => (echo_ms === null ? "none" : formatMilliseconds(echo_ms))],
  ["Probes lost", ({ probes_lost }) => (probes_lost === null ? NOT_KNOWN : formatShare(probes_lost))],
  ["Packets dropped", ({ troubles }) => (troubles === null ? NOT_KNOWN : formatCount(troubles))],
];

/** What the charts show, in words, the newest first. */
export function HealthTable({ samples }: { samples: readonly NodeHealthSample[] }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details className="mt-4" open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary className="w-fit rounded-sm font-medium text-accent text-sm">The same as a table</summary>
      {isOpen && (
        <TableFrame label="The last hour as a table" className="mt-3 max-h-96">
          <table className="figures w-full whitespace-nowrap text-right text-sm">
            <thead className="sticky top-0 bg-surface text-muted text-xs">
              <tr className="*:px-3 *:py-2 *:font-medium">
                <th scope="col" className="text-left">
                  When
                </th>
                {COLUMNS.map(([label]) => (
                  <th key={label} scope="col">
                    {label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {samples.toReversed().map((sample) => (
                <tr key={sample.age_seconds} className="border-line border-t *:px-3 *:py-1.5">
                  <th scope="row" className="text-left font-normal">
                    {formatAge(sample.age_seconds)}
                  </th>
                  {COLUMNS.map(([label, textOf]) => (
                    <td key={label}>{textOf(sample)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </TableFrame>
      )}
    </details>
  );
}
