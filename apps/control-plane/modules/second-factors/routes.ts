import { api, secondFactorErrors } from "@securewave/contracts";
import type { Database } from "@securewave/database";
import type { Mount } from "../../http/mount.ts";
import type { Reauthenticate } from "../../reauthenticate.ts";
import type { Accounts } from "../accounts/index.ts";
import type { Audit } from "../audit/index.ts";
import type { SecondFactors } from "./service.ts";

export interface SecondFactorRoutesOptions {
  readonly database: Database;
  readonly secondFactors: SecondFactors;
  readonly accounts: Accounts;
  readonly audit: Audit;
  readonly reauthenticate: Reauthenticate;
  /** Takes everything off an account by which its owner proves more than a password. */
  readonly removePasskeys: (trx: Database["db"], accountId: string) => Promise<unknown>;
  readonly endSessions: (accountId: string, actor: string) => Promise<void>;
}

export function mountSecondFactors(mount: Mount, options: SecondFactorRoutesOptions): void {
  const { database, secondFactors, accounts, audit, reauthenticate } = options;
  mount(api.secondFactor.show, ({ caller }) => secondFactors.show(caller.accountId));
  mount(api.secondFactor.begin, async ({ caller, body, request }) => {
    if (await secondFactors.isOn(caller.accountId)) throw secondFactorErrors.enabledAlready();
    return secondFactors.begin(await reauthenticate.prove(caller.accountId, body, request.origin.tag));
  });
  mount(api.secondFactor.confirm, async ({ caller, body, request }) => ({
    recovery_codes: await reauthenticate.byCode(caller.accountId, request.origin.tag, () =>
      secondFactors.confirm(caller.accountId, body.code),
    ),
  }));
  mount(api.secondFactor.disable, async ({ caller, body, request }) => {
    await reauthenticate.prove(caller.accountId, body, request.origin.tag);
    await secondFactors.disable(caller.accountId);
    return null;
  });
  mount(api.secondFactor.renewRecoveryCodes, async ({ caller, body, request }) => {
    await reauthenticate.prove(caller.accountId, body, request.origin.tag);
    return { recovery_codes: await secondFactors.renewRecoveryCodes(caller.accountId) };
  });
  mount(api.secondFactor.resetOf, async ({ caller, params }) => {
    await accounts.get(params.id);
    await database.transaction(async (trx) => {
      await secondFactors.remove(trx, params.id);
      await options.removePasskeys(trx, params.id);
      await audit.record(trx, {
        kind: "second_factor_reset_by_staff",
        actor: caller.accountId,
        subject: params.id,
      });
    });
    await options.endSessions(params.id, caller.accountId);
    return null;
  });
}
