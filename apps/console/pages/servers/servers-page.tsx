import type { Server } from "@securewave/contracts";
import { useQuery } from "@tanstack/react-query";
import { Globe, Plus } from "lucide-react";
import { ButtonLink } from "../../components/button.tsx";
import { LoadMeter } from "../../components/load.tsx";
import { EmptyState, ErrorState, PageTitle, SkeletonRows } from "../../components/page.tsx";
import { StateBadge } from "../../components/state.tsx";
import { serversQuery } from "../../queries.ts";

export function ServersPage() {
  const servers = useQuery({ ...serversQuery, refetchInterval: 15_000 });
  return (
    <>
      <PageTitle
        title="Servers"
        lead="Where your tunnels can come out. A device stays on its server until you move it."
      />
      {servers.isPending && <SkeletonRows label="Loading servers" />}
      {servers.isError && !servers.data && <ErrorState error={servers.error} onRetry={servers.refetch} />}
      {servers.data?.length === 0 && (
        <EmptyState icon={Globe} title="No servers yet">
          The operator has not added one. Come back a little later.
        </EmptyState>
      )}
      {servers.data && servers.data.length > 0 && (
        <ul className="overflow-hidden rounded-lg border border-line bg-surface shadow-card">
          {servers.data.map((server) => (
            <ServerRow key={server.id} server={server} />
          ))}
        </ul>
      )}
    </>
  );
}

function ServerRow({ server }: { server: Server }) {
  return (
    <li className="grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-2 border-line border-t p-4 first:border-t-0 sm:grid-cols-[minmax(0,1fr)_8rem_7.5rem_auto] sm:px-5">
      <div className="min-w-0">
        <h2 className="truncate font-semibold">{server.name}</h2>
        <p className="truncate text-muted text-sm">{server.region}</p>
      </div>
      <div className="max-sm:row-start-2">{server.available && <LoadMeter load={server.load} />}</div>
      <div className="max-sm:col-start-2 max-sm:row-start-2 max-sm:justify-self-end">
        {server.available ? (
          <StateBadge tone="good">Available</StateBadge>
        ) : (
          <StateBadge tone="still">Closed</StateBadge>
        )}
      </div>
      <div className="max-sm:col-start-2 max-sm:row-start-1 sm:w-32 sm:text-right">
        {server.available && (
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
