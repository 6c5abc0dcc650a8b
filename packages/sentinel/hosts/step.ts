import type { IncomingMessage } from "node:http";
import { sentinelErrors } from "@securewave/contracts/sentinel";
import type { FastifyRequest } from "fastify";
import type { Step } from "../step.ts";
import type { Hosts } from "./hosts.ts";

/**
 * Refuses requests under another name: links, caches and redirects must not be made with a name somebody sent.
 * Every place where a request can name its host must hold a trusted one, since code behind may read any of them.
 *
 * @throws sentinel.unknown_host
 */
export function createHostStep(hosts: Pick<Hosts, "isTrusted">): Step {
  return (request) => {
    const isKnown =
      areHeadersTrusted(hosts, request) &&
      isTargetTrusted(hosts, request.originalUrl) &&
      !isNamedTwice(request.raw);
    if (!isKnown) throw sentinelErrors.unknownHost();
  };
}

function areHeadersTrusted(hosts: Pick<Hosts, "isTrusted">, request: FastifyRequest): boolean {
  const { host, ":authority": authority } = request.raw.headers;
  if (authority !== undefined && !hosts.isTrusted(String(authority))) return false;
  if ((host !== undefined || authority === undefined) && !hosts.isTrusted(host)) return false;
  // Behind a trusted proxy it is what that one forwards.
  const effective = request.host;
  return effective === "" || effective === host || hosts.isTrusted(effective);
}

/** `GET http://host/path` names a host that counts more than the header. RFC 9112 §3.2.2 */
function isTargetTrusted(hosts: Pick<Hosts, "isTrusted">, target: string): boolean {
  if (target.startsWith("/") || target === "*") return true;
  return URL.canParse(target) && hosts.isTrusted(new URL(target).host);
}

/** Node keeps the first of two `Host` headers, a proxy in front perhaps the other. RFC 9112 §3.2 */
function isNamedTwice({ rawHeaders }: IncomingMessage): boolean {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? "";
    if (name.length === 4 && name.toLowerCase() === "host") count++;
  }
  return count > 1;
}
