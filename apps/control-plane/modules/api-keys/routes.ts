import { api } from "@securewave/contracts";
import type { FastifyRequest } from "fastify";
import type { Mount } from "../../http/mount.ts";
import type { ApiKeys } from "./service.ts";

/** @param demandPassword throws when the password is not that of the account */
export function mountApiKeys(
  mount: Mount,
  apiKeys: ApiKeys,
  demandPassword: (accountId: string, password: string, request: FastifyRequest) => Promise<unknown>,
): void {
  mount(api.apiKeys.list, ({ caller, query }) => apiKeys.list(caller.accountId, query));
  mount(api.apiKeys.create, async ({ caller, body, request }) => {
    await demandPassword(caller.accountId, body.password, request);
    return apiKeys.create(caller.accountId, {
      name: body.name,
      scopes: body.scopes,
      expiresInDays: body.expires_in_days ?? 90,
      requestsPerMinute: body.requests_per_minute ?? 300,
    });
  });
  mount(api.apiKeys.rotate, ({ caller, params }) => apiKeys.rotate(caller.accountId, params.id));
  mount(api.apiKeys.revoke, async ({ caller, params }) => {
    await apiKeys.revoke(caller.accountId, params.id);
    return null;
  });
}
