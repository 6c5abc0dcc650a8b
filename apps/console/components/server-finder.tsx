import type { Server } from "@securewave/contracts";
import { useQuery } from "@tanstack/react-query";
import { Globe, SearchX } from "lucide-react";
import { type ReactNode, useState } from "react";
import { formatCount, plural } from "../format.ts";
import { bestServersQuery, serversQuery } from "../queries.ts";
import { matchingServers, type Region, regionsOf } from "../servers.ts";
import { useWhereabouts } from "../whereabouts.ts";
import { CountryField } from "./country-field.tsx";
import { EmptyState, ErrorState, SkeletonRows } from "./page.tsx";
import { SearchField } from "./search.tsx";

export interface FoundServers {
  /** What the service would choose, the best first; nothing while the reader searches for something else. */
  readonly best: readonly Server[];
  readonly regions: readonly Region[];
  readonly isSearching: boolean;
}

interface ServerFinderProps {
  /** Milliseconds after which the servers are looked at anew. */
  readonly refreshMs?: number;
  readonly children: (found: FoundServers) => ReactNode;
}

/** The servers by regions, for the country and the search that the reader gives. */
export function ServerFinder({ refreshMs, children }: ServerFinderProps) {
  const { country, isGuessed } = useWhereabouts();
  const [search, setSearch] = useState("");
  const asked = {
    enabled: isGuessed !== undefined,
    ...(refreshMs !== undefined && { refetchInterval: refreshMs }),
  };
  const list = useQuery({ ...serversQuery(country), ...asked });
  const best = useQuery({ ...bestServersQuery(country), ...asked });

  if (list.isPending) return <SkeletonRows label="Loading servers" />;
  if (!list.data) return <ErrorState error={list.error} onRetry={list.refetch} />;
  const { servers, hasMore } = list.data;
  if (servers.length === 0) {
    return (
      <EmptyState icon={Globe} title="No servers yet">
        The operator has not added one. Come back a little later.
      </EmptyState>
    );
  }
  const isSearching = search.trim() !== "";
  const found = matchingServers(servers, search.trim());
  return (
    <div className="grid gap-5">
      <div className="grid items-start gap-x-6 gap-y-4 sm:grid-cols-2">
        <CountryField />
        <div className="sm:mt-6.5">
          <SearchField label="Search servers and regions" value={search} onSearch={setSearch} isWide />
        </div>
      </div>
      {isSearching && found.length === 0 ? (
        <EmptyState icon={SearchX} title="No such server">
          No server or region matches “{search.trim()}”.
        </EmptyState>
      ) : (
        children({
          best: isSearching ? [] : (best.data?.items ?? []),
          regions: regionsOf(found),
          isSearching,
        })
      )}
      <p role="status" className="text-muted text-sm">
        {plural(found.length, "server")}
        {isSearching && found.length < servers.length && ` of ${formatCount(servers.length)}`}.
        {hasMore && " There are more than are listed; the service chooses among all."}
      </p>
    </div>
  );
}
