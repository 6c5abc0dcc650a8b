import { api } from "@securewave/contracts";
import type { Mount } from "../../http/mount.ts";
import { viewOf } from "./account.ts";
import type { Accounts } from "./service.ts";

const MAIL_SENT = { status: "mail_sent" } as const;

export function mountAccounts(mount: Mount, accounts: Accounts): void {
  mount(api.accounts.register, async ({ body }) => {
    await accounts.register(body.email, body.password);
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
  mount(api.accounts.create, async ({ body }) =>
    viewOf(await accounts.create(body.email, body.password, body.role ?? "customer")),
  );
  mount(api.accounts.show, async ({ params }) => viewOf(await accounts.get(params.id)));
  mount(api.accounts.change, async ({ params, body }) => viewOf(await accounts.change(params.id, body)));
}
