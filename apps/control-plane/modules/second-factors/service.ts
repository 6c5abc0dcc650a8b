import { type SecondFactor, secondFactorErrors, sessionErrors } from "@securewave/contracts";
import type { Database, Tables } from "@securewave/database";
import { type Clock, DAY_MS, dayOf } from "@securewave/foundation";
import type { Envelope } from "@securewave/foundation/envelope";
import { qrSvg } from "@securewave/wireguard";
import type { Kysely } from "kysely";
import type { Account, Notify } from "../accounts/index.ts";
import type { Audit } from "../audit/index.ts";
import { type DataKeys, openNested, PLACES, sealNested } from "../data-keys/index.ts";
import type { SettingsStore } from "../settings/index.ts";
import {
  createRecoveryCodes,
  createTotpSecret,
  hashesFrom,
  hashRecoveryCode,
  hashStep,
  parseAppCode,
  parseRecoveryCode,
  stepOfCode,
  totpUrl,
} from "./codes.ts";
import * as store from "./store.ts";

export interface SecondFactorsOptions {
  readonly database: Database;
  readonly dataKeys: DataKeys;
  readonly clock: Clock;
  readonly envelope: Envelope;
  readonly audit: Pick<Audit, "record">;
  readonly settings: SettingsStore;
  /** Tells the owner by mail; within the same transaction. */
  readonly notify: Notify;
}

export type Factor = "none" | "totp" | "recovery_code";
export type SecondFactors = ReturnType<typeof createSecondFactors>;

/** A set-up that was begun is to be confirmed within the next day. */
const SET_UP_DAYS = 1;

