import { SCOPES } from "@securewave/contracts";
import { expect, test } from "vitest";
import { SCOPE_TEXTS, scopesFor } from "./scopes.ts";

const offeredTo = (role: "customer" | "support" | "admin") =>
  scopesFor(role).flatMap(({ scopes }) => scopes.map(({ scope }) => scope));

test("every scope is explained, once", () => {
  expect(SCOPE_TEXTS.map(({ scope }) => scope).toSorted()).toEqual([...SCOPES].toSorted());
});

test("nobody is offered a scope that the role would not let a key use", () => {
  expect(offeredTo("customer")).toEqual(["account:read", "devices:read", "devices:write", "servers:read"]);
  expect(offeredTo("support")).toContain("blocks:write");
  expect(offeredTo("support")).not.toContain("settings:write");
  expect(offeredTo("admin")).toContain("settings:write");
});
