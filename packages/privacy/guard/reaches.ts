import type { Catalogue } from "../catalogue.ts";
import { ROOMS } from "../entry.ts";
import type { Finding } from "../finding.ts";
import type { FileFacts } from "./source-facts.ts";

/** Modules by which code talks to others, or has programs do things. */
const REACHING =
  /^(node:(http|https|http2|net|tls|dgram|dns|dns\/promises|child_process|v8|inspector|inspector\/promises|sqlite|cluster)|ws|nodemailer|ioredis|pg|pg-boss|undici|@opentelemetry\/exporter-.*|better-sqlite3|level|lmdb|mongodb|mysql2?)$/;
/** What of node:fs leaves something behind. */
const WRITING =
  /^(write|append|create(Write)|open|rename|copy|cp|link|symlink|truncate|ftruncate|\*|default|fs|promises)/;
const FILES = /^(node:)?fs(\/promises)?$/;
/** Of these modules, these names only compute. */
const HARMLESS = new Set(["STATUS_CODES", "isIP", "isIPv4", "isIPv6", "ServerResponse"]);
/** What is there without an import. */
const GLOBALS =
  /^((window|globalThis)\.)?(fetch|WebSocket|EventSource|XMLHttpRequest|navigator\.sendBeacon|localStorage\.\w+|sessionStorage\.\w+|indexedDB\.\w+|process\.(stdout|stderr)\.write|process\.report\.\w+|console\.\w+)$/;

/** Finds files of code that reach out of their process and are not listed with what they write or send. */
export function findReaches(
  files: readonly FileFacts[],
  reaches: Readonly<Record<string, readonly string[]>>,
  catalogue: Catalogue,
): Finding[] {
  const reaching = new Map(files.map((file) => [file.path, reasonsOf(file)]));
  const unlisted = [...reaching].filter(
    ([path, reasons]) => reasons.length > 0 && !Object.hasOwn(reaches, path),
  );
  const gone = Object.keys(reaches).filter((path) => !reaching.get(path)?.length);
  return [
    ...unlisted.map(([place, reasons]) => ({
      rule: "listed reaches",
      place,
      problem: `reaches out of its process by ${reasons.join(", ")}`,
      mend: "List in packages/privacy/rooms/reaches.ts what it writes or sends.",
    })),
    ...gone.map((place) => ({
      rule: "no stale entries",
      place,
      problem: "is listed and reaches nowhere",
      mend: "Take it out of packages/privacy/rooms/reaches.ts.",
    })),
    ...files.flatMap((file) => findHeaders(file, reaches[file.path] ?? [], catalogue)),
    ...Object.entries(reaches).flatMap(([place, names]) =>
      names
        .filter((name) => !isListed(name, catalogue))
        .map((name) => ({
          rule: "listed reaches",
          place,
          problem: `is said to write or send “${name}”, which is no entry`,
          mend: "Name it as `room: name`, or say `nothing: ` and why.",
        })),
    ),
  ];
}

const OUTGOING = "outgoing: ";

/** Headers that a file sets on calls, where it makes any. */
function findHeaders(
  { path, headers }: FileFacts,
  names: readonly string[],
  catalogue: Catalogue,
): Finding[] {
  const calls = names.filter((name) => name.startsWith(OUTGOING)).map((name) => name.slice(OUTGOING.length));
  if (calls.length === 0) return [];
  const listed = calls.flatMap((name) => Object.keys(catalogue.find("outgoing", name)?.fields ?? {}));
  const unlisted = headers.filter((name) => !listed.includes(name));
  const gone = listed.filter((name) => !headers.includes(name));
  return [
    ...unlisted.map((name) => ({
      rule: "listed: outgoing",
      place: path,
      problem: `sets the header ${name}, which the catalogue does not list`,
      mend: "List it in packages/privacy/rooms/outgoing.ts, or do not send it.",
    })),
    ...gone.map((name) => ({
      rule: "no stale entries",
      place: path,
      problem: `does not set the header ${name}, which is listed`,
      mend: "Take it out of packages/privacy/rooms/outgoing.ts.",
    })),
  ];
}

function reasonsOf({ imports, calls }: FileFacts): string[] {
  const byImport = [...imports].flatMap(([from, names]) => {
    if (FILES.test(from)) return names.filter((name) => WRITING.test(name)).map((name) => `${from} ${name}`);
    return REACHING.test(from) && names.some((name) => !HARMLESS.has(name)) ? [from] : [];
  });
  const byCall = calls.map(({ callee }) => callee).filter((callee) => GLOBALS.test(callee));
  return [...new Set([...byImport, ...byCall])];
}

function isListed(text: string, catalogue: Catalogue): boolean {
  if (/^nothing: \S/.test(text)) return true;
  return ROOMS.some(
    (room) => text.startsWith(`${room}: `) && catalogue.find(room, text.slice(room.length + 2)),
  );
}
