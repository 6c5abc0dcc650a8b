import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import pg from "pg";

const SOCKET_NAME = ".s.PGSQL.5432";

/** What each table of a running embedded store holds, as text, by table; without the queue of background jobs. */
export async function readTables(dataDir: string): Promise<Map<string, string>> {
  const names = await readdir(dataDir, { recursive: true });
  const socket = names.find((name) => name.endsWith(SOCKET_NAME));
  if (socket === undefined) throw new Error("the store has no socket below its folder");
  const host = dirname(join(dataDir, socket));
  const client = new pg.Client({ host, user: "securewave", database: "postgres" });
  await client.connect();
  try {
    const tables = await client.query<{ name: string }>(
      "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = 'public' order by 1",
    );
    const contents = new Map<string, string>();
    for (const { name } of tables.rows) {
      const { rows } = await client.query<{ row: string }>(`select t::text as row from ${name} t order by 1`);
      contents.set(name, rows.map(({ row }) => row).join("\n"));
    }
    return contents;
  } finally {
    await client.end();
  }
}

/** The files below a folder that hold some bytes, by their paths. */
export async function filesHolding(dir: string, bytes: Buffer): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const holding: string[] = [];
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const content = await readFile(path).catch(() => undefined);
    if (content?.includes(bytes)) holding.push(path);
  }
  return holding;
}
