import { api } from "@securewave/contracts";
import type { Mount } from "../../http/mount.ts";
import type { Nodes } from "./service.ts";

export function mountNodes(mount: Mount, nodes: Nodes): void {
  mount(api.nodes.list, ({ query }) => nodes.list(query));
  mount(api.nodes.create, ({ body }) => nodes.create(body));
  mount(api.nodes.show, ({ params }) => nodes.show(params.id));
  mount(api.nodes.change, ({ params, body }) => nodes.change(params.id, body));
  mount(api.nodes.renewJoinToken, ({ params }) => nodes.renewJoinToken(params.id));
  mount(api.nodes.remove, async ({ params }) => {
    await nodes.remove(params.id);
    return null;
  });
  mount(api.nodes.join, ({ body }) => nodes.join(body));
  mount(api.servers.list, ({ query }) => nodes.listServers(query));
  mount(api.servers.status, ({ params }) => nodes.showServer(params.id));
}
