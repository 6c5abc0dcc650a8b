import { once } from "node:events";
import { connect, createServer } from "node:net";
import { requirements } from "@securewave/testing";
import { sql } from "kysely";
import pg from "pg";
import { afterEach, describe, expect, test } from "vitest";
import { isDatabaseUnavailable } from "./database-errors.ts";
import { type Database, openDatabase } from "./open.ts";
import { giveUpAfter } from "./patience.ts";

const PATIENCE_MS = 700;
const url = process.env.TEST_DATABASE_URL ?? "";
const needs = requirements({ others: [url === "" ? "a PostgreSQL" : undefined] });
const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe.skipIf(!needs.ok)(needs.title("a database that falls silent"), () => {
  test("is given up: the caller gets an error, and the pool works on as soon as it speaks again", async () => {
    const way = await wayTo(url);
    const database = await open(way.url);
    await database.db.transaction().execute(async (trx) => sql`select 1`.execute(trx));
    way.swallow(true);
    const failed = await database.db
      .transaction()
      .execute(async (trx) => sql`select 1`.execute(trx))
      .catch((error: unknown) => error);
    expect(isDatabaseUnavailable(failed)).toBe(true);
    way.swallow(false);
    expect(await database.ping()).toBeGreaterThan(0);
  });

  test("has as long as it needs for work whose time-out was lifted, and no longer after it", async () => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    cleanups.push(() => client.end());
    client.on("error", () => undefined);
    giveUpAfter(client, PATIENCE_MS);
    await client.query("begin");
    await client.query("set local statement_timeout = 0");
    await client.query(`select pg_sleep(${(2 * PATIENCE_MS) / 1000})`);
    await client.query("commit");
    await expect(client.query(`select pg_sleep(${(4 * PATIENCE_MS) / 1000})`)).rejects.toThrow("terminated");
  });
});

test.each(["25006", "57014", "57P01", "08006"])("SQLSTATE %s says to ask again later", (code) => {
  const error = Object.assign(new pg.DatabaseError("", 0, "error"), { code });
  expect(isDatabaseUnavailable(error)).toBe(true);
  expect(isDatabaseUnavailable(Object.assign(error, { code: "23505" }))).toBe(false);
});

async function open(at: string): Promise<Database> {
  const database = await openDatabase({
    url: at,
    poolMax: 2,
    statementTimeoutMs: PATIENCE_MS / 2,
    answerTimeoutMs: PATIENCE_MS,
  });
  cleanups.push(database.close);
  return database;
}

/** A way to the server that can lose all that the server says. */
async function wayTo(target: string) {
  const { host, port, user = "", password, database = "" } = new pg.Client({ connectionString: target });
  const place = host.startsWith("/") ? { path: `${host}/.s.PGSQL.${port}` } : { host, port };
  let isSilent = false;
  const proxy = createServer((socket) => {
    const onward = connect(place);
    for (const end of [socket, onward]) end.on("error", () => undefined);
    socket.pipe(onward);
    onward.on("data", (bytes) => isSilent || socket.write(bytes));
    onward.on("close", () => socket.destroy());
    socket.on("close", () => onward.destroy());
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  cleanups.push(async () => void proxy.close());
  const address = proxy.address();
  if (address === null || typeof address === "string") throw new Error("the system gave no TCP port");
  const login = typeof password === "string" ? `${user}:${password}` : user;
  return {
    url: `postgresql://${login}@127.0.0.1:${address.port}/${database}`,
    swallow(isOn: boolean) {
      isSilent = isOn;
    },
  };
}
