import { join, resolve } from "node:path";
import { LOGGING_POLICIES } from "@securewave/database";
import {
  decimal,
  integer,
  list,
  listSettings,
  oneOf,
  optionalSecret,
  optionalText,
  readSettings,
  readSource,
  type SettingsOf,
  text,
  variablesOf,
} from "@securewave/foundation/settings";
import { PERSISTENCE_POLICIES } from "@securewave/sentinel/redis";
import type { Vault } from "@securewave/vault";
import type { Pool } from "@securewave/wireguard";
import {
  addressesOf,
  isHttpUrl,
  isOrigin,
  isWebAddress,
  parseHostPattern,
  parseListPlace,
  parseMinuteOfDay,
  parseNetwork,
  parseOriginPattern,
  parsePath,
  parseWord,
  poolOf,
  required,
} from "./setting-texts.ts";
import { isVaultUsed, startVault, vaultMistakes, vaultSettings } from "./vault.ts";

const MASTER_KEY_RANGE = {
  range: "32 bytes in base64",
  isAllowed: (key: string) => Buffer.from(key, "base64").length === 32,
};

/** Every setting of the control plane. `docs/config.md` is generated from it. */
export const settings = {
  http: {
    host: text("API_HOST", "Address that the API and the console listen on.", {
      range: "a host name or address",
      parse: parseWord,
      default: "0.0.0.0",
    }),
    port: integer("API_PORT", "Port of the API and the console.", { default: 8000, min: 1, max: 65535 }),
    publicUrl: optionalText(
      "PUBLIC_URL",
      "Where people reach the console; stands in mails. Without it, http://localhost and the port.",
      {
        range: "an http or https URL without a path",
        isAllowed: isOrigin,
      },
    ),
    requestBytesMax: integer("MAX_REQUEST_SIZE", "Largest body of a request, in bytes.", {
      default: 10_485_760,
      min: 1024,
      max: 104_857_600,
    }),
    requestTimeoutSeconds: integer("REQUEST_TIMEOUT_SECONDS", "A request that takes longer is given up.", {
      default: 30,
      min: 1,
      max: 600,
    }),
    corsOrigins: list("API_CORS_ORIGINS", "Origins of other sites whose pages may call the API.", {
      range: "origins such as https://app.example.org or https://*.example.org",
      parse: parseOriginPattern,
    }),
    trustedHosts: list(
      "API_TRUSTED_HOSTS",
      "Hosts that requests may be addressed to; any where none is given.",
      {
        range: "host names, `*.` for all below, or addresses",
        parse: parseHostPattern,
      },
    ),
    trustedProxies: list("TRUSTED_PROXIES", "Proxies that are believed where a request comes from.", {
      range: "addresses or networks in CIDR form",
      parse: parseNetwork,
    }),
  },
  limits: {
    globalPerMinute: integer("RATE_LIMIT_GLOBAL", "Requests a minute, all together.", {
      default: 10_000,
      min: 1,
      max: 100_000_000,
    }),
    originPerMinute: integer("RATE_LIMIT_IP", "Requests a minute from one origin.", {
      default: 100,
      min: 1,
      max: 1_000_000,
    }),
    userPerMinute: integer("RATE_LIMIT_USER", "Requests a minute of one account.", {
      default: 1000,
      min: 1,
      max: 1_000_000,
    }),
    sensitivePerMinute: integer(
      "RATE_LIMIT_SENSITIVE",
      "Requests a minute of one account or origin to a route that checks a secret or sends a mail.",
      { default: 20, min: 1, max: 1_000_000 },
    ),
    failedLogInsMax: integer(
      "AUTO_BLOCK_FAILED_LOGINS",
      "Failed log-ins in five minutes after which an origin is blocked.",
      { default: 10, min: 1, max: 1_000_000 },
    ),
    attackPerMinute: integer(
      "CHALLENGE_FAILED_LOGINS",
      "Failed log-ins a minute, all together, from which on everybody must do a proof of work to log in.",
      { default: 60, min: 1, max: 1_000_000 },
    ),
    blockThreshold: integer("AUTO_BLOCK_THRESHOLD", "Violations after which an origin is blocked.", {
      default: 50,
      min: 1,
      max: 1_000_000,
    }),
  },
  reputation: {
    blockLists: list("REPUTATION_BLOCK_LISTS", "Lists of networks that are refused.", {
      range: "files or https URLs",
      parse: parseListPlace,
    }),
    allowLists: list(
      "REPUTATION_ALLOW_LISTS",
      "Lists of networks that are let in, whatever else lists them.",
      {
        range: "files or https URLs",
        parse: parseListPlace,
      },
    ),
  },
  metrics: {
    host: text("METRICS_HOST", "Address that the Prometheus metrics listen on.", {
      range: "a host name or address",
      parse: parseWord,
      default: "127.0.0.1",
    }),
    port: integer("METRICS_PORT", "Port of the Prometheus metrics.", { default: 9100, min: 1, max: 65535 }),
  },
  store: {
    dir: text("DATA_DIR", "Folder of the embedded store, the generated keys and the outbox.", {
      range: "a path",
      parse: parsePath,
      default: resolve("data"),
      shownDefault: "data",
    }),
    url: optionalSecret("DATABASE_URL", "PostgreSQL 15 or newer to use in place of the embedded store.", {
      range: "a postgres:// URL",
      isAllowed: (url) => /^postgres(ql)?:\/\/.+/.test(url),
    }),
    logging: oneOf(
      "DATABASE_LOGGING",
      "What is done about a PostgreSQL that logs the values of statements: refused at the start, or used and said in health.",
      LOGGING_POLICIES,
      { default: "refused" },
    ),
    poolMax: integer("DATABASE_POOL_MAX", "Connections to the database.", { default: 10, min: 2, max: 200 }),
  },
  redisUrl: optionalSecret(
    "REDIS_URL",
    "Redis or Valkey that limits and blocks are shared over; without it each process has its own.",
    {
      range: "a redis:// or rediss:// URL",
      isAllowed: (url) => /^rediss?:\/\/.+/.test(url) && URL.canParse(url),
    },
  ),
  redisPersistence: oneOf(
    "REDIS_PERSISTENCE",
    "What is done about a Redis that writes to its disk: `refused`; `declared-off` believes you where it does not tell; `allowed` uses it and says so in health.",
    PERSISTENCE_POLICIES,
    { default: "refused" },
  ),
  vault: vaultSettings,
  sessions: {
    jwtSecret: optionalSecret(
      "JWT_SECRET",
      "Signs access tokens until `securewave keys rotate signing`. Generated into DATA_DIR with the embedded store.",
      {
        range: "at least 32 characters",
        isAllowed: (secret) => secret.length >= 32,
      },
    ),
    jwtAlgorithm: oneOf("JWT_ALGORITHM", "How access tokens are signed.", ["HS256", "EdDSA"], {
      default: "HS256",
    }),
    accessHours: integer("JWT_EXPIRATION_HOURS", "Life of an access token.", {
      default: 24,
      min: 1,
      max: 168,
    }),
    refreshDays: integer("REFRESH_TOKEN_EXPIRATION_DAYS", "A log-in not used for so long ends.", {
      default: 30,
      min: 1,
      max: 365,
    }),
    maxDays: integer("SESSION_MAX_DAYS", "A log-in ends after so long, however much it is used.", {
      default: 90,
      min: 1,
      max: 365,
    }),
  },
  masterKey: optionalSecret(
    "MASTER_KEY",
    "Seals the keys that seal what is secret in the store. Generated into DATA_DIR with the embedded store.",
    MASTER_KEY_RANGE,
  ),
  privacy: {
    deletionGraceDays: integer(
      "DELETION_GRACE_DAYS",
      "Days for which a customer can take back the deletion of the account.",
      { default: 7, min: 0, max: 30 },
    ),
    policyVersion: text(
      "PRIVACY_POLICY_VERSION",
      "Version of your privacy policy; with a new one, people are asked to agree anew.",
      {
        range: "up to 40 letters, digits, dots and dashes",
        parse: (version) => (/^[A-Za-z0-9.-]{1,40}$/.test(version) ? version : undefined),
        default: "1",
      },
    ),
    policyUrl: optionalText(
      "PRIVACY_POLICY_URL",
      "Where your privacy policy can be read: people are led there before they agree to it.",
      { range: "an http or https URL", isAllowed: isWebAddress },
    ),
  },
  dataKey: {
    path: optionalText(
      "DATA_KEY_FILE",
      "File without which nothing that belongs to an account can be read, the same for all replicas. No backup may hold it. Without it, never-in-backups/data.key in DATA_DIR.",
      { range: "a path", isAllowed: (path) => parsePath(path) !== undefined },
    ),
    copies: list(
      "DATA_KEY_COPIES",
      "More copies of DATA_KEY_FILE, on other disks; each is written anew when an account is erased.",
      { range: "paths", parse: parsePath },
    ),
  },
  ledger: {
    path: optionalText(
      "LEDGER_KEY_FILE",
      "File of the key to this month's usage, which is replaced with every day's rewriting; each replica has a copy. No backup may hold it. Without it, never-in-backups/ledger.key in DATA_DIR.",
      { range: "a path", isAllowed: (path) => parsePath(path) !== undefined },
    ),
    flushAt: text<number>(
      "LEDGER_FLUSH_AT",
      "When in the day, in UTC, everybody's usage is written down, all at once.",
      {
        range: "hours and minutes such as 03:17",
        parse: parseMinuteOfDay,
        default: 197,
        shownDefault: "03:17",
      },
    ),
  },
  zeroLog: {
    folders: list(
      "ZERO_LOG_FOLDERS",
      "More folders that the daily search for traces looks into: backups, the archive of the write-ahead log.",
      { range: "paths", parse: parsePath },
    ),
    databaseDir: optionalText(
      "ZERO_LOG_DATABASE_DIR",
      "Data folder of the PostgreSQL at DATABASE_URL, where this machine can read it; it is then searched too.",
      { range: "a path", isAllowed: (path) => parsePath(path) !== undefined },
    ),
  },
  previousMasterKey: optionalSecret(
    "MASTER_KEY_PREVIOUS",
    "The former MASTER_KEY, for the starts after it was changed.",
    MASTER_KEY_RANGE,
  ),
  breachedPath: optionalText(
    "BREACHED_PASSWORDS_FILE",
    "List of leaked passwords that nobody may choose, made by `scripts/breached-filter.ts`; on top of the shipped one.",
    {
      range: "a path",
      isAllowed: (path) => parsePath(path) !== undefined,
    },
  ),
  apiKeyDaysMax: integer("API_KEY_MAX_DAYS", "Longest life of an API key; it is to be rotated within.", {
    default: 365,
    min: 1,
    max: 3650,
  }),
  auditRetentionDays: integer(
    "AUDIT_RETENTION_DAYS",
    "How long the audit trail is kept in the database; older entries move to DATA_DIR/audit-archive.",
    {
      default: 365,
      min: 1,
      max: 36_500,
    },
  ),
  nodeLineGbit: integer(
    "NODE_LINE_GBIT",
    "Gbit/s that the fastest node's line carries in one direction; who reports more is not believed.",
    { default: 100, min: 1, max: 10_000 },
  ),
  mail: {
    smtpUrl: optionalSecret(
      "SMTP_URL",
      "Mail server. Without it mails are written into the outbox folder of DATA_DIR.",
      {
        range: "an smtp:// or smtps:// URL",
        isAllowed: (url) => /^smtps?:\/\/.+/.test(url),
      },
    ),
    from: text("MAIL_FROM", "Sender of mails.", {
      range: "a mail address, with or without a name",
      parse: (from) => (/^[^\r\n]*@[^\r\n]+$/.test(from) ? from : undefined),
      default: "SecureWave <no-reply@localhost>",
    }),
  },
  tunnels: {
    poolV4: text<Pool>("IP_POOL_V4", "Tunnel addresses of devices. It can grow later, not move.", {
      range: "an IPv4 network, /8 to /29",
      parse: (network) => poolOf(network, 4),
      default: required(poolOf("10.8.0.0/16", 4)),
      shownDefault: "10.8.0.0/16",
    }),
    poolV6: text<Pool>("IP_POOL_V6", "The same for IPv6.", {
      range: "an IPv6 network, at most /108",
      parse: (network) => poolOf(network, 6),
      default: required(poolOf("fd5e:c0de:8::/64", 6)),
      shownDefault: "fd5e:c0de:8::/64",
    }),
    dns: text<readonly string[]>(
      "CLIENT_DNS",
      "Resolvers that devices use through the tunnel; `none` to leave them out.",
      {
        range: "addresses with commas between, or none",
        parse: addressesOf,
        default: ["9.9.9.9", "2620:fe::fe"],
        shownDefault: "9.9.9.9, 2620:fe::fe",
      },
    ),
    mtu: integer("CLIENT_MTU", "Size of packets inside the tunnel, in bytes.", {
      default: 1420,
      min: 1280,
      max: 1500,
    }),
    keepaliveSeconds: integer(
      "CLIENT_KEEPALIVE_SECONDS",
      "Devices send this often through a NAT; 0 for never.",
      {
        default: 25,
        min: 0,
        max: 3600,
      },
    ),
  },
  localNode: {
    mode: oneOf(
      "LOCAL_NODE",
      "Whether this machine is a VPN server itself: `auto` where it can be.",
      ["auto", "off"],
      {
        default: "auto",
      },
    ),
    host: optionalText(
      "LOCAL_NODE_HOST",
      "Name or address by which devices reach this machine. Without it, its first address.",
      {
        range: "a host name or address",
        isAllowed: (host) => parseWord(host) !== undefined,
      },
    ),
    port: integer("LOCAL_NODE_PORT", "UDP port of the local node's WireGuard.", {
      default: 51820,
      min: 1,
      max: 65535,
    }),
    name: text("LOCAL_NODE_NAME", "Name of the local node; its WireGuard interface is named after it.", {
      range: "1 to 10 letters and digits",
      parse: (name) => (/^[a-z0-9]{1,10}$/i.test(name) ? name : undefined),
      default: "local",
    }),
  },
  logLevel: oneOf("LOG_LEVEL", "How much is logged.", ["error", "warn", "info", "debug"], {
    default: "info",
  }),
  logPath: optionalText(
    "LOG_FILE",
    "File for the log in place of standard output; rotated at 100 MiB, five are kept.",
    {
      range: "a path",
      isAllowed: (path) => parsePath(path) !== undefined,
    },
  ),
  traces: {
    endpoint: optionalText(
      "OTEL_EXPORTER_OTLP_ENDPOINT",
      "OpenTelemetry collector for traces; none are made without.",
      {
        range: "an http or https URL",
        isAllowed: isHttpUrl,
      },
    ),
    share: decimal("OTEL_TRACES_SAMPLER_ARG", "Share of the requests that are traced.", {
      default: 1,
      min: 0,
      max: 1,
    }),
  },
};

