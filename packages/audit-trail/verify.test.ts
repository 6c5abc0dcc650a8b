import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseTrailLine, writeTrail } from "./archive.ts";
import { signCheckpoint } from "./checkpoint.ts";
import { canonicalJson, type Entry, type EntryBody, leafOf } from "./entry.ts";
import { formatVerifier, rawPublicKey } from "./note.ts";
import { append, EMPTY_FRONTIER, rootOf } from "./tree.ts";
import { verifyTrail } from "./verify.ts";

const { privateKey } = generateKeyPairSync("ed25519");
const origin = "vpn.example.org/audit";
const verifier = { name: origin, publicKey: rawPublicKey(privateKey) };

const bodyAt = (at: number): EntryBody => ({
  kind: "login_succeeded",
  actor: `acc_${at}`,
  subject: `acc_${at}`,
  details: { method: "password" },
  time: "2026-11-20",
});
const saltAt = (at: number) => Buffer.alloc(16, at);

interface Part {
  readonly from?: number;
  readonly to?: number;
  /** What is done to entries when the trail is written, their leaves kept. */
  readonly erase?: readonly number[];
  readonly bodies?: Readonly<Record<number, EntryBody>>;
  /** Another one of the same name. */
  readonly signer?: typeof privateKey;
}

/** A trail of 30 entries, signed every 10, as lines. */
async function trailOf({ from = 0, to = 29, erase = [], bodies = {}, signer = privateKey }: Part = {}) {
  let frontier = EMPTY_FRONTIER;
  let before = EMPTY_FRONTIER;
  const entries: Entry[] = [];
  const checkpoints = new Map<number, string>();
  for (let index = 0; index < 30; index++) {
    if (index === from) before = frontier;
    const body = bodies[index] ?? bodyAt(index);
    const leaf = leafOf(index, saltAt(index), body);
    frontier = append(frontier, leaf);
    const content = erase.includes(index)
      ? { salt: null, body: null }
      : { salt: saltAt(index).toString("base64"), body };
    entries.push({ index, ...content, leaf: leaf.toString("base64") });
    if ((index + 1) % 10 === 0)
      checkpoints.set(index + 1, signCheckpoint({ origin, size: index + 1, root: rootOf(frontier) }, signer));
  }
  const header = {
    origin,
    key: formatVerifier({ ...verifier, publicKey: rawPublicKey(signer) }),
    from,
    to,
    size: 30,
    frontier: before.hashes.map((hash) => hash.toString("base64")),
  };
  const part = async function* () {
    yield* entries.slice(from, to + 1);
  };
  let text = "";
  for await (const piece of writeTrail(header, part(), checkpoints)) text += piece;
  return text.trimEnd().split("\n");
}

const trail = await trailOf();
const entryAt = (index: number, lines = trail) =>
  lines.findIndex((line) => line.startsWith(`{"entry":{"index":${index},`));
const lineAt = (index: number) => trail[entryAt(index)] ?? "";
const check = (lines: readonly string[], known?: string) =>
  verifyTrail(lines, { verifier, ...(known === undefined ? {} : { known }) });

function checkpointAt(size: number): { line: number; note: string } {
  const line = trail.findIndex((text) => text.includes(`audit\\n${size}\\n`));
  return { line, note: JSON.parse(trail[line] ?? "{}").checkpoint };
}

/** An entry that says what it wants, with a hash that fits. */
function forged(index: number, body: EntryBody): string {
  const salt = saltAt(index);
  const leaf = leafOf(index, salt, body).toString("base64");
  return JSON.stringify({ entry: { index, salt: salt.toString("base64"), body, leaf } });
}

