import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { SCENARIOS } from "@securewave/contracts";
import { expect, test } from "vitest";
import { CHECKLISTS } from "./checklists/lists.ts";
import { buildProgram } from "./program.ts";

const DOCS = new URL("../../docs/", import.meta.url);
const program: CommandUnknownOpts = buildProgram(async () => {});
const names = readdirSync(new URL("runbooks/", DOCS));
const textOf = (name: string) => readFileSync(new URL(name, DOCS), "utf8");
/** Whatever begins with the command's name, in blocks and in running text, but what keys are derived from. */
const commandsIn = (text: string) =>
  [...text.matchAll(/(?<=^\s*|`)securewave\s+(?!preshared key)[^`\n]+(?:\n[a-z-]+(?=`))?/gm)].map(([line]) =>
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

/** @returns the arguments, the options that are given, and the first one that there is not */
function read(command: CommandUnknownOpts, words: string[]) {
  const known = [...command.options, ...program.options];
  const given: string[] = [];
  const used = new Set<object>();
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const option = known.find(({ long, short }) => long === word || short === word);
    if (option) used.add(option);
    if (option?.required) words.shift();
    else if (!option && word.startsWith("-")) return { given, used, unknown: word };
    else if (!option) given.push(word);
  }
  return { given, used, unknown: undefined };
}

/** @returns what is wrong; undefined where nothing is. A command that is merely named needs no arguments. */
function problemWith(line: string): string | undefined {
  const { command, words } = find(line);
  const isTyped = blocks.has(line);
  if (command.commands.length > 0)
    return words.length === 0 && !isTyped ? undefined : `${line}: ${words[0] ?? "nothing"} is no command`;
  const { given, used, unknown } = read(command, words);
  if (unknown !== undefined) return `${line}: there is no ${unknown}`;
  const required = command.registeredArguments.filter((argument) => argument.required);
  if (given.length < required.length && (isTyped || given.length > 0))
    return `${line}: an argument is missing`;
  const missing = command.options.find((option) => option.mandatory && !used.has(option));
  if (missing && isTyped) return `${line}: ${missing.long} is missing`;
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

const others = readdirSync(DOCS).filter(
  (name) => name.endsWith(".md") && commandsIn(textOf(name)).length > 0,
);

test.each([...names.map((name) => `runbooks/${name}`), ...others])(
  "every command in %s is one that there is, with its options",
  (name) => {
    const commands = commandsIn(textOf(name));
    expect(commands.length).toBeGreaterThan(0);
    expect(commands.map(problemWith).filter((problem) => problem !== undefined)).toEqual([]);
  },
);

const items = Object.values(CHECKLISTS).flat();
const texts = items.flatMap((item) => ("byHand" in item ? [item.byHand] : []));

test("every document that a checklist names is there", () => {
  const paths = texts.flatMap((text) => text.match(/docs\/[a-z/.-]*[a-z]/g) ?? []);
  expect(paths.length).toBeGreaterThan(3);
  for (const path of paths) expect(existsSync(new URL(`../${path}`, DOCS)), path).toBe(true);
});

test("every command that a checklist names is one that there is", () => {
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
  for (const line of ["securewave nodes drain", 'securewave status-page incident open "It is down"']) {
    blocks.add(line);
    expect(problemWith(line)).toBeDefined();
  }
});
