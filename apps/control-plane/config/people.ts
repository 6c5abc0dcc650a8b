import { integer, list, oneOf, optionalSecret, optionalText, text } from "@securewave/foundation/settings";
import { isWebAddress, parseMinuteOfDay, parsePath } from "../setting-texts.ts";

const MASTER_KEY_RANGE = {
  range: "32 bytes in base64",
  isAllowed: (key: string) => Buffer.from(key, "base64").length === 32,
};

/** Log-ins, what is kept of people and for how long, and the keys that seal it. */
export const peopleSettings = {
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
      "Where your privacy policy can be read: people are led there before they agree to it. Without it, to a page that says what the software holds.",
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
};
