import { keys } from "@securewave/contracts/keys";
import type { Mount } from "../../http/mount.ts";
import type { KeyRings } from "./service.ts";

export function mountKeyRings(mount: Mount, keyRings: KeyRings): void {
  mount(keys.list, () => keyRings.list());
  mount(keys.rotate, async ({ body, caller }) => {
    if (body.what === "signing") await keyRings.rotateSigningKeys(caller.accountId);
    else await keyRings.rotateMasterKeys(caller.accountId);
    return keyRings.list();
  });
}
