import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, expect, test } from "vitest";
import { integer, oneOf, optionalSecret, readSettings, readSource, variablesOf } from "./settings.ts";

const folder = mkdtempSync(join(tmpdir(), "securewave-settings-"));
afterAll(() => rmSync(folder, { recursive: true }));

const group = {
  http: { port: integer("API_PORT", "Port.", { default: 8000, min: 1, max: 65535 }) },
  level: oneOf("LOG_LEVEL", "How much is logged.", ["info", "debug"], { default: "info" }),
  key: optionalSecret("JWT_SECRET", "Signs.", {
    range: "at least 8 characters",
    isAllowed: (key) => key.length >= 8,
  }),
};

function read(content: string, environment: Record<string, string> = {}) {
  const path = join(folder, "securewave.env");
  writeFileSync(path, content);
  return readSettings(group, readSource({ path, isRequired: true }, environment, variablesOf(group)));
}

test("the environment wins over the file, and what neither gives has its default", () => {
  const { settings, mistakes } = read("API_PORT=9000\nLOG_LEVEL=debug\n", { API_PORT: "9001" });
  expect(mistakes).toEqual([]);
  expect(settings.http.port).toBe(9001);
  expect(settings.level).toBe("debug");
  expect(settings.key).toBeUndefined();
});

test("all mistakes are told at once, and none quotes a value", () => {
  const { mistakes } = read(
    "API_PORT=70000\nLOG_LEVEL=loud\nJWT_SECRET=hunter2\nNO_SUCH=1\n\u0001 garbage\n",
  );
  expect(mistakes).toHaveLength(5);
  expect(mistakes.join("\n")).not.toMatch(/70000|loud|hunter2/);
  expect(mistakes.join("\n")).toContain("API_PORT: must be 1 to 65535");
});

test("a secret comes from a file as well, and prints as [secret]", () => {
  const path = join(folder, "jwt");
  writeFileSync(path, "a-long-secret\n");
  const { settings, mistakes } = read("", { JWT_SECRET_FILE: path });
  expect(mistakes).toEqual([]);
  expect(settings.key?.reveal()).toBe("a-long-secret");
  expect(inspect(settings) + JSON.stringify(settings) + String(settings.key)).not.toContain("a-long-secret");
});
