import { once } from "node:events";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createClient } from "@securewave/contracts";
import { eventually, freeTcpPort, type TemporaryDir, temporaryDir } from "@securewave/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { dataDirOf, launchControlPlane, startControlPlane } from "./control-plane.ts";
import { PASSWORD, setUpAdmin, tokenOf } from "./people.ts";
import { processesOf } from "./remains.ts";

let dir: TemporaryDir;

beforeEach(() => {
  dir = temporaryDir("start");
});

afterEach(async () => {
  await eventually(async () => expect(await processesOf(dir.path)).toEqual([]), { timeoutMs: 10_000 });
  dir.remove();
});

/** Runs a start that is to fail; gives back what it printed. */
async function failedStart(env: Record<string, string> = {}): Promise<string> {
  const running = await launchControlPlane({ dir: dir.path, env });
  const { code } = await running.exited;
  await running.stop();
  const text = running.lines().join("\n");
  expect(code, text).toBe(1);
  // A message for people, and no stack trace.
  expect(text).not.toMatch(/^\s+at .*:\d+:\d+/m);
  expect(await processesOf(dir.path)).toEqual([]);
  return text;
}

async function listen(host: string): Promise<{ server: Server; port: number }> {
  const server = createServer().listen(0, host);
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the system gave no TCP port");
  return { server, port: address.port };
}

describe("a start that cannot be", { timeout: 240_000 }, () => {
  test("says which port is taken and how to choose another", async () => {
    const { server, port } = await listen("0.0.0.0");
    const text = await failedStart({ API_PORT: String(port) });
    expect(text).toMatch(new RegExp(`^Port ${port} is taken by another program\\..*API_PORT=`, "m"));
    server.close();
  });

  test("says that a file stands where the data folder should be", async () => {
    writeFileSync(dataDirOf(dir.path), "important");
    const text = await failedStart();
    expect(text).toContain(dataDirOf(dir.path));
    expect(text).toMatch(/DATA_DIR/);
  });

  test("says that the data folder cannot be written", async () => {
    // Nobody makes folders there, root included.
    const text = await failedStart({ DATA_DIR: "/sys/securewave" });
    expect(text).toMatch(/^The folder of the store cannot be written/m);
    expect(text).toMatch(/\/sys\/securewave.*DATA_DIR=/);
  });

  test("names every mistake of the settings file at once, and shows no value", async () => {
    const lines = [
      "API_PORT=eighty-thousand",
      "JWT_SECRET=tooshort-hunter2",
      "IP_POOL_V4=10.0.0.0/33",
      "NO_SUCH_SETTING=whatever",
      "LOG_LEVEL=loud",
      "this is no setting",
    ];
    writeFileSync(join(dir.path, "securewave.env"), lines.join("\n"));
    const running = await launchControlPlane({ dir: dir.path, env: { API_PORT: undefined } });
    const { code } = await running.exited;
    const text = running.lines().join("\n");
    expect(code).toBe(1);
    for (const name of ["API_PORT", "JWT_SECRET", "IP_POOL_V4", "NO_SUCH_SETTING", "LOG_LEVEL", "line 6"]) {
      expect(text).toContain(name);
    }
    expect(text).not.toMatch(/eighty-thousand|hunter2|0\/33|whatever|loud|this is no/);
    expect(existsSync(dataDirOf(dir.path))).toBe(false);
  });

  test("takes a settings file of noise for what it is", async () => {
    const noise = Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 7919) % 256));
    writeFileSync(join(dir.path, "securewave.env"), noise);
    expect(await failedStart()).toContain("securewave.env");
  });

  test("refuses a folder that another process uses, which goes on", async () => {
    const first = await startControlPlane({ dir: dir.path });
    const second = await launchControlPlane({ dir: dir.path });
    expect((await second.exited).code).toBe(1);
    const text = second.lines().join("\n");
    expect(text).toMatch(/Another SecureWave is running on the store/);
    expect(text).toContain(dataDirOf(dir.path));
    await second.stop();
    expect(await createClient({ baseUrl: first.url }).service.ready()).toEqual({ status: "ready" });
    await first.process.stop();
  });

  test("refuses a store whose keys are gone, and says what to restore", async () => {
    const plane = await startControlPlane({ dir: dir.path });
    await plane.process.stop();
    rmSync(join(dataDirOf(dir.path), "secrets"), { recursive: true });
    expect(await failedStart()).toMatch(/restore the secrets folder/);
  });
});

describe("a service", { timeout: 240_000 }, () => {
  test("runs without metrics where their port is taken, and says so", async () => {
    const { server, port } = await listen("127.0.0.1");
    const plane = await startControlPlane({ dir: dir.path, env: { METRICS_PORT: String(port) } });
    expect(plane.process.lines().join("\n")).toContain("METRICS_PORT");
    expect(await createClient({ baseUrl: plane.url }).service.ready()).toEqual({ status: "ready" });
    await plane.process.stop();
    server.close();
  });

  test.each(["SIGTERM", "SIGINT"] as const)("ends cleanly at %s, PostgreSQL with it", async (signal) => {
    const plane = await startControlPlane({ dir: dir.path });
    expect((await processesOf(dir.path)).join()).toContain("postgres");
    plane.process.kill(signal);
    expect(await plane.process.exited).toEqual({ code: 0, signal: null });
    expect(await processesOf(dir.path)).toEqual([]);
    await plane.process.stop();
  });

  test("ended at any moment of its first start, leaves nothing running and starts the next time", async () => {
    for (const [index, delayMs] of [50, 100, 150, 200, 300, 400, 600, 800].entries()) {
      const place = join(dir.path, String(delayMs));
      mkdirSync(place);
      const running = await launchControlPlane({ dir: place });
      await pause(delayMs);
      running.kill(index % 2 === 0 ? "SIGKILL" : "SIGTERM");
      await running.stop();
      await eventually(async () => expect(await processesOf(place)).toEqual([]), { timeoutMs: 10_000 });
      const plane = await startControlPlane({ dir: place });
      await plane.process.stop();
    }
  });

  test("prints a set-up link at each start until one was used; then none works", async () => {
    const port = await freeTcpPort();
    const first = await startControlPlane({ dir: dir.path, port });
    const oldLink = first.setupLink ?? "";
    await first.process.stop();

    const second = await startControlPlane({ dir: dir.path, port });
    expect(second.setupLink).not.toBe(oldLink);
    const visitor = createClient({ baseUrl: second.url });
    expect(await visitor.service.info()).toMatchObject({ setup_needed: true });
    await setUpAdmin(second.url, second.setupLink);
    expect(await visitor.service.info()).toMatchObject({ setup_needed: false });
    for (const link of [oldLink, second.setupLink ?? ""]) {
      const body = { token: tokenOf(link), email: "mallory@example.org", password: PASSWORD };
      await expect(visitor.service.setUp({ body })).rejects.toMatchObject({ code: "service.setup_done" });
    }
    await second.process.stop();

    const third = await startControlPlane({ dir: dir.path, port });
    expect(third.setupLink).toBeUndefined();
    await third.process.stop();
  });
});
