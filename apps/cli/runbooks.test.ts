import { readdirSync, readFileSync } from "node:fs";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { SCENARIOS } from "@securewave/contracts";
import { expect, test } from "vitest";
import { CHECKLISTS } from "./checklists/lists.ts";
import { buildProgram } from "./program.ts";

const DOCS = new URL("../../docs/", import.meta.url);
const program: CommandUnknownOpts = buildProgram(async () => {});
const names = readdirSync(new URL("runbooks/", DOCS));
const textOf = (name: string) => readFileSync(new URL(name, DOCS), "utf8");
/** Whatever begins with the command's name, in blocks and in running text. */
const commandsIn = (text: string) =>
  [...text.matchAll(/(?<=^\s*|`)securewave\s+[^`\n]+(?:\n[a-z-]+(?=`))?/gm)].map(([line]) =>
    line.replace(/\s+/g, " ").trim(),
  );

/** Those that somebody is to type as they are. */
const blocks = new Set(
  names.flatMap((name) =>
    [...textOf(`runbooks/${name}`).matchAll(/```sh\n([^`]*)```/g)].flatMap(([, text = ""]) =>
      text.split("\n").map((line) => line.trim()),
    ),
  ),
);

/** @returns the command that the first words name, and the words behind it */
function find(line: string): { command: CommandUnknownOpts; words: string[] } {
  const words = line.match(/"[^"]*"|\S+/g)?.slice(1) ?? [];
  let command = program;
  for (;;) {
    const child = command.commands.find((each) => each.name() === words[0]);
    if (!child) return { command, words };
    command = child;
    words.shift();
  }
}

/** @returns what is wrong; undefined where nothing is. A command that is merely named needs no arguments. */
function problemWith(line: string): string | undefined {
  const { command, words } = find(line);
  if (command.commands.length > 0) return `${line}: ${words[0] ?? "nothing"} is no command`;
  const known = [...command.options, ...program.options];
  const isNamed = words.length === 0 && !blocks.has(line);
  const given: string[] = [];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const option = known.find(({ long, short }) => long === word || short === word);
    if (option?.required) words.shift();
    else if (!option && word.startsWith("-")) return `${line}: there is no ${word}`;
    else if (!option) given.push(word);
  }
  const required = command.registeredArguments.filter((argument) => argument.required);
  if (given.length < required.length && !isNamed) return `${line}: an argument is missing`;
  const choices = command.registeredArguments[0]?.argChoices;
  const isChoice = given[0] === undefined || !choices || choices.includes(given[0]);
  return isChoice ? undefined : `${line}: ${given[0]} is none of ${choices.join(", ")}`;
}

test("there is a runbook for each drill, and it names the drill", () => {
  for (const scenario of SCENARIOS) {
    expect(names).toContain(`${scenario}.md`);
    expect(commandsIn(textOf(`runbooks/${scenario}.md`))).toContain(`securewave drill ${scenario}`);
  }
});

test.each([...names.map((name) => `runbooks/${name}`), "drills.md", "operations.md"])(
  "every command in %s is one that there is, with its options",
  (name) => {
    const commands = commandsIn(textOf(name));
    expect(commands.length).toBeGreaterThan(0);
    expect(commands.map(problemWith).filter((problem) => problem !== undefined)).toEqual([]);
  },
);

test("every command that a checklist names is one that there is", () => {
  const items = Object.values(CHECKLISTS).flat();
  const texts = items.flatMap((item) => ("byHand" in item ? [item.byHand] : []));
  const named = texts.flatMap((text) => text.match(/securewave [a-z-]+(?: [a-z-]+)?/g) ?? []);
  expect(named.length).toBeGreaterThan(3);
  for (const line of named) {
    const [, first, second] = line.split(" ");
    const command = program.commands.find((each) => each.name() === first);
    expect(command, line).toBeDefined();
    const isGroup = (command?.commands.length ?? 0) > 0;
    if (isGroup)
      expect(
        command?.commands.map((each) => each.name()),
        line,
      ).toContain(second);
  }
});

test("a command that there is not is found", () => {
  expect(problemWith("securewave backup undo")).toBeDefined();
  expect(problemWith("securewave breach rotate everything")).toBeDefined();
  expect(problemWith("securewave backup restore --from latest")).toBeDefined();
  blocks.add("securewave nodes drain");
  expect(problemWith("securewave nodes drain")).toBeDefined();
});
