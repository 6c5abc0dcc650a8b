import type { Role, Scope } from "@securewave/contracts";
import type { FastifyRequest } from "fastify";

/** Who makes a request, and by which credential. */
export interface Caller {
  readonly accountId: string;
  readonly role: Role;
  /** Id of the log-in, or of the API key. */
  readonly credentialId: string;
  /** Present when an API key calls, which may do less than its account. */
  readonly apiKey: { readonly scopes: readonly Scope[]; readonly requestsPerMinute: number } | undefined;
}

/**
 * Finds out who makes a request; undefined when nobody is logged in.
 *
 * @throws sentinel.forged_request when a browser's session comes without the token of its pages
 */
export type Identify = (request: FastifyRequest) => Caller | undefined | Promise<Caller | undefined>;

declare module "fastify" {
  interface FastifyRequest {
    caller: Caller | undefined;
  }
}
