import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import { buildProgram } from "../program.ts";
import { bashCompletion } from "./bash.ts";
import { fishCompletion } from "./fish.ts";
import { listNodes } from "./tree.ts";
import { zshCompletion } from "./zsh.ts";

const nodes = listNodes(buildProgram(async () => undefined));

const folder = mkdtempSync(join(tmpdir(), "securewave-completion-"));
/** What the program was called with, a line each. */
const asked = join(folder, "asked");
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => writeFileSync(asked, ""));

/** What bash offers for the last of the words. */
function complete(...words: string[]): string[] {
  const script = `${bashCompletion(nodes)}
securewave() { echo "$*" >> "$ASKED"; printf '%s\\n' US-East-1 'United States' '$(touch "$ASKED.harm")'; }
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _securewave; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const text = execFileSync("bash", ["--norc", "-c", script, "bash", "securewave", ...words], {
    encoding: "utf8",
    env: { ...process.env, ASKED: asked },
  });
  return text.split("\n").filter((line) => line !== "");
}

test("bash completes commands", () => {
  expect(complete("no")).toEqual(["nodes"]);
  expect(complete("nodes", "dr")).toEqual(["drain"]);
  expect(complete("nodes", "")).toEqual(expect.arrayContaining(["list", "show", "add", "--json"]));
});

test("bash completes options of the command, and those of all", () => {
  expect(complete("nodes", "add", "--l")).toEqual(["--latitude", "--longitude"]);
  expect(complete("nodes", "add", "--j")).toEqual(["--json"]);
});

test("bash completes the values that an option or an argument takes", () => {
  expect(complete("devices", "add", "Phone", "--type", "t")).toEqual(["tablet"]);
  expect(complete("users", "role", "ada", "a")).toEqual(["admin"]);
  expect(complete("completion", "z")).toEqual(["zsh"]);
});

test("bash completes names of what there is, whatever characters are in them", () => {
  const names = ["US-East-1", "United\\ States", '\\$\\(touch\\ \\"\\$ASKED.harm\\"\\)'];
  for (const [words, wanted] of [
    [["nodes", "show", "U"], "names nodes U"],
    [["--json", "devices", "move", "Phone", ""], "names servers "],
    [["devices", "move", ""], "names devices "],
    [["servers", "best", "--region", "U"], "names regions U"],
    [["plans", "assign", "ada@example.org", "B"], "names plans B"],
  ] as const) {
    writeFileSync(asked, "");
    expect(complete(...words)).toEqual(expect.arrayContaining(names));
    expect(readFileSync(asked, "utf8")).toBe(`${wanted}\n`);
  }
  expect(existsSync(`${asked}.harm`)).toBe(false);
});

test("bash asks the service for nothing where no name is wanted", () => {
  for (const words of [
    ["nodes", ""],
    ["nodes", "show", "--"],
    ["nodes", "show", "US-East-1", ""],
    ["users", "role", ""],
  ])
    complete(...words);
  expect(readFileSync(asked, "utf8")).toBe("");
});

test("bash is not led astray by options and their values before the command", () => {
  expect(complete("--url", "nodes", "--json", "users", "sus")).toEqual(["suspend"]);
});

test("bash completes files where a file is wanted", () => {
  expect(complete("devices", "qr", "--file", "/etc/host")).toContain("/etc/hosts");
});

test("the scripts for zsh and fish name every command and option", () => {
  for (const script of [zshCompletion(nodes), fishCompletion(nodes)]) {
    for (const { commands, options } of nodes) {
      for (const { name } of commands) expect(script).toContain(name);
      for (const { long } of options) expect(script).toContain(long.slice(2));
    }
  }
});
