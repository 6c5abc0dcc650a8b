import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run, runOrThrow, temporaryDir } from "@securewave/testing";
import { expect, test } from "vitest";
import { makeAgentArchive } from "./agent-archive.ts";
import { ROOT } from "./commands.ts";

test("the agent's archive is the same bytes for the same input, and has all that the agent runs on", async () => {
  const dir = temporaryDir("agent-archive");
  const bundlePath = join(dir.path, "main.bundle.js");
  writeFileSync(bundlePath, "console.log(process.version, process.argv.slice(2).join());");
  const make = async (name: string) => {
    const outputDir = join(dir.path, name);
    await makeAgentArchive({ bundlePath, version: "1.2.3", outputDir, cacheDir: join(ROOT, ".cache") });
    const archive = readFileSync(join(outputDir, "securewave-node.tar.gz"));
    return {
      archive,
      description: JSON.parse(readFileSync(join(outputDir, "securewave-node.json"), "utf8")),
    };
  };
  const [one, other] = [await make("one"), await make("other")];
  expect(one.archive.equals(other.archive)).toBe(true);
  expect(one.description).toEqual({
    version: "1.2.3",
    platform: `${process.platform}-${process.arch}`,
    sha256: createHash("sha256").update(one.archive).digest("hex"),
    size: one.archive.length,
  });

  const path = join(dir.path, "one/securewave-node.tar.gz");
  const listed = (await runOrThrow("tar", ["-tvzf", path])).stdout.trim().split("\n");
  expect(listed.map((line) => [line.split(" ")[0], line.split("/").at(-1)])).toEqual([
    ["-rwxr-xr-x", "node"],
    ["-rwxr-xr-x", "securewave-node"],
    ["-rw-r--r--", "agent.mjs"],
    ["-rw-r--r--", "forget-flows.pl"],
    ["-rw-r--r--", "securewave-node.service"],
    ["-rw-r--r--", "LICENSE"],
  ]);
  const prefix = join(dir.path, "opt");
  mkdirSync(prefix);
  await runOrThrow("tar", ["-xzf", path, "-C", prefix]);
  const ran = await run(join(prefix, "securewave-node/securewave-node"), ["status", "--json"]);
  expect(ran).toMatchObject({ code: 0, stdout: `${process.version} status,--json\n` });
  dir.remove();
});

test("the agent is released together with the control plane: a node is told of one version and takes that", () => {
  const versionIn = (folder: string): unknown =>
    JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8")).version;
  expect(versionIn("apps/node-agent")).toBe(versionIn("apps/control-plane"));
});
