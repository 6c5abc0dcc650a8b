import { writeSync } from "node:fs";
import pg from "pg";
import { openEmbeddedPostgres } from "./embedded.ts";

/**
 * The victim of `embedded.test.ts`: opens the store of the first argument, prints `ready` and the server's
 * processes, then inserts numbers from the second argument on until it is killed, and prints each one that was acknowledged.
 */
const [dir = "", first = ""] = process.argv.slice(2);
const WRITERS = 4;

try {
  const store = await openEmbeddedPostgres({ dir });
  const pool = new pg.Pool({ ...store.connection, max: WRITERS });
  await pool.query("create table if not exists numbers (n int primary key)");
  writeSync(1, `ready ${store.processIds().join(" ")}\n`);
  let next = Number(first);
  const write = async () => {
    for (;;) {
      const n = next++;
      await pool.query("insert into numbers values ($1)", [n]);
      writeSync(1, `${n}\n`);
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
} catch (error) {
  const isCoded = error instanceof Error && "code" in error;
  writeSync(1, `refused ${isCoded ? error.code : error}\n`);
  process.exit(1);
}
