import { readFileSync, writeFileSync } from "node:fs";
import type { Step } from "./erasing-file.ts";
import { openPuncturableFile } from "./puncturable-file.ts";
import { createRatchet, openRatchet } from "./ratchet.ts";

/**
 * The victim of the crash tests: `ratchet | puncturable`, the key's file, and how many steps of its writing it
 * survives. Beside the key's file stands `.table`: the generation that a database would be at.
 */
const [kind = "", path = "", survived = ""] = process.argv.slice(2);
let steps = 0;

function onStep(_: Step): void {
  if (steps++ >= Number(survived)) process.kill(process.pid, "SIGKILL");
}

if (kind === "ratchet") await changeGeneration();
else await erase();
process.stdout.write("survived\n");

async function changeGeneration(): Promise<void> {
  const opening = await openRatchet(path, { onStep });
  const ratchet = opening.state === "open" ? opening.ratchet : await createRatchet(path, 0, { onStep });
  await ratchet.settleAt(Number(readFileSync(`${path}.table`, "utf8")));
  const next = await ratchet.begin();
  writeFileSync(`${path}.table`, String(next));
  await ratchet.settleAt(next);
}

async function erase(): Promise<void> {
  const file = await openPuncturableFile({ paths: [path, `${path}.copy`], create: false, onStep });
  await file.erase([5]);
}
