import type { DatabaseAdvice, DatabaseMigration, database as routes } from "../database.ts";
import type { ResultOf } from "../route.ts";
import type { Mutable } from "./fake-call.ts";

export interface FakeDatabase {
  readonly status: Mutable<ResultOf<typeof routes.status>>;
  readonly roles: ResultOf<typeof routes.roles>;
  readonly migrations: DatabaseMigration[];
  readonly settings: DatabaseAdvice[];
  readonly slow: ResultOf<typeof routes.slow>["items"];
}

export function createFakeDatabase(): FakeDatabase {
  return {
    status: {
      kind: "postgres",
      version: "18.4",
      megabytes: 240,
      connections: { open: 6, idle: 4, waiting: 0 },
      roles_used: 3,
      roles: 3,
      rights_differing: 0,
      migrations_applied: 12,
      migrations_waiting: 0,
      settings_unmet: 0,
      slow: { from_ms: 200, count: 3 },
    },
    roles: {
      items: [
        {
          name: "securewave_api",
          purpose: "answers requests",
          is_present: true,
          is_used: true,
          rights: [{ table: "accounts", verbs: ["select", "insert"] }],
        },
      ],
      differences: [],
      sql: "-- Run once as a superuser\n\\password securewave_api\n",
    },
    settings: [
      {
        name: "fsync",
        about: "durability",
        value: "on",
        wanted: "on",
        is_met: true,
        why: "without it a power cut loses what was acknowledged",
      },
    ],
    migrations: [
      { number: 1, name: "0001_accounts.sql", phase: "early", applied_on: "2026-01-01" },
      { number: 2, name: "0002_names.sql", phase: "contract", applied_on: null },
    ],
    slow: [],
  };
}

/** The routes of the database, answered from memory. */
export function databaseHandlers(database: FakeDatabase) {
  return {
    "database.status": () => database.status,
    "database.roles": () => database.roles,
    "database.settings": () => ({ items: database.settings }),
    "database.slow": () => ({ from_ms: database.status.slow.from_ms, items: database.slow }),
    "database.migrations": () => ({ items: database.migrations }),
  };
}
