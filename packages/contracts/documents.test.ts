import { expect, test } from "vitest";
import { api } from "./client.ts";
import { refusals } from "./errors.ts";
import { listRoutes } from "./route.ts";

test("docs/errors.md is current (update with: npm test -- documents -u)", async () => {
  const routes = listRoutes(api);
  const rows = refusals.map(({ code, status, message }) => {
    const users = routes.filter(({ route }) => route.errors.some((refusal) => refusal.code === code));
    const where = users.map(({ route }) => `\`${route.method} ${route.path}\``).join(", ") || "any";
    return `| <a id="${code}"></a>\`${code}\` | ${status} | ${message} | ${where} |`;
  });
  const text = [
    "# Errors",
    "",
    "Every refusal is an [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) problem (`application/problem+json`).",
    "Act on `code`; show `title`; `issues` names the fields that are wrong. `any` means that every operation can",
    "answer so. Generated from the contracts.",
    "",
    "| code | status | meaning | operations |",
    "| --- | --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
  await expect(text).toMatchFileSnapshot("../../docs/errors.md");
});
