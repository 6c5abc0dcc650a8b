import { useQuery } from "@tanstack/react-query";
import { Wrench } from "lucide-react";
import { formatMoment } from "../format.ts";
import { serviceQuery } from "../queries.ts";

const INTERVAL_MS = 60_000;
const MODES = {
  "read-only": "The service is under maintenance: you can look at everything, and change nothing.",
  closed: "The service is under maintenance. Please come back later.",
} as const;

/** Stands on top while the service is maintained, and a day before. */
export function MaintenanceBanner() {
  const { data } = useQuery({ ...serviceQuery, refetchInterval: INTERVAL_MS });
  const maintenance = data?.maintenance;
  if (!maintenance) return null;
  const { mode, title, starts_at, ends_at } = maintenance;
  const isOn = mode !== "off";
  return (
    <div role="status" className="bg-warn-soft px-4 py-2 text-center text-sm text-warn">
      <p className="inline-flex items-center gap-2.5 font-medium">
        <Wrench className="size-4 shrink-0" aria-hidden="true" />
        <span>
          {isOn ? MODES[mode] : `Maintenance: ${title ?? ""}.`}
          {!isOn && starts_at !== null && (
            <>
              {" "}
              From <time dateTime={starts_at}>{formatMoment(starts_at)}</time>
              {ends_at === null && "."}
            </>
          )}
          {ends_at !== null && (
            <>
              {" "}
              {isOn ? "Until" : "until"} <time dateTime={ends_at}>{formatMoment(ends_at)}</time>.
            </>
          )}{" "}
          Connected tunnels go on.{" "}
          <a href="/status" className="underline">
            Status page
          </a>
        </span>
      </p>
    </div>
  );
}
