import { AUDIT_KINDS } from "@securewave/contracts";
import { expect, test } from "vitest";
import { KIND_GROUPS } from "./kinds.ts";

test("every kind of entry can be filtered by, in one place of the list", () => {
  expect(KIND_GROUPS.flatMap(({ kinds }) => kinds).toSorted()).toEqual([...AUDIT_KINDS].toSorted());
});
