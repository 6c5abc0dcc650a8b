import { Readable } from "node:stream";
import { api } from "@securewave/contracts";
import { type Mount, SENT } from "../../http/mount.ts";
import type { Reauthenticate } from "../../reauthenticate.ts";
import type { Accounts } from "../accounts/index.ts";
import type { Privacy } from "./service.ts";

export interface PrivacyRoutes {
  readonly privacy: Privacy;
  readonly accounts: Pick<Accounts, "get">;
  readonly reauthenticate: Reauthenticate;
}

export function mountPrivacy(mount: Mount, { privacy, accounts, reauthenticate }: PrivacyRoutes): void {
  const { deletions, history, policy, requests } = privacy;
  mount(api.privacy.show, ({ caller }) => privacy.show(caller.accountId));
  mount(api.privacy.agree, async ({ caller, body }) => {
    await policy.agree(caller.accountId, body.version);
    return privacy.show(caller.accountId);
  });
  mount(api.privacy.keepHistory, async ({ caller, body }) => {
    await history.switchOn(caller.accountId, body.text_version);
    return privacy.show(caller.accountId);
  });
  mount(api.privacy.forgetHistory, async ({ caller }) => {
    await history.switchOff(caller.accountId);
    return privacy.show(caller.accountId);
  });
  mount(api.privacy.history, ({ caller, query }) => history.list(caller.accountId, query));
  mount(api.privacy.export, async ({ caller, body, request, reply }) => {
    await reauthenticate.prove(caller.accountId, body, request.origin.tag);
    const pieces = await privacy.export(caller.accountId);
    reply.header("content-disposition", 'attachment; filename="everything-about-me.json"');
    await reply.type("application/json; charset=utf-8").send(Readable.from(pieces));
    return SENT;
  });
  mount(api.privacy.askDeletion, async ({ caller, body, request }) => {
    await reauthenticate.prove(caller.accountId, body, request.origin.tag);
    return deletions.ask(caller.accountId);
  });
  mount(api.privacy.withdrawDeletion, async ({ caller }) => {
    await deletions.withdraw(caller.accountId, caller.accountId);
    return null;
  });
  mount(api.privacy.ask, ({ caller, body }) => requests.ask(caller.accountId, body.kind, body.text));
  mount(api.privacy.ownRequests, ({ caller, query }) => requests.listOwn(caller.accountId, query));

  mount(api.privacyDesk.requests, ({ query }) => requests.list(query.state, query));
  mount(api.privacyDesk.close, ({ params, body, caller }) =>
    requests.close(params.id, body.state, caller.accountId),
  );
  mount(api.privacyDesk.showDeletion, async ({ params }) => {
    await accounts.get(params.id);
    return { deletion: (await deletions.find(params.id)) ?? null };
  });
  mount(api.privacyDesk.erase, ({ params, body, caller }) =>
    deletions.askForStaff(params.id, caller.accountId, body.is_at_once ?? false),
  );
  mount(api.privacyDesk.keep, async ({ params, caller }) => {
    await accounts.get(params.id);
    await deletions.withdraw(params.id, caller.accountId);
    return null;
  });
}
