import { api } from "@securewave/contracts";
import type { Mount } from "../../http/mount.ts";
import type { JobDesk } from "./service.ts";

export function mountJobs(mount: Mount, desk: JobDesk): void {
  mount(api.jobs.list, async () => ({ items: await desk.list() }));
  mount(api.jobs.get, ({ params }) => desk.get(params.name));
  mount(api.jobs.run, ({ params, caller }) => desk.run(params.name, caller.accountId));
  mount(api.deadLetters.list, ({ query }) => desk.deadLetters(query));
  mount(api.deadLetters.retry, async ({ params, caller }) => {
    await desk.retry(params.id, caller.accountId);
    return null;
  });
  mount(api.deadLetters.discard, async ({ params, caller }) => {
    await desk.discard(params.id, caller.accountId);
    return null;
  });
}
