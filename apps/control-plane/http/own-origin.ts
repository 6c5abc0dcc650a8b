import type { FastifyRequest } from "fastify";

export type OriginOf = (request: FastifyRequest) => string;

/**
 * Where the caller reaches this service, so that it can be told to others: `https://vpn.example.org`.
 *
 * @param publicUrl the configured one; without it, the address that the caller used
 */
export function createOriginOf(publicUrl: string | undefined): OriginOf {
  return ({ protocol, host }) => {
    const used = `${protocol}://${host}`;
    return publicUrl ?? (/^[A-Za-z0-9.:[\]-]+$/.test(host) && URL.canParse(used) ? used : "http://localhost");
  };
}
