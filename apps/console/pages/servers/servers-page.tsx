import type { Server } from "@securewave/contracts";
import { useNavigate } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { type ReactNode, useId } from "react";
import { ButtonLink } from "../../components/button.tsx";
import { ClosedRegion } from "../../components/closed-region.tsx";
import { PageTitle } from "../../components/page.tsx";
import { Distance, ServerState } from "../../components/server-facts.tsx";
import { ServerFinder } from "../../components/server-finder.tsx";
import { isOpen, type Region, whyClosed } from "../../servers.ts";

const REFRESH_MS = 15_000;
/** The service is asked for the neighbours of so many closed regions; the search leads to the others. */
const NEIGHBOURS_MAX = 5;

export function ServersPage() {
  return (
    <>
      <PageTitle
        title="Servers"
        lead="Where your tunnels can come out. A device stays on its server until you move it."
      />
      <ServerFinder refreshMs={REFRESH_MS}>
        {({ best, regions }) => {
          const closed = regions.filter((region) => whyClosed(region) !== undefined);
          return (
            <div className="grid gap-8">
              {best.length > 0 && (
                <Group title="Best for you">
                  {best.map((server) => (
                    <ServerRow key={server.id} server={server} place={server.region} />
                  ))}
                </Group>
              )}
              {regions.map((region) => (
                <RegionGroup
                  key={region.name}
                  region={region}
                  namesNeighbour={closed.indexOf(region) < NEIGHBOURS_MAX}
                />
              ))}
            </div>
          );
        }}
      </ServerFinder>
    </>
  );
}

function RegionGroup({ region, namesNeighbour }: { region: Region; namesNeighbour: boolean }) {
  const navigate = useNavigate();
  const reason = whyClosed(region);
  const onChoose = (name: string) => void navigate({ to: "/devices/new", search: { region: name } });
  return (
    <Group title={region.name} aside={<Distance km={region.distanceKm} />}>
      {reason !== undefined && (
        <li className="border-line border-t px-4 py-3 first:border-t-0 sm:px-5">
          {namesNeighbour ? (
            <ClosedRegion region={region} verb="Add device in" onChoose={onChoose} />
          ) : (
            <p className="text-sm text-warn">{reason}</p>
          )}
        </li>
      )}
      {region.servers.map((server) => (
        <ServerRow key={server.id} server={server} />
      ))}
    </Group>
  );
}

function Group({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  const id = useId();
  return (
    <section aria-labelledby={id}>
      <div className="mb-2 flex items-baseline justify-between gap-4">
        <h2 id={id} className="min-w-0 break-words font-semibold text-lg">
          {title}
        </h2>
        {aside}
      </div>
      <ul className="overflow-hidden rounded-lg border border-line bg-surface shadow-card">{children}</ul>
    </section>
  );
}

/** @param place shown where the heading does not say it */
function ServerRow({ server, place }: { server: Server; place?: string }) {
  return (
    <li className="grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-1 border-line border-t p-4 first:border-t-0 sm:grid-cols-[minmax(0,1fr)_11rem_8.5rem] sm:px-5">
      <div className="min-w-0">
        <h3 className={`truncate ${isOpen(server) ? "font-medium" : "text-muted"}`}>{server.name}</h3>
        {place !== undefined && (
          <p className="flex flex-wrap gap-x-3 text-muted text-sm">
            {place} <Distance km={server.distance_km} />
          </p>
        )}
      </div>
      <div className="max-sm:row-start-2">
        <ServerState server={server} />
      </div>
      <div className="max-sm:col-start-2 max-sm:row-span-2 max-sm:row-start-1 sm:text-right">
        {isOpen(server) && (
          <ButtonLink
            to="/devices/new"
            search={{ server: server.id }}
            size="small"
            icon={Plus}
            aria-label={`Add device on ${server.name}`}
          >
            Add device
          </ButtonLink>
        )}
      </div>
    </li>
  );
}
