import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { requirements } from "@securewave/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createMatcher } from "./matcher.ts";
import { LIMITS, type Limits, searchFile, type Tally } from "./search.ts";

const SECRET = Buffer.from("198.18.201.177");
const matcher = createMatcher([{ bytes: SECRET, isNumber: true }]);

async function search(content: Buffer, limits: Limits = LIMITS, pieceBytes = 1000) {
  const tally: Tally = { bytes: 0, unpackedBytes: 0, forms: new Map(), problems: [] };
  const places: string[] = [];
  const sink = searchFile(matcher, "file", tally, (_index, source) => void places.push(source), limits);
  for (let at = 0; at < content.length; at += pieceBytes)
    await sink.write(content.subarray(at, at + pieceBytes));
  await sink.end();
  return { places, ...tally };
}

const plain = Buffer.concat([randomBytes(3000), Buffer.from(` ${SECRET} `), Buffer.alloc(5000, "text ")]);

describe("a value is found", () => {
  test.each([
    ["gzip", gzipSync(plain)],
    ["gzip of two members", Buffer.concat([gzipSync("first"), gzipSync(plain)])],
    ["gzip that was cut off", gzipSync(plain).subarray(0, -20)],
    ["zlib", deflateSync(plain)],
    ["zstd", zstdCompressSync(plain)],
    [
      "tar",
      tarOf([
        ["a", Buffer.from("nothing")],
        ["b", plain],
      ]),
    ],
    ["zip", zipOf("a.txt", plain)],
    ["tar in gzip in zip", zipOf("a.tar.gz", gzipSync(tarOf([["b", plain]])))],
  ])("in %s", async (_, content) => {
    const { places } = await search(content);
    // Compression leaves some values as they are, and those are found in the package, too.
    expect(places.some((place) => place.includes(" › "))).toBe(true);
  });

  const lz4 = requirements({ tools: ["lz4"] });
  test.skipIf(!lz4.ok).each([
    ["", []],
    [" of linked blocks", ["-BD", "-B4"]],
    [" with its size and sums", ["--content-size", "-BX"]],
  ])(lz4.title("in lz4%s"), async (_, args) => {
    const large = Buffer.concat([Buffer.alloc(200_000, "abc"), plain]);
    const packed = execFileSync("lz4", ["-c", ...args], { input: large, stdio: ["pipe", "pipe", "ignore"] });
    const { places, problems } = await search(packed);
    expect(places).toContain("file › content");
    expect(problems).toEqual([]);
  });
});

test("what nothing here opens is told", async () => {
  const xz = Buffer.from("fd377a585a000004e6d6b446", "hex");
  expect((await search(Buffer.concat([xz, randomBytes(600)]))).problems).toHaveLength(1);
});

describe("a package that is meant to harm ends at a bound", () => {
  test("when too much comes out of it", async () => {
    const bomb = gzipSync(gzipSync(Buffer.alloc(300 * 2 ** 20)));
    const { problems, unpackedBytes } = await search(bomb, { ...LIMITS, unpackedBytesMax: 16 * 2 ** 20 });
    expect(problems).not.toEqual([]);
    expect(unpackedBytes).toBeLessThan(18 * 2 ** 20);
  });

  test("when it is too deep", async () => {
    let nested = gzipSync(plain);
    for (let depth = 0; depth < 8; depth++) nested = gzipSync(nested);
    expect((await search(nested)).problems).toEqual([
      { source: expect.stringContaining("file › content"), text: "packages lie too deep in each other" },
    ]);
  });
});

test("no content whatever stops a search", async () => {
  const heads = [
    "1f8b08",
    "28b52ffd",
    "04224d18604070",
    "504b0304",
    "7801",
    "5047444d50",
    "5245444953",
    "10d10700",
  ];
  const content = fc.tuple(
    fc.constantFrom(...heads),
    fc.uint8Array({ maxLength: 3000 }),
    fc.integer({ min: 1, max: 999 }),
  );
  await fc.assert(
    fc.asyncProperty(content, async ([head, rest, pieceBytes]) => {
      const bytes = Buffer.concat([Buffer.from(head, "hex"), rest, plain]);
      const { places } = await search(bytes, LIMITS, pieceBytes);
      expect(places).toContain("file");
    }),
    { numRuns: 150 },
  );
});

function tarOf(files: readonly (readonly [name: string, content: Buffer])[]): Buffer {
  const blocks = files.map(([name, content]) => {
    const head = Buffer.alloc(512);
    head.write(name);
    head.write(content.length.toString(8).padStart(11, "0"), 124);
    head.write("ustar\x0000", 257);
    return Buffer.concat([head, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** One stored entry, deflated by nobody. */
function zipOf(name: string, content: Buffer): Buffer {
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50);
  local.writeUInt16LE(name.length, 26);
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50);
  entry.writeUInt32LE(content.length, 20);
  entry.writeUInt16LE(name.length, 28);
  const body = Buffer.concat([local, Buffer.from(name), content]);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(body.length, 16);
  return Buffer.concat([body, entry, Buffer.from(name), end]);
}
