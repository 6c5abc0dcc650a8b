import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const launcher = fileURLToPath(new URL("securewave.mjs", import.meta.url));
const linked = fileURLToPath(new URL("../../../node_modules/.bin/securewave", import.meta.url));

function run(program: string, args: readonly string[]) {
  const env = { PATH: process.env.PATH, HOME: "/nonexistent" };
  return spawnSync(program, [...args], { encoding: "utf8", env });
}

test("the command runs from the link that npm install makes, whatever Node.js the machine has", () => {
  expect(existsSync(linked)).toBe(true);
  const ran = run(linked, ["completion", "bash"]);
  expect(ran.stderr).toBe("");
  expect(ran.stdout).toContain("complete -F _securewave securewave");
  expect(ran.status).toBe(0);
});

test("exit codes come through the launcher", () => {
  expect(run(process.execPath, [launcher, "nodes", "lst"])).toMatchObject({ status: 2 });
  const ran = run(launcher, ["status", "--url", "http://127.0.0.1:9", "--json"]);
  expect(ran).toMatchObject({ status: 3, stdout: "" });
  expect(JSON.parse(ran.stderr).error.code).toBe("client.unreachable");
});
