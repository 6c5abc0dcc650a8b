import type { Manifest } from "@securewave/backup";
import type { BackupCheck } from "@securewave/contracts";
import { type Database, openDatabase } from "@securewave/database";
import pg from "pg";
import { examineTrail } from "../../audit/index.ts";
import type { BackupOrder } from "../order.ts";
import { attempt } from "./check.ts";
import { countRows, tablesOf } from "./count.ts";
import { digestOf } from "./database.ts";
import { FIGURES } from "./figures.ts";

type Finding = { isGood: boolean; detail: string };

/** Indexes of a large table are built anew here. */
const STATEMENT_TIMEOUT_MS = 3_600_000;

/**
 * Looks into a restored server.
 *
 * @param isCounted whether it was restored to the moment of the manifest's counts
 */
export async function checkRestored(
  connection: pg.ClientConfig,
  manifest: Manifest,
  order: Pick<BackupOrder, "tunnels">,
  isCounted: boolean,
): Promise<BackupCheck[]> {
  const client = new pg.Client(connection);
  client.on("error", () => {}); // shows in the query that runs
  await client.connect();
  const database = await openDatabase({
    url: urlOf(connection),
    poolMax: 2,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
  });
  const NOT_COUNTED =
    "The archive does not reach the moment at which the backup was counted: verify it again in a minute.";
  const skipped = (name: BackupCheck["name"]): BackupCheck => ({
    name,
    outcome: "skipped",
    detail: NOT_COUNTED,
  });
  try {
    return [
      isCounted ? await attempt("row_counts", () => compareRows(client, manifest)) : skipped("row_counts"),
      await attempt("constraints", () => checkConstraints(client)),
      await attempt("audit_trail", () => checkTrail(database)),
      isCounted
        ? await attempt("device_configs", () => compareConfigs(client, manifest, order))
        : skipped("device_configs"),
    ];
  } finally {
    await database.close();
    await client.end();
  }
}

async function compareRows(client: pg.Client, { counts }: Manifest): Promise<Finding> {
  const rows = await countRows(client, await tablesOf(client));
  const expected = Object.entries(counts).filter(([name]) => !name.startsWith("@"));
  const wrong = expected.filter(([table, count]) => rows[table] !== count);
  if (wrong.length > 0) {
    const told = wrong.map(
      ([table, count]) => `${table} has ${rows[table] ?? "no table"} in place of ${count}`,
    );
    return { isGood: false, detail: `Rows differ: ${told.join("; ")}.` };
  }
  const total = expected.reduce((sum, [, count]) => sum + count, 0);
  return { isGood: true, detail: `${expected.length} tables have exactly their ${total} rows.` };
}

/** Has PostgreSQL check every constraint, and build every index, anew over all rows. */
async function checkConstraints(client: pg.Client): Promise<Finding> {
  const { rows } = await client.query<{ table: string; name: string; definition: string }>(`
    select conrelid::regclass::text as table, quote_ident(conname) as name, pg_get_constraintdef(oid) as definition
    from pg_constraint where connamespace = 'public'::regnamespace and contype in ('c', 'f') and conrelid <> 0`);
  const broken: string[] = [];
  for (const { table, name, definition } of rows) {
    await client.query("begin");
    try {
      await client.query(
        `alter table ${table} drop constraint ${name}, add constraint ${name} ${definition}`,
      );
    } catch {
      broken.push(`${table}: ${name}`);
    } finally {
      await client.query("rollback");
    }
  }
  const tables = await tablesOf(client);
  for (const table of tables) {
    await client
      .query(`reindex table public.${pg.escapeIdentifier(table)}`)
      .catch(() => broken.push(`${table}: its indexes`));
  }
  if (broken.length > 0)
    return { isGood: false, detail: `Rows break rules of the schema: ${broken.join("; ")}.` };
  return {
    isGood: true,
    detail: `${rows.length} constraints and the indexes of ${tables.length} tables hold.`,
  };
}

async function checkTrail({ db }: Database): Promise<Finding> {
  const signer = await db
    .selectFrom("service_keys")
    .select("public_key")
    .where("name", "=", "audit-trail")
    .executeTakeFirst();
  const publicKey = signer && Buffer.from(signer.public_key, "base64url");
  const { entriesCount, isWhole, isSigned } = await examineTrail(db, publicKey);
  if (!isWhole)
    return { isGood: false, detail: "The entries of the audit trail do not lead to its stored state." };
  if (isSigned === false)
    return {
      isGood: false,
      detail: "The newest checkpoint of the audit trail is not signed by the service.",
    };
  const signed = isSigned === undefined ? "no checkpoint was signed yet" : "its newest checkpoint is signed";
  return { isGood: true, detail: `${entriesCount} entries lead to the stored state; ${signed}.` };
}

async function compareConfigs(
  client: pg.Client,
  { counts }: Manifest,
  { tunnels }: Pick<BackupOrder, "tunnels">,
): Promise<Finding> {
  const { devicesCount, digest } = await digestOf(client, tunnels);
  const isGood = digest === counts[FIGURES.configs];
  return {
    isGood,
    detail: isGood
      ? `The configs of ${devicesCount} devices are rendered the same.`
      : "The configs of devices are rendered otherwise than when the backup was made, or the settings of tunnels were changed since.",
  };
}

function urlOf({
  host = "",
  port = 5432,
  user = "",
  database = "postgres",
  connectionString,
}: pg.ClientConfig): string {
  if (connectionString !== undefined) return connectionString;
  return `postgresql://${encodeURIComponent(user)}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`;
}
