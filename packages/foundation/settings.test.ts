import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, expect, test } from "vitest";
import { createSecret } from "./secret.ts";
import {
  decimal,
  integer,
  list,
  oneOf,
  optionalSecret,
  readSettings,
  readSource,
  variablesOf,
} from "./settings.ts";

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

test("a secret that is set twice is a mistake, and neither value is told", () => {
  const path = join(folder, "twice");
  writeFileSync(path, "from-the-file");
  const { mistakes } = read("JWT_SECRET=from-settings\n", { JWT_SECRET_FILE: path });
  expect(mistakes).toEqual(["JWT_SECRET: is set more than once: by JWT_SECRET and by JWT_SECRET_FILE"]);
});

test("what neither the environment nor a file gives comes from Vault, and never silently both", () => {
  const vault = new Map([["JWT_SECRET", createSecret("from-the-vault")]]);
  const values = (given: Record<string, string>) => new Map(Object.entries(given));
  const alone = readSettings(group, { values: values({}), mistakes: [], vault });
  expect(alone.settings.key?.reveal()).toBe("from-the-vault");
  const both = readSettings(group, { values: values({ JWT_SECRET: "from-settings" }), mistakes: [], vault });
  expect(both.settings.key?.reveal()).toBe("from-settings");
  expect(both.mistakes).toEqual(["JWT_SECRET: is set more than once: by JWT_SECRET and by Vault"]);
});

test("a list takes items with commas between, all of which must be understood", () => {
  const ports = list("PORTS", "Ports.", {
    range: "numbers",
    parse: (text) => (/^\d+$/.test(text) ? Number(text) : undefined),
  });
  expect(ports.parse("1, 2,3,")).toEqual([1, 2, 3]);
  expect(ports.parse("")).toEqual([]);
  expect(ports.parse("1, two")).toBeUndefined();
  expect(ports.fallback?.value).toEqual([]);
});

test("a decimal number is within its bounds and written plainly", () => {
  const share = decimal("SHARE", "Share.", { default: 1, min: 0, max: 1 });
  expect(["0", "0.25", "1"].map(share.parse)).toEqual([0, 0.25, 1]);
  expect(["1.1", "-0.1", "1e-1", ".5", "NaN", ""].map(share.parse)).toEqual(Array(6).fill(undefined));
});
