import type pg from "pg";

export type AdviceAbout = "durability" | "recovery" | "speed" | "safety";

/** A setting of PostgreSQL, what it is, and what it had better be. */
export interface Advice {
  readonly name: string;
  readonly about: AdviceAbout;
  /** As `show` gives it. */
  readonly value: string;
  readonly wanted: string;
  readonly isMet: boolean;
  readonly why: string;
}

interface Wish {
  readonly name: string;
  readonly about: AdviceAbout;
  /** As it stands in postgresql.conf. */
  readonly value: string;
  /** In words, where other values are as good. */
  readonly wanted?: string;
  readonly isMet?: (shown: string, bytes: number) => boolean;
  readonly why: string;
  /** The embedded store has its own value, for a small service on one machine. */
  readonly isForServers?: boolean;
}

const MIB = 2 ** 20;
const atLeast = (bytesMin: number) => (_shown: string, bytes: number) => bytes >= bytesMin;
const oneOf =
  (...values: string[]) =>
  (shown: string) =>
    values.includes(shown);

/** What is not here may stay as PostgreSQL has it. What writes values down is judged by `examineLogging`. */
export const WISHES: readonly Wish[] = [
  {
    name: "fsync",
    about: "durability",
    value: "on",
    why: "without it a power cut loses or damages what was acknowledged",
  },
  {
    name: "full_page_writes",
    about: "durability",
    value: "on",
    why: "without it a page that was half written at a power cut stays damaged",
  },
  {
    name: "synchronous_commit",
    about: "durability",
    value: "on",
    wanted: "on, remote_write or remote_apply",
    isMet: oneOf("on", "remote_write", "remote_apply"),
    why: "without it a crash loses what was acknowledged in the last moments",
  },
  {
    name: "data_checksums",
    about: "durability",
    value: "on",
    why: "by them a page that the disk changed is noticed; pg_checksums --enable adds them to a server that is stopped",
  },
  {
    name: "wal_level",
    about: "recovery",
    value: "replica",
    wanted: "replica or logical",
    isMet: oneOf("replica", "logical"),
    why: "base backups, the archive and standbys need it",
  },
  {
    name: "max_wal_senders",
    about: "recovery",
    value: "10",
    wanted: "2 at least",
    isMet: (shown) => Number(shown) >= 2,
    why: "a base backup takes two while it runs, and each standby one",
  },
  {
    name: "password_encryption",
    about: "safety",
    value: "scram-sha-256",
    why: "md5 lets whoever reads a password's hash log in with it",
  },
  {
    name: "row_security",
    about: "safety",
    value: "on",
    why: "it would otherwise be ignored without a word if it were used",
  },
  {
    name: "autovacuum",
    about: "speed",
    value: "on",
    why: "tables grow and plans age without it, and in the end the server stops taking writes",
  },
  {
    name: "shared_buffers",
    about: "speed",
    value: "512MB",
    wanted: "128MB at least; a quarter of the memory",
    isMet: atLeast(128 * MIB),
    why: "what is read often is found there",
    isForServers: true,
  },
  {
    name: "effective_cache_size",
    about: "speed",
    value: "1536MB",
    wanted: "512MB at least; three quarters of the memory",
    isMet: atLeast(512 * MIB),
    why: "with too little of it the planner reads whole tables where an index would do",
    isForServers: true,
  },
  {
    name: "max_wal_size",
    about: "speed",
    value: "2GB",
    wanted: "1GB at least",
    isMet: atLeast(1024 * MIB),
    why: "the daily rewriting of the ledger otherwise brings one checkpoint after the other",
    isForServers: true,
  },
  {
    name: "checkpoint_completion_target",
    about: "speed",
    value: "0.9",
    wanted: "0.7 at least",
    isMet: (shown) => Number(shown) >= 0.7,
    why: "a checkpoint that is spread over its time does not stall writes",
  },
  {
    name: "random_page_cost",
    about: "speed",
    value: "1.1",
    wanted: "2 at most on SSDs",
    isMet: (shown) => Number(shown) <= 2,
    why: "the default of 4 is of disks that turn",
    isForServers: true,
  },
  {
    name: "jit",
    about: "speed",
    value: "off",
    why: "the service's statements are short, and compiling them takes longer than running them",
  },
  {
    name: "deadlock_timeout",
    about: "speed",
    value: "1s",
    wanted: "5s at most",
    isMet: (shown) => /^(?:\d+ms|[1-5]s)$/.test(shown),
    why: "so long two transactions that wait for each other hold up everybody else",
  },
];

/** Compares how a server is set with what we advise. */
export async function examineSettings(
  pool: Pick<pg.Pool, "query">,
  kind: "embedded" | "postgres",
): Promise<Advice[]> {
  const wishes = WISHES.filter(({ isForServers }) => kind === "postgres" || isForServers !== true);
  const { rows } = await pool.query<{ name: string; shown: string; bytes: number | null }>(
    `select name, current_setting(name, true) as shown,
        case when unit in ('8kB', 'kB', 'MB', 'B') then pg_size_bytes(current_setting(name, true)) end as bytes
      from pg_settings where name = any($1::text[])`,
    [wishes.map(({ name }) => name)],
  );
  const found = new Map(rows.map((row) => [row.name, row]));
  return wishes.flatMap((wish) => {
    const row = found.get(wish.name);
    if (row === undefined) return []; // not of this version of PostgreSQL
    const { name, about, why, value: own, wanted = own, isMet = oneOf(own) } = wish;
    return [{ name, about, value: row.shown, wanted, isMet: isMet(row.shown, row.bytes ?? 0), why }];
  });
}

/** Settings that keep values, addresses and times out of what PostgreSQL writes; ZERO-LOG is what they are for. */
const QUIET = {
  log_statement: "none",
  log_min_duration_statement: "-1",
  log_min_duration_sample: "-1",
  log_transaction_sample_rate: "0",
  log_duration: "off",
  log_parameter_max_length: "0",
  log_parameter_max_length_on_error: "0",
  log_min_messages: "log",
  log_min_error_statement: "panic",
  log_error_verbosity: "terse",
  log_connections: "off",
  log_disconnections: "off",
  log_hostname: "off",
  log_line_prefix: "'%m [%p] '",
  track_commit_timestamp: "off",
} as const;

/** A file for `include_if_exists` of a server's postgresql.conf. */
export function renderSettings(): string {
  const about: readonly AdviceAbout[] = ["durability", "recovery", "safety", "speed"];
  return [
    "# What SecureWave advises for a PostgreSQL of its own with 2 GB of memory. Rendered; do not edit.",
    "# In postgresql.conf:  include_if_exists = '/etc/securewave/postgresql.conf'",
    "",
    "# Nothing of what customers do reaches the log. Slow statements are told by `securewave database slow`, without values.",
    ...Object.entries(QUIET).map(([name, value]) => `${name} = ${value}`),
    ...about.flatMap((each) => [
      "",
      `# ${each}`,
      ...WISHES.filter((wish) => wish.about === each && wish.name !== "data_checksums").flatMap(
        ({ name, value, why }) => [`# ${why}`, `${name} = ${value}`],
      ),
    ]),
    "",
    "# The service sets statement_timeout and idle_in_transaction_session_timeout for its own sessions.",
    "",
  ].join("\n");
}
