import { expect, test } from "vitest";
import { parseAuditFilter } from "./audit-filter.ts";

test("a filter in the address bar is taken over", () => {
  const filter = {
    kind: "login_refused",
    actor: "acc_00000000000000000001",
    subject: "service",
    from: "2026-11-01",
    to: "2026-11-30",
  };
  expect(parseAuditFilter(filter)).toEqual(filter);
});

test("what the API would refuse is no filter", () => {
  const wrong = { kind: "made_up", actor: "a b", subject: "x".repeat(101), from: "2026-02-30", to: 20261130 };
  expect(Object.values(parseAuditFilter(wrong)).filter((value) => value !== undefined)).toEqual([]);
});
