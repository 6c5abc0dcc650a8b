import { createFakeDatabase } from "@securewave/contracts/testing/fake-database";
import { expect, test } from "vitest";
import { differenceText, inOrderOfInterest, loginOf, todoOf } from "./words.ts";

const { status, roles } = createFakeDatabase();

test("a database that is as advised asks for nothing, and one that is not says what to do", () => {
  expect(todoOf(status)).toEqual([]);
  const ill = { ...status, roles_used: 1, rights_differing: 1, migrations_waiting: 2, settings_unmet: 1 };
  expect(todoOf(ill)).toEqual([
    expect.stringContaining("`securewave database roles --sql`"),
    expect.stringMatching(/^1 right is not/),
    expect.stringMatching(/^2 migrations wait .* `DATABASE_MIGRATIONS=all`/),
    "1 setting is otherwise than advised.",
  ]);
});

test("a role says whether it is there, and whether work is done under it", () => {
  const [role] = roles.items;
  if (role === undefined) throw new Error("the fake has a role");
  expect(loginOf(role).word).toBe("In use");
  expect(loginOf({ ...role, is_used: false }).word).toBe("Not in use");
  expect(loginOf({ ...role, is_present: false, is_used: false })).toMatchObject({ tone: "warn" });
});

test("a right too many and one too few are told apart", () => {
  const difference = { role: "securewave_api", table: "accounts", right: "select" };
  expect(differenceText({ ...difference, is_missing: true })).toContain("lacks select on accounts");
  expect(differenceText({ ...difference, is_missing: false })).toContain("should not have select");
});

test("migrations that wait stand on top, then the newest", () => {
  const migration = (number: number, applied_on: string | null) => ({
    ...{ number, applied_on },
    name: `${number}.sql`,
    phase: "expand",
  });
  const migrations = [
    migration(1, "2026-01-01"),
    migration(2, "2026-01-02"),
    migration(3, null),
    migration(4, null),
  ];
  expect(inOrderOfInterest(migrations).map(({ number }) => number)).toEqual([4, 3, 2, 1]);
});
