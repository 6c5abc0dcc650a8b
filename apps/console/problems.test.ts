import { ApiError } from "@securewave/contracts";
import { expect, test } from "vitest";
import { explain, formProblemOf, PageError, pauseOf } from "./problems.ts";

function refused(
  status: number,
  code: string,
  message: string,
  issues: { at: string; message: string }[] = [],
) {
  return new ApiError(status, code, message, { type: "", title: message, status, code, issues });
}

test("issues go to the fields they point at, and the rest above the form", () => {
  const error = refused(400, "request.invalid", "Not of the form.", [
    { at: "/email", message: 'must match pattern "^[a-z]$"' },
    { at: "/tags/2", message: "is too long" },
    { at: "/other", message: "is not known" },
  ]);
  expect(formProblemOf(error, ["email", "tags"])).toEqual({
    fields: { email: "This is not in the right form.", tags: "Is too long." },
    general: "Is not known.",
  });
});

test("issues that no field has leave the message itself", () => {
  const error = refused(400, "request.invalid", "Not of the form.", [
    { at: "/other", message: "is not known" },
  ]);
  expect(formProblemOf(error, ["email"])).toEqual({ fields: {}, general: "Not of the form." });
});

test("a refusal that speaks of one field stands beside it where the form has it", () => {
  const error = refused(409, "devices.name_in_use", "You have a device of this name already.");
  expect(formProblemOf(error, ["name", "type"])).toEqual({
    fields: { name: error.message },
    general: undefined,
  });
  expect(formProblemOf(error, ["type"])).toEqual({ fields: {}, general: error.message });
});

test("a wrong password stands beside the field that asks for the present one", () => {
  const error = refused(403, "accounts.wrong_password", "The password is wrong.");
  expect(formProblemOf(error, ["current_password", "password"]).fields).toEqual({
    current_password: error.message,
  });
  expect(formProblemOf(error, ["name", "password"]).fields).toEqual({ password: error.message });
});

test("what the page itself finds wrong with a field stands beside it", () => {
  const error = new PageError("Choose at least one.", "scopes");
  expect(formProblemOf(error, ["name", "scopes"])).toEqual({
    fields: { scopes: error.message },
    general: undefined,
  });
});

test("only where the service says when to come back, a countdown is shown", () => {
  expect(pauseOf(new ApiError(429, "sessions.locked", "Wait.", undefined, 90))).toBe(90);
  expect(pauseOf(new ApiError(429, "sessions.locked", "Wait."))).toBeUndefined();
  expect(pauseOf(new ApiError(503, "request.failed", "Wait.", undefined, 9))).toBeUndefined();
  expect(pauseOf(new TypeError("x"))).toBeUndefined();
});

test("no error of the page's own is shown in its own words", () => {
  expect(explain(new TypeError("x is not a function"))).not.toContain("function");
  expect(explain(new PageError("Nothing was confirmed."))).toBe("Nothing was confirmed.");
});
