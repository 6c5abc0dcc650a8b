import type { Group } from "../entry.ts";
import type { Field } from "../fields.ts";
import type { Finding } from "../finding.ts";
import type { ColumnFacts } from "./schema-facts.ts";
import { ADDRESS_TYPES, FINE_TIMES, TRANSACTION_TYPES, TYPES_OF } from "./types.ts";

/** Names of columns that would tell how somebody uses the service. */
const NAMES_OF_USE =
  /(^|_)(updated|modified|touched|accessed|last_(seen|used|login|log_in|active|activity|connected|handshake|ip)|seen|login_count|uses|handshakes?|sessions?_count|rx|tx|bytes|traffic|duration|ip|ips|ipv[46]|address(es)?|endpoint|port|user_agent|country|city|asn|hostname|referer)(_|$)/;
/** Names of what is a time whatever its type. */
const NAMES_OF_TIMES = /(_at|_ms|_us|_ns|_time|_epoch|_seconds_ago|timestamp)$|^(time|epoch|when)$/;
/** What those names stand for where they stand for something else. Each with its reason. */
const NAMES_ALLOWED: Readonly<Record<string, string>> = {
  "devices.address_index": "place in the pool of tunnel addresses, given when the device is added",
  "retiring_keys.address_index": "place in the pool of tunnel addresses, given with the key",
};

/** What fills a column by itself with a time, an order, or who is connected from where. */
const TELLING_DEFAULT =
  /\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday|uuidv7|uuid_generate_v1(mc)?|uuid_generate_v7|txid_current|pg_current_xact_id|pg_current_wal_lsn|inet_client_(addr|port)|inet_server_addr|pg_backend_pid|random_normal)\s*\(|\b(CURRENT_TIMESTAMP|LOCALTIMESTAMP|CURRENT_TIME|LOCALTIME)\b/i;

type Check = (
  column: ColumnFacts,
  field: Field | undefined,
  isPersonal: boolean,
) => readonly [rule: string, problem: string, mend: string] | undefined;

/** Holds a column against its entry; without one, against what holds for all. */
export function findInColumn(column: ColumnFacts, group: Group, field: Field | undefined): Finding[] {
  const isPersonal = (field?.whose ?? group.whose) !== "nobody";
  const place = `${column.table}.${column.name}`;
  const checks = group.class === "sealed ledger" ? [...CHECKS, isInOneLength] : CHECKS;
  return checks.flatMap((check) => {
    const [rule, problem, mend] = check(column, field, isPersonal) ?? [];
    return rule && problem && mend ? [{ rule, place, problem, mend }] : [];
  });
}

const isOfItsType: Check = ({ leaves, type }, field) => {
  if (field === undefined || leaves.every((leaf) => TYPES_OF[field.precision].includes(leaf)))
    return undefined;
  const allowed = TYPES_OF[field.precision].join(", ");
  return [
    "no more than listed",
    `is of type ${type}, and is listed as “${field.precision}”`,
    `Make it one of: ${allowed}.`,
  ];
};

const holdsNoAddress: Check = ({ leaves, type }) =>
  leaves.some((leaf) => ADDRESS_TYPES.has(leaf))
    ? [
        "no addresses",
        `is of type ${type}, which is for addresses`,
        "Addresses are kept nowhere (ZERO-LOG R6).",
      ]
    : undefined;

const holdsNoFineTime: Check = ({ leaves, type }, field) => {
  if (!leaves.some((leaf) => FINE_TIMES.has(leaf)) || (field?.precision === "instant" && field.because))
    return undefined;
  const mend =
    "Make it a date; or list it as an instant with the reason why it tells nothing of a customer's use.";
  return ["no time finer than a day", `is of type ${type}`, mend];
};

const holdsNoTransaction: Check = ({ leaves, type }) =>
  leaves.some((leaf) => TRANSACTION_TYPES.has(leaf))
    ? ["no transaction marks", `is of type ${type}, which tells when a row was written`, "Leave it out."]
    : undefined;

const hasNoTellingName: Check = ({ table, name }, field, isPersonal) => {
  if (!isPersonal || `${table}.${name}` in NAMES_ALLOWED || !NAMES_OF_USE.test(name)) return undefined;
  if (field?.precision === "instant" && field.because) return undefined;
  const mend =
    "Keep it in memory (packages/live), or in the sealed ledger; a thing of another kind gets another name.";
  return ["no records of use", "has the name of a record of use", mend];
};

const hidesNoTime: Check = ({ table, name, leaves }, field, isPersonal) => {
  if (!isPersonal || `${table}.${name}` in NAMES_ALLOWED || !NAMES_OF_TIMES.test(name)) return undefined;
  if (leaves.some((leaf) => FINE_TIMES.has(leaf)) || field?.precision === "day") return undefined; // said elsewhere
  return [
    "no time finer than a day",
    "has the name of a time, and the type of a number or text",
    "Make it a date, named `…_on`.",
  ];
};

const hasNoTellingDefault: Check = ({ default: text }, field, isPersonal) => {
  if (!isPersonal || !TELLING_DEFAULT.test(text) || (field?.precision === "instant" && field.because))
    return undefined;
  return [
    "no telling defaults",
    `is filled by ${text}`,
    "Give it its value in the statement, or `current_date`.",
  ];
};

const hasNoUnlistedOrder: Check = ({ isCounted }, field, isPersonal) => {
  if (!isPersonal || !isCounted || field?.precision === "order") return undefined;
  const mend =
    "Use a random id; or list it as an order with the reason why it tells nothing of a customer's use.";
  return ["no unlisted order", "is filled by a sequence, which tells who came before whom", mend];
};

const hasListedWords: Check = ({ words }, field) => {
  const listed = field?.precision === "word" ? (field.values ?? []) : undefined;
  if (listed === undefined || words.length === 0) return undefined;
  const surplus = words.filter((word) => !listed.includes(word));
  const gone = listed.filter((word) => !words.includes(word));
  if (surplus.length + gone.length === 0) return undefined;
  const parts = [
    surplus.length && `also takes ${surplus.join(", ")}`,
    gone.length && `does not take ${gone.join(", ")}`,
  ];
  return [
    "listed words",
    parts.filter(Boolean).join(" and "),
    "List the words that its check takes, and no others.",
  ];
};

/** Samples outlive their rows: ANALYZE of a table that was emptied leaves them as they were. */
const isUnsampled: Check = ({ table, name, statistics }, field, isPersonal) =>
  (field?.isUnsampled || (isPersonal && field?.precision === "given text")) && statistics !== 0
    ? [
        "no samples",
        "may be sampled into pg_statistic, which is logged, and keeps what was deleted",
        `alter table ${table} alter column ${name} set statistics 0`,
      ]
    : undefined;

const isInOneLength: Check = ({ table, name, leaves, isPlain }) =>
  leaves.includes("bytea") && !isPlain
    ? [
        "one length",
        "may be compressed or stored elsewhere, so that the log's records differ in length",
        `alter table ${table} alter column ${name} set storage plain`,
      ]
    : undefined;

const CHECKS: readonly Check[] = [
  isOfItsType,
  holdsNoAddress,
  holdsNoFineTime,
  holdsNoTransaction,
  hasNoTellingName,
  hidesNoTime,
  hasNoTellingDefault,
  hasNoUnlistedOrder,
  hasListedWords,
  isUnsampled,
];
