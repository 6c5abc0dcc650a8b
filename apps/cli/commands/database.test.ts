import { expect, test } from "vitest";
import { useService } from "../testing/service.ts";

const service = useService();
const database = () => service.api().state.database;

test("a database that is as advised says so, and one that is not what to do", async () => {
  const well = await service.run("database status");
  expect(well.stdout).toContain("PostgreSQL 18.4, outside, 240 MB");
  expect(well.stdout).toContain("All is as advised.");
  expect(well.code).toBe(0);
  Object.assign(database().status, {
    roles_used: 0,
    migrations_waiting: 1,
    settings_unmet: 2,
    rights_differing: 1,
  });
  const ill = await service.run("database status");
  expect(ill.code).toBe(1);
  for (const next of ["roles --sql", "DATABASE_MIGRATIONS=all", "2 settings", "1 rights"])
    expect(ill.stdout).toContain(next);
  expect((await service.run("database status --json")).json()).toEqual(database().status);
});

test("rights that are not as they are to be are named", async () => {
  expect((await service.run("database roles")).stdout).toMatch(
    /securewave_api +yes +yes +1 +answers requests/,
  );
  database().roles.differences.push({
    role: "securewave_ingress",
    table: "accounts",
    right: "select",
    is_missing: false,
  });
  const ran = await service.run("database roles");
  expect([ran.code, ran.stdout]).toEqual([
    1,
    expect.stringContaining("securewave_ingress should not have select on accounts"),
  ]);
});

test("the SQL for the roles is written as it is, for psql", async () => {
  expect((await service.run("database roles --sql")).stdout).toBe(database().roles.sql);
});

test("migrations that wait stand at the end of the list", async () => {
  const lines = (await service.run("database migrations")).stdout.split("\n");
  expect(lines[1]).toMatch(/^0001_accounts\.sql +early +2026-01-01/);
  expect(lines[2]).toMatch(/^0002_names\.sql +contract +waits/);
});

test("settings are shown that are otherwise than advised, all on request", async () => {
  expect((await service.run("database settings")).stdout).toBe("All settings are as advised.\n");
  expect((await service.run("database settings --all")).stdout).toMatch(/fsync +on +on +durability/);
  database().settings.push({
    name: "jit",
    about: "speed",
    value: "on",
    wanted: "off",
    is_met: false,
    why: "statements are short",
  });
  const ran = await service.run("database settings");
  expect([ran.code, ran.stdout]).toEqual([
    1,
    expect.stringMatching(/jit +on +off +speed +statements are short/),
  ]);
});

test("slow statements are shown with how often and how long", async () => {
  expect((await service.run("database slow")).stdout).toBe("No statement took 200 ms or more.\n");
  database().slow.push({ text: "select $1", count: 3, longest_ms: 900, total_ms: 1500 });
  expect((await service.run("database slow")).stdout).toMatch(/3 +900 ms +1500 ms +select \$1/);
});
