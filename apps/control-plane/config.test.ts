import { listSettings } from "@securewave/foundation/settings";
import { expect, test } from "vitest";
import { readConfig, settings } from "./config.ts";

test("docs/config.md is current (update with: npm test -- config.test -u)", async () => {
  const rows = listSettings(settings).map(({ variable, about, range, shownDefault, isSecret }) => {
    const names = isSecret ? `\`${variable}\` or \`${variable}_FILE\`` : `\`${variable}\``;
    return `| ${names} | ${about} | ${range.replaceAll("|", "or")} | ${shownDefault ? `\`${shownDefault}\`` : ""} |`;
  });
  const text = [
    "# Settings",
    "",
    "Read once at the start, from the environment and from `securewave.env` in the working folder (or the file that",
    "`SETTINGS_FILE` names), one `NAME=value` a line; the environment wins. All mistakes are told together, none with",
    "its value. `…_FILE` takes a secret from a file. Generated from `apps/control-plane/config.ts`.",
    "",
    "| variable | meaning | allowed | default |",
    "| --- | --- | --- | --- |",
    ...rows,
    "",
    "What admins change while the service runs (name, registration open or closed, devices per account) stands in the",
    "console under Settings, and in `securewave settings`.",
    "",
  ].join("\n");
  await expect(text).toMatchFileSnapshot("../../docs/config.md");
});

test("with nothing set, everything has its default", () => {
  const { config, mistakes } = readConfig({ SETTINGS_FILE: "/dev/null" });
  expect(mistakes).toEqual([]);
  expect(config.http.port).toBe(8000);
  expect(config.metrics.port).toBe(9100);
  expect(config.sessions).toMatchObject({ accessHours: 24, refreshDays: 30, jwtAlgorithm: "HS256" });
});

test("a shared database needs the secrets that all processes share", () => {
  const { mistakes } = readConfig({ SETTINGS_FILE: "/dev/null", DATABASE_URL: "postgres://db/securewave" });
  expect(mistakes.map((mistake) => mistake.split(":")[0])).toEqual(["JWT_SECRET", "MASTER_KEY"]);
});

test("an address pool must be a network of its family with room in it", () => {
  const mistakesOf = (environment: NodeJS.ProcessEnv) =>
    readConfig({ SETTINGS_FILE: "/dev/null", ...environment }).mistakes;
  expect(mistakesOf({ IP_POOL_V4: "10.8.0.0/30" })).toHaveLength(1);
  expect(mistakesOf({ IP_POOL_V4: "10.8.0.1/16" })).toHaveLength(1);
  expect(mistakesOf({ IP_POOL_V4: "fd00::/64", IP_POOL_V6: "10.8.0.0/16" })).toHaveLength(2);
  expect(mistakesOf({ IP_POOL_V4: "10.9.0.0/24", IP_POOL_V6: "fd00:1::/64" })).toEqual([]);
});
