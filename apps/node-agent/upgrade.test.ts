import { createHash, generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import {
  AGENT_ARCHIVE_PATH,
  AGENT_RELEASE_PATH,
  type AgentRelease,
  releaseText,
} from "@securewave/contracts/agent-release";
import { runOrThrow, temporaryDir } from "@securewave/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { signText } from "./credential.ts";
import type { LogEvent } from "./log.ts";
import { createUpgrade } from "./upgrade.ts";
import { findInstallation } from "./upgrade-installation.ts";
import { AGENT_VERSION, isNewer } from "./version.ts";

const NEXT = "99.0.0";
const PLATFORM = `${process.platform}-${process.arch}`;
const LAUNCHER = readFileSync(new URL("deploy/securewave-node", import.meta.url));

const { publicKey, privateKey } = generateKeyPairSync("ed25519");
let dir: ReturnType<typeof temporaryDir>;
let prefix: string;
let controlPlane: Awaited<ReturnType<typeof serve>>;

beforeEach(async () => {
  dir = temporaryDir("upgrade");
  prefix = join(dir.path, "opt");
  install(AGENT_VERSION);
  symlinkSync(AGENT_VERSION, join(prefix, "current"));
  controlPlane = await serve(await archiveOf(NEXT));
});

afterEach(async () => {
  await controlPlane.close();
  dir.remove();
});

/** A folder with a program in place of Node, which prints its version. */
function install(version: string, parent = join(prefix, version)) {
  mkdirSync(parent, { recursive: true });
  writeFileSync(join(parent, "node"), `#!/bin/sh\necho ${version}\n`);
  chmodSync(join(parent, "node"), 0o755);
  writeFileSync(join(parent, "agent.mjs"), "");
  writeFileSync(join(parent, "securewave-node"), LAUNCHER);
  chmodSync(join(parent, "securewave-node"), 0o755);
}

async function archiveOf(version: string): Promise<Buffer> {
  const source = join(dir.path, `source-${version}`);
  install(version, join(source, "securewave-node"));
  const path = join(dir.path, `${version}.tar.gz`);
  await runOrThrow("tar", ["-czf", path, "-C", source, "securewave-node"]);
  return readFileSync(path);
}

function releaseOf(archive: Buffer, change: Partial<AgentRelease> = {}): AgentRelease {
  const release = {
    version: NEXT,
    platform: PLATFORM,
    sha256: createHash("sha256").update(archive).digest("hex"),
    size: archive.length,
    ...change,
  };
  return { signature: signText(releaseText(release), privateKey), ...release };
}

/** A control plane that gives an archive, or whatever it is told to. */
async function serve(archive: Buffer) {
  const given = { release: releaseOf(archive), archive, cutAt: archive.length, asked: 0 };
  const server = createServer((request, response) => {
    given.asked++;
    if (request.url === AGENT_RELEASE_PATH) response.end(JSON.stringify(given.release));
    else if (request.url === AGENT_ARCHIVE_PATH) {
      response.setHeader("content-length", given.archive.length);
      response.write(given.archive.subarray(0, given.cutAt));
      if (given.cutAt < given.archive.length) setTimeout(() => response.destroy(), 20);
      else response.end();
    } else response.writeHead(404).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const close = () => new Promise((resolve) => server.close(resolve).closeAllConnections());
  return Object.assign(given, { url: `http://127.0.0.1:${address.port}`, close });
}

const installationOf = () => findInstallation(join(prefix, "current", "agent.mjs"), AGENT_VERSION);

async function open(trialMs?: number) {
  const events: LogEvent[] = [];
  const told: string[] = [];
  const installation = await installationOf();
  const upgrade = createUpgrade({
    controlPlaneUrl: controlPlane.url,
    controlPlaneKey: publicKey,
    installation,
    withinSeconds: 0,
    log(event, fields) {
      events.push(event);
      if (fields?.why) told.push(fields.why);
    },
    ...(trialMs !== undefined && { trialMs }),
  });
  await upgrade.start();
  return { upgrade, events, told };
}

const current = () => readlinkSync(join(prefix, "current"));
const launch = (...args: string[]) => runOrThrow(join(prefix, "current/securewave-node"), args);

test("an agent takes the release that its control plane signed, and the former one stays beside it", async () => {
  const { upgrade, events } = await open();
  upgrade.onRelease(NEXT);
  expect(await upgrade.ended).toBe("upgraded");
  expect(current()).toBe(NEXT);
  expect(events).toEqual(["updating", "updated"]);
  expect(readdirSync(prefix).sort()).toEqual([AGENT_VERSION, NEXT, "current", "trial"].sort());
  expect(existsSync(join(prefix, AGENT_VERSION, "agent.mjs"))).toBe(true);
});

test.each([
  [
    "a signature by another key",
    () => ({ signature: signText("x", generateKeyPairSync("ed25519").privateKey) }),
    "not signed",
  ],
  [
    "a signature of another version",
    () => ({ signature: releaseOf(controlPlane.archive, { version: "98.0.0" }).signature }),
    "not signed",
  ],
  ["a signature of another archive", () => ({ sha256: "0".repeat(64) }), "not signed"],
  ["no signature", () => ({ signature: "" }), "not well-formed"],
  ["a version with a path in it", () => ({ version: "../../99.0.0" }), "not well-formed"],
])("%s is refused", async (_name, change, words) => {
  const signed = controlPlane.release;
  controlPlane.release = { ...signed, ...change() };
  await expectRefused(words);
});

test("a release for another platform is refused, also a signed one", async () => {
  controlPlane.release = releaseOf(controlPlane.archive, { platform: "linux-riscv64" });
  await expectRefused("linux-riscv64");
});

test("an archive that is another one is refused, as is a longer one, and one that was cut", async () => {
  const whole = controlPlane.archive;
  controlPlane.archive = Buffer.from(whole);
  controlPlane.archive[20] = (controlPlane.archive[20] ?? 0) ^ 1;
  await expectRefused("not the one that was signed");
  controlPlane.archive = Buffer.concat([whole, Buffer.alloc(9)]);
  controlPlane.cutAt = controlPlane.archive.length;
  await expectRefused("longer than");
  controlPlane.archive = whole;
  controlPlane.cutAt = Math.floor(whole.length / 2);
  await expectRefused("broke off");
});

test("an archive that does not run here, or says another version, is refused", async () => {
  const archive = await archiveOf("98.0.0");
  Object.assign(controlPlane, { archive, release: releaseOf(archive), cutAt: archive.length });
  await expectRefused("another version");
});

async function expectRefused(words: string) {
  const { upgrade, told } = await open();
  upgrade.onOutdated();
  await expect.poll(() => told.join()).toContain(words);
  upgrade.stop();
  expect(current()).toBe(AGENT_VERSION);
  expect(readdirSync(prefix).sort()).toEqual([AGENT_VERSION, "current"].sort());
}

test("an agent never goes back: a signed release of a lower version, or of its own, is not even fetched", async () => {
  for (const version of ["0.0.1", AGENT_VERSION]) {
    controlPlane.release = releaseOf(controlPlane.archive, { version });
    controlPlane.asked = 0;
    const { upgrade, events } = await open();
    upgrade.onRelease(version);
    upgrade.onOutdated();
    await expect.poll(() => controlPlane.asked).toBe(1);
    upgrade.stop();
    expect(events).toEqual([]);
    expect(current()).toBe(AGENT_VERSION);
  }
});

test("an agent that the installer did not put there stays as it is and says once that there is another", async () => {
  expect(await findInstallation(new URL("main.ts", import.meta.url).pathname, AGENT_VERSION)).toBeUndefined();
  const events: LogEvent[] = [];
  const upgrade = createUpgrade({
    controlPlaneUrl: controlPlane.url,
    controlPlaneKey: publicKey,
    installation: undefined,
    log: (event) => events.push(event),
  });
  upgrade.onRelease(NEXT);
  upgrade.onRelease(NEXT);
  upgrade.stop();
  expect(events).toEqual(["update-available"]);
});

test("a fleet spreads its fetches over the time given, an outdated agent over a minute", async () => {
  const waits = [0, 0.5, 1].map((share) => {
    const upgrade = createUpgrade({
      controlPlaneUrl: controlPlane.url,
      controlPlaneKey: publicKey,
      installation: {
        archivePath: "",
        isOnTrial: async () => false,
        confirm: async () => {},
        isRejected: async () => true,
        take: async () => {},
      },
      log: () => undefined,
      random: () => share,
    });
    return upgrade;
  });
  const delays: number[] = [];
  const original = globalThis.setTimeout;
  globalThis.setTimeout = ((run: () => void, delay: number) => {
    delays.push(Math.abs(Math.round(delay / 1000)));
    return original(run, 1e6).unref();
  }) as typeof setTimeout;
  try {
    for (const upgrade of waits) upgrade.onRelease(NEXT);
    for (const upgrade of waits) upgrade.onOutdated();
  } finally {
    globalThis.setTimeout = original;
    for (const upgrade of waits) upgrade.stop();
  }
  expect(delays).toEqual([0, 1800, 3600, 30, 60]);
});

test("a version on trial that reaches its control plane stays, and only the former one is kept beside it", async () => {
  install("0.0.1");
  writeFileSync(join(prefix, "trial"), "0.0.2 1\n");
  install("0.0.2");
  const { upgrade, events } = await open(50);
  upgrade.onRelease(AGENT_VERSION);
  await expect.poll(() => events).toEqual(["update-confirmed"]);
  expect(readdirSync(prefix).sort()).toEqual(["0.0.2", AGENT_VERSION, "current"].sort());
  expect(
    await Promise.race([upgrade.ended, new Promise((resolve) => setTimeout(resolve, 120, "serves"))]),
  ).toBe("serves");
  upgrade.stop();
});

test("a version on trial that does not reach its control plane ends", async () => {
  writeFileSync(join(prefix, "trial"), "0.0.2 1\n");
  const { upgrade } = await open(20);
  expect(await upgrade.ended).toBe("trial-failed");
});

test("after two starts in vain the former version runs again, and the other one is not taken for a day", async () => {
  const { upgrade } = await open();
  upgrade.onRelease(NEXT);
  await upgrade.ended;
  expect(await launch("--version")).toMatchObject({ stdout: `${NEXT}\n` });
  for (const version of [NEXT, NEXT, AGENT_VERSION, AGENT_VERSION]) {
    expect(await launch("run")).toMatchObject({ stdout: `${version}\n` });
  }
  expect(current()).toBe(AGENT_VERSION);
  expect(readdirSync(prefix).sort()).toEqual([AGENT_VERSION, NEXT, "current", "rejected"].sort());

  const installation = await installationOf();
  expect(await installation?.isRejected(NEXT)).toBe(true);
  expect(await installation?.isRejected("99.0.1")).toBe(false);
  const longAgo = new Date(Date.now() - 25 * 3600 * 1000);
  utimesSync(join(prefix, "rejected"), longAgo, longAgo);
  expect(await installation?.isRejected(NEXT)).toBe(false);
});

test("a damaged note of a trial neither stops the agent nor loses it", async () => {
  for (const note of ["", "0.0.1", "../.. 9", "x y z"]) {
    writeFileSync(join(prefix, "trial"), note);
    expect(await launch("run")).toMatchObject({ stdout: `${AGENT_VERSION}\n` });
    expect(current()).toBe(AGENT_VERSION);
  }
});

test.each([
  ["0.10.0", "0.9.1", true],
  ["1.0.0", "1.0.0-beta.2", true],
  ["1.0.0-beta.10", "1.0.0-beta.9", true],
  ["1.0.0-beta.2", "1.0.0", false],
  ["0.9.1", "0.10.0", false],
  ["1.0.0", "1.0.0", false],
  ["2", "1.0.0", false],
  ["2.0.0/../..", "1.0.0", false],
])("%s after %s: %s", (version, than, expected) => expect(isNewer(version, than)).toBe(expected));
