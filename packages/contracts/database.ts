import { type Static, Type } from "typebox";
import { defineRoute } from "./route.ts";
import { Day, Nullable, OneOf, Strict } from "./schemas.ts";

const Count = Type.Integer({ minimum: 0 });

const DatabaseRole = Strict({
  name: Type.String(),
  purpose: Type.String(),
  is_present: Type.Boolean({ description: "The server has it" }),
  is_used: Type.Boolean({ description: "The service asks under a login of its own for this work" }),
  rights: Type.Array(Strict({ table: Type.String(), verbs: Type.Array(Type.String()) }), {
    description: "What it is to be able to do; it can do nothing else",
  }),
});
export type DatabaseRole = Static<typeof DatabaseRole>;

const DatabaseMigration = Strict({
  number: Type.Integer({ minimum: 1 }),
  name: Type.String(),
  phase: Type.String({
    description:
      "`expand`: replicas of the release before go on beside it; `contract`: they could not; `early`: it landed before there were phases",
  }),
  applied_on: Nullable(Day),
});
export type DatabaseMigration = Static<typeof DatabaseMigration>;

const DatabaseAdvice = Strict({
  name: Type.String(),
  about: OneOf(["durability", "recovery", "speed", "safety", "privacy"]),
  value: Type.String(),
  wanted: Type.String(),
  is_met: Type.Boolean(),
  why: Type.String(),
});
export type DatabaseAdvice = Static<typeof DatabaseAdvice>;

const SlowStatement = Strict({
  text: Type.String({ description: "The form of the statement, without values" }),
  count: Count,
  longest_ms: Count,
  total_ms: Count,
});
export type SlowStatement = Static<typeof SlowStatement>;

const common = { method: "GET", access: "staff", scope: "fleet:read", tag: "database", errors: [] } as const;

/** The database, for those who run the service. None of it tells of a customer. */
export const database = {
  status: defineRoute({
    ...common,
    path: "/api/admin/database",
    summary:
      "Shows the database: its kind and version, connections, roles, migrations and settings, in short",
    success: {
      status: 200,
      schema: Strict({
        kind: OneOf(["embedded", "postgres"]),
        version: Type.String(),
        megabytes: Count,
        connections: Strict({ open: Count, idle: Count, waiting: Count }),
        roles_used: Count,
        roles: Count,
        rights_differing: Count,
        migrations_applied: Count,
        migrations_waiting: Count,
        settings_unmet: Count,
        slow: Strict({ from_ms: Count, count: Count }),
      }),
    },
  }),
  roles: defineRoute({
    ...common,
    path: "/api/admin/database/roles",
    summary:
      "Lists the roles with their rights, where they differ from what they are to be, and the SQL that makes them",
    success: {
      status: 200,
      schema: Strict({
        items: Type.Array(DatabaseRole),
        differences: Type.Array(
          Strict({
            role: Type.String(),
            table: Type.String(),
            right: Type.String(),
            is_missing: Type.Boolean(),
          }),
        ),
        sql: Type.String({ description: "For psql, by a superuser; it asks for each password" }),
      }),
    },
  }),
  migrations: defineRoute({
    ...common,
    path: "/api/admin/database/migrations",
    summary: "Lists the migrations that were applied, and those that wait",
    success: { status: 200, schema: Strict({ items: Type.Array(DatabaseMigration) }) },
  }),
  settings: defineRoute({
    ...common,
    path: "/api/admin/database/settings",
    summary: "Compares how PostgreSQL is set with what is advised, and says why",
    success: { status: 200, schema: Strict({ items: Type.Array(DatabaseAdvice) }) },
  }),
  slow: defineRoute({
    ...common,
    path: "/api/admin/database/slow",
    summary: "Lists forms of statements that took long since this process started, the costliest first",
    success: { status: 200, schema: Strict({ from_ms: Count, items: Type.Array(SlowStatement) }) },
  }),
};
