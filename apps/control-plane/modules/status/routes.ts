import { api } from "@securewave/contracts";
import type { FastifyInstance } from "fastify";
import type { Mount } from "../../http/mount.ts";
import { addPage } from "../../http/page.ts";
import { atomFeed } from "./feed.ts";
import type { Incidents } from "./incidents.ts";
import { statusPage, TIMES_SCRIPT } from "./page.ts";
import type { Status } from "./service.ts";

export function mountStatus(mount: Mount, status: Status, incidents: Incidents): void {
  mount(api.status.show, () => status.show());
  mount(api.statusDesk.incidents, ({ query }) => incidents.list(query));
  mount(api.statusDesk.openIncident, ({ body, caller }) => incidents.open(body, caller.accountId));
  mount(api.statusDesk.changeIncident, ({ params, body, caller }) =>
    incidents.change(params.id, body, caller.accountId),
  );
  mount(api.statusDesk.removeIncident, async ({ params, caller }) => {
    await incidents.remove(params.id, caller.accountId);
    return null;
  });
  mount(api.statusDesk.updateIncident, ({ params, body, caller }) =>
    incidents.update(params.id, body, caller.accountId),
  );
  mount(api.statusDesk.changeUpdate, ({ params, body, caller }) =>
    incidents.changeUpdate(params.id, body.text, caller.accountId),
  );
  mount(api.statusDesk.removeUpdate, ({ params, caller }) =>
    incidents.removeUpdate(params.id, caller.accountId),
  );
}

/** Adds the page for everybody, which works without script, and its feed. */
export function addStatusPage(
  app: FastifyInstance,
  status: Status,
  publicUrl: string,
  isSecure: boolean,
): void {
  addPage(app, "/status", isSecure, async () => statusPage(await status.show()));
  app.get("/status/feed.atom", async (_request, reply) => {
    const feed = atomFeed(await status.show(), publicUrl);
    return reply.header("cache-control", "no-cache").type("application/atom+xml; charset=utf-8").send(feed);
  });
  app.get("/status/times.js", async (_request, reply) =>
    reply.header("cache-control", "no-cache").type("text/javascript; charset=utf-8").send(TIMES_SCRIPT),
  );
}
