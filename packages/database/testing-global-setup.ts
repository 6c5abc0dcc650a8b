import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { type EmbeddedPostgres, openEmbeddedPostgres } from "./embedded.ts";
import { migrate } from "./migrate.ts";
import { createRoles } from "./roles/apply.ts";
import { ROLES } from "./roles/roles.ts";

/**
 * Starts the test run's PostgreSQL, or takes the one of `TEST_DATABASE_URL`, and makes the migrated
 * database that every test file gets a copy of. For vitest's `globalSetup`.
 *
 * @returns the teardown
 */
export async function setup(): Promise<() => Promise<void>> {
  const given = process.env.TEST_DATABASE_URL;
  const dir = await mkdtemp(join(tmpdir(), "securewave-test-"));
  const embedded = given ? undefined : await openEmbeddedPostgres({ dir: join(dir, "s"), isThrowaway: true });
  const url = given || urlOf(embedded);
  const template = `securewave_template_${process.pid}`;

  await runOn(url, `drop database if exists ${template}`, `create database ${template}`);
  const pool = new pg.Pool({ connectionString: withDatabase(url, template), max: 1 });
  await createRoles(pool);
  await migrate(pool);
  if (given) {
    process.env.TEST_DATABASE_ROLES_PASSWORD = createHash("sha256").update(given).digest("hex");
    for (const { name } of ROLES)
      await pool.query(`alter role ${name} password '${process.env.TEST_DATABASE_ROLES_PASSWORD}'`);
  }
  await pool.end();
  // The workers that run the tests inherit these.
  process.env.TEST_DATABASE_URL = url;
  process.env.TEST_DATABASE_TEMPLATE = template;

  return async () => {
    if (embedded === undefined) await runOn(url, `drop database if exists ${template} with (force)`);
    await embedded?.close();
    await rm(dir, { recursive: true, force: true });
    if (given === undefined) delete process.env.TEST_DATABASE_URL;
    delete process.env.TEST_DATABASE_TEMPLATE;
  };
}

/** Runs statements one after another on a connection of their own. */
export async function runOn(url: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

export function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

function urlOf(embedded: EmbeddedPostgres | undefined): string {
  const { host = "", user = "", database = "" } = embedded?.connection ?? {};
  return `postgresql://${user}@localhost/${database}?host=${encodeURIComponent(host)}`;
}
