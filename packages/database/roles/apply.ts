import type pg from "pg";
import { GRANTS, type Grant, QUEUE_GRANT, QUEUE_SCHEMA, type Right } from "./grants.ts";
import { ROLES, roleOf, SERVICE_LOGINS } from "./roles.ts";

/** A right that is given and should not be, or the other way round. */
export interface GrantDifference {
  readonly role: string;
  /** With its schema: `public.accounts`. */
  readonly table: string;
  /** With the column where it is to one: `select (number)`. */
  readonly right: string;
  readonly isMissing: boolean;
}

type Client = Pick<pg.ClientBase, "query">;

/** PostgreSQL's SQLSTATE of a role or a right that another process gave at the same moment. */
const MADE_MEANWHILE = new Set(["42710", "23505", "XX000"]);

/** Which of the roles the server has. */
export async function findRoles(client: Client): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ name: string }>(
    "select rolname as name from pg_roles where rolname = any($1::text[])",
    [ROLES.map(({ name }) => name)],
  );
  return new Set(rows.map(({ name }) => name));
}

/** Makes the roles that the server lacks; for a server of our own, whose socket asks for no password. */
export async function createRoles(client: Client): Promise<void> {
  const present = await findRoles(client);
  for (const role of ROLES) {
    if (present.has(role.name)) continue;
    const replication = "isReplication" in role ? " replication" : "";
    await client.query(`create role ${role.name} login${replication}`).catch(unlessMeanwhile);
  }
}

export interface GrantOptions {
  /** Whether rights that are not declared are taken: replicas of another release may need them. */
  readonly takesAway?: boolean;
}

/**
 * Gives each role that the server has exactly the rights that are declared for it; asks first, so that a start that
 * finds all in order changes nothing. Belongs to the owner of the tables.
 */
export async function applyGrants(client: Client, { takesAway = true }: GrantOptions = {}): Promise<void> {
  const present = await findRoles(client);
  if (present.size === 0) return;
  for (const schema of await schemasOf(client)) {
    const roles = await rolesWithout(client, schema, present);
    if (roles.length > 0)
      await client.query(`grant usage on schema ${schema} to ${roles.join(", ")}`).catch(unlessMeanwhile);
  }
  for (const { role, table, right, isMissing } of await findDifferences(client)) {
    if (takesAway && !isMissing)
      await client.query(`revoke ${right} on ${table} from ${role}`).catch(unlessMeanwhile);
  }
  // Asked anew: taking a right to a table takes those to its columns as well.
  for (const { role, table, right, isMissing } of await findDifferences(client)) {
    if (isMissing) await client.query(`grant ${right} on ${table} to ${role}`).catch(unlessMeanwhile);
  }
}

/** Compares the rights that the server's roles have with those that are declared. */
export async function findDifferences(client: Client): Promise<readonly GrantDifference[]> {
  const present = await findRoles(client);
  const { rows } = await client.query<TableRow>(`
    select n.nspname as schema, c.relname as name,
      array(select attname::text from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped) as columns,
      coalesce(array_agg(r.rolname || ' ' || lower(a.privilege_type)
        || coalesce(' (' || a.column || ')', '')) filter (where r.rolname is not null), '{}') as given
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    left join lateral (
      select null as column, privilege_type, grantee from aclexplode(c.relacl)
      union all
      select attname, privilege_type, grantee from pg_attribute, aclexplode(attacl)
      where attrelid = c.oid and attnum > 0 and not attisdropped
    ) a on true
    left join pg_roles r on r.oid = a.grantee and r.rolname like 'securewave\\_%' and r.oid <> c.relowner
    where n.nspname in ('public', '${QUEUE_SCHEMA}') and c.relkind in ('r', 'p')
    group by c.oid, n.nspname, c.relname
    order by n.nspname, c.relname`);
  return rows.flatMap((row) => differencesOf(row, present));
}

interface TableRow {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly string[];
  /** `role right`. */
  readonly given: readonly string[];
}

function differencesOf(
  { schema, name, columns, given }: TableRow,
  present: ReadonlySet<string>,
): GrantDifference[] {
  const grant = grantOf(schema, name);
  const declared = new Set(
    SERVICE_LOGINS.filter((login) => present.has(roleOf(login))).flatMap((login) =>
      (grant[login] ?? [])
        .flatMap((right) => eachColumn(right, columns))
        .map((right) => `${roleOf(login)} ${right}`),
    ),
  );
  const table = `${schema}."${name}"`;
  const difference = (text: string, isMissing: boolean) => {
    const [role = "", ...right] = text.split(" ");
    return { role, table, right: right.join(" "), isMissing };
  };
  return [
    ...[...declared].filter((text) => !given.includes(text)).map((text) => difference(text, true)),
    ...given.filter((text) => !declared.has(text)).map((text) => difference(text, false)),
  ].filter(({ role }) => present.has(role));
}

/** `select (id, number)` as `select (id)` and `select (number)`, as far as the schema has got. */
function eachColumn(right: Right, present: readonly string[]): string[] {
  const [, verb, columns] = /^(\w+) \((.*)\)$/.exec(right) ?? [];
  if (columns === undefined) return [right];
  const named = columns.split(", ").filter((column) => present.includes(column));
  return named.map((column) => `${verb} (${column})`);
}

/** What is declared for a table; nothing for one that nobody declared. */
export function grantOf(schema: string, name: string): Grant {
  if (schema === QUEUE_SCHEMA) return QUEUE_GRANT;
  return Object.hasOwn(GRANTS, name) ? GRANTS[name as keyof typeof GRANTS] : {};
}

async function schemasOf(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    "select nspname as name from pg_namespace where nspname in ('public', $1)",
    [QUEUE_SCHEMA],
  );
  return rows.map(({ name }) => name);
}

async function rolesWithout(client: Client, schema: string, present: ReadonlySet<string>): Promise<string[]> {
  const logins = SERVICE_LOGINS.map(roleOf).filter((role) => present.has(role));
  const { rows } = await client.query<{ name: string }>(
    "select name from unnest($1::text[]) as name where not has_schema_privilege(name, $2, 'usage')",
    [logins, schema],
  );
  return rows.map(({ name }) => name);
}

function unlessMeanwhile(error: unknown): void {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (!MADE_MEANWHILE.has(code)) throw error;
}
