import type { AlertEpisode } from "@securewave/contracts";
import { TableFrame } from "../../components/table-frame.tsx";
import { formatMoment, formatSpan } from "../../format.ts";

/** When alerts fired, in the reader's own time. */
export function EpisodeTable({ episodes }: { readonly episodes: readonly AlertEpisode[] }) {
  return (
    <TableFrame label="When alerts fired">
      <table className="w-full text-left text-sm">
        <thead className="bg-sunken text-muted">
          <tr>
            {["Alert", "Severity", "Began", "Lasted"].map((title) => (
              <th key={title} scope="col" className="px-4 py-2.5 font-medium">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {episodes.map(({ name, severity, began_at, ended_at }) => (
            <tr key={`${name} ${began_at}`} className="border-line border-t">
              <th scope="row" className="px-4 py-2.5 font-medium">
                {name}
              </th>
              <td className="px-4 py-2.5 capitalize">{severity}</td>
              <td className="figures whitespace-nowrap px-4 py-2.5">
                <time dateTime={began_at}>{formatMoment(began_at)}</time>
              </td>
              <td className="figures whitespace-nowrap px-4 py-2.5">{lengthOf(began_at, ended_at)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableFrame>
  );
}

function lengthOf(beganAt: string, endedAt: string | null): string {
  if (endedAt === null) return "It still fires";
  return formatSpan(Math.max(60, (Date.parse(endedAt) - Date.parse(beganAt)) / 1000));
}
