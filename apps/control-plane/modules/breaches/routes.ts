import { api } from "@securewave/contracts";
import type { Mount } from "../../http/mount.ts";
import type { Reauthenticate } from "../../reauthenticate.ts";
import type { Breaches } from "./service.ts";

export function mountBreaches(mount: Mount, breaches: Breaches, reauthenticate: Reauthenticate): void {
  mount(api.breaches.start, async ({ caller, body, request }) => {
    await reauthenticate.prove(caller.accountId, body, request.origin.tag);
    return breaches.start(body.summary, caller.accountId);
  });
  mount(api.breaches.list, ({ query }) => breaches.list(query));
  mount(api.breaches.show, ({ params }) => breaches.show(params.id));
  mount(api.breaches.note, ({ caller, params, body }) =>
    breaches.note(params.id, body.text, caller.accountId),
  );
  mount(api.breaches.rotate, async ({ caller, params, body, request }) => {
    await reauthenticate.prove(caller.accountId, body, request.origin.tag);
    return breaches.rotate(params.id, body.what, caller);
  });
  mount(api.breaches.notify, async ({ caller, params, body, request }) => {
    await reauthenticate.prove(caller.accountId, body, request.origin.tag);
    const { subject, text, node_id: nodeId } = body;
    const notice = { subject, text, ...(nodeId === undefined ? {} : { nodeId }) };
    return breaches.notify(params.id, notice, caller.accountId);
  });
  mount(api.breaches.close, async ({ caller, params, body, request }) => {
    await reauthenticate.prove(caller.accountId, body, request.origin.tag);
    return breaches.close(params.id, body.text, caller.accountId);
  });
}