describe("a trail that nobody touched", () => {
  test("is whole, also held against a checkpoint that was kept", async () => {
    const report = await check(trail);
    expect(report).toMatchObject({ isWhole: true, entries: 30, checkpoints: 3, erased: 0, from: 0 });
    expect(report.lastCheckpoint).toEqual({ size: 30, note: checkpointAt(30).note });
    for (const size of [10, 20, 30]) expect((await check(trail, checkpointAt(size).note)).isWhole).toBe(true);
  });

  test("is verified with the key that it names when no other is given", async () => {
    expect(await verifyTrail(trail)).toMatchObject({ isWhole: true, key: formatVerifier(verifier) });
  });

  test("tells how far it is", async () => {
    const told: number[] = [];
    await verifyTrail(trail, { verifier, onProgress: (entries) => told.push(entries) });
    expect(told.at(-1)).toBe(30);
  });

  test("is whole in parts too, each by itself", async () => {
    for (const [from, to] of [
      [10, 29],
      [7, 19],
      [0, 9],
      [29, 29],
    ] as const)
      expect(await check(await trailOf({ from, to }))).toMatchObject({
        isWhole: true,
        from,
        entries: to + 1 - from,
      });
    const part = await trailOf({ from: 10, to: 19 });
    expect(await check(part, checkpointAt(20).note)).toMatchObject({ isWhole: true });
    expect(await check(part, checkpointAt(10).note)).toMatchObject({ isWhole: true });
    for (const size of [30])
      expect((await check(part, checkpointAt(size).note)).broken).toMatchObject({
        kind: "not_continued",
        at: size,
      });
    const later = await trailOf({ from: 20 });
    expect((await check(later, checkpointAt(10).note)).broken).toMatchObject({
      kind: "not_continued",
      at: 10,
    });
  });
});

describe("parts in a row", async () => {
  const archives = await Promise.all([trailOf({ to: 9 }), trailOf({ from: 10, to: 19 })]);
  const rest = await trailOf({ from: 20 });

  test("are one trail, held against a checkpoint of any of them", async () => {
    const lines = [...archives.flat(), ...rest];
    for (const known of [undefined, checkpointAt(10).note, checkpointAt(20).note, checkpointAt(30).note])
      expect(await check(lines, known)).toMatchObject({ isWhole: true, from: 0, entries: 30, erased: 0 });
    expect(await check(lines.slice(archives[0]?.length))).toMatchObject({
      isWhole: true,
      from: 10,
      entries: 20,
    });
  });

  test("break where one is missing, not whole, in the wrong place, or of another trail", async () => {
    const [first = [], second = []] = archives;
    for (const [lines, kind, at] of [
      [[...first, ...rest], "not_continued", 10],
      [[...first.slice(0, -3), ...second], "cut_off", 8],
      [[...second, ...first], "not_continued", 20],
      [[...first, ...first], "not_continued", 10],
      [[...first, second[0]?.replaceAll(origin, "other.example/audit") ?? ""], "key_missing", 10],
      [[...first, ...(await trailOf({ from: 10, bodies: { 4: bodyAt(5) } }))], "not_continued", 10],
    ] as const)
      expect((await check(lines)).broken).toMatchObject({ kind, at });
  });
});

