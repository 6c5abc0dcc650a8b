import { api, sentinelErrors } from "@securewave/contracts";
import { isTrapSprung } from "@securewave/sentinel/bot";
import type { Caller } from "../../http/caller.ts";
import type { Mount } from "../../http/mount.ts";
import { viewOf } from "./account.ts";
import type { Accounts } from "./service.ts";

const MAIL_SENT = { status: "mail_sent" } as const;

export function mountAccounts(mount: Mount, accounts: Accounts): void {
  mount(api.accounts.register, async ({ body }) => {
    // A robot that fills in what people do not see is told what it wants to hear.
    if (!isTrapSprung(body)) await accounts.register(body.email, body.password, body.policy_version);
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
  mount(api.accounts.create, async ({ body, caller }) => {
    const { email, password, role = "customer" } = body;
    if (role !== "customer") demandLogIn(caller);
    return viewOf(await accounts.create(email, password, role, caller.accountId));
  });
  mount(api.accounts.show, async ({ params }) => viewOf(await accounts.get(params.id)));
  mount(api.accounts.change, async ({ params, body, caller }) => {
    if (body.role !== undefined) demandLogIn(caller);
    return viewOf(await accounts.change(params.id, body, caller.accountId));
  });
}

/** An API key that could make somebody an admin could do everything that its scopes leave out. */
function demandLogIn({ apiKey }: Caller): void {
  if (apiKey)
    throw sentinelErrors.scopeMissing({ detail: "No API key may give roles: that takes a log-in." });
}
