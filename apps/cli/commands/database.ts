import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { DatabaseAdvice, DatabaseMigration, DatabaseRole, SlowStatement } from "@securewave/contracts";
import type { Perform } from "../call.ts";
import { EXIT } from "../failure.ts";
import type { Column } from "../output.ts";

export function addDatabaseCommands(program: CommandUnknownOpts, perform: Perform): void {
  const database = program
    .command("database")
    .description(
      "roles, migrations, settings and slow statements of the database; for support agents and admins",
    );
  addStatusCommand(database, perform);
  addRolesCommand(database, perform);
  addMigrationsCommand(database, perform);
  addSettingsCommand(database, perform);
  addSlowCommand(database, perform);
}

function addStatusCommand(database: CommandUnknownOpts, perform: Perform): void {
  database
    .command("status")
    .description("show the database in short; exit code 1 where something is to be done")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave database status
  $ securewave database status --json`,
    )
    .action(() =>
      perform(async ({ client, out }) => {
        const found = await (await client()).database.status();
        const todo = todoOf(found);
        const { kind, version, megabytes, connections, slow } = found;
        out.result(found, () =>
          [
            `PostgreSQL ${version}, ${kind === "embedded" ? "the embedded store" : "outside"}, ${megabytes} MB`,
            `Connections  ${connections.open} open, ${connections.idle} idle, ${connections.waiting} callers waiting`,
            `Roles        ${found.roles_used} of ${found.roles} in use`,
            `Migrations   ${found.migrations_applied} applied, ${found.migrations_waiting} waiting`,
            `Slow         ${slow.count} statements of ${slow.from_ms} ms and more since the start`,
            ...(todo.length === 0 ? ["All is as advised."] : todo),
          ].join("\n"),
        );
        return todo.length === 0 ? undefined : EXIT.failed;
      }),
    );
}

interface Status {
  readonly roles_used: number;
  readonly roles: number;
  readonly rights_differing: number;
  readonly migrations_waiting: number;
  readonly settings_unmet: number;
}

function todoOf(status: Status): string[] {
  const { roles, roles_used, rights_differing, migrations_waiting, settings_unmet } = status;
  return [
    ...(roles_used < roles
      ? ["Not all work is done under a login of its own: securewave database roles --sql"]
      : []),
    ...(rights_differing > 0
      ? [`${rights_differing} rights are not as they are to be: securewave database roles`]
      : []),
    ...(migrations_waiting > 0
      ? ["Migrations wait until no older release runs; then start one replica with DATABASE_MIGRATIONS=all."]
      : []),
    ...(settings_unmet > 0
      ? [`${settings_unmet} settings are otherwise than advised: securewave database settings`]
      : []),
  ];
}

function addRolesCommand(database: CommandUnknownOpts, perform: Perform): void {
  database
    .command("roles")
    .description(
      "show what each role may do, and where that is otherwise on the server; exit code 1 where it is",
    )
    .option("--sql", "write the SQL that makes the roles on a PostgreSQL of your own")
    .addHelpText(
      "after",
      `
The SQL names no password: psql asks for each. Rights to tables follow when the service starts.

Examples:
  $ securewave database roles
  $ securewave database roles --sql > roles.sql
  $ psql -d postgres -f roles.sql`,
    )
    .action(({ sql: isSql = false }) =>
      perform(async ({ client, out }) => {
        const found = await (await client()).database.roles();
        if (isSql) {
          out.result({ sql: found.sql }, () => found.sql.trimEnd());
          return undefined;
        }
        const differences = found.differences.map(
          ({ role, table, right, is_missing }) =>
            `${role} ${is_missing ? "lacks" : "should not have"} ${right} on ${table}`,
        );
        out.result(found, () =>
          [
            out.table(ROLE_COLUMNS, found.items),
            ...(differences.length === 0 ? [] : ["", ...differences]),
          ].join("\n"),
        );
        return differences.length === 0 ? undefined : EXIT.failed;
      }),
    );
}

const ROLE_COLUMNS: readonly Column<DatabaseRole>[] = [
  { title: "ROLE", value: ({ name }) => name, style: () => "bold" },
  { title: "ON THE SERVER", value: ({ is_present }) => (is_present ? "yes" : "no") },
  { title: "IN USE", value: ({ is_used }) => (is_used ? "yes" : "no") },
  { title: "TABLES", value: ({ rights }) => String(rights.length), align: "right" },
  { title: "WHAT FOR", value: ({ purpose }) => purpose },
];

function addMigrationsCommand(database: CommandUnknownOpts, perform: Perform): void {
  database
    .command("migrations")
    .description("list the migrations that were applied, and those that wait")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave database migrations
  $ securewave database migrations --json`,
    )
    .action(() =>
      perform(async ({ client, out }) => {
        const found = await (await client()).database.migrations();
        out.result(found, () => out.table(MIGRATION_COLUMNS, found.items));
      }),
    );
}

const MIGRATION_COLUMNS: readonly Column<DatabaseMigration>[] = [
  { title: "FILE", value: ({ name }) => name },
  { title: "PHASE", value: ({ phase }) => phase },
  {
    title: "APPLIED",
    value: ({ applied_on }) => applied_on ?? "waits",
    style: ({ applied_on }) => (applied_on === null ? "yellow" : undefined),
  },
];

function addSettingsCommand(database: CommandUnknownOpts, perform: Perform): void {
  database
    .command("settings")
    .description("compare how PostgreSQL is set with what is advised; exit code 1 where it is otherwise")
    .option("--all", "show also what is as advised")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave database settings
  $ securewave database settings --all`,
    )
    .action(({ all = false }) =>
      perform(async ({ client, out }) => {
        const found = await (await client()).database.settings();
        const unmet = found.items.filter(({ is_met }) => !is_met);
        const shown = all ? found.items : unmet;
        out.result(found, () =>
          shown.length === 0 ? "All settings are as advised." : out.table(ADVICE_COLUMNS, shown),
        );
        return unmet.length === 0 ? undefined : EXIT.failed;
      }),
    );
}

const ADVICE_COLUMNS: readonly Column<DatabaseAdvice>[] = [
  {
    title: "SETTING",
    value: ({ name }) => name,
    style: ({ is_met }) => (is_met ? undefined : "yellow"),
  },
  { title: "IS", value: ({ value }) => value },
  { title: "ADVISED", value: ({ wanted }) => wanted },
  { title: "ABOUT", value: ({ about }) => about },
  { title: "WHY", value: ({ why }) => why },
];

function addSlowCommand(database: CommandUnknownOpts, perform: Perform): void {
  database
    .command("slow")
    .description("list forms of statements that took long since the service started, the costliest first")
    .addHelpText(
      "after",
      `
Kept in the memory of the process that answers, without values and without times.

Examples:
  $ securewave database slow
  $ securewave database slow --json`,
    )
    .action(() =>
      perform(async ({ client, out }) => {
        const found = await (await client()).database.slow();
        out.result(found, () =>
          found.items.length === 0
            ? `No statement took ${found.from_ms} ms or more.`
            : out.table(SLOW_COLUMNS, found.items),
        );
      }),
    );
}

const SLOW_COLUMNS: readonly Column<SlowStatement>[] = [
  { title: "TIMES", value: ({ count }) => String(count), align: "right" },
  { title: "LONGEST", value: ({ longest_ms }) => `${longest_ms} ms`, align: "right" },
  { title: "TOGETHER", value: ({ total_ms }) => `${total_ms} ms`, align: "right" },
  { title: "STATEMENT", value: ({ text }) => text },
];
