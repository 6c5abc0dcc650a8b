import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryDir } from "@securewave/testing";
import { afterAll, expect, test } from "vitest";
import { followProgram } from "./own-program.ts";

const folder = temporaryDir("own-program");
afterAll(() => folder.remove());

test("what a program writes beside its events is passed over, and the last event is told", async () => {
  const file = join(folder.path, "program.mjs");
  await writeFile(
    file,
    `process.stdin.on("data", (order) => {
       console.log("Warning: no event at all");
       console.log(JSON.stringify({ kind: "told", order: String(order) }));
       console.log(JSON.stringify({ kind: "of another program" }));
       process.stdout.write(JSON.stringify({ kind: "told", order: "the end" }));
       process.exitCode = 3;
     });`,
  );
  const told: string[] = [];
  await followProgram<{ kind: "told"; order: string }>(file, [], ["told"], ({ order }) => told.push(order), {
    input: "an order",
  });
  expect(told).toEqual(["an order", "the end"]);
});

test("a program that is not there tells nothing", async () => {
  const told: object[] = [];
  await followProgram(join(folder.path, "none.mjs"), [], ["told"], (event) => told.push(event));
  expect(told).toEqual([]);
});
