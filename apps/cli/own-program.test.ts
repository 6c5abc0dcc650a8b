import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually, temporaryDir } from "@securewave/testing";
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

test.each(["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"] as const)(
  "%s to the command alone: its program takes away what it began",
  async (signal) => {
    const [command, program, trace] = ["command", "program", "trace"].map((name) =>
      join(folder.path, `${signal}-${name}.mjs`),
    ) as [string, string, string];
    await writeFile(
      program,
      `import { writeFileSync } from "node:fs";
       import { whenAskedToEnd } from ${JSON.stringify(import.meta.resolve("@securewave/foundation/ending"))};
       writeFileSync(${JSON.stringify(trace)}, "begun");
       const goesOn = setInterval(() => console.log(JSON.stringify({ kind: "told" })), 10);
       whenAskedToEnd(() => {
         clearInterval(goesOn);
         writeFileSync(${JSON.stringify(trace)}, "taken away");
         process.exit(0);
       });`,
    );
    await writeFile(
      command,
      `import { followProgram } from ${JSON.stringify(import.meta.resolve("./own-program.ts"))};
       await followProgram(${JSON.stringify(program)}, [], ["told"], () => console.log("told"));
       console.log("it has ended");`,
    );
    const child = spawn(process.execPath, [command], { stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    child.stdout.on("data", (text) => {
      said += String(text);
    });
    await eventually(() => expect(said).toContain("told"));
    child.kill(signal);
    await once(child, "close");
    if (signal !== "SIGKILL") expect(said).toContain("it has ended");
    await eventually(async () => expect(await readFile(trace, "utf8")).toBe("taken away"));
  },
);
