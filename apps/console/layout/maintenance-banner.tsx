import type { api, MaintenanceMode, ResultOf } from "@securewave/contracts";
import { useQuery } from "@tanstack/react-query";
import { Wrench } from "lucide-react";
import { useEffect, useRef } from "react";
import { formatMoment } from "../format.ts";
import { queryClient, serviceQuery } from "../queries.ts";
import { useRole } from "../use-session.ts";

const INTERVAL_MS = 60_000;
/** While something is shut, its end is waited for. */
const INTERVAL_ON_MS = 15_000;
const MODES = {
  "read-only": "The service is under maintenance: you can look at everything, and change nothing.",
  closed: "The service is under maintenance. Please come back later.",
} as const;
const MODES_FOR_STAFF = {
  "read-only": "Customers can look at everything, and change nothing.",
  closed: "The service is closed to customers.",
} as const;

/** Stands on top while the service is maintained, and a day before. */
export function MaintenanceBanner() {
  const { data } = useQuery({
    ...serviceQuery,
    refetchInterval: ({ state }) => (modeOf(state.data) === "off" ? INTERVAL_MS : INTERVAL_ON_MS),
  });
  useFreshPages(data && modeOf(data));
  const words = useRole() === "customer" ? MODES : MODES_FOR_STAFF;
  const maintenance = data?.maintenance;
  if (!maintenance) return null;
  const { mode, title, starts_at, ends_at } = maintenance;
  const isOn = mode !== "off";
  return (
    <div role="status" className="bg-warn-soft px-4 py-2 text-center text-sm text-warn">
      <p className="inline-flex items-center gap-2.5 font-medium">
        <Wrench className="size-4 shrink-0" aria-hidden="true" />
        <span>
          {isOn ? words[mode] : `Maintenance: ${title ?? ""}.`}
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

function modeOf(info: ResultOf<typeof api.service.info> | undefined): MaintenanceMode {
  return info?.maintenance?.mode ?? "off";
}

/** Has pages ask anew for what was refused to them, or is refused from here on. */
function useFreshPages(mode: MaintenanceMode | undefined): void {
  const former = useRef(mode);
  useEffect(() => {
    if (former.current !== undefined && mode !== former.current) void queryClient.invalidateQueries();
    former.current = mode;
  }, [mode]);
}
