import { api } from "@securewave/contracts";
import type { Mount } from "../../http/mount.ts";
import type { OriginOf } from "../../http/own-origin.ts";
import type { Nodes } from "./service.ts";

/** @param originOf where nodes reach the control plane */
export function mountNodes(mount: Mount, nodes: Nodes, originOf: OriginOf): void {
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
