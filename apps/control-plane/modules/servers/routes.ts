import { api } from "@securewave/contracts";
import type { CountryOf } from "../../http/country.ts";
import type { Mount } from "../../http/mount.ts";
import type { Servers } from "./service.ts";

export function mountServers(mount: Mount, servers: Servers, countryOf: CountryOf): void {
  const from = <Query extends { country?: string }>(query: Query, request: Parameters<CountryOf>[0]) => {
    const country = query.country ?? countryOf(request);
    return country === undefined ? query : { ...query, country };
  };
  mount(api.servers.list, ({ caller, query, request }) =>
    servers.list(caller.accountId, from(query, request)),
  );
  mount(api.servers.best, ({ caller, query, request }) =>
    servers.best(caller.accountId, from(query, request)),
  );
  mount(api.servers.status, ({ caller, params, query, request }) =>
    servers.status(caller.accountId, params.id, from(query, request).country),
  );
}
