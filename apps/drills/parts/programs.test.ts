import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { startProgram } from "./programs.ts";

const sleeps = { args: ["-e", "setInterval(() => {}, 1000)"], cwd: "/" };
const isThere = (pid: number) => existsSync(`/proc/${pid}`);

test("what a drill starts ends with it", async () => {
  const closing = new AsyncDisposableStack();
  const cut = startProgram({ closing }, process.execPath, sleeps);
  const stopped = startProgram({ closing }, process.execPath, { ...sleeps, atEnd: "stop" });
  expect([cut.pid, stopped.pid].map(isThere)).toEqual([true, true]);
  await closing.disposeAsync();
  expect([cut.pid, stopped.pid].map(isThere)).toEqual([false, false]);
});

test("a drill that is broken off starts nothing more", async () => {
  const closing = new AsyncDisposableStack();
  await closing.disposeAsync();
  expect(() => startProgram({ closing }, process.execPath, sleeps)).toThrow("has ended");
});
