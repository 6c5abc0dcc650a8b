import { useQuery } from "@tanstack/react-query";
import { Gauge } from "lucide-react";
import { EmptyState, ErrorState, SkeletonRows } from "../../components/page.tsx";
import { TableFrame } from "../../components/table-frame.tsx";
import { formatCount, formatMilliseconds } from "../../format.ts";
import { slowQuery } from "./queries.ts";

export function SlowStatements() {
  const { data, isPending, isError, error, refetch } = useQuery(slowQuery);
  if (isPending) return <SkeletonRows label="Loading slow statements" count={2} />;
  if (isError && !data) return <ErrorState error={error} onRetry={refetch} />;
  if (data.items.length === 0)
    return (
      <EmptyState icon={Gauge} title="Nothing was slow">
        No statement took {data.from_ms} ms or more.
      </EmptyState>
    );
  return (
    <TableFrame label="Slow statements" className="shadow-card">
      <table className="figures w-full text-left text-sm">
        <thead>
          <tr className="text-muted text-xs *:px-4 *:py-2.5 *:font-medium">
            <th scope="col">Statement</th>
            <th scope="col">Times</th>
            <th scope="col">Longest</th>
            <th scope="col">Together</th>
          </tr>
        </thead>
        <tbody>
          {data.items.map(({ text, count, longest_ms, total_ms }) => (
            <tr key={text} className="border-line border-t align-top *:px-4 *:py-2">
              <th scope="row" className="min-w-64 break-words font-mono font-normal text-xs">
                {text}
              </th>
              <td>{formatCount(count)}</td>
              <td className="whitespace-nowrap">{formatMilliseconds(longest_ms)}</td>
              <td className="whitespace-nowrap">{formatMilliseconds(total_ms)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableFrame>
  );
}
