import type { DatabaseAdvice, DatabaseMigration, DatabaseRole } from "@securewave/contracts";
import {
  type Database,
  examineLogging,
  examineSettings,
  findDifferences,
  findRoles,
  listMigrations,
  OWNER_ROLE,
  ROLES,
  rightsOf,
  roleOf,
  rolesSql,
  SERVICE_LOGINS,
} from "@securewave/database";
import { sql } from "kysely";
import type { Telemetry } from "../../http/telemetry.ts";

export interface DatabaseDeskOptions {
  readonly database: Database;
  readonly telemetry: Pick<Telemetry, "gauge">;
  readonly migrationsDir?: string | undefined;
}

export type DatabaseDesk = ReturnType<typeof createDatabaseDesk>;

const MEGABYTE = 1_000_000;
const WHO_ASKS = sql<{ user: string }>`select session_user as "user"`;

/** What staff may know of the database: nothing of what customers have in it. */
export function createDatabaseDesk({ database, telemetry, migrationsDir }: DatabaseDeskOptions) {
  const { pool, kind, slow } = database;
  telemetry.gauge(
    "securewave_database_slow_statements",
    "Statements that took longer than DATABASE_SLOW_MS since the start",
    slow.count,
  );

  /** Under whom each kind of work is done at present. */
  async function usersOf(): Promise<Map<string, string>> {
    const users = await Promise.all(
      SERVICE_LOGINS.map(async (login) => {
        const { rows } = await database.as(login, () => WHO_ASKS.execute(database.db));
        return [roleOf(login), rows[0]?.user ?? ""] as const;
      }),
    );
    return new Map(users);
  }

  async function readRoles(): Promise<DatabaseRole[]> {
    const [present, users, owner] = await Promise.all([findRoles(pool), usersOf(), ownerName()]);
    return ROLES.map(({ name, purpose }) => ({
      name,
      purpose,
      is_present: present.has(name),
      // A login of another name, such as one that Vault leased, is as good.
      is_used: users.has(name) && users.get(name) !== owner,
      rights: rightsOf(name).map(({ table, verbs }) => ({ table, verbs: [...verbs] })),
    }));
  }

  async function ownerName(): Promise<string> {
    const { rows } = await pool.query<{ user: string }>('select session_user as "user"');
    return rows[0]?.user ?? OWNER_ROLE;
  }

  async function readDifferences() {
    return (await findDifferences(pool)).map(({ isMissing, ...rest }) => ({
      ...rest,
      is_missing: isMissing,
    }));
  }

  async function readMigrations(): Promise<DatabaseMigration[]> {
    const migrations = await listMigrations(pool, migrationsDir);
    return migrations.map(({ appliedOn, ...rest }) => ({ ...rest, applied_on: appliedOn ?? null }));
  }

  async function readSettings(): Promise<DatabaseAdvice[]> {
    const advised = await examineSettings(pool, kind);
    const logging = (await Promise.all(database.pools.map((each) => examineLogging(each)))).flat();
    const loud = new Map(logging.map(({ about, text, mend }) => [about, { text, mend }]));
    return [
      ...[...loud].map(([name, { text, mend }]) => ({
        name,
        about: "privacy" as const,
        value: "",
        wanted: mend,
        is_met: false,
        why: text,
      })),
      ...advised.map(({ isMet, ...rest }) => ({ ...rest, is_met: isMet })),
    ];
  }

  return {
    async status() {
      const [facts, roles, differences, migrations, settings] = await Promise.all([
        pool.query<{ version: string; bytes: number }>(
          "select current_setting('server_version') as version, pg_database_size(current_database()) as bytes",
        ),
        readRoles(),
        readDifferences(),
        readMigrations(),
        readSettings(),
      ]);
      const unapplied = migrations.filter(({ applied_on }) => applied_on === null).length;
      const { open, idle, waiting } = database.stats();
      return {
        kind,
        version: facts.rows[0]?.version ?? "",
        megabytes: Math.round((facts.rows[0]?.bytes ?? 0) / MEGABYTE),
        connections: { open, idle, waiting },
        roles_used: roles.filter(({ is_used }) => is_used).length,
        roles: SERVICE_LOGINS.length,
        rights_differing: differences.length,
        migrations_applied: migrations.length - unapplied,
        migrations_waiting: unapplied,
        settings_unmet: settings.filter(({ is_met }) => !is_met).length,
        slow: { from_ms: slow.fromMs, count: slow.count() },
      };
    },
    async roles() {
      const { rows } = await pool.query<{ name: string }>("select current_database() as name");
      const [items, differences] = await Promise.all([readRoles(), readDifferences()]);
      return { items, differences, sql: rolesSql(rows[0]?.name ?? "securewave") };
    },
    migrations: readMigrations,
    settings: readSettings,
    slow: () => ({
      from_ms: slow.fromMs,
      items: slow.list().map(({ text, count, longestMs, totalMs }) => ({
        text,
        count,
        longest_ms: Math.round(longestMs),
        total_ms: Math.round(totalMs),
      })),
    }),
  };
}
