import { integer, oneOf, optionalSecret, optionalText, text } from "@securewave/foundation/settings";
import { parseMinuteOfDay, parsePath } from "../setting-texts.ts";

function isBackupTarget(place: string): boolean {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(place)) return parsePath(place) !== undefined;
  return /^(s3|azblob):\/\/[^/?#\s]+/.test(place) && URL.canParse(place);
}

/** What is backed up, to where, under which key and for how long. */
export const backupsSettings = {
  backups: {
    mode: oneOf("BACKUPS", "Whether the service backs itself up.", ["on", "off"], { default: "on" }),
    target: optionalText(
      "BACKUP_TARGET",
      "Where backups go: a folder, `s3://bucket/prefix?region=…`, or `azblob://account/container/prefix`; with `endpoint=https://…` behind the question mark where it is not Amazon's or Microsoft's own. Without it, `backups` in DATA_DIR: set it to another disk or machine.",
      { range: "a path, an s3:// or an azblob:// URL", isAllowed: isBackupTarget },
    ),
    recipient: optionalText(
      "BACKUP_RECIPIENT",
      "Public key that backups are sealed for, where the key that opens them is not to be on this machine. Such a service cannot verify its backups.",
      { range: "an age1… key", isAllowed: (key) => /^age1[a-z0-9]{58}$/.test(key) },
    ),
    key: optionalSecret(
      "BACKUP_KEY",
      "Key that opens backups. Without it and without BACKUP_RECIPIENT one is made in DATA_DIR, for a start: keep a copy elsewhere.",
      {
        range:
          "an AGE-SECRET-KEY-1… key; former ones, which still open older backups, behind it with commas between",
        isAllowed: (keys) =>
          keys.split(",").every((key) => /^AGE-SECRET-KEY-1[A-Z0-9]{58}$/i.test(key.trim())),
      },
    ),
    accessKey: optionalText("BACKUP_ACCESS_KEY", "Name of the access key of S3.", {
      range: "up to 128 letters and digits",
      isAllowed: (name) => /^[A-Za-z0-9_+/=.-]{1,128}$/.test(name),
    }),
    secretKey: optionalSecret(
      "BACKUP_SECRET_KEY",
      "Secret of the access key of S3, or the account's key or a shared access signature of Azure.",
      { range: "not empty", isAllowed: (secret) => secret.length > 0 },
    ),
    databaseUrl: optionalSecret(
      "BACKUP_DATABASE_URL",
      "DATABASE_URL with a login that may replicate, such as that of securewave_backup; without it, DATABASE_URL's own must.",
      { range: "a postgres:// URL", isAllowed: (url) => /^postgres(ql)?:\/\/.+/.test(url) },
    ),
    at: text<number>("BACKUP_AT", "When in the day, in UTC, backups are made.", {
      range: "hours and minutes such as 02:13",
      parse: parseMinuteOfDay,
      default: 133,
      shownDefault: "02:13",
    }),
    archiveSeconds: integer(
      "BACKUP_ARCHIVE_SECONDS",
      "How often what was written to the database goes to the target: so much is lost with this machine at most.",
      { default: 10, min: 1, max: 3600 },
    ),
    databaseDays: integer("BACKUP_DATABASE_DAYS", "For so long the database can be restored to any second.", {
      default: 35,
      min: 1,
      max: 3650,
    }),
    configDays: integer("BACKUP_CONFIG_DAYS", "How long backups of the service's settings are kept.", {
      default: 30,
      min: 1,
      max: 3650,
    }),
    vpnDays: integer("BACKUP_VPN_DAYS", "How long backups of the nodes' configurations are kept.", {
      default: 90,
      min: 1,
      max: 3650,
    }),
  },
};
