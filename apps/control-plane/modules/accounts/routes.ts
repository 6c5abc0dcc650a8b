import { api } from "@securewave/contracts";
import { isTrapSprung } from "@securewave/sentinel/bot";
import type { Mount } from "../../http/mount.ts";
import { viewOf } from "./account.ts";
import type { Accounts } from "./service.ts";

const MAIL_SENT = { status: "mail_sent" } as const;

export function mountAccounts(mount: Mount, accounts: Accounts): void {
  mount(api.accounts.register, async ({ body }) => {
    // A robot that fills in what people do not see is told what it wants to hear.
    if (!isTrapSprung(body)) await accounts.register(body.email, body.password);
    return MAIL_SENT;
  });
  mount(api.accounts.requestVerification, async ({ body }) => {
    await accounts.requestVerification(body.email);
    return MAIL_SENT;
  });
  mount(api.accounts.verifyEmail, async ({ body }) => ({
    email: (await accounts.verifyEmail(body.token)).email,
  }));
  mount(api.accounts.me, async ({ caller }) => viewOf(await accounts.get(caller.accountId)));
  mount(api.accounts.list, ({ query }) => accounts.list(query));
  mount(api.accounts.create, async ({ body, caller }) =>
    viewOf(await accounts.create(body.email, body.password, body.role ?? "customer", caller.accountId)),
  );
  mount(api.accounts.show, async ({ params }) => viewOf(await accounts.get(params.id)));
  mount(api.accounts.change, async ({ params, body, caller }) =>
    viewOf(await accounts.change(params.id, body, caller.accountId)),
  );
}
