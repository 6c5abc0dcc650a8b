import { readFile } from "node:fs/promises";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { expect, test } from "vitest";
import { buildProgram } from "./program.ts";
import { createHome } from "./testing/terminal.ts";

const program = buildProgram(async () => undefined);

/** The commands that do something, as they are typed: `nodes show <node>`. */
function leaves(
  command: CommandUnknownOpts,
  path: readonly string[] = [],
): { usage: string; command: CommandUnknownOpts }[] {
  return command.commands.flatMap((child) => {
    const here = [...path, child.name()];
    if (child.commands.length > 0) return leaves(child, here);
    const words = child.registeredArguments.map((argument) => {
      return argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
    });
    return [{ usage: [...here, ...words].join(" "), command: child }];
  });
}

test("the table of commands in the README is the tree of commands", async () => {
  const readme = await readFile(new URL("README.md", import.meta.url), "utf8");
  const rows = [...readme.matchAll(/^\| `([^`]+)` \| (.+) \|$/gm)].map(
    ([, usage, about]) => `${usage}: ${about}`,
  );
  expect(rows).toEqual(leaves(program).map(({ usage, command }) => `${usage}: ${command.description()}`));
});

test("every command shows help with examples", async () => {
  const home = await createHome("http://127.0.0.1:9");
  for (const { usage } of leaves(program)) {
    const words = usage.split(" ").filter((word) => !/^[<[]/.test(word));
    const { code, stdout, stderr } = await home.run([...words, "--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(`Usage: securewave ${words.join(" ")}`);
    expect(stdout).toMatch(/Examples:\n {2}\$ /);
    expect(stdout).toContain("--json");
  }
  await home.remove();
});

test("wrong usage has its exit code, and says what would be right", async () => {
  const home = await createHome("http://127.0.0.1:9");
  for (const [line, text] of [
    ["nodes lst", "Did you mean list?"],
    ["nodes", "Usage: securewave nodes"],
    ["nodes show", "missing required argument"],
    ["nodes list --limit none", "whole number"],
    ["nodes list --fast", "nknown option"],
  ] as const) {
    const ran = await home.run(line.split(" "));
    expect(ran).toMatchObject({ code: 2, stdout: "" });
    expect(ran.stderr.toLowerCase()).toContain(text.toLowerCase());
    const inJson = await home.run([...line.split(" "), "--json"]);
    expect(inJson).toMatchObject({ code: 2, stdout: "" });
    expect(JSON.parse(inJson.stderr).error.code).toBe("cli.usage");
  }
  await home.remove();
});
