import type { DrillSummary } from "@securewave/contracts";
import { Button } from "../../components/button.tsx";
import { StateBadge, type Tone } from "../../components/state.tsx";
import { TableFrame } from "../../components/table-frame.tsx";
import { formatDay } from "../../format.ts";
import { secondsText } from "./words.ts";

const OUTCOMES: Readonly<Record<DrillSummary["outcome"], readonly [tone: Tone, word: string]>> = {
  met: ["good", "Targets met"],
  missed: ["warn", "Too slow"],
  failed: ["bad", "Failed"],
};

export function Outcome({ outcome }: { readonly outcome: DrillSummary["outcome"] }) {
  const [tone, word] = OUTCOMES[outcome];
  return <StateBadge tone={tone}>{word}</StateBadge>;
}

interface DrillTableProps {
  readonly drills: readonly DrillSummary[];
  readonly shownId: string | undefined;
  readonly onShow: (id: string) => void;
}

/** What drills measured, the newest first. */
export function DrillTable({ drills, shownId, onShow }: DrillTableProps) {
  return (
    <TableFrame label="Drills">
      <table className="w-full text-left text-sm">
        <thead className="bg-sunken text-muted">
          <tr>
            {["Drill", "Day", "Outcome", "Back after (RTO)", "Lost (RPO)"].map((title) => (
              <th key={title} scope="col" className="whitespace-nowrap px-4 py-2.5 font-medium">
                {title}
              </th>
            ))}
            <th scope="col" className="px-4 py-2.5">
              <span className="sr-only">Timeline</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {drills.map(({ id, number, scenario, carried_out_on, outcome, rto_seconds, rpo_seconds }) => (
            <tr key={id} className="border-line border-t">
              <th scope="row" className="whitespace-nowrap px-4 py-2.5 font-medium">
                {scenario}
              </th>
              <td className="figures whitespace-nowrap px-4 py-2.5">
                <time dateTime={carried_out_on}>{formatDay(carried_out_on)}</time>
              </td>
              <td className="px-4 py-2.5">
                <Outcome outcome={outcome} />
              </td>
              <td className="figures whitespace-nowrap px-4 py-2.5">{secondsText(rto_seconds)}</td>
              <td className="figures whitespace-nowrap px-4 py-2.5">{secondsText(rpo_seconds)}</td>
              <td className="px-4 py-2.5 text-right">
                <Button
                  size="small"
                  aria-expanded={id === shownId}
                  aria-label={`Timeline of drill ${number}`}
                  onClick={() => onShow(id)}
                >
                  Timeline
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableFrame>
  );
}
