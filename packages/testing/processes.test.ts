import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { eventually } from "./eventually.ts";
import { signalProcess } from "./process-signals.ts";
import { startProcess } from "./processes.ts";
import { run, runOrThrow } from "./run.ts";
import { temporaryDir } from "./temporary.ts";

const node = process.execPath;
const idle = "setInterval(() => {}, 1000);";

describe("a started program", () => {
  test("is ready when its line comes, and keeps what it wrote", async () => {
    const args = ["-e", `console.log("one"); console.error("ready on 7"); ${idle}`];
    await using program = await startProcess({ command: node, args, readyWhen: /ready on \d+/ });
    expect(program.lines()).toContain("ready on 7");
    expect(await program.waitForLine((line) => line === "one")).toBe("one");
    expect(await program.stop()).toEqual({ code: null, signal: "SIGTERM" });
    expect(signalProcess(program.pid, 0)).toBe(false);
  });

  test("that ends before it is ready shows its last words", async () => {
    const args = ["-e", 'console.error("no such folder"); process.exit(3);'];
    await expect(startProcess({ command: node, args, readyWhen: /ready/ })).rejects.toThrow("no such folder");
  });

  test("that is not ready in time is ended", async () => {
    const args = ["-e", `console.log(process.pid); ${idle}`];
    const start = startProcess({ command: node, args, readyWhen: /ready/, timeoutMs: 500 });
    const failure = await start.then(String, String);
    expect(failure).toContain("500 ms");
    expect(signalProcess(Number(failure.split("\n").at(-1)), 0)).toBe(false);
  });

  test("that ignores SIGTERM is killed after the grace, with what it started", async () => {
    const script = `process.on("SIGTERM", () => {});
      const child = require("node:child_process").spawn("sleep", ["60"]);
      console.log("child " + child.pid); ${idle}`;
    const program = await startProcess({ command: node, args: ["-e", script], readyWhen: /^child \d+$/ });
    const child = Number(program.lines().at(-1)?.slice(6));
    expect(await program.stop(100)).toEqual({ code: null, signal: "SIGKILL" });
    await eventually(() => expect(isRunning(child)).toBe(false));
  });

  test("that cannot be found fails at once", async () => {
    await expect(startProcess({ command: "no-such-program-here" })).rejects.toThrow("no-such-program-here");
  });

  test("ends with its test run even when that is killed, and so do its folders", async () => {
    const script = `
      import { startProcess } from "${new URL("./processes.ts", import.meta.url)}";
      import { temporaryDir } from "${new URL("./temporary.ts", import.meta.url)}";
      const program = await startProcess({ command: "sleep", args: ["60"] });
      console.log(program.pid + " " + temporaryDir().path);
      ${idle}`;
    const args = ["--input-type=module", "-e", script];
    const testRun = await startProcess({ command: node, args, readyWhen: /^\d+ / });
    const [pid, folder] = testRun.lines().at(-1)?.split(" ") ?? [];
    expect(isRunning(Number(pid))).toBe(true);
    testRun.kill("SIGKILL");
    await eventually(() => expect(isRunning(Number(pid))).toBe(false));
    await eventually(() => expect(existsSync(String(folder))).toBe(false));
    await testRun.stop();
  });
});

describe("a program that is run", () => {
  test("gets its input and gives its output and code", async () => {
    expect(await run("cat", [], { input: "line 1\nline 2" })).toEqual({
      stdout: "line 1\nline 2",
      stderr: "",
      code: 0,
    });
    expect(await run("sh", ["-c", "echo bad >&2; exit 4"])).toEqual({ stdout: "", stderr: "bad\n", code: 4 });
    await expect(runOrThrow("sh", ["-c", "echo bad >&2; exit 4"])).rejects.toThrow("code 4: bad");
  });

  test("is killed when its time is over", async () => {
    await expect(run("sleep", ["60"], { timeoutMs: 100 })).rejects.toThrow("100 ms");
  });

  test("counts as ended although a daemon of its holds the output open", async () => {
    using dir = temporaryDir();
    const marker = join(dir.path, "marker");
    const began = performance.now();
    const { stdout } = await run("sh", ["-c", 'sleep 5 & echo started $!; touch "$0"', marker]);
    expect(performance.now() - began).toBeLessThan(4000);
    expect(existsSync(marker)).toBe(true);
    signalProcess(Number(stdout.split(" ")[1]), "SIGKILL");
  });
});

/** A killed orphan stays as a zombie until its adopter looks. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
