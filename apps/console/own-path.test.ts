import fc from "fast-check";
import { expect, test } from "vitest";
import { parseOwnPath } from "./own-path.ts";

test("a path of the console is gone back to, with its search and fragment", () => {
  expect(parseOwnPath("/")).toBe("/");
  expect(parseOwnPath("/devices")).toBe("/devices");
  expect(parseOwnPath("/admin/nodes?search=eu%2F1#top")).toBe("/admin/nodes?search=eu%2F1#top");
});

test("open redirect: no place elsewhere is gone to, however it is written", () => {
  const elsewhere = [
    "https://evil.example/",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n\\evil.example",
    "\t//evil.example",
    " //evil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/devices/..//evil.example",
    "/%2e//evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "@evil.example",
    "//[",
    "",
  ];
  for (const value of elsewhere) expect(parseOwnPath(value), JSON.stringify(value)).toBeUndefined();
  for (const value of [undefined, null, 7, ["/devices"], { to: "/" }])
    expect(parseOwnPath(value)).toBeUndefined();
});

test("nobody is led from the log-in to the log-in, nor out of the console into the API", () => {
  for (const value of ["/log-in", "/log-in?next=/log-in", "/sign-up", "/reset#token=x", "/api/docs", "/api"])
    expect(parseOwnPath(value), value).toBeUndefined();
});

test("what comes out leads to the console's own origin, and comes out the same again", () => {
  const sign = fc.constantFrom(
    "/",
    "\\",
    ".",
    "..",
    "%2e",
    "%2f",
    "%5c",
    "\t",
    "\n",
    "@",
    ":",
    "?",
    "#",
    "a",
  );
  const text = fc.oneof(
    fc.array(sign, { maxLength: 12 }).map((signs) => `/${signs.join("")}`),
    fc.string(),
  );
  fc.assert(
    fc.property(text, (value) => {
      const path = parseOwnPath(value);
      if (path === undefined) return;
      expect(new URL(path, "https://vpn.example.org").origin).toBe("https://vpn.example.org");
      expect(path).toMatch(/^\/(?![/\\])/);
      expect(parseOwnPath(path)).toBe(path);
    }),
  );
});
