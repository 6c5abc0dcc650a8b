import { useQuery } from "@tanstack/react-query";
import { Layers } from "lucide-react";
import { EmptyState, ErrorState, SkeletonRows } from "../../components/page.tsx";
import { StateBadge } from "../../components/state.tsx";
import { TableFrame } from "../../components/table-frame.tsx";
import { formatDay } from "../../format.ts";
import { migrationsQuery } from "./queries.ts";
import { inOrderOfInterest } from "./words.ts";

export function Migrations() {
  const { data, isPending, isError, error, refetch } = useQuery(migrationsQuery);
  if (isPending) return <SkeletonRows label="Loading migrations" count={3} />;
  if (isError && !data) return <ErrorState error={error} onRetry={refetch} />;
  if (data.items.length === 0)
    return (
      <EmptyState icon={Layers} title="No migrations">
        The process that answered has none to apply.
      </EmptyState>
    );
  return (
    <TableFrame label="Migrations" className="max-h-96 shadow-card">
      <table className="figures w-full text-left text-sm">
        <thead className="sticky top-0 bg-surface">
          <tr className="text-muted text-xs *:px-3 *:py-2.5 sm:*:px-4 *:font-medium">
            <th scope="col">File</th>
            <th scope="col">Phase</th>
            <th scope="col">Applied</th>
          </tr>
        </thead>
        <tbody>
          {inOrderOfInterest(data.items).map(({ number, name, phase, applied_on }) => (
            <tr key={number} className="border-line border-t *:px-3 *:py-2 sm:*:px-4">
              <th scope="row" className="font-mono font-normal text-xs">
                {name}
              </th>
              <td>{phase}</td>
              <td className="whitespace-nowrap">
                {applied_on === null ? <StateBadge tone="warn">Waits</StateBadge> : formatDay(applied_on)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableFrame>
  );
}
