import { api } from "@securewave/contracts";
import type { Mount } from "../../http/mount.ts";
import { boundsOf, pageOf } from "../../http/paging.ts";
import { type Alerts, episodeViewOf } from "./service.ts";

export function mountAlerts(mount: Mount, alerts: Alerts): void {
  mount(api.alerts.list, () => alerts.list());
  mount(api.alerts.history, async ({ query }) => {
    const bounds = boundsOf(query, ["instant", "text"]);
    return pageOf(
      await alerts.history(bounds),
      bounds,
      ({ began_at, name }) => [began_at.toISOString(), name],
      episodeViewOf,
    );
  });
  mount(api.alerts.silence, ({ params, body, caller }) =>
    alerts.silence(params.name, body.minutes, body.reason, caller.accountId),
  );
  mount(api.alerts.unsilence, async ({ params, caller }) => {
    await alerts.unsilence(params.name, caller.accountId);
    return null;
  });
}
