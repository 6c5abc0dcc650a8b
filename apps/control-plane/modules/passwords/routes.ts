import { api } from "@securewave/contracts";
import type { Mount } from "../../http/mount.ts";
import type { Reauthenticate } from "../../reauthenticate.ts";
import type { Passwords } from "./service.ts";

export function mountPasswords(mount: Mount, passwords: Passwords, reauthenticate: Reauthenticate): void {
  mount(api.passwords.requestReset, async ({ body }) => {
    await passwords.requestReset(body.email);
    return { status: "mail_sent" } as const;
  });
  mount(api.passwords.checkReset, ({ body }) => passwords.check(body.token));
  mount(api.passwords.reset, async ({ body, request }) => {
    const { id } = await passwords.accountOf(body.token);
    const reset = () => passwords.reset(body.token, body.password, body.code);
    // Without a code there is nothing to guess: a lock that strangers brought about does not keep the owner out.
    if (await passwords.needsCode(id)) await reauthenticate.byCode(id, request.origin.tag, reset);
    else await reset();
    return null;
  });
  mount(api.passwords.change, async ({ caller, body, request }) => {
    const proof = { ...body, password: body.current_password };
    const account = await reauthenticate.prove(caller.accountId, proof, request.origin.tag);
    await passwords.change(account, body.password, caller.credentialId);
    return null;
  });
}
