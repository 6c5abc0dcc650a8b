import { createHash, createPublicKey, verify } from "node:crypto";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  AGENT_ARCHIVE_PATH,
  AGENT_RELEASE_PATH,
  AgentRelease,
  INSTALLER_PATH,
  releaseText,
} from "@securewave/contracts/agent-release";
import { run } from "@securewave/testing";
import { temporaryDir } from "@securewave/testing/temporary";
import { Value } from "typebox/value";
import { afterAll, expect, test } from "vitest";
import { openTestApp, type TestApp, useJoinToken } from "../../testing.ts";
import { installerOf } from "./installer.ts";

const INSTALLER = fileURLToPath(import.meta.resolve("../../../node-agent/deploy/node.sh"));
const dir = temporaryDir("install");
const archive = Buffer.from("an archive of an agent");
const description = {
  version: "1.2.3",
  platform: "linux-x64",
  sha256: sha256Of(archive),
  size: archive.length,
};

const built = await openTestApp({ agentDir: agentFolder("built", true) });
const unbuilt = await openTestApp({ agentDir: agentFolder("unbuilt", false) });
afterAll(async () => {
  await built.close();
  await unbuilt.close();
  dir.remove();
});

function agentFolder(name: string, isBuilt: boolean): string {
  const folder = join(dir.path, name);
  mkdirSync(join(folder, "deploy"), { recursive: true });
  copyFileSync(INSTALLER, join(folder, "deploy/node.sh"));
  if (!isBuilt) return folder;
  mkdirSync(join(folder, "dist"));
  writeFileSync(join(folder, "dist/securewave-node.tar.gz"), archive);
  writeFileSync(join(folder, "dist/securewave-node.json"), JSON.stringify(description));
  return folder;
}

function sha256Of(content: string | Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

const get = (service: TestApp, path: string, headers: Record<string, string> = {}) =>
  fetch(`${service.baseUrl}${path}`, { headers });

test("the command that a join token comes with fetches a script of the very checksum beside it", async () => {
  for (const service of [built, unbuilt]) {
    const admin = await service.admin();
    const { join: joining, node } = await admin.client.nodes.create({ body: { name: "N-1", region: "R" } });
    for (const { command, checksum, join_token } of [
      joining,
      await admin.client.nodes.renewJoinToken({ params: { id: node.id } }),
    ]) {
      const url = `${service.baseUrl}${INSTALLER_PATH}`;
      expect(command).toBe(
        `curl -fsSL ${url} | sudo sh -s -- --token ${join_token} --endpoint YOUR_SERVER_NAME`,
      );
      expect(sha256Of(await (await fetch(url)).text())).toBe(checksum);
    }
  }
});

test("a release is signed by the key that nodes pin, over version, platform and checksum", async () => {
  const admin = await built.admin();
  const { join: joining } = await admin.client.nodes.create({ body: { name: "N-2", region: "R" } });
  const { controlPlaneKey } = await useJoinToken(built, joining.join_token);
  const release = Value.Parse(AgentRelease, await (await get(built, AGENT_RELEASE_PATH)).json());
  expect(release).toMatchObject(description);
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: controlPlaneKey }, format: "jwk" });
  const isSigned = (change: object) =>
    verify(
      null,
      Buffer.from(releaseText({ ...release, ...change })),
      key,
      Buffer.from(release.signature, "base64url"),
    );
  expect(isSigned({})).toBe(true);
  for (const change of [{ version: "1.2.4" }, { platform: "linux-arm64" }, { sha256: "0".repeat(64) }]) {
    expect(isSigned(change)).toBe(false);
  }
});

test("the archive comes as it lies on disk, and whoever has it is told so", async () => {
  const answer = await get(built, AGENT_ARCHIVE_PATH);
  expect(answer.headers.get("content-length")).toBe(String(archive.length));
  expect(Buffer.from(await answer.arrayBuffer())).toEqual(archive);
  for (const path of [AGENT_ARCHIVE_PATH, AGENT_RELEASE_PATH, INSTALLER_PATH]) {
    const etag = (await get(built, path)).headers.get("etag") ?? "";
    const again = await get(built, path, { "if-none-match": etag });
    expect([again.status, await again.text()]).toEqual([304, ""]);
  }
  const head = await fetch(`${built.baseUrl}${AGENT_ARCHIVE_PATH}`, { method: "HEAD" });
  expect([head.status, await head.text()]).toEqual([200, ""]);
});

test("without a built agent there is no archive, and the script says what to do", async () => {
  expect((await get(unbuilt, AGENT_ARCHIVE_PATH)).status).toBe(404);
  expect((await get(unbuilt, AGENT_RELEASE_PATH)).status).toBe(404);
  const script = await (await get(unbuilt, INSTALLER_PATH)).text();
  const ran = await run("dash", ["-c", script]);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toMatch(/it needs root|npm run build/);
});

test("nothing that stands in a setting or a header becomes a command of the script", async () => {
  const origin = "https://x'; touch /tmp/owned; '$(id)`id`";
  const script = installerOf('set -eu\nx=@CONTROL_PLANE@\nprintf %s "$x"\n', origin, undefined);
  expect(await run("dash", ["-c", script])).toMatchObject({ code: 0, stdout: origin });
  const answer = await get(built, INSTALLER_PATH, { "x-forwarded-host": "a'b", "x-forwarded-proto": "file" });
  expect(await answer.text()).toContain(`control_plane='${built.baseUrl}'`);
});

test("a script that was cut anywhere runs nothing", async () => {
  const script = await (await get(built, INSTALLER_PATH)).text();
  const traced = script.replace("set -eu\n", "echo began; exit 0\n");
  const folder = temporaryDir("cut-scripts");
  // Each length near the end, where the call stands, and a sample of all others.
  const lengths = [...Array(traced.trimEnd().length).keys()].filter(
    (at) => at > traced.length - 60 || at % 97 === 0,
  );
  const path = (length: number) => join(folder.path, `${length}.sh`);
  for (const length of lengths) writeFileSync(path(length), traced.slice(0, length));
  const all = await run("dash", [
    "-c",
    `for f in "${folder.path}"/*.sh; do dash "$f" --help; done 2>/dev/null`,
  ]);
  expect(all.stdout).toBe("");
  writeFileSync(path(traced.length), traced);
  expect((await run("dash", [path(traced.length), "--help"])).stdout).toBe("began\n");
  expect(dirname(path(0))).toBe(folder.path);
  folder.remove();
});

test("the script says how it is used, and what is wrong with what it is told", async () => {
  const path = join(dir.path, "node.sh");
  writeFileSync(path, await (await get(built, INSTALLER_PATH)).text());
  const call = async (...args: string[]) => {
    const { code, stdout, stderr } = await run("dash", [path, ...args]);
    return { code, told: stdout + stderr };
  };
  expect(await call("--help")).toMatchObject({ code: 0, told: expect.stringContaining("--uninstall") });
  for (const [args, words] of [
    [["--tokn", "x"], "--tokn is no option"],
    [["--token"], "--token needs a value"],
    [["--prefix", "relative"], "must begin with /"],
    [["--prefix", "/"], "must begin with /"],
    [["--prefix", "/a/../etc"], "letters, digits"],
    [["--prefix", "/a;b"], "letters, digits"],
    [["--accept", "a b"], "ids, separated by commas"],
  ] as const) {
    expect(await call(...args)).toMatchObject({ code: 1, told: expect.stringContaining(words) });
  }
});
