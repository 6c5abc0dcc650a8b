import { readFile } from "node:fs/promises";
import { isRefusalOf, RefusalError } from "@securewave/foundation";
import { createSecret, type Secret } from "@securewave/foundation/secret";
import { createAlarm, nextTryMs, renewalMs } from "./alarm.ts";
import { vaultErrors } from "./errors.ts";
import { type Call, isObject, type JsonObject, type Send } from "./transport.ts";

/** How the service proves itself to Vault. */
export type VaultLogin =
  | { readonly kind: "token"; readonly token: Secret }
  /** A file that something else keeps current, as Vault Agent does. */
  | { readonly kind: "token-file"; readonly path: string }
  | {
      readonly kind: "app-role";
      readonly roleId: string;
      readonly secretId: Secret;
      /** Where the method is mounted: `approle`. */
      readonly mount?: string;
    };

interface Token {
  readonly secret: Secret;
  readonly isRenewable: boolean;
  /** When it was got; Infinity for a token that does not end. */
  readonly lifeMs: number;
  readonly untilMs: number;
}

/** Calls in the name of a token that is kept alive. */
export interface VaultSession {
  /** @throws the errors of `vaultErrors` */
  call(call: Omit<Call, "token">): Promise<JsonObject>;
  /** Another token took the place of one that ends soon; what was leased under that one ends with it. */
  onReplaced(replaced: () => void): void;
  /** Gives a token of its own back, and with it what is leased under it. */
  close(): Promise<void>;
}

/** A token renewed for less than this part of its first life is near its longest life: another one is needed. */
const WORTHWHILE = 1 / 3;

/**
 * Logs in and keeps the token alive: renews it before it ends, and logs in again where it cannot be renewed.
 *
 * @param onTrouble hears what goes wrong in the background; it is tried again
 * @throws vault.login_refused, and what `Send` throws
 */
export async function openSession(
  send: Send,
  login: VaultLogin,
  onTrouble: (error: unknown) => void,
): Promise<VaultSession> {
  const listeners: (() => void)[] = [];
  const alarm = createAlarm(() => void keep());
  let isClosed = false;
  let held = await obtain(send, login);
  let replacing: Promise<void> | undefined;
  alarm.set(renewalMs(held.lifeMs));

  /** Logs in again; those who ask at the same time share it. */
  function replace(): Promise<void> {
    replacing ??= (async () => {
      const fresh = await obtain(send, login);
      const isOther = fresh.secret.reveal() !== held.secret.reveal();
      held = fresh;
      if (isClosed) return;
      alarm.set(renewalMs(fresh.lifeMs));
      if (isOther) for (const replaced of listeners) replaced();
    })().finally(() => {
      replacing = undefined;
    });
    return replacing;
  }

  async function keep(): Promise<void> {
    try {
      if (!held.isRenewable || !Number.isFinite(held.lifeMs) || !(await renew())) await replace();
    } catch (error) {
      onTrouble(error);
      if (!isClosed) alarm.set(nextTryMs(held.untilMs - performance.now()));
    }
  }

  /** @returns whether the token lives on for long enough */
  async function renew(): Promise<boolean> {
    const { secret: token, lifeMs } = held;
    const body = { increment: Math.ceil(lifeMs / 1000) };
    try {
      const { auth } = await send({ method: "POST", path: "auth/token/renew-self", token, body });
      if (!isObject(auth) || typeof auth.lease_duration !== "number") throw vaultErrors.unexpected();
      const leftMs = auth.lease_duration * 1000;
      held = { ...held, isRenewable: auth.renewable === true, untilMs: performance.now() + leftMs };
      if (leftMs < lifeMs * WORTHWHILE && login.kind !== "token") return false;
      if (!isClosed) alarm.set(renewalMs(leftMs));
      return true;
    } catch (error) {
      if (isRefusal(error)) return false;
      throw error;
    }
  }

  /** A refusal says nothing of the cause: the policy, or the end of the token. */
  async function hasEnded(token: Secret): Promise<boolean> {
    const lookUp = { method: "GET", path: "auth/token/lookup-self", token } as const;
    return send(lookUp).then(
      () => false,
      (error) => isRefusalOf(error, vaultErrors.denied),
    );
  }

  return {
    async call(call) {
      const used = held.secret;
      try {
        return await send({ ...call, token: used });
      } catch (error) {
        if (!isRefusalOf(error, vaultErrors.denied) || login.kind === "token" || isClosed) throw error;
        if (held.secret === used && (await hasEnded(used))) await replace();
        if (held.secret.reveal() === used.reveal()) throw error;
        return send({ ...call, token: held.secret });
      }
    },
    onReplaced: (replaced) => void listeners.push(replaced),
    async close() {
      isClosed = true;
      alarm.stop();
      await replacing?.catch(() => {});
      if (login.kind !== "app-role") return;
      await send({ method: "POST", path: "auth/token/revoke-self", token: held.secret }).catch(onTrouble);
    },
  };
}

async function obtain(send: Send, login: VaultLogin): Promise<Token> {
  if (login.kind === "app-role") {
    const { roleId, secretId, mount = "approle" } = login;
    const body = { role_id: roleId, secret_id: secretId.reveal() };
    const answer = await send({ method: "POST", path: `auth/${mount}/login`, body }).catch(refuseLogin);
    return tokenOf(answer);
  }
  const token = login.kind === "token" ? login.token : await readToken(login.path);
  const answer = await send({ method: "GET", path: "auth/token/lookup-self", token }).catch(refuseLogin);
  const { data } = answer;
  if (!isObject(data) || typeof data.ttl !== "number") throw vaultErrors.unexpected();
  return tokenFor(token, data.ttl, data.renewable === true);
}

async function readToken(path: string): Promise<Secret> {
  const text = await readFile(path, "utf8").catch(() => {
    throw vaultErrors.fileUnreadable({ detail: `The file of the Vault token cannot be read: ${path}` });
  });
  return createSecret(text.trim());
}

function tokenOf({ auth }: JsonObject): Token {
  if (!isObject(auth)) throw vaultErrors.unexpected();
  const { client_token, lease_duration, renewable } = auth;
  if (typeof client_token !== "string" || typeof lease_duration !== "number") throw vaultErrors.unexpected();
  return tokenFor(createSecret(client_token), lease_duration, renewable === true);
}

/** @param seconds 0 for a token that does not end */
function tokenFor(secret: Secret, seconds: number, isRenewable: boolean): Token {
  const lifeMs = seconds === 0 ? Number.POSITIVE_INFINITY : seconds * 1000;
  return { secret, isRenewable, lifeMs, untilMs: performance.now() + lifeMs };
}

/** Vault says with 400 or 403 that it does not know the one who logs in. */
function refuseLogin(error: unknown): never {
  throw isRefusal(error) ? vaultErrors.loginRefused({ ...internalOf(error) }) : error;
}

function internalOf(error: RefusalError): { internal?: string } {
  return error.internal === undefined ? {} : { internal: error.internal };
}

/** Whether Vault understood and will not, so that the same again is of no use. */
export function isRefusal(error: unknown): error is RefusalError {
  const codes = [vaultErrors.denied.code, vaultErrors.refused.code, vaultErrors.notFound.code];
  return error instanceof RefusalError && codes.includes(error.code);
}
