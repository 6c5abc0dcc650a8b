import { defineErrors, type RefusalError } from "@securewave/foundation";

/** How heavy it is: it writes to its disk; it does not tell whether it does; or it shows more than it need, in memory. */
export type Weight = "persists" | "untold" | "minor";

/** Something that a Redis does otherwise than is demanded of one that holds what must live in memory only. */
export interface Finding {
  readonly of: "server" | "replica";
  /** Name of a setting, or of what else was looked at. */
  readonly about: string;
  readonly weight: Weight;
  /** One sentence; safe to show, as it holds no address and no secret. */
  readonly text: string;
  /** How it is mended: a line for `redis-cli`, and for `redis.conf` where it must outlive a restart. */
  readonly mend: { readonly command: string; readonly line?: string } | undefined;
}

/**
 * What is done about a Redis that writes to its disk: `refused` uses none that does or that does not tell;
 * `declared-off` believes its operator where it does not tell, until it shows the contrary; `allowed` uses any.
 */
export type PersistencePolicy = (typeof PERSISTENCE_POLICIES)[number];
export const PERSISTENCE_POLICIES = ["refused", "declared-off", "allowed"] as const;

export const redisErrors = defineErrors("redis", {
  persists: {
    status: 500,
    message: "The Redis at REDIS_URL writes to its disk what must live in memory only.",
  },
  untold: { status: 500, message: "The Redis at REDIS_URL does not tell whether it writes to its disk." },
});

interface SettingDemand {
  readonly name: string;
  /** What to set it to. */
  readonly wanted: string;
  readonly isMet: (value: string) => boolean;
  readonly weight: Weight;
  /** What it does otherwise. */
  readonly otherwise: string;
  /** Demanded only of who has replicas or is one. */
  readonly isOfReplication?: boolean;
}

const is = (...values: readonly string[]) => ({
  wanted: values[0] ?? "",
  isMet: (value: string) => values.includes(value),
});
const neverSaves = {
  wanted: "nosave",
  isMet: (value: string) => !value.split(" ").includes("save"),
};

/** Settings of Redis 7 and Valkey 8 (`redis.conf`); one that a server does not have is not demanded of it. */
const SETTING_DEMANDS: readonly SettingDemand[] = [
  { name: "save", ...is(""), weight: "persists", otherwise: "it writes snapshots of its memory" },
  { name: "appendonly", ...is("no"), weight: "persists", otherwise: "it writes down every change" },
  {
    name: "shutdown-on-sigterm",
    ...neverSaves,
    weight: "persists",
    otherwise: "it writes a snapshot when it is stopped",
  },
  {
    name: "shutdown-on-sigint",
    ...neverSaves,
    weight: "persists",
    otherwise: "it writes a snapshot when it is stopped",
  },
  {
    name: "repl-diskless-sync",
    ...is("yes"),
    weight: "persists",
    otherwise: "it writes a snapshot for each replica that attaches",
    isOfReplication: true,
  },
  {
    // `on-empty-db` is not enough: a replica that holds something already goes by its disk all the same.
    name: "repl-diskless-load",
    ...is("swapdb", "flush-before-load"),
    weight: "persists",
    otherwise: "as a replica it writes what it receives to its disk first",
    isOfReplication: true,
  },
  {
    name: "slowlog-log-slower-than",
    ...is("-1"),
    weight: "minor",
    otherwise: "it keeps slow commands with their times",
  },
  {
    name: "latency-monitor-threshold",
    ...is("0"),
    weight: "minor",
    otherwise: "it keeps the times at which it was slow",
  },
  {
    name: "notify-keyspace-events",
    ...is(""),
    weight: "minor",
    otherwise: "it tells subscribers of every change",
  },
  {
    name: "crash-log-enabled",
    ...is("no"),
    weight: "minor",
    otherwise: "a crash writes the command that ran into its log",
  },
  {
    name: "maxmemory-policy",
    ...is("noeviction"),
    weight: "minor",
    otherwise: "when it is full it forgets blocks that still hold",
  },
];

/** Without an answer to these nobody knows whether it persists. */
const ESSENTIAL = ["save", "appendonly"] as const;

export const SETTING_NAMES = SETTING_DEMANDS.map(({ name }) => name);
/** Commands that read or write down everything; the service runs none of them. */
export const NEEDLESS_COMMANDS = ["monitor", "debug", "save", "bgsave", "bgrewriteaof"] as const;

