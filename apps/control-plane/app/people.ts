import { join } from "node:path";
import { createAccessTokens } from "@securewave/sentinel/tokens";
import { openWeakPasswords } from "@securewave/weak-passwords";
import { createLogInGuard } from "../log-in-guard.ts";
import { createAccounts } from "../modules/accounts/index.ts";
import { createApiKeys } from "../modules/api-keys/index.ts";
import { createLetterLimits, createMail } from "../modules/mail/index.ts";
import { createPasskeys } from "../modules/passkeys/index.ts";
import { createPasswords } from "../modules/passwords/index.ts";
import { createPolicy } from "../modules/privacy/index.ts";
import { createSecondFactors } from "../modules/second-factors/index.ts";
import { createIdentify, createLifetime, createLogIn, createSessions } from "../modules/sessions/index.ts";
import { createSettings } from "../modules/settings/index.ts";
import { insertLedgerRow } from "../modules/usage/index.ts";
import { createReauthenticate } from "../reauthenticate.ts";
import type { Security } from "../security.ts";
import type { Ground } from "./ground.ts";
import type { Keys } from "./keys.ts";

const ISSUER = "securewave";
const AUDIENCE = "securewave-api";

export type People = ReturnType<typeof createPeople>;

/** Who has an account, how they prove that it is theirs, and who is calling. */
export function createPeople(ground: Ground, keys: Keys, security: Security) {
  const { config, database, clock, telemetry, bus, jobs, publicUrl, isSecure, keyFor, closing } = ground;
  const { audit, dataKeys, envelope, keyRings } = keys;
  const { blocklist, failures, csrf } = security;

  const settings = createSettings({ database, bus, audit });
  const mail = createMail({ ...config.mail, outboxDir: join(config.store.dir, "outbox") });
  closing.defer(mail.close);
  const weakPasswords = openWeakPasswords(config.breachedPath ? { breachedPath: config.breachedPath } : {});
  closing.defer(weakPasswords.close);
  const policy = createPolicy({ database, clock, version: config.privacy.policyVersion });
  const accounts = createAccounts({
    database,
    insertLedgerRow,
    noteAgreement: policy.noteRegistration,
    dataKeys,
    clock,
    jobs,
    mail,
    settings,
    audit,
    publicUrl,
    weakPasswords,
    letterLimits: createLetterLimits({
      clock,
      limits: security.global.limits,
      key: keyFor("letter recipients"),
    }),
  });
  const { notify } = accounts;

  const guard = createLogInGuard({ failures, blocklist, audit, telemetry, key: keyFor("log-in subjects") });
  const secondFactors = createSecondFactors({ database, dataKeys, clock, envelope, audit, settings, notify });
  const reauthenticate = createReauthenticate({
    database,
    accounts,
    demandFactor: secondFactors.demand,
    guard,
  });
  const passkeys = createPasskeys({
    notify,
    database,
    dataKeys,
    clock,
    accounts,
    audit,
    settings,
    guard,
    key: keyFor("passkey challenges"),
    publicUrl,
  });
  const passwords = createPasswords({
    database,
    clock,
    jobs,
    mail,
    settings,
    accounts,
    secondFactors,
    audit,
    publicUrl,
  });
  const apiKeys = createApiKeys({
    database,
    dataKeys,
    clock,
    bus,
    audit,
    notify,
    daysMax: config.apiKeyDaysMax,
  });

  const accessTokens = createAccessTokens({
    issuer: ISSUER,
    audience: AUDIENCE,
    lifeSeconds: config.sessions.accessHours * 3600,
    clock,
    keys: keyRings.signingKeys,
  });
  const lifetime = createLifetime(clock, config.sessions);
  const { identify, cookies } = createIdentify({
    database,
    clock,
    bus,
    lifetime,
    telemetry,
    accessTokens,
    csrf,
    identifyApiKey: apiKeys.identify,
    isSecure,
  });
  const sessions = createSessions({
    database,
    clock,
    bus,
    accounts,
    audit,
    accessTokens,
    cookies,
    refreshKey: keyFor("refresh tokens"),
    lifetime,
  });
  const logIn = createLogIn({ database, accounts, secondFactors, guard, telemetry });

  return {
    settings,
    mail,
    policy,
    accounts,
    secondFactors,
    reauthenticate,
    passkeys,
    passwords,
    apiKeys,
    identify,
    cookies,
    sessions,
    logIn,
  };
}