export function createSecondFactors(options: SecondFactorsOptions) {
  const { database, dataKeys, clock, envelope, audit, settings, notify } = options;
  const { db } = database;
  const secretOf = async (factor: store.SecondFactorRow) =>
    openNested(await sealingOf(factor.account_id), factor.sealed_secret);
  const setUpSince = () => dayOf(clock.now() - SET_UP_DAYS * DAY_MS);

  async function sealingOf(accountId: string) {
    const key = await dataKeys.ofAccount(accountId);
    const context = `second factor ${accountId}`;
    return { envelope, key, place: PLACES.secondFactor, rowId: accountId, context };
  }

  async function isOn(accountId: string): Promise<boolean> {
    return (await store.findFactor(db, accountId))?.is_confirmed ?? false;
  }

  /** @returns the use of its time step, or undefined for a code that is not of this secret and time */
  function useOf(secret: string, text: string): store.StepUse | undefined {
    const code = parseAppCode(text);
    const step = code === undefined ? undefined : stepOfCode(secret, code, clock.now());
    if (step === undefined) return undefined;
    return { hash: hashStep(secret, step), usedBefore: hashesFrom(secret, step) };
  }

  async function acceptRecoveryCode(
    trx: Kysely<Tables>,
    accountId: string,
    secret: string,
    text: string,
  ): Promise<boolean> {
    const code = parseRecoveryCode(text);
    if (code === undefined) return false;
    if (!(await store.takeRecoveryCode(trx, accountId, hashRecoveryCode(secret, code)))) return false;
    await audit.record(trx, { kind: "recovery_code_used", actor: accountId, subject: accountId });
    await notify(trx, accountId, "recovery_code_used");
    return true;
  }

  async function renewCodes(trx: Kysely<Tables>, accountId: string, secret: string): Promise<string[]> {
    const codes = createRecoveryCodes();
    const hashes = codes.map((code) => hashRecoveryCode(secret, code.replaceAll("-", "")));
    await store.replaceRecoveryCodes(trx, accountId, hashes);
    return codes;
  }

  /**
   * Demands the second factor of an account that has one, and uses it up.
   *
   * @throws sessions.second_factor_needed, sessions.wrong_code
   */
  async function demand(
    trx: Kysely<Tables>,
    { id }: Pick<Account, "id">,
    code: string | undefined,
  ): Promise<Factor> {
    const factor = await store.findFactor(trx, id);
    if (!factor?.is_confirmed) return "none";
    if (code === undefined) throw sessionErrors.secondFactorNeeded();
    const secret = await secretOf(factor);
    const use = useOf(secret, code);
    if (use && (await store.useStep(trx, id, use))) return "totp";
    if (await acceptRecoveryCode(trx, id, secret, code)) return "recovery_code";
    throw sessionErrors.wrongCode();
  }

  return {
    demand,
    isOn,

    async show(accountId: string): Promise<SecondFactor> {
      const factor = await store.findFactor(db, accountId);
      const isEnabled = factor?.is_confirmed ?? false;
      return {
        is_enabled: isEnabled,
        enabled_on: isEnabled ? (factor?.created_on ?? null) : null,
        recovery_codes_left: isEnabled ? await store.countRecoveryCodes(db, accountId) : 0,
      };
    },

    /**
     * Makes a secret for an authenticator app; it counts once a first code has confirmed it.
     *
     * @throws second_factor.enabled_already
     */
    async begin({ id, email }: Account): Promise<{ secret: string; url: string; qr_svg: string }> {
      if (await isOn(id)) throw secondFactorErrors.enabledAlready();
      const secret = createTotpSecret();
      const sealed_secret = sealNested(await sealingOf(id), secret);
      await store.putUnconfirmed(db, { account_id: id, sealed_secret, created_on: dayOf(clock.now()) });
      const { service_name: issuer } = await settings.read();
      const url = totpUrl(secret, issuer, email);
      return { secret, url, qr_svg: qrSvg(url) };
    },

    /**
     * Switches the second factor on.
     *
     * @returns recovery codes, which are shown this once
     * @throws second_factor.enabled_already, second_factor.not_begun, sessions.wrong_code
     */
    async confirm(accountId: string, code: string): Promise<string[]> {
      const factor = await store.findFactor(db, accountId);
      if (factor?.is_confirmed) throw secondFactorErrors.enabledAlready();
      if (!factor || factor.created_on < setUpSince()) throw secondFactorErrors.notBegun();
      const secret = await secretOf(factor);
      const use = useOf(secret, code);
      if (!use) throw sessionErrors.wrongCode();
      return database.transaction(async (trx) => {
        if (!(await store.confirmFactor(trx, factor, use))) throw secondFactorErrors.notBegun();
        await audit.record(trx, { kind: "second_factor_enabled", actor: accountId, subject: accountId });
        await notify(trx, accountId, "second_factor_enabled");
        return renewCodes(trx, accountId, secret);
      });
    },

    /** @throws second_factor.not_enabled */
    async disable(accountId: string): Promise<void> {
      await database.transaction(async (trx) => {
        if (!(await store.findFactor(trx, accountId))?.is_confirmed) throw secondFactorErrors.notEnabled();
        await store.deleteFactor(trx, accountId);
        await audit.record(trx, { kind: "second_factor_disabled", actor: accountId, subject: accountId });
        await notify(trx, accountId, "second_factor_disabled");
      });
    },

    /** @throws second_factor.not_enabled */
    renewRecoveryCodes(accountId: string): Promise<string[]> {
      return database.transaction(async (trx) => {
        const factor = await store.findFactor(trx, accountId);
        if (!factor?.is_confirmed) throw secondFactorErrors.notEnabled();
        await audit.record(trx, { kind: "recovery_codes_renewed", actor: accountId, subject: accountId });
        return renewCodes(trx, accountId, await secretOf(factor));
      });
    },

    /** Takes it off an account whose owner lost it. */
    async remove(trx: Kysely<Tables>, accountId: string): Promise<void> {
      await store.deleteFactor(trx, accountId);
      await notify(trx, accountId, "second_factor_reset");
    },

    /** Forgets set-ups that were begun and never confirmed. */
    async deleteExpired(): Promise<void> {
      await store.deleteUnconfirmed(db, setUpSince());
    },
  };
}
