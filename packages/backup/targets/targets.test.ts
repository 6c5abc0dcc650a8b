import { createHash, randomBytes } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { temporaryDir } from "@securewave/testing/temporary";
import { afterAll, describe, expect, test } from "vitest";
import { openTarget } from "./open.ts";
import { checkTarget, readObject, type Target } from "./target.ts";
import { openTestAzure } from "./testing-azure.ts";
import { openTestS3 } from "./testing-s3.ts";

const dir = temporaryDir("targets");
const s3 = await openTestS3();
const azure = await openTestAzure();
afterAll(async () => {
  await s3.close();
  await azure.close();
  dir.remove();
});

const TARGETS: [string, () => Promise<Target>][] = [
  ["a folder", () => openTarget({ url: join(dir.path, "folder") })],
  ["S3", () => openTarget({ url: s3.url, credentials: s3.credentials })],
  ["Azure by its key", () => openTarget({ url: azure.url, credentials: azure.credentials })],
  ["Azure by a signature", () => openTarget({ url: azure.url, credentials: azure.signature })],
];
// The real one, or Microsoft's emulator, is held to the same by whoever has it.
const { TEST_AZURE_URL: azureUrl, TEST_AZURE_KEY: accountKey } = process.env;
if (azureUrl && accountKey) {
  TARGETS.push(["Azure itself", () => openTarget({ url: azureUrl, credentials: { accountKey } })]);
}

describe.each(TARGETS)("%s", (_, open) => {
  test("gives back what was put, lists it in order, and forgets what is removed", async () => {
    const target = await open();
    await checkTarget(target);
    const large = randomBytes(17 * 1024 * 1024 + 5); // three parts
    async function* pieces() {
      for (let at = 0; at < large.length; at += 1_000_003) yield large.subarray(at, at + 1_000_003);
    }
    expect(await target.put("a/large", pieces())).toBe(large.length);
    const hash = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
    expect(hash(await readObject(target, "a/large"))).toBe(hash(large));
    for (const name of ["a/b/c", "a/b-c", "a/empty", "ab", "a/b/a"])
      await target.put(name, [Buffer.from(name)]);
    await target.put("a/empty", []);
    const listed = await Array.fromAsync(target.list("a/"));
    expect(listed.map(({ name }) => name)).toEqual(["a/b-c", "a/b/a", "a/b/c", "a/empty", "a/large"]);
    expect(listed.map(({ bytes }) => bytes)).toEqual([5, 5, 5, 0, large.length]);
    expect(await target.find("a/large")).toEqual({ name: "a/large", bytes: large.length });
    await target.put("ab", [Buffer.from("another")]);
    expect((await readObject(target, "ab")).toString()).toBe("another");
    for (const { name } of await Array.fromAsync(target.list(""))) await target.remove(name);
    await target.remove("a/large");
    expect(await Array.fromAsync(target.list(""))).toEqual([]);
    expect(await target.find("a/large")).toBeUndefined();
    await expect(readObject(target, "a/large")).rejects.toMatchObject({ code: "backup_target.not_found" });
  });

  test("an object whose source breaks off is not there, nor any part of it", async () => {
    const target = await open();
    await target.put("kept", [Buffer.from("before")]);
    async function* breaking() {
      yield randomBytes(9 * 1024 * 1024);
      throw new Error("the source broke off");
    }
    await expect(target.put("kept", breaking())).rejects.toThrow("the source broke off");
    await expect(target.put("new/one", breaking())).rejects.toThrow("the source broke off");
    expect((await readObject(target, "kept")).toString()).toBe("before");
    expect((await Array.fromAsync(target.list(""))).map(({ name }) => name)).toEqual(["kept"]);
    expect(s3.uploads.size).toBe(0);
    await target.remove("kept");
  });
});

test("a folder's files are for their owner alone", async () => {
  const path = join(dir.path, "private");
  const target = await openTarget({ url: path });
  await target.put("a/b", [Buffer.from("words")]);
  expect(statSync(join(path, "a", "b")).mode & 0o777).toBe(0o600);
  expect(statSync(join(path, "a")).mode & 0o777).toBe(0o700);
  await target.remove("a/b");
  expect(readdirSync(path)).toEqual([]);
});

test("a folder that can be made nowhere is refused, and named", async () => {
  for (const url of ["/proc/backups", "/dev/full", "/dev/full/folder"]) {
    const error = await checkTarget(await openTarget({ url })).catch((reason) => reason);
    expect(error).toMatchObject({ code: "backup_target.failed", message: expect.stringContaining(url) });
  }
});

const STAND_INS = [
  { ...s3, foreign: { ...s3.credentials, secretAccessKey: "other" }, secret: s3.credentials.secretAccessKey },
  { ...azure, foreign: { accountKey: "b3RoZXI=" }, secret: azure.credentials.accountKey },
];

test.each(STAND_INS)(
  "a target that is away, full or of somebody else is refused by its name, and nothing secret is told: $url",
  async ({ url, credentials, foreign, secret, answer }) => {
    const target = await openTarget({ url, credentials });
    const foreigner = await openTarget({ url, credentials: foreign });
    await expect(checkTarget(foreigner)).rejects.toMatchObject({ code: "backup_target.denied" });
    answer(507, "InsufficientStorage");
    await expect(checkTarget(target)).rejects.toMatchObject({ code: "backup_target.full" });
    answer(503);
    const error = await checkTarget(target).catch((reason) => reason);
    answer(undefined);
    expect(error.code).toBe("backup_target.unreachable");
    expect(`${error.message} ${error.internal} ${target.description}`).not.toContain(secret);
    const away = await openTarget({ url: url.replace(/127.*/, "127.0.0.1:1"), credentials });
    await expect(checkTarget(away)).rejects.toMatchObject({ code: "backup_target.unreachable" });
  },
);

test.each(["", "ftp://somewhere", "s3://user:words@bucket/", "azblob://account"])(
  "what names no target is refused: %s",
  async (url) => {
    await expect(openTarget({ url })).rejects.toMatchObject({ code: "backup_target.invalid_url" });
  },
);