export type Config = SettingsOf<typeof settings>;

export const SETTINGS_FILE = "securewave.env";

export interface LoadedConfig {
  readonly config: Config;
  readonly mistakes: readonly string[];
  /** Connected while the service runs, for logins of the database; to be closed after it. */
  readonly vault: Vault | undefined;
}

/**
 * Reads the configuration from `securewave.env` (or the file that `SETTINGS_FILE` names) and the environment, and
 * the secrets that these leave out from Vault, where they name one.
 *
 * @param onVaultTrouble hears of failed renewals while the service runs
 */
export async function loadConfig(
  environment: NodeJS.ProcessEnv,
  onVaultTrouble: (error: unknown) => void = () => {},
): Promise<LoadedConfig> {
  const source = sourceOf(environment);
  const { settings: config, mistakes } = readSettings(settings, source);
  const misfits = vaultMistakes(config.vault, config.store.url);
  if (mistakes.length > 0 || misfits.length > 0 || !isVaultUsed(config.vault)) {
    return {
      config,
      mistakes: [...mistakes, ...misfits, ...missingSecrets(config, mistakes)],
      vault: undefined,
    };
  }
  const start = await startVault(config.vault, source, secretVariables(), onVaultTrouble);
  const whole = readSettings(settings, { ...source, vault: start.fields });
  const found = [...start.mistakes, ...whole.mistakes];
  const rest =
    start.mistakes.length > 0
      ? [] // what is missing would have come from Vault
      : [
          ...vaultMistakes(whole.settings.vault, whole.settings.store.url),
          ...missingSecrets(whole.settings, found),
        ];
  if (found.length + rest.length > 0) await start.vault?.close();
  return { config: whole.settings, mistakes: [...found, ...rest], vault: start.vault };
}

