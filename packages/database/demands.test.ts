import { requirements } from "@securewave/testing/requirements";
import { sql } from "kysely";
import { afterEach, describe, expect, test } from "vitest";
import { describeDatabaseError } from "./database-errors.ts";
import {
  examineLogging,
  judgeLogging,
  type LogFinding,
  loggingRefusal,
  quieten,
  refusedLogging,
} from "./demands.ts";
import { type Database, openDatabase } from "./open.ts";
import { missingServer, openTestServer, type TestServer, type TestServerOptions } from "./testing-server.ts";

const needs = requirements({ others: [missingServer()] });
const CANARY = "canary@example.test";
const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

describe.skipIf(!needs.ok)(needs.title("what is demanded of a PostgreSQL"), () => {
  test("nothing is found in one that a superuser uses, however much its settings would log", async () => {
    const server = await testServer({
      log_statement: "all",
      log_min_duration_statement: "0",
      log_min_messages: "debug1",
      log_error_verbosity: "verbose",
      log_parameter_max_length_on_error: "-1",
      debug_print_plan: "on",
      session_preload_libraries: "auto_explain",
      "auto_explain.log_min_duration": "0",
    });
    const database = await open(server.url);
    expect(await found(database)).toEqual([]);
    const { log } = await logged(server, () => fail(database));
    expect(log).not.toContain("canary");
  });

  test("none of two dozen errors brings a value into our log or PostgreSQL's, once the role may set what it sets", async () => {
    const server = await testServer({ log_statement: "all", log_line_prefix: "%m [%p] " });
    const url = await server.createRole("service");
    const before = await open(url);
    const refused = refusedLogging(await examineLogging(before.pool), "refused");
    expect(refused.map(({ about }) => about)).toEqual(["log_statement"]);
    const { message } = loggingRefusal(refused, "service");
    expect(message).toContain('GRANT SET ON PARAMETER log_statement TO "service";');
    const granted = (await examineLogging(before.pool)).filter(({ mend }) => mend.startsWith("GRANT"));
    await server.run(...granted.map(({ mend }) => mend.replace("<role>", "service")));

    const database = await open(url);
    expect(await found(database)).toEqual([]);
    const { log, result: errors } = await logged(server, () => fail(database));
    expect(errors.length).toBeGreaterThanOrEqual(12);
    for (const error of errors) expect(describeDatabaseError(error)).toMatch(/^SQLSTATE [0-9A-Z]{5}/);
    expect(errors.map(describeDatabaseError).join("\n")).not.toContain("canary");
    expect(log).not.toContain("canary");
  });

  test("the control: with PostgreSQL's defaults and no rights the same errors bring values into its log, and that is said", async () => {
    const server = await testServer({});
    const database = await open(await server.createRole("service"));
    expect(await found(database)).toEqual([
      ["log_min_messages", "exposes"],
      ["log_error_verbosity", "exposes"],
      ["log_min_error_statement", "minor"],
    ]);
    await fail(database);
    expect((await server.logLines()).join("\n")).toContain(CANARY);
    // Of values that any role can keep out none is there: those of the statement that failed.
    expect((await server.logLines()).join("\n")).not.toMatch(/parameters:|= '[^.]/);
  });

  test("one that logs values as statements run is refused, also by its duration, and allowed where that is told", async () => {
    const server = await testServer({ log_min_duration_statement: "0" });
    const url = await server.createRole("odd role");
    const database = await open(url.replace("odd role", "odd%20role"));
    const findings = await examineLogging(database.pool);
    const refused = refusedLogging(findings, "refused");
    expect(refused.map(({ about }) => about)).toEqual(["log_min_duration_statement"]);
    expect(refusedLogging(findings, "allowed")).toEqual([]);
    await sql`select ${CANARY}`.execute(database.db);
    expect((await server.logLines()).join("\n")).toContain(CANARY);

    const { code, message } = loggingRefusal(refused, "odd role");
    expect(code).toBe("store.logs_values");
    const [withoutValues = ""] = /ALTER ROLE .*/.exec(message) ?? [];
    await server.run(withoutValues);
    const mended = await open(url.replace("odd role", "odd%20role"));
    expect(refusedLogging(await examineLogging(mended.pool), "refused")).toEqual([]);
    const { log } = await logged(server, () => sql`select ${CANARY}`.execute(mended.db));
    expect(log).not.toContain("canary");
  });

  test("what tells of the service alone is no reason to refuse, and exact times of rows are said", async () => {
    const server = await testServer({
      log_connections: "on",
      log_disconnections: "on",
      log_hostname: "on",
      log_line_prefix: "%h ",
      track_commit_timestamp: "on",
      shared_preload_libraries: "pg_stat_statements",
    });
    const database = await open(server.url);
    expect(await found(database)).toEqual([
      ["track_commit_timestamp", "exposes"],
      ["log_connections", "minor"],
      ["log_disconnections", "minor"],
      ["log_hostname", "minor"],
      ["log_line_prefix", "minor"],
      ["pg_stat_statements.track", "minor"],
    ]);
  });

  test("pg_stat_statements, where it is loaded, keeps no value of a statement", async () => {
    const server = await testServer({ shared_preload_libraries: "pg_stat_statements" });
    await server.run("create extension pg_stat_statements");
    const database = await open(server.url);
    await fail(database);
    const rows = await server.run("select query from pg_stat_statements");
    expect(rows.length).toBeGreaterThan(3);
    expect(JSON.stringify(rows)).not.toContain("canary");
  });
});

test("the embedded store has no finding", async () => {
  const { POSTGRES_SETTINGS } = await import("./postgres-settings.ts");
  expect(judgeLogging(new Map(Object.entries(POSTGRES_SETTINGS)))).toEqual([]);
});

test("pgaudit is refused where it quotes values", () => {
  const weights = (parameter: string) =>
    judgeLogging(
      new Map([
        ["pgaudit.log", "all"],
        ["pgaudit.log_parameter", parameter],
      ]),
    ).map(({ weight }) => weight);
  expect(weights("on")).toEqual(["values"]);
  expect(weights("off")).toEqual(["minor"]);
});

test("a connection on which settings cannot be set is used all the same", async () => {
  await quieten({ query: async () => Promise.reject(new Error("no")) } as never);
});

async function testServer(settings: TestServerOptions["settings"]): Promise<TestServer> {
  const server = await openTestServer({ ...(settings ? { settings } : {}) });
  closing.push(server.close);
  return server;
}

async function open(url: string): Promise<Database> {
  const database = await openDatabase({ url, poolMax: 2, statementTimeoutMs: 10_000 });
  closing.push(database.close);
  return database;
}

/** @returns also what a server logged meanwhile */
async function logged<Result>(server: TestServer, act: () => Promise<Result>) {
  const from = (await server.logLines()).length;
  const result = await act();
  return { result, log: (await server.logLines()).slice(from).join("\n") };
}

async function found({ pool }: Database): Promise<[string, LogFinding["weight"]][]> {
  return (await examineLogging(pool)).map(({ about, weight }) => [about, weight]);
}

/** Makes errors of many kinds, each with the canary among its values. */
async function fail({ db }: Database): Promise<unknown[]> {
  await sql`create table things (
    mail text unique, n int check (n < 10), day date not null, part varchar(3), at int4range,
    exclude using gist (at with &&))`.execute(db);
  await sql`create function complain(mail text) returns void language plpgsql as
    ${sql.lit("begin raise exception 'no: %', mail using detail = mail, hint = mail; end")}`.execute(db);
  await sql`create table owned (mail text references things (mail))`.execute(db);
  await sql`insert into things (mail, day, at) values (${CANARY}, '2026-01-01', '[1,5)')`.execute(db);
  const attempts = [
    sql`insert into things (mail, day) values (${CANARY}, '2026-01-01')`,
    sql`insert into things (mail) values (${`2${CANARY}`})`,
    sql`insert into things (mail, n, day) values (${`3${CANARY}`}, 11, '2026-01-01')`,
    sql`insert into things (mail, day, at) values (${`4${CANARY}`}, '2026-01-01', '[2,3)')`,
    sql`insert into things (part, day) values (${CANARY}, '2026-01-01')`,
    sql`insert into owned values (${`5${CANARY}`})`,
    sql`delete from things where (select complain(mail)) is null and mail = ${CANARY}`,
    sql`select complain(${CANARY})`,
    sql`select ${CANARY}::int4`,
    sql`select ${CANARY}::uuid`,
    sql`select ${CANARY}::date`,
    sql`select ${CANARY}::inet`,
    sql`select ${`{"${CANARY}`}::json`,
    sql`select ${CANARY}::text::regclass`,
    sql`select to_tsquery(${`${CANARY} &`})`,
    sql`select regexp_match('x', ${`(${CANARY}`})`,
    sql`select ${`{${CANARY}`}::text[]`,
    sql`select ${`[${CANARY}`}::int4range`,
    sql`select 1 / (length(${CANARY}) - ${CANARY.length}::int)`,
    sql`select ${`\\x${CANARY}`}::bytea`,
    sql`select decode(${CANARY}, 'base64')`,
    sql`select to_timestamp(${CANARY}, 'YYYY-MM-DD')`,
    sql`select ${`<${CANARY}`}::xml`,
    sql`select ${CANARY}::bit(3)`,
  ];
  const errors: unknown[] = [];
  for (const attempt of attempts)
    await attempt.execute(db).then(
      () => errors.push("no error"),
      (error: unknown) => errors.push(error),
    );
  expect(errors.filter((error) => error === "no error")).toEqual([]);
  return errors;
}
