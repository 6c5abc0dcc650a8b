import { spawn } from "node:child_process";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openCredentials } from "./credentials.ts";
import { useService } from "./testing/service.ts";

const service = useService();
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "securewave-credentials-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const LOGIN = { email: "a@example.org", accessToken: "access", refreshToken: "refresh" };

test("commands that run at once renew a log-in once, and none of them ends it", async () => {
  service.api().state.expireAccessTokens();
  const runs = await Promise.all(Array.from({ length: 4 }, () => runProcess(["whoami", "--json"])));
  expect(runs.map(({ code, stderr }) => ({ code, stderr }))).toEqual(
    runs.map(() => ({ code: 0, stderr: "" })),
  );
  expect(service.api().requests.filter((line) => line.includes("/refresh"))).toHaveLength(1);
  expect(service.api().state.sessions.every(({ hasEnded }) => !hasEnded)).toBe(true);
});

test("calls of one command renew once as well", async () => {
  service.api().state.expireAccessTokens();
  expect((await service.run("status --json")).code).toBe(0);
  expect(service.api().requests.filter((line) => line.includes("/refresh"))).toHaveLength(1);
});

test("work under the lock never overlaps", async () => {
  const path = join(dir, "credentials.json");
  let running = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++running);
    await new Promise((done) => setTimeout(done, 5));
    running--;
  };
  await Promise.all(Array.from({ length: 10 }, () => openCredentials(path).locked(work)));
  expect(most).toBe(1);
  expect(await readdir(dir)).toEqual([]);
});

test("the lock of a process that has ended is set aside", async () => {
  const path = join(dir, "credentials.json");
  const ended = spawn(process.execPath, ["--version"], { stdio: "ignore" });
  await new Promise((done) => ended.once("exit", done));
  await writeFile(`${path}.lock`, String(ended.pid));
  await openCredentials(path).locked((change) => change.save("http://one", LOGIN));
  expect((await openCredentials(path).read()).logins["http://one"]).toEqual(LOGIN);
  expect(await readdir(dir)).toEqual(["credentials.json"]);
});

test("the lock is given back when the work fails", async () => {
  const credentials = openCredentials(join(dir, "credentials.json"));
  await expect(credentials.locked(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  await credentials.locked((change) => change.save("http://one", LOGIN));
  expect((await credentials.read()).url).toBe("http://one");
});

test("saving closes a file that was open to others, and keeps the log-ins elsewhere", async () => {
  const path = join(dir, "credentials.json");
  const credentials = openCredentials(path);
  await credentials.locked((change) => change.save("http://one", LOGIN));
  await chmod(path, 0o644);
  await credentials.locked((change) => change.save("http://two", LOGIN));
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(Object.keys((await credentials.read()).logins)).toEqual(["http://one", "http://two"]);
  await credentials.locked((change) => change.forget("http://two"));
  expect(await readFile(path, "utf8")).toContain('"url": "http://two"');
  expect(Object.keys((await credentials.read()).logins)).toEqual(["http://one"]);
});

function runProcess(
  args: readonly string[],
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const entry = fileURLToPath(new URL("main.ts", import.meta.url));
  const home = service.home().dir;
  const env = { PATH: process.env.PATH, HOME: home, SECUREWAVE_URL: service.api().url };
  const child = spawn(process.execPath, [entry, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  const texts = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    texts.stdout += String(chunk);
  });
  child.stderr.on("data", (chunk) => {
    texts.stderr += String(chunk);
  });
  return new Promise((done) => child.once("close", (code) => done({ code, ...texts })));
}