/** What was read of one server; what it did not tell is left out. */
export interface Reading {
  readonly settings: ReadonlyMap<string, string>;
  /** Fields of `INFO`, such as `aof_enabled`. */
  readonly info: ReadonlyMap<string, string>;
  /** Of the needless commands, those that this user may run; undefined where that cannot be known. */
  readonly allowedCommands: readonly string[] | undefined;
}

/** Judges what was read of one server. */
export function judge(reading: Reading, of: Finding["of"] = "server"): Finding[] {
  const { settings, info, allowedCommands } = reading;
  const found: Finding[] = [];
  const add = (about: string, weight: Weight, text: string, mend?: Finding["mend"]) =>
    found.push({ of, about, weight, text, mend });
  const isTold = ESSENTIAL.every((name) => settings.has(name));
  const isReplicating = info.get("role") === "slave" || Number(info.get("connected_slaves") ?? 0) > 0;

  for (const { name, wanted, isMet, weight, otherwise, isOfReplication } of SETTING_DEMANDS) {
    const value = settings.get(name);
    if (value === undefined || isMet(value) || (isOfReplication && !isReplicating)) continue;
    const line = `${name} ${wanted === "" ? '""' : wanted}`;
    add(name, weight, `${name} is "${value}": ${otherwise}.`, { command: `CONFIG SET ${line}`, line });
  }

  // What it does is evidence against what it, or its operator, says.
  const doubt: Weight = isTold ? "minor" : "persists";
  const seen = (field: string) => Number(info.get(field) ?? 0) > 0;
  if (!isTold) {
    add("CONFIG", "untold", "It does not let this user read its settings save and appendonly.", {
      command: "ACL SETUSER <user> +config|get +info",
    });
    if (seen("aof_enabled")) add("aof_enabled", "persists", "It writes down every change.");
  }
  if (seen("rdb_saves") || seen("rdb_bgsave_in_progress"))
    add("rdb_saves", doubt, "It has written a snapshot since it was started: delete the file, restart it.");
  if (allowedCommands !== undefined && allowedCommands.length > 0) {
    add("ACL", "minor", `The service's user may run ${allowedCommands.join(", ")}, and needs none of them.`, {
      command: `ACL SETUSER <user> ${allowedCommands.map((command) => `-${command}`).join(" ")}`,
    });
  }
  return found;
}

/** @returns those for which a Redis is not used */
export function refusedOf(findings: readonly Finding[], policy: PersistencePolicy): readonly Finding[] {
  if (policy === "allowed") return [];
  return findings.filter(
    ({ weight }) => weight === "persists" || (weight === "untold" && policy === "refused"),
  );
}

/** Puts into words why a Redis is not used and how that is mended, for its operator. */
export function refusalOf(refused: readonly Finding[]): RefusalError {
  const isUntold = refused.every(({ weight }) => weight === "untold");
  const refusal = isUntold ? redisErrors.untold : redisErrors.persists;
  const place = (of: Finding["of"]) => (of === "replica" ? "On a replica: " : "");
  const commands = new Set(refused.flatMap(({ mend }) => (mend ? [mend.command] : [])));
  const lines = new Set(refused.flatMap(({ mend }) => (mend?.line ? [mend.line] : [])));
  return refusal({
    detail: [
      refusal.message,
      ...refused.map(({ of, text }) => `  ${place(of)}${text}`),
      ...(commands.size > 0 ? ["Run with redis-cli:", ...indented(commands)] : []),
      ...(lines.size > 0 ? ["and write into redis.conf, for its next start:", ...indented(lines)] : []),
      ...(isUntold
        ? ["If it cannot tell and you know that it does not, set REDIS_PERSISTENCE=declared-off."]
        : []),
      "To use it all the same, set REDIS_PERSISTENCE=allowed: health and the zero-log report then say so.",
    ].join("\n"),
    internal: namesOf(refused),
  });
}

/** The names of what was found, for a log line. */
export function namesOf(findings: readonly Finding[]): string {
  return [...new Set(findings.map(({ of, about }) => (of === "replica" ? `replica ${about}` : about)))].join(
    ", ",
  );
}

function indented(texts: Iterable<string>): string[] {
  return Array.from(texts, (text) => `  ${text}`);
}
