import { useQuery } from "@tanstack/react-query";
import { neighbourQuery } from "../queries.ts";
import { formatDistance, type Region, whyClosed } from "../servers.ts";
import { useWhereabouts } from "../whereabouts.ts";
import { Button } from "./button.tsx";

interface ClosedRegionProps {
  readonly region: Region;
  /** What can be done with the nearest region, before its name. */
  readonly verb: string;
  readonly onChoose: (region: string) => void;
}

/** Says that a region has no server to choose, and names the nearest one that has. */
export function ClosedRegion({ region, verb, onChoose }: ClosedRegionProps) {
  const { country } = useWhereabouts();
  const { data } = useQuery(neighbourQuery(region.name, country));
  const nearest = data?.alternative;
  const far = nearest && nearest.distance_km !== null ? ` (${formatDistance(nearest.distance_km)})` : "";
  return (
    <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 text-sm">
      <p>
        <span className="text-warn">{whyClosed(region)}</span>
        {nearest && ` The nearest is in ${nearest.region}${far}.`}
      </p>
      {nearest && (
        <Button size="small" onClick={() => onChoose(nearest.region)}>
          {verb} {nearest.region}
        </Button>
      )}
    </div>
  );
}
