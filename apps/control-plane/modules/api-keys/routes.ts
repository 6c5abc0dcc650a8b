import { api } from "@securewave/contracts";
import type { Mount } from "../../http/mount.ts";
import type { Reauthenticate } from "../../reauthenticate.ts";
import type { ApiKeys } from "./service.ts";

export function mountApiKeys(mount: Mount, apiKeys: ApiKeys, reauthenticate: Reauthenticate): void {
  mount(api.apiKeys.list, ({ caller, query }) => apiKeys.list(caller.accountId, query));
  mount(api.apiKeys.create, async ({ caller, body, request }) => {
    await reauthenticate.prove(caller.accountId, body, request.origin.tag);
    return apiKeys.create(caller.accountId, {
      name: body.name,
      scopes: body.scopes,
      expiresInDays: body.expires_in_days ?? 90,
      requestsPerMinute: body.requests_per_minute ?? 300,
    });
  });
  mount(api.apiKeys.rotate, async ({ caller, params, body, request }) => {
    await reauthenticate.prove(caller.accountId, body, request.origin.tag);
    return apiKeys.rotate(caller.accountId, params.id);
  });
  mount(api.apiKeys.revoke, async ({ caller, params }) => {
    await apiKeys.revoke(caller.accountId, params.id);
    return null;
  });
}
