import { api } from "@securewave/contracts";
import type { Mount } from "../../http/mount.ts";
import type { Reauthenticate } from "../../reauthenticate.ts";
import type { Passkeys } from "./service.ts";

export function mountPasskeys(mount: Mount, passkeys: Passkeys, reauthenticate: Reauthenticate): void {
  mount(api.passkeys.list, ({ caller }) => passkeys.list(caller.accountId));
  mount(api.passkeys.begin, async ({ caller, body, request }) =>
    passkeys.begin(await reauthenticate.prove(caller.accountId, body, request.origin.tag)),
  );
  mount(api.passkeys.add, ({ caller, body }) => passkeys.add(caller.accountId, body.name, body.response));
  mount(api.passkeys.rename, ({ caller, params, body }) =>
    passkeys.rename(caller.accountId, params.id, body.name),
  );
  mount(api.passkeys.remove, async ({ caller, params, body, request }) => {
    await reauthenticate.prove(caller.accountId, body, request.origin.tag);
    await passkeys.remove(caller.accountId, params.id);
    return null;
  });
}