describe("a trail breaks where", () => {
  test("an entry was changed", async () => {
    const changed = trail.with(entryAt(7), lineAt(7).replace("acc_7", "acc_8"));
    expect((await check(changed)).broken).toMatchObject({ kind: "entry_changed", at: 7 });
  });

  test("an entry was changed and its hash made to fit: at the next checkpoint", async () => {
    const changed = trail.with(entryAt(17), forged(17, { ...bodyAt(17), actor: "acc_8" }));
    const { broken } = await check(changed);
    expect(broken).toMatchObject({ kind: "root_differs", at: 20 });
    expect(broken?.problem).toContain("The entries 10 to 19");
  });

  test("entries were left out", async () => {
    const { broken } = await check(trail.toSpliced(entryAt(12), 3));
    expect(broken).toMatchObject({ kind: "entry_missing", at: 12 });
    expect(broken?.problem).toContain("Entries 12 to 14 are missing");
    expect((await check(trail.toSpliced(entryAt(9), 1))).broken).toMatchObject({
      kind: "entry_missing",
      at: 9,
    });
  });

  test("two entries were exchanged, lines or contents", async () => {
    const [a, b] = [entryAt(3), entryAt(24)];
    const lines = trail.with(a, lineAt(24)).with(b, lineAt(3));
    expect((await check(lines)).broken).toMatchObject({ kind: "order_changed", at: 3 });
    const contents = trail
      .with(a, lineAt(24).replace('"index":24', '"index":3'))
      .with(b, lineAt(3).replace('"index":3', '"index":24'));
    const { broken } = await check(contents);
    expect(broken).toMatchObject({ kind: "order_changed", at: 3 });
    expect(broken?.problem).toContain("what was entry 24");
  });

  test("an entry stands twice", async () => {
    const twice = trail.toSpliced(entryAt(5), 0, lineAt(4));
    expect((await check(twice)).broken).toMatchObject({ kind: "order_changed", at: 5 });
  });

  test("an entry was put in at the end", async () => {
    expect((await check([...trail, forged(30, bodyAt(30))])).broken).toMatchObject({
      kind: "cut_off",
      at: 30,
    });
  });

  test("its end was cut off, whatever was cut with it", async () => {
    const cut = trail.slice(0, entryAt(20));
    expect((await check(cut)).broken).toMatchObject({ kind: "cut_off", at: 20 });
    const header = trail[0]?.replace('"to":29,"size":30', '"to":19,"size":20') ?? "";
    const covered = cut.with(0, header);
    expect((await check(covered)).isWhole).toBe(true); // nothing shows it but what was kept
    expect((await check(covered, checkpointAt(30).note)).broken).toMatchObject({ kind: "cut_off", at: 20 });
    expect((await check(covered.slice(0, -1))).broken).toMatchObject({ kind: "cut_off", at: 10 });
    expect((await check([])).isWhole).toBe(false);
  });

  test("a checkpoint was changed or is of another key", async () => {
    const { line } = checkpointAt(20);
    const changed = trail.with(line, (trail[line] ?? "").replace("\\n20\\n", "\\n21\\n"));
    expect((await check(changed)).broken).toMatchObject({ kind: "signature_wrong", at: 20 });
    const others = await trailOf({ signer: generateKeyPairSync("ed25519").privateKey });
    expect((await check(others)).broken).toMatchObject({ kind: "signature_wrong", at: 10 });
    expect((await check(others.filter((text) => !text.includes("checkpoint")))).isWhole).toBe(false);
  });

  test("a checkpoint was moved", async () => {
    const { line } = checkpointAt(10);
    const text = trail[line] ?? "";
    const earlier = trail.toSpliced(line, 1).toSpliced(entryAt(5), 0, text);
    expect((await check(earlier)).broken).toMatchObject({ kind: "entry_missing", at: 5 });
    const later = trail.toSpliced(entryAt(15), 0, text);
    expect((await check(later)).broken).toMatchObject({ kind: "order_changed", at: 15 });
  });

  test("it was written anew by whoever has the key, against a checkpoint that was kept", async () => {
    const anew = await trailOf({ bodies: { 4: { ...bodyAt(4), actor: "acc_nobody" } } });
    expect((await check(anew)).isWhole).toBe(true);
    expect((await check(anew, checkpointAt(20).note)).broken).toMatchObject({
      kind: "not_continued",
      at: 20,
    });
    const part = await trailOf({ from: 20, bodies: { 4: { ...bodyAt(4), actor: "acc_nobody" } } });
    expect((await check(part, checkpointAt(20).note)).broken).toMatchObject({
      kind: "not_continued",
      at: 20,
    });
  });

  test("what was kept is no checkpoint of it", async () => {
    for (const known of ["", "a note", checkpointAt(20).note.replace("\n20\n", "\n19\n")])
      expect((await check(trail, known)).broken).toMatchObject({ kind: "signature_wrong", at: 0 });
  });

  test("it is another trail than the key's, or there is no key", async () => {
    const other = { ...verifier, name: "other.example/audit" };
    expect((await verifyTrail(trail, { verifier: other })).broken).toMatchObject({ kind: "key_missing" });
    expect((await verifyTrail(trail.slice(1))).broken).toMatchObject({ kind: "key_missing" });
  });

  test("the frontier that a part begins with is not what came before", async () => {
    const part = await trailOf({ from: 10 });
    const header = JSON.parse(part[0] ?? "");
    header.trail.frontier[0] = Buffer.alloc(32, 1).toString("base64");
    const { broken } = await check(part.with(0, JSON.stringify(header)));
    expect(broken).toMatchObject({ kind: "root_differs", at: 20 });
  });

  test.each([
    ["is no JSON", () => "{"],
    ["has a name twice", (line: string) => line.replace('"actor":', '"actor":"acc_9","actor":')],
    ["has a field that is not hashed", (line: string) => line.replace('"index"', '"seen":true,"index"')],
    ["has another field in the body", (line: string) => line.replace('"kind"', '"extra":[],"kind"')],
    ["has a salt of another length", (line: string) => line.replace(/"salt":"[^"]+"/, '"salt":"AAAA"')],
    ["has a hash of another length", (line: string) => line.replace(/"leaf":"[^"]+"/, '"leaf":"AAAA"')],
  ])("a line %s", async (_, change) => {
    const { broken } = await check(trail.with(entryAt(7), change(lineAt(7))));
    expect(broken).toMatchObject({ kind: "line_unreadable", at: 7 });
  });
});

describe("what is erased", () => {
  const archived = (to: number): EntryBody => ({
    ...bodyAt(29),
    kind: "audit_archived",
    details: { from: 0, to },
  });

  test("leaves the trail whole when an entry accounts for it, and is counted", async () => {
    const all = await trailOf({ erase: [0, 1, 2, 3], bodies: { 29: archived(3) } });
    expect(await check(all)).toMatchObject({ isWhole: true, erased: 4, unrecorded: 0 });
  });

  test("breaks the trail when no entry says so: whoever has the database could hide what he did", async () => {
    const silent = await trailOf({ erase: [3, 4, 5], bodies: { 29: archived(3) } });
    expect((await check(silent)).broken).toMatchObject({ kind: "erasure_unrecorded", at: 4 });
    expect(await check(silent)).toMatchObject({ erased: 3, unrecorded: 2 });
  });

  test("is accounted for by no entry before it, and by none that says nothing", async () => {
    const early = { ...archived(25), details: { from: 0, to: 25 } };
    const before = await trailOf({ erase: [20], bodies: { 10: early } });
    expect((await check(before)).broken).toMatchObject({ kind: "erasure_unrecorded", at: 20 });
    const empty = await trailOf({ erase: [0], bodies: { 29: { ...archived(0), details: {} } } });
    expect((await check(empty)).broken).toMatchObject({ kind: "erasure_unrecorded", at: 0 });
  });

  test("is only counted in a part, which ends before what accounts for it", async () => {
    const part = await trailOf({ to: 19, erase: [5], bodies: { 29: archived(5) } });
    expect(await check(part)).toMatchObject({ isWhole: true, erased: 1, unrecorded: 1 });
  });
});

test("any lines at all are answered with a report", async () => {
  const lines = fc.array(fc.oneof(fc.string(), fc.json(), fc.constantFrom(...trail)), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(lines, async (list) => {
      const { isWhole, broken } = await check(list);
      expect(isWhole).toBe(broken === undefined);
    }),
  );
});

test("no change of one character is overlooked, but in what only this file says of itself", async () => {
  const text = trail.slice(1).join("\n");
  await fc.assert(
    fc.asyncProperty(fc.nat(text.length - 1), fc.constantFrom(...'aZ09+/"{}\n'), async (at, character) => {
      fc.pre(text[at] !== character);
      const changed = `${trail[0]}\n${text.slice(0, at)}${character}${text.slice(at + 1)}`;
      expect((await check(changed.split("\n"))).isWhole).toBe(false);
    }),
    { numRuns: 300 },
  );
});

test("JSON has one form, whatever order its names came in", () => {
  expect(canonicalJson({ b: [1, { d: "é\n", c: null }], a: -0, "10": true, "9": undefined })).toBe(
    '{"10":true,"a":0,"b":[1,{"c":null,"d":"é\\n"}]}',
  );
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(canonicalJson(JSON.parse(canonicalJson(value)))).toBe(canonicalJson(value));
    }),
  );
});

test("a line reads back as what was written", () => {
  for (const line of trail) expect(JSON.stringify(parseTrailLine(line))).toBe(line);
});
