import { expect, test } from "vitest";
import { MIGRATIONS_DIR, type Migration, migrationOf, readMigrations } from "./migration-files.ts";
import { examineMigrations, splitStatements } from "./migration-rules.ts";

const FORMER = migrationOf(1, "0001_first.sql", "create table people (id int, name text);");

function judge(text: string, others: readonly Migration[] = []): string[] {
  const file = migrationOf(10, "0010_more.sql", text);
  return examineMigrations([FORMER, ...others, file]).map((finding) => finding.text);
}

test("the migrations that there are hold up nobody and break no replica of the release before", async () => {
  const migrations = await readMigrations(MIGRATIONS_DIR);
  expect(migrations.length).toBeGreaterThan(9);
  expect(examineMigrations(migrations)).toEqual([]);
});

test.each([
  ["create index people_name on people (name)", "keeps all writers waiting"],
  ["create unique index if not exists people_name on people (name)", "keeps all writers waiting"],
  ["create index concurrently people_name on people (name)", "stands alone"],
  ["alter table people drop column name", "still uses what is dropped"],
  ["alter table people add column age int, drop column name", "still uses what is dropped"],
  ["drop table people", "still uses what is dropped"],
  ["alter table people rename column name to title", "former name"],
  ["alter table people rename to persons", "former name"],
  ["alter table people add column age int not null", "does not fill this column"],
  ["alter table people add column token text default gen_random_uuid()", "differs from row to row"],
  ["alter table people add column n bigint generated always as identity", "differs from row to row"],
  ["alter table people alter column id type bigint", "written anew"],
  ["alter table people alter column id set data type bigint", "written anew"],
  ["alter table people alter column name set not null", "may write null"],
  ["alter table people add constraint named check (name <> '')", "read under a lock"],
  ["alter table people add foreign key (id) references people", "read under a lock"],
  ["alter table people add column boss int references people", "locks both tables"],
  ["alter table people add constraint people_key unique (id)", "built under a lock"],
  ["update people set name = 'x'", "by a job"],
  ["delete from people where id = 1", "by a job"],
  ["truncate people", "everybody else waits"],
  ["vacuum full people", "everybody else waits"],
  ["lock table people", "everybody else waits"],
  ["begin; select 1; commit", "the runner begins"],
])("%s is refused", (text, reason) => {
  expect(judge(text).join("\n")).toContain(reason);
});

test.each([
  "create table pets (id int primary key, owner int references people); create index pets_owner on pets (owner)",
  "alter table people add column age int",
  "alter table people add column age int not null default 0",
  "alter table people add column seen date default current_date not null",
  "alter table people add constraint named check (name is not null) not valid",
  "alter table people validate constraint named",
  "alter table people alter column name drop not null",
  "alter table people alter column name set statistics 0",
  "-- no transaction\ncreate index concurrently if not exists people_name on people (name)",
  "-- phase: contract\nalter table people drop column name",
  "-- phase: contract\nalter table people alter column name set not null",
  "create function f() returns trigger language plpgsql as $$ begin update people set name = ''; end $$",
  "insert into people values (1, 'drop table people; truncate people')",
])("%s is let through", (text) => {
  expect(judge(text)).toEqual([]);
});

test("what is wrong with the head of a file is said", () => {
  expect(judge("-- phase: expnad\nselect 1").join()).toContain("`expand` or `contract`");
  expect(judge("-- no transaction\nselect 1; select 2").join()).toContain("one statement");
});

test("statements are told apart whatever stands in them, with their lines", () => {
  const text = "-- a; b\nselect ';' /* ; */;\n\ndo $x$ begin; end $x$;\nselect\n 2";
  expect(splitStatements(text)).toEqual([
    { line: 2, text: "select ''" },
    { line: 4, text: "do ''" },
    { line: 5, text: "select 2" },
  ]);
});

test("a file that landed before there were phases is left as it is", () => {
  const early = migrationOf(2, "0002_second.sql", "alter table people drop column name;");
  expect(early.phase).toBe("early");
  expect(judge("select 1", [early])).toEqual([]);
});
