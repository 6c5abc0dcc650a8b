import { api } from "@securewave/contracts";
import type { Mount } from "../../http/mount.ts";
import type { Backups } from "./service.ts";

export function mountBackups(mount: Mount, backups: Backups): void {
  mount(api.backups.state, () => backups.state());
  mount(api.backups.list, ({ query }) => backups.list(query.kind, query));
  mount(api.backups.run, () => ({ run: backups.progress() ?? null }));
  mount(api.backups.show, ({ params }) => backups.show(params.id));
  mount(api.backups.start, ({ caller, body }) => backups.start(caller.accountId, body.kind));
  mount(api.backups.verify, ({ caller, params }) => backups.verify(caller.accountId, params.id));
  mount(api.backups.cleanUp, ({ caller }) => backups.cleanUp(caller.accountId));
}
