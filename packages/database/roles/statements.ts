import { GRANTS, QUEUE_GRANT, QUEUE_SCHEMA } from "./grants.ts";
import { OWNER_ROLE, ROLES, roleOf, SERVICE_LOGINS } from "./roles.ts";

/**
 * SQL for psql that makes the roles on a PostgreSQL of your own. It names no password: psql asks for each, so that none
 * stands in a file, in the list of processes or in the server's log.
 *
 * @param database the name of the service's database
 */
export function rolesSql(database: string): string {
  const quoted = `"${database.replaceAll('"', '""')}"`;
  const roles = [
    { name: OWNER_ROLE, purpose: "owns the schema and migrates it: the login of DATABASE_URL" },
    ...ROLES,
  ];
  return [
    "-- Run once as a superuser:  psql -d postgres -f roles.sql",
    "-- Rights to tables follow by themselves whenever the service starts as their owner.",
    ...roles.flatMap((role) => [
      "",
      `-- ${role.purpose}`,
      `select 'create role ${role.name} login${"isReplication" in role ? " replication" : ""}'`,
      `  where not exists (select from pg_roles where rolname = '${role.name}') \\gexec`,
      ...("login" in role ? [`alter role ${role.name} set log_parameter_max_length = 0;`] : []),
      `\\password ${role.name}`,
    ]),
    "",
    `alter database ${quoted} owner to ${OWNER_ROLE};`,
    `\\connect ${quoted}`,
    `alter schema public owner to ${OWNER_ROLE};`,
    `revoke all on database ${quoted} from public;`,
    `grant connect on database ${quoted} to ${SERVICE_LOGINS.map(roleOf).join(", ")};`,
    "",
  ].join("\n");
}

export interface RoleRights {
  readonly table: string;
  readonly verbs: readonly string[];
}

/** What is declared for a role, table by table. */
export function rightsOf(role: string): RoleRights[] {
  const login = SERVICE_LOGINS.find((each) => roleOf(each) === role);
  if (login === undefined) return [];
  const tables = [...Object.entries(GRANTS), [`${QUEUE_SCHEMA}.*`, QUEUE_GRANT] as const];
  return tables.flatMap(([table, grant]) => {
    const verbs = grant[login];
    return verbs === undefined ? [] : [{ table, verbs }];
  });
}
