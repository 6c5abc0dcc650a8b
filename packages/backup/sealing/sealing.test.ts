import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { requirements } from "@securewave/testing/requirements";
import { temporaryDir } from "@securewave/testing/temporary";
import { afterAll, expect, test } from "vitest";
import { createIdentity, recipientOf } from "./keys.ts";
import { open, seal } from "./payload.ts";

const needs = requirements({ tools: ["age", "age-keygen"] });
const dir = temporaryDir("sealing");
afterAll(() => dir.remove());

const ours = createIdentity();
/** Around the borders of chunks and of what is sealed together. */
const SIZES = [0, 1, 65_535, 65_536, 65_537, 8 * 65_536, 8 * 65_536 + 1, 1_500_000];

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(stream));
}

/** In pieces that fit no border. */
function* inPieces(bytes: Buffer, size = 10_007): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

test("what is sealed opens with the identity and is the same", async () => {
  for (const size of SIZES) {
    const bytes = randomBytes(size);
    const sealed = await collect(seal(inPieces(bytes), [ours.recipient]));
    expect((await collect(open(inPieces(sealed, 777), [ours.identity]))).equals(bytes), `${size}`).toBe(true);
  }
  expect(recipientOf(ours.identity)).toBe(ours.recipient);
});

test("each of several recipients opens it, another identity does not", async () => {
  const other = createIdentity();
  const sealed = await collect(seal([Buffer.from("words")], [ours.recipient, other.recipient]));
  for (const { identity } of [ours, other])
    expect((await collect(open([sealed], [createIdentity().identity, identity]))).toString()).toBe("words");
  await expect(collect(open([sealed], [createIdentity().identity]))).rejects.toMatchObject({
    code: "backup_seal.wrong_key",
  });
});

test("a flipped bit anywhere, a missing end and chunks in another order are found", async () => {
  const sealed = await collect(seal([randomBytes(200_000)], [ours.recipient]));
  const places = Array.from({ length: 60 }, (_, at) => Math.floor((at * sealed.length) / 60));
  for (const at of [...places, sealed.length - 1]) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    await expect(collect(open([changed], [ours.identity])), `byte ${at}`).rejects.toMatchObject({
      code: expect.stringMatching(/^backup_seal\.(damaged|wrong_key)$/),
    });
  }
  for (const length of [0, 10, sealed.length - 1, sealed.length - 20_000]) {
    await expect(collect(open([sealed.subarray(0, length)], [ours.identity]))).rejects.toMatchObject({
      code: "backup_seal.damaged",
    });
  }
  const chunk = 65_536 + 16;
  const from = sealed.length - (200_000 % 65_536) - 16 - 3 * chunk;
  const swapped = Buffer.concat([
    sealed.subarray(0, from),
    sealed.subarray(from + chunk, from + 2 * chunk),
    sealed.subarray(from, from + chunk),
    sealed.subarray(from + 2 * chunk),
  ]);
  await expect(collect(open([swapped], [ours.identity]))).rejects.toMatchObject({
    code: "backup_seal.damaged",
  });
});

test("what is no key is refused without being repeated", async () => {
  for (const key of ["", "age1qqq", ours.identity, `${ours.recipient.slice(0, -1)}q`]) {
    const error = await collect(seal([], [key])).catch((reason) => reason);
    expect(error.code).toBe("backup_seal.invalid_key");
    if (key !== "") expect(JSON.stringify([error.message, error.internal])).not.toContain(key);
  }
});

test.skipIf(!needs.ok)(
  needs.title("the program age opens what we seal, and we open what it seals"),
  async () => {
    const keyPath = join(dir.path, "identity");
    writeFileSync(keyPath, `${ours.identity}\n`, { mode: 0o600 });
    for (const size of SIZES) {
      const bytes = randomBytes(size);
      const sealed = await collect(seal(inPieces(bytes), [ours.recipient]));
      const opened = spawnSync("age", ["-d", "-i", keyPath], { input: sealed, maxBuffer: 2 ** 26 });
      expect(opened.stderr.toString()).toBe("");
      expect(opened.stdout.equals(bytes)).toBe(true);
      const theirs = spawnSync("age", ["-r", ours.recipient, "-r", createIdentity().recipient], {
        input: bytes,
        maxBuffer: 2 ** 26,
      });
      expect((await collect(open([theirs.stdout], [ours.identity]))).equals(bytes)).toBe(true);
    }
    const made = spawnSync("age-keygen", [], { encoding: "utf8" }).stdout;
    const identity = /AGE-SECRET-KEY-\w+/.exec(made)?.[0] ?? "";
    expect(recipientOf(identity)).toBe(/age1\w+/.exec(made)?.[0]);
  },
);
