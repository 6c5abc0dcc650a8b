import { resolve } from "node:path";
import {
  integer,
  oneOf,
  optionalSecret,
  optionalText,
  readSettings,
  readSource,
  type SettingsOf,
  text,
  variablesOf,
} from "@securewave/foundation/settings";
import { type Pool, parseAddress, parsePool } from "@securewave/wireguard";

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
      parse: (path) => (path.length > 0 ? resolve(path) : undefined),
      default: resolve("data"),
      shownDefault: "data",
    }),
    url: optionalSecret("DATABASE_URL", "PostgreSQL 15 or newer to use in place of the embedded store.", {
      range: "a postgres:// URL",
      isAllowed: (url) => /^postgres(ql)?:\/\/.+/.test(url),
    }),
    poolMax: integer("DATABASE_POOL_MAX", "Connections to the database.", { default: 10, min: 2, max: 200 }),
  },
  sessions: {
    jwtSecret: optionalSecret(
      "JWT_SECRET",
      "Signs access tokens. Generated into DATA_DIR with the embedded store.",
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
  },
  masterKey: optionalSecret(
    "MASTER_KEY",
    "Seals private keys in the store. Generated into DATA_DIR with the embedded store.",
    {
      range: "32 bytes in base64",
      isAllowed: (key) => Buffer.from(key, "base64").length === 32,
    },
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
};

export type Config = SettingsOf<typeof settings>;

export const SETTINGS_FILE = "securewave.env";

/**
 * Reads the configuration from `securewave.env` (or the file that `SETTINGS_FILE` names) and the environment.
 */
export function readConfig(environment: NodeJS.ProcessEnv): { config: Config; mistakes: readonly string[] } {
  const path = environment.SETTINGS_FILE;
  const file = { path: path ?? SETTINGS_FILE, isRequired: path !== undefined };
  const { settings: config, mistakes } = readSettings(
    settings,
    readSource(file, environment, variablesOf(settings)),
  );
  const needed = config.store?.url
    ? ([
        ["JWT_SECRET", config.sessions.jwtSecret],
        ["MASTER_KEY", config.masterKey],
      ] as const)
    : [];
  const missing = needed.flatMap(([variable, value]) =>
    value || mistakes.some((mistake) => mistake.startsWith(variable))
      ? []
      : [`${variable}: must be set when DATABASE_URL is, so that all processes share it`],
  );
  return { config, mistakes: [...mistakes, ...missing] };
}

/** The origin that people use, such as `https://vpn.example.org`. */
export function publicUrlOf(config: Config): string {
  return config.http.publicUrl?.replace(/\/$/, "") ?? `http://localhost:${config.http.port}`;
}

function isOrigin(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, pathname, search, hash } = new URL(url);
  return /^https?:$/.test(protocol) && pathname === "/" && search === "" && hash === "";
}

function parseWord(word: string): string | undefined {
  return /^[A-Za-z0-9.:_-]+$/.test(word) ? word : undefined;
}

function poolOf(network: string, family: 4 | 6): Pool | undefined {
  const pool = parsePool(network);
  const [narrowest, widest] = family === 4 ? [29, 8] : [108, 8];
  if (!pool || pool.family !== family || pool.prefixLength > narrowest || pool.prefixLength < widest)
    return undefined;
  return pool;
}

function addressesOf(list: string): readonly string[] | undefined {
  if (list === "none") return [];
  const addresses = list.split(",").map((address) => address.trim());
  return addresses.every((address) => parseAddress(address) !== undefined) ? addresses : undefined;
}

function required<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new TypeError("a default is not of its own range");
  return value;
}
