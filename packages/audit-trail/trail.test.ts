import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatVerifier, openCheckpoint, parseVerifier, rawPublicKey, signCheckpoint } from "./checkpoint.ts";
import { type EntryBody, leafOf } from "./entry.ts";
import {
  append,
  consistencyProof,
  EMPTY_FRONTIER,
  hashLeaf,
  inclusionProof,
  isConsistent,
  isIncluded,
  rootOf,
  rootOfLeaves,
} from "./tree.ts";
import { verifyTrail } from "./verify.ts";

/** The leaves and roots of the reference implementation's tests: certificate-transparency, merkle_tree_test. */
const CONTENTS = [
  "",
  "00",
  "10",
  "2021",
  "3031",
  "40414243",
  "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
].map((hex) => Buffer.from(hex, "hex"));
const ROOTS = [
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

describe("the tree", () => {
  test("has the roots of RFC 6962's reference implementation", () => {
    const leaves = CONTENTS.map(hashLeaf);
    for (const [at, root] of ROOTS.entries())
      expect(rootOfLeaves(leaves.slice(0, at + 1)).toString("hex")).toBe(root);
    expect(rootOfLeaves([]).toString("hex")).toBe(
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    );
  });

  const leavesOf = (size: number) => Array.from({ length: size }, (_, at) => hashLeaf(Buffer.from(`${at}`)));

  test("appended to leaf by leaf, has the root of all leaves together", () => {
    let frontier = EMPTY_FRONTIER;
    const leaves = leavesOf(130);
    for (const [at, leaf] of leaves.entries()) {
      frontier = append(frontier, leaf);
      expect(rootOf(frontier)).toEqual(rootOfLeaves(leaves.slice(0, at + 1)));
    }
  });

  test("proves of each leaf that it stands where it stands, and of none that it stands elsewhere", () => {
    const arbitrary = fc
      .integer({ min: 1, max: 70 })
      .chain((size) => fc.tuple(fc.constant(size), fc.nat(size - 1), fc.nat(size - 1)));
    fc.assert(
      fc.property(arbitrary, ([size, index, other]) => {
        const leaves = leavesOf(size);
        const [leaf, root] = [leaves[index] as Buffer, rootOfLeaves(leaves)];
        const proof = inclusionProof(leaves, index);
        expect(isIncluded(leaf, { index, size, root }, proof)).toBe(true);
        expect(isIncluded(leaf, { index: other, size, root }, proof)).toBe(other === index);
        expect(isIncluded(hashLeaf(Buffer.from("x")), { index, size, root }, proof)).toBe(false);
      }),
    );
  });

  test("proves that it continues each earlier state, and no other", () => {
    const arbitrary = fc
      .integer({ min: 1, max: 70 })
      .chain((size) => fc.tuple(fc.constant(size), fc.nat(size)));
    fc.assert(
      fc.property(arbitrary, ([size, earlier]) => {
        const leaves = leavesOf(size);
        const after = { size, root: rootOfLeaves(leaves) };
        const before = { size: earlier, root: rootOfLeaves(leaves.slice(0, earlier)) };
        const proof = earlier === 0 ? [] : consistencyProof(leaves, earlier);
        expect(isConsistent(before, after, proof)).toBe(true);
        if (earlier > 0)
          expect(isConsistent({ ...before, root: hashLeaf(Buffer.from("x")) }, after, proof)).toBe(false);
      }),
    );
  });
});

const { privateKey } = generateKeyPairSync("ed25519");
const verifier = { name: "vpn.example.org/audit", publicKey: rawPublicKey(privateKey) };
const sign = (size: number, root: Buffer) =>
  signCheckpoint({ origin: verifier.name, size, root }, verifier.name, privateKey);

describe("a checkpoint", () => {
  test("is a signed note that its key opens, and whose key has a text of its own", () => {
    const note = sign(8, Buffer.from(ROOTS[7] as string, "hex"));
    expect(note.split("\n").slice(0, 2)).toEqual(["vpn.example.org/audit", "8"]);
    expect(openCheckpoint(note, verifier)?.size).toBe(8);
    expect(parseVerifier(formatVerifier(verifier))).toEqual(verifier);
  });

  test("the example key of C2SP's signed-note reads as what it says", () => {
    const text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const parsed = parseVerifier(text);
    expect(parsed?.name).toBe("PeterNeumann");
    expect(parsed && formatVerifier(parsed)).toBe(text);
  });

  test("that was changed, or signed by another key, opens to nobody", () => {
    const note = sign(8, Buffer.alloc(32, 1));
    expect(openCheckpoint(note.replace("\n8\n", "\n9\n"), verifier)).toBeUndefined();
    const other = generateKeyPairSync("ed25519").privateKey;
    const stranger = { ...verifier, publicKey: rawPublicKey(other) };
    expect(openCheckpoint(note, stranger)).toBeUndefined();
    expect(openCheckpoint("", verifier)).toBeUndefined();
  });
});

describe("a trail", () => {
  const body = (at: number): EntryBody => ({
    kind: "login_succeeded",
    actor: `acc_${at}`,
    subject: `acc_${at}`,
    details: { method: "password" },
    time: "2026-11-20",
  });
  const made = (count: number, checkpointEvery: number) => {
    let frontier = EMPTY_FRONTIER;
    const lines: string[] = [];
    for (let index = 0; index < count; index++) {
      const salt = Buffer.alloc(16, index);
      const leaf = leafOf(index, salt, body(index));
      frontier = append(frontier, leaf);
      const entry = {
        index,
        salt: salt.toString("base64"),
        body: body(index),
        leaf: leaf.toString("base64"),
      };
      lines.push(JSON.stringify({ entry }));
      if ((index + 1) % checkpointEvery === 0)
        lines.push(JSON.stringify({ checkpoint: sign(index + 1, rootOf(frontier)) }));
    }
    return lines;
  };
  const trail = made(30, 10);
  const entryAt = (index: number) => trail.findIndex((line) => line.includes(`{"entry":{"index":${index},`));
  const check = (lines: readonly string[], known?: string) =>
    verifyTrail(lines, { verifier, ...(known === undefined ? {} : { known }) });
  const noteAt = (size: number): string =>
    JSON.parse(trail.find((line) => line.includes(`audit\\n${size}\\n`)) ?? "{}").checkpoint;

  test("that nobody touched is whole", async () => {
    expect(await check(trail)).toMatchObject({ isWhole: true, entries: 30, checkpoints: 3, unsigned: 0 });
    expect(await check(trail, noteAt(20))).toMatchObject({ isWhole: true });
  });

  test("with a changed entry breaks at that entry", async () => {
    const changed = trail.with(entryAt(7), (trail[entryAt(7)] ?? "").replace("acc_7", "acc_8"));
    expect(await check(changed)).toMatchObject({ isWhole: false, at: 7 });
  });

  test("with a changed entry and its hash made to fit breaks at the next checkpoint", async () => {
    const salt = Buffer.alloc(16, 7);
    const forged = { ...body(7), actor: "acc_8" };
    const leaf = leafOf(7, salt, forged).toString("base64");
    const line = JSON.stringify({ entry: { index: 7, salt: salt.toString("base64"), body: forged, leaf } });
    expect(await check(trail.with(entryAt(7), line))).toMatchObject({ isWhole: false, at: 10 });
  });

  test("with an entry left out breaks where it stood", async () => {
    expect(await check(trail.toSpliced(entryAt(12), 1))).toMatchObject({ isWhole: false, at: 12 });
  });

  test("with two entries exchanged breaks at the first of them", async () => {
    const [a, b] = [entryAt(3), entryAt(4)];
    const exchanged = trail.with(a, trail[b] ?? "").with(b, trail[a] ?? "");
    expect(await check(exchanged)).toMatchObject({ isWhole: false, at: 3 });
  });

  test("that was cut off is found out by a checkpoint that somebody kept", async () => {
    const cut = trail.slice(0, entryAt(20));
    expect(await check(cut)).toMatchObject({ isWhole: true, entries: 20 });
    expect(await check(cut, noteAt(30))).toMatchObject({ isWhole: false, at: 20 });
  });

  test("with erased entries stays whole, and says how many", async () => {
    const at = entryAt(5);
    const { entry } = JSON.parse(trail[at] ?? "");
    const erased = trail.with(at, JSON.stringify({ entry: { ...entry, salt: null, body: null } }));
    expect(await check(erased)).toMatchObject({ isWhole: true, erased: 1 });
  });

  test("any text at all is answered with a report", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.string(), fc.json(), fc.constantFrom(...trail))),
        async (lines) => {
          expect(typeof (await check(lines)).isWhole).toBe("boolean");
        },
      ),
    );
  });
});
