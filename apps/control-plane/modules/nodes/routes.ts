import { api } from "@securewave/contracts";
import type { FastifyRequest } from "fastify";
import type { Mount } from "../../http/mount.ts";
import type { Nodes } from "./service.ts";

/** @param publicUrl the configured one; without it, nodes are told the address that the admin used */
export function mountNodes(mount: Mount, nodes: Nodes, publicUrl: string | undefined): void {
  const originOf = ({ protocol, host }: FastifyRequest) => {
    const used = `${protocol}://${host}`;
    return publicUrl ?? (/^[A-Za-z0-9.:[\]-]+$/.test(host) && URL.canParse(used) ? used : "http://localhost");
  };

  mount(api.nodes.list, ({ query }) => nodes.list(query));
  mount(api.nodes.create, ({ body, caller, request }) =>
    nodes.create(body, originOf(request), caller.accountId),
  );
  mount(api.nodes.show, ({ params }) => nodes.show(params.id));
  mount(api.nodes.change, ({ params, body, caller }) => nodes.change(params.id, body, caller.accountId));
  mount(api.nodes.renewJoinToken, ({ params, caller, request }) =>
    nodes.renewJoinToken(params.id, originOf(request), caller.accountId),
  );
  mount(api.nodes.trust, ({ params, caller }) => nodes.trust(params.id, caller.accountId));
  mount(api.nodes.remove, async ({ params, query, caller }) => {
    await nodes.remove(params.id, query.now ?? false, caller.accountId);
    return null;
  });
  mount(api.nodes.join, ({ body }) => nodes.join(body));
}
