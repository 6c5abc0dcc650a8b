import { expect, test } from "vitest";
import { router } from "./router.tsx";

test("open redirect: no page behind the address bar is given a place elsewhere to go to after the log-in", () => {
  for (const next of ["https://evil.example/", "//evil.example", "/.//evil.example", 7, ["//evil.example"]]) {
    const search = router.matchRoutes("/log-in", { next }).at(-1)?.search;
    expect(search, String(next)).toMatchObject({ next: undefined });
  }
  expect(router.matchRoutes("/log-in", { next: "/devices?search=a" }).at(-1)?.search).toMatchObject({
    next: "/devices?search=a",
  });
});

test("what is no text is no search", () => {
  expect(router.matchRoutes("/devices", { search: { length: 5 } }).at(-1)?.search).toMatchObject({
    search: undefined,
  });
});
