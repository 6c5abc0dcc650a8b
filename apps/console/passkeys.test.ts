import { ApiError } from "@securewave/contracts";
import { expect, test } from "vitest";
import { explainPasskey } from "./passkeys.ts";

test("what the browser says of a passkey is told in words, and never in its own", () => {
  for (const name of ["NotAllowedError", "SecurityError", "SomethingNewError"]) {
    const told = explainPasskey(new DOMException("The operation either timed out or was not allowed.", name));
    expect(told?.message).toMatch(/\.$/);
    expect(told?.message).not.toContain("operation");
  }
  expect(explainPasskey(new DOMException("", "InvalidStateError"))?.message).toContain("already");
  expect(explainPasskey("odd")?.message).toContain("passkey");
});

test("a ceremony that was taken back is not told as a mistake", () => {
  expect(explainPasskey(new DOMException("", "AbortError"))).toBeUndefined();
});

test("the service's own refusals stay as they are, but an unknown passkey is not called a wrong password", () => {
  const locked = new ApiError(429, "sessions.locked", "Wait.", undefined, 30);
  expect(explainPasskey(locked)).toBe(locked);
  const unknown = explainPasskey(
    new ApiError(401, "sessions.wrong_credentials", "Address or password wrong."),
  );
  expect(unknown?.message).toContain("passkey is not known");
});
