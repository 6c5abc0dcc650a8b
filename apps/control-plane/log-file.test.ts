import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { temporaryDir } from "@securewave/testing/temporary";
import { afterAll, expect, test, vi } from "vitest";
import { openLogFile } from "./log-file.ts";
import { createLogger } from "./logger.ts";

const dir = temporaryDir("log-file");
afterAll(() => dir.remove());

let number = 0;
const freshPath = () => join(dir.path, `case-${++number}`, "securewave.log");
const linesOf = (path: string) => readFileSync(path, "utf8").split("\n").slice(0, -1);
const lineOf = (count: number) => `${JSON.stringify({ count, text: "x".repeat(count % 90) })}\n`;
const countOf = (line: string): number => JSON.parse(line).count;
const collector = () => {
  const lines: string[] = [];
  return { lines, write: (line: string) => void lines.push(line) };
};

test("files are rotated before they grow past their limit, the oldest goes, and no line is cut or lost", () => {
  const path = freshPath();
  const log = openLogFile({ path, bytesMax: 1000, filesMax: 5 });
  for (let count = 0; count < 500; count++) log.write(lineOf(count));
  log.close();

  const names = [
    "securewave.log",
    "securewave.log.1",
    "securewave.log.2",
    "securewave.log.3",
    "securewave.log.4",
  ];
  expect(readdirSync(join(path, "..")).sort()).toEqual(names);
  const files = names.map((name) => join(path, "..", name));
  for (const file of files) {
    expect(statSync(file).size).toBeLessThanOrEqual(1000);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, "utf8").endsWith("\n")).toBe(true);
  }
  const counts = files.reverse().flatMap(linesOf).map(countOf);
  expect(counts.at(-1)).toBe(499);
  expect(counts).toEqual(counts.map((_, index) => (counts[0] ?? 0) + index));
  expect(counts[0]).toBeGreaterThan(0);
});

test("a process that starts again goes on in the same file, and makes it private", () => {
  const path = freshPath();
  mkdirSync(join(path, ".."));
  writeFileSync(path, lineOf(1), { mode: 0o644 });
  chmodSync(path, 0o644);
  for (const count of [2, 3]) {
    const log = openLogFile({ path });
    log.write(lineOf(count));
    log.close();
  }
  expect(linesOf(path).map(countOf)).toEqual([1, 2, 3]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("the half line that a lost power left is cut off, and the lines before it stay", () => {
  const path = freshPath();
  for (const half of ['{"count":2,"te', `{"count":${"9".repeat(10_000)}`]) {
    const log = openLogFile({ path });
    log.write(lineOf(1));
    log.close();
    appendFileSync(path, half);
  }
  const log = openLogFile({ path });
  log.write(lineOf(3));
  log.close();
  expect(linesOf(path).map(countOf)).toEqual([1, 1, 3]);
});

test("a disk that is full stops nobody: lines go to standard output, and one says so", () => {
  const { lines, ...fallback } = collector();
  const log = openLogFile({ path: "/dev/full", fallback });
  const logger = createLogger("info", log);
  for (let count = 1; count <= 3; count++) logger.info("started", { count });
  log.close();
  const [trouble, ...rest] = lines.map((line) => JSON.parse(line));
  expect(trouble).toEqual({ level: 40, time: expect.any(String), event: "log_file_failed", error: "ENOSPC" });
  expect(rest.map(({ event, count }) => [event, count])).toEqual(
    [1, 2, 3].map((count) => ["started", count]),
  );
});

test("a file that cannot be opened is tried again later; what came in between went to standard output", () => {
  const now = vi.spyOn(performance, "now");
  now.mockReturnValue(1000);
  const path = freshPath();
  mkdirSync(path, { recursive: true }); // a folder where the file should be
  const { lines, ...fallback } = collector();
  const log = openLogFile({ path, fallback, retryMs: 5000 });
  log.write(lineOf(1));
  rmdirSync(path);
  log.write(lineOf(2));
  expect(existsSync(path)).toBe(false);
  now.mockReturnValue(6001);
  log.write(lineOf(3));
  log.close();
  log.write(lineOf(4));
  now.mockRestore();
  expect(linesOf(path).map(countOf)).toEqual([3]);
  expect(JSON.parse(lines.shift() ?? "")).toMatchObject({ event: "log_file_failed", error: "EISDIR" });
  expect(lines.map(countOf)).toEqual([1, 2, 4]);
});

test("a fallback that fails as well stops nobody", () => {
  const write = () => {
    throw new Error("EPIPE");
  };
  const log = openLogFile({ path: "/dev/full", fallback: { write } });
  expect(() => log.write(lineOf(1))).not.toThrow();
});

/** Runs code that has `log`, writing to `path`, in a process of its own. */
function startWriter(path: string, code: string, before: readonly string[] = []) {
  const source = `
    import { openLogFile } from ${JSON.stringify(new URL("./log-file.ts", import.meta.url).href)};
    const log = openLogFile({ path: ${JSON.stringify(path)}, bytesMax: 20_000 });
    const lineOf = (count) => JSON.stringify({ count, text: "x".repeat(count % 900) }) + "\\n";
    ${code}`;
  const [command = "", ...args] = [...before, process.execPath, "--input-type=module", "--eval", source];
  return spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
}

test("after kill -9 in the middle of writing every line is whole, and none is missing between", async () => {
  const path = freshPath();
  const child = startWriter(
    path,
    `for (let count = 0; ; count++) { log.write(lineOf(count)); if (count === 400) console.log("going"); }`,
  );
  await once(child.stdout, "data");
  await new Promise((resolve) => setTimeout(resolve, 50));
  child.kill("SIGKILL");
  await once(child, "close");
  openLogFile({ path }).write(""); // cuts what the kernel may have left of the last line
  const names = readdirSync(join(path, "..")).sort().reverse();
  const counts = names.flatMap((name) => linesOf(join(path, "..", name))).map(countOf);
  expect(counts.length).toBeGreaterThan(80); // four full files hold that many of the longest lines
  expect(counts).toEqual(counts.map((_, index) => (counts[0] ?? 0) + index));
});

test("a line is with the system as soon as it is written, so that none is lost when the process ends at once", async () => {
  const path = freshPath();
  const child = startWriter(
    path,
    `for (let count = 0; count < 20; count++) log.write(lineOf(count)); process.exit(0);`,
  );
  await once(child, "close");
  expect(linesOf(path).map(countOf)).toEqual(Array.from({ length: 20 }, (_, count) => count));
});

test("a disk that fills up in the middle of a line holds no half of it; the line is on standard output", async () => {
  const path = freshPath();
  const child = startWriter(
    path,
    `for (let count = 0; count < 30; count++) log.write(lineOf(800 + count));`,
    ["prlimit", "--fsize=8192"],
  );
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  await once(child, "close");
  const kept = linesOf(path);
  expect(readFileSync(path, "utf8").endsWith("\n")).toBe(true);
  const [trouble, ...others] = output.split("\n").slice(0, -1);
  expect(JSON.parse(trouble ?? "")).toMatchObject({ event: "log_file_failed", error: "EFBIG" });
  expect([...kept, ...others].map(countOf)).toEqual(Array.from({ length: 30 }, (_, count) => 800 + count));
  expect(kept.length).toBe(9);
});
