import type { FastifyReply } from "fastify";
import type { Policy, Verdict } from "./policy.ts";

/**
 * Adds to what the answer tells of limits: of each policy the quota and the window, what remains, and the seconds until
 * more is made available. Both fields are lists, so that several steps can add to them.
 *
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ (revision 10)
 */
export function tellLimits(reply: FastifyReply, told: readonly (readonly [Policy, Verdict])[]): void {
  if (told.length === 0) return;
  let policies = "";
  let limits = "";
  for (const [{ name, limit, windowSeconds }, { remaining, resetSeconds }] of told) {
    const comma = policies === "" ? "" : ", ";
    policies += `${comma}"${name}";q=${limit};w=${windowSeconds}`;
    limits += `${comma}"${name}";r=${remaining};t=${resetSeconds}`;
  }
  append(reply, "ratelimit-policy", policies);
  append(reply, "ratelimit", limits);
}

function append(reply: FastifyReply, name: string, text: string): void {
  const before = reply.getHeader(name);
  reply.header(name, before === undefined ? text : `${before}, ${text}`);
}
