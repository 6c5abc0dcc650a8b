import { openTestServer, type TestServer } from "@securewave/database/testing-server";
import { invariant } from "@securewave/foundation";
import { eventually } from "@securewave/testing/eventually";
import { type Mark, parseLsn, readWriteAheadLog, type WalRecord } from "./write-ahead-log.ts";

/**
 * With these PostgreSQL writes because of what it is told and of nothing else. Cleaning, statistics and checkpoints are
 * started by its own clock in life; here the script starts them, so that they too are compared.
 */
const SETTINGS = {
  wal_level: "replica",
  full_page_writes: "on",
  autovacuum: "off",
  checkpoint_timeout: "1d",
  max_wal_size: "8GB",
  wal_keep_size: "4GB",
  // What a reader finds out about a row and notes on its page is not logged without checksums, as Debian sets them up.
  wal_log_hints: "off",
  jit: "off",
};
/** Between two looks at whether anything is still being written. */
const LOOK_EVERY_MS = 10;

/** Fills a server and leaves it stopped, for instances to begin with copies of. */
export async function makeServer(fill: (server: TestServer) => Promise<void>): Promise<TestServer> {
  const server = await openTestServer({ settings: SETTINGS });
  await fill(server);
  await server.run("vacuum (freeze, analyze)", "checkpoint");
  await server.stop();
  return server;
}

/** Lets something be done on a copy of a stopped server, and reads what that has written between its marks. */
export async function onCopyOf<Seen extends { readonly marks: readonly Mark[] }>(
  base: TestServer,
  live: (server: TestServer) => Promise<Seen>,
): Promise<Seen & { readonly records: readonly WalRecord[] }> {
  const server = await openTestServer({ settings: SETTINGS, copyOf: base });
  try {
    const seen = await live(server);
    await server.stop();
    return { ...seen, records: await readWriteAheadLog(server, seen.marks) };
  } finally {
    await server.close();
  }
}

/**
 * Where the log ends once what was begun is done: the audit trail gives acts their places a moment later, by the
 * machine's clock.
 */
export async function markAtRest(server: TestServer, minute: number): Promise<Mark> {
  let before: unknown;
  return eventually(
    async () => {
      const [row] = await server.run(
        "select pg_current_wal_insert_lsn()::text as lsn, exists (select from audit_queue) as is_waiting",
      );
      invariant(row?.is_waiting === false, "no act waits for its place in the trail");
      const isStill = row.lsn === before;
      before = row.lsn;
      invariant(isStill, "nothing was written between two looks");
      return { lsn: parseLsn(String(row.lsn)), minute };
    },
    { everyMs: LOOK_EVERY_MS, timeoutMs: 30_000 },
  );
}