function sourceOf(environment: NodeJS.ProcessEnv) {
  const path = environment.SETTINGS_FILE;
  const file = { path: path ?? SETTINGS_FILE, isRequired: path !== undefined };
  return readSource(file, environment, variablesOf(settings));
}

function secretVariables(): Set<string> {
  const secrets = listSettings(settings).filter(({ isSecret }) => isSecret);
  return new Set(secrets.map(({ variable }) => variable));
}

function missingSecrets(config: Config, mistakes: readonly string[]): string[] {
  if (config.store.url === undefined) {
    const isMisplaced = config.vault.databaseRole !== undefined;
    return isMisplaced ? ["DATABASE_URL: must be set when VAULT_DATABASE_ROLE is"] : [];
  }
  const needed = [
    ["JWT_SECRET", config.sessions.jwtSecret],
    ["MASTER_KEY", config.masterKey],
  ] as const;
  return needed.flatMap(([variable, value]) =>
    value || mistakes.some((mistake) => mistake.startsWith(`${variable}:`))
      ? []
      : [`${variable}: must be set when DATABASE_URL is, so that all processes share it`],
  );
}

/** The origin that people use, such as `https://vpn.example.org`. */
export function publicUrlOf(config: Config): string {
  return config.http.publicUrl?.replace(/\/$/, "") ?? `http://localhost:${config.http.port}`;
}

export function ledgerKeyPathOf({ store, ledger }: Config): string {
  return resolve(ledger.path ?? join(store.dir, "never-in-backups", "ledger.key"));
}

/** The data key's file, and its copies. */
export function dataKeyPathsOf({ store, dataKey }: Config): [string, ...string[]] {
  const path = dataKey.path ?? join(store.dir, "never-in-backups", "data.key");
  return [resolve(path), ...dataKey.copies];
}
