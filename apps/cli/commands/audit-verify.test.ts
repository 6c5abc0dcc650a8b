import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createFakeTrail, type FakeTrail, fillTrail } from "../testing/fake-audit.ts";
import { createHome, type Home, type RunOptions } from "../testing/terminal.ts";

let home: Home;
let trail: FakeTrail;
let lines: string[];

const inHome = (name: string) => join(home.dir, name);

/** 31 entries, signed after 10, 20, 30 and 31; nothing listens at the address of the service. */
beforeEach(async () => {
  home = await createHome("http://127.0.0.1:9");
  trail = fillTrail(createFakeTrail());
  trail.sign();
  lines = (await trail.text()).trimEnd().split("\n");
  await writeFile(inHome("trail.jsonl.vkey"), `${trail.verifierKey}\n`);
});
afterEach(() => home.remove());

async function verify(text: string | Buffer, more: readonly string[] = [], options?: RunOptions) {
  await writeFile(inHome("trail.jsonl"), text);
  return home.run(["audit", "verify", inHome("trail.jsonl"), ...more], options);
}
const textOf = (list: readonly string[]) => `${list.join("\n")}\n`;
const verifyLines = (list: readonly string[], more?: readonly string[]) => verify(textOf(list), more);
const lineOf = (index: number) => lines.findIndex((line) => line.startsWith(`{"entry":{"index":${index},`));

/** The file up to a checkpoint, as it would have been exported then. */
async function exportOf(count: number): Promise<string> {
  const { size: _, ...rest } = JSON.parse(lines[0] ?? "").trail;
  const header = JSON.stringify({
    trail: { origin: rest.origin, key: rest.key, from: 0, to: count - 1, size: count, frontier: [] },
  });
  const end = lines.findIndex((line) => line.includes(`audit\\n${count}\\n`));
  const path = inHome(`after-${count}.jsonl`);
  await writeFile(path, textOf([header, ...lines.slice(1, end + 1)]));
  return path;
}

describe("a trail that nobody touched", () => {
  test("is whole, and it is told what it holds", async () => {
    const { stdout, stderr, code } = await verifyLines(lines);
    expect(stdout).toContain("The trail is whole");
    expect(stdout).toMatch(/^Entries +31 \(0 to 30\)$/m);
    expect(stdout).toMatch(/^Time +2026-11-18 to 2026-11-20T11:30:05Z$/m);
    expect(stdout).toMatch(/^Checkpoints +4 checked, the last over 31 entries$/m);
    const root = trail.sign().note.split("\n")[2] ?? "";
    expect(stdout).toMatch(/^Tree root +(\S+)$/m);
    expect(stdout).toContain(root);
    expect(stdout).toContain(trail.verifierKey);
    expect([stderr, code]).toEqual(["", 0]);
  });

  test("is told of in JSON", async () => {
    const ran = await verifyLines(lines, ["--json"]);
    expect(ran.json()).toEqual({
      files: [inHome("trail.jsonl")],
      whole: true,
      origin: "vpn.example.org/audit",
      from: 0,
      entries: 31,
      erased: 0,
      unrecorded: 0,
      checkpoints: 4,
      size: 31,
      root: trail.sign().note.split("\n")[2],
      first_time: "2026-11-18",
      last_time: "2026-11-20T11:30:05Z",
      broken: null,
      key: trail.verifierKey,
      continues: null,
    });
    expect([ran.stderr, ran.code]).toEqual(["", 0]);
  });

  test("is verified with a key from another file, or from the line itself", async () => {
    await writeFile(inHome("kept"), trail.verifierKey);
    await writeFile(inHome("trail.jsonl.vkey"), createFakeTrail().verifierKey);
    expect((await verifyLines(lines)).code).toBe(1);
    expect((await verifyLines(lines, ["--key", inHome("kept")])).code).toBe(0);
    expect((await verifyLines(lines, ["--key", trail.verifierKey])).code).toBe(0);
  });

  test("is verified without a log-in that can be read, or an address of a service", async () => {
    const env = { XDG_CONFIG_HOME: "/dev/null", SECUREWAVE_URL: "nowhere" };
    expect((await verify(textOf(lines), [], { env })).code).toBe(0);
  });

  test("is whole with what was archived, and its hashes are told to be left", async () => {
    for (const index of [0, 1, 2]) trail.erase(index);
    trail.record("audit_archived", { details: { from: 0, to: 2 } });
    trail.sign();
    const { stdout, code } = await verify(await trail.text());
    expect(stdout).toMatch(/^Archived +3, of which only the hashes are here$/m);
    expect(code).toBe(0);
  });

  test("shows on a terminal how far it is, and takes that away", async () => {
    const ran = await verify(textOf(lines), [], { terminal: 100 });
    expect(ran.stderr).toMatch(/Verifying \[#+\] 100 %.*\[2K$/s);
    expect((await verify(textOf(lines), [], { terminal: 100, env: { TERM: "dumb" } })).stderr).toBe("");
    expect((await verify(textOf(lines), ["--json"], { terminal: 100 })).stderr).toBe("");
  });
});

describe("a trail is broken, exit code 1, and it is told in which line", () => {
  test.each([
    ["a byte of an entry was changed", "entry_changed", 7],
    ["a byte of a later entry was changed", "entry_changed", 25],
  ])("when %s", async (_, kind, index) => {
    const at = lineOf(index);
    const changed = lines.with(at, (lines[at] ?? "").replace('"method":"password"', '"method":"passw0rd"'));
    const ran = await verifyLines(changed);
    expect(ran.stdout).toContain(`trail.jsonl, line ${at + 1}: Entry ${index} was changed`);
    expect(ran.code).toBe(1);
    const { broken } = Object(await (await verifyLines(changed, ["--json"])).json());
    expect(broken).toMatchObject({ kind, at: index, line: at + 1 });
  });

  test("when any one byte behind the first line was changed", async () => {
    const whole = Buffer.from(textOf(lines));
    const start = whole.indexOf("\n") + 1;
    for (let at = start; at < whole.length - 1; at += 211) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect((await verify(changed)).code).toBe(1);
    }
  });

  test.each([
    ["a line is not there", (list: string[]) => list.toSpliced(14, 1), "entry_missing", 15],
    ["lines are not there", (list: string[]) => list.toSpliced(4, 5), "entry_missing", 5],
    [
      "two lines were exchanged",
      (list: string[]) => list.with(3, list[6] ?? "").with(6, list[3] ?? ""),
      "order_changed",
      4,
    ],
    ["a line stands twice", (list: string[]) => list.toSpliced(5, 0, list[5] ?? ""), "order_changed", 7],
    ["a line was put in", (list: string[]) => list.toSpliced(5, 0, "{}"), "line_unreadable", 6],
    [
      "a checkpoint was changed",
      (list: string[]) => list.with(11, (list[11] ?? "").replace("\\n10\\n", "\\n11\\n")),
      "signature_wrong",
      12,
    ],
    ["its first line is not there", (list: string[]) => list.slice(1), "line_unreadable", 1],
    ["its first line cannot be read", (list: string[]) => list.with(0, "{"), "line_unreadable", 1],
    ["its end is not there", (list: string[]) => list.slice(0, 20), "cut_off", null],
    ["all but its first line is not there", (list: string[]) => list.slice(0, 1), "cut_off", null],
  ])("when %s", async (_, change, kind, line) => {
    const ran = await verifyLines(change(lines), ["--json"]);
    expect(ran.json()).toMatchObject({ whole: false, broken: { kind, line } });
    expect(ran.code).toBe(1);
    const { stdout } = await verifyLines(change(lines));
    expect(stdout).toContain("The trail is broken.");
    if (line !== null) expect(stdout).toContain(`, line ${line}: `);
  });

  test("also when it has empty lines, and when what is missing is missed at the end only", async () => {
    const spaced = lines.toSpliced(3, 0, "", "");
    expect((await verifyLines(spaced)).code).toBe(0);
    const changed = spaced.with(9, (spaced[9] ?? "").replace("password", "passw0rd"));
    expect((await verifyLines(changed, ["--json"])).json()).toMatchObject({ broken: { line: 10 } });
    const missing = await verifyLines(spaced.toSpliced(9, 1), ["--json"]);
    expect(missing.json()).toMatchObject({ broken: { kind: "entry_missing", line: null } });
  });

  test("when an entry was erased and none says so", async () => {
    trail.erase(5);
    expect((await verify(await trail.text())).stdout).toContain("Entry 5 is erased, and no entry says so");
  });

  test("when it is signed by another key, and both are told", async () => {
    const other = createFakeTrail();
    const ran = await verifyLines(lines, ["--key", other.verifierKey]);
    expect(ran.stdout).toContain("has no good signature");
    expect(ran.stdout).toContain(`names another key than the one that you gave: ${trail.verifierKey}`);
    expect(ran.code).toBe(1);
    const elsewhere = createFakeTrail("other.example/audit").verifierKey;
    expect((await verifyLines(lines, ["--key", elsewhere])).stdout).toContain("This is another trail");
  });

  test("and what was good before is told", async () => {
    const at = lineOf(15);
    const { stdout } = await verifyLines(lines.with(at, (lines[at] ?? "").replace("password", "totp")));
    expect(stdout).toContain("Signed and whole are the entries before 10.");
  });
});

describe("parts", () => {
  async function writeParts(...ends: number[]): Promise<string[]> {
    const paths: string[] = [];
    let from = 0;
    for (const end of ends) {
      paths.push(inHome(`${from}-${end - 1}.jsonl`));
      await writeFile(inHome(`${from}-${end - 1}.jsonl`), await trail.text(from, end));
      from = end;
    }
    return paths;
  }
  const verifyParts = (paths: readonly string[]) =>
    home.run(["audit", "verify", ...paths, "--key", trail.verifierKey, "--json"]);

  test("are whole each by itself, and it is told that they are parts", async () => {
    const [, middle = ""] = await writeParts(10, 20, 31);
    const ran = await home.run(["audit", "verify", middle, "--key", trail.verifierKey]);
    expect(ran.stdout).toContain("It is a part of a trail of 31 entries.");
    expect(ran.stdout).toMatch(/^Entries +10 \(10 to 19\)$/m);
    expect(ran.code).toBe(0);
  });

  test("that continue each other are checked as one, in whatever order they are named", async () => {
    const [first = "", middle = "", last = ""] = await writeParts(10, 20, 31);
    const ran = await verifyParts([last, first, middle]);
    expect(ran.json()).toMatchObject({ whole: true, from: 0, entries: 31, checkpoints: 4 });
    expect(ran.code).toBe(0);
    expect((await verifyParts([first, last])).json()).toMatchObject({ broken: { kind: "not_continued" } });
  });

  test("break in a line of their file", async () => {
    const [first = "", middle = "", last = ""] = await writeParts(10, 20, 31);
    await writeFile(middle, (await readFile(middle, "utf8")).replace("acc_195", "acc_196"));
    expect((await verifyParts([first, middle, last])).json()).toMatchObject({
      broken: { kind: "entry_changed", at: 15, file: middle, line: 7 },
    });
    const [, ...headless] = (await readFile(last, "utf8")).split("\n");
    await writeParts(10, 20);
    await writeFile(last, headless.join("\n"));
    const ran = await verifyParts([first, middle, last]);
    expect(ran.code).toBe(1);
    expect(ran.json()).toMatchObject({ whole: false, broken: { file: last, line: 1 } });
  });
});

describe("an earlier export or checkpoint", () => {
  test("is continued by a trail that was only appended to", async () => {
    const earlier = await exportOf(20);
    const ran = await verifyLines(lines, ["--since", earlier]);
    expect(ran.stdout).toMatch(/^Continues +the checkpoint over 20 entries$/m);
    expect(ran.code).toBe(0);
    const note: string = JSON.parse(lines.find((line) => line.includes("audit\\n10\\n")) ?? "").checkpoint;
    for (const kept of [note, `${note}\n`, JSON.stringify({ size: 10, note }, null, 2)]) {
      await writeFile(inHome("kept"), kept);
      expect((await verifyLines(lines, ["--since", inHome("kept"), "--json"])).json()).toMatchObject({
        whole: true,
        continues: 10,
      });
    }
  });

  test("shows that the end was cut off with all that told of it", async () => {
    const shorter = await readFile(await exportOf(20), "utf8");
    await writeFile(inHome("earlier.jsonl"), textOf(lines));
    expect((await verify(shorter)).code).toBe(0);
    const ran = await verify(shorter, ["--since", inHome("earlier.jsonl")]);
    expect(ran.stdout).toContain("ends after 20 entries, but there were 31");
    expect(ran.code).toBe(1);
  });

  test("of another trail, or of none, is told", async () => {
    const other = fillTrail(createFakeTrail());
    await writeFile(inHome("other.jsonl"), await other.text());
    const ran = await verifyLines(lines, ["--since", inHome("other.jsonl"), "--json"]);
    expect(ran.json()).toMatchObject({ broken: { kind: "signature_wrong", line: null } });
    await writeFile(inHome("none"), "nothing\n");
    const none = await verifyLines(lines, ["--since", inHome("none")]);
    expect(none.stderr).toContain("cli.not_a_checkpoint");
    expect(none.code).toBe(2);
    expect((await verifyLines(lines, ["--since", inHome("gone")])).stderr).toContain("cli.file_unreadable");
  });
});

describe("what cannot be verified has the exit code of wrong usage", () => {
  test.each([
    ["an empty file", ""],
    ["another text", "Dear Sir or Madam\n"],
    ["JSON of another kind", '{"trail":{}}\n{"entry":{}}\n'],
    ["bytes without a line", Buffer.alloc(3_000_000, 7)],
  ])("%s", async (_, text) => {
    const ran = await verify(text);
    expect(ran).toMatchObject({ stdout: "", code: 2 });
    expect(ran.stderr).toContain("cli.not_a_trail");
  });

  test("a file that is not there, or a folder", async () => {
    const key = ["--key", trail.verifierKey];
    for (const path of [inHome("gone.jsonl"), home.dir]) {
      const ran = await home.run(["audit", "verify", path, ...key, "--json"]);
      expect(ran).toMatchObject({ stdout: "", code: 2 });
      expect(JSON.parse(ran.stderr).error.code).toBe("cli.file_unreadable");
    }
  });

  test("no key, or a text that is none", async () => {
    await writeFile(inHome("other.jsonl"), textOf(lines));
    const missing = await home.run(["audit", "verify", inHome("other.jsonl")]);
    expect(missing.stderr).toContain("cli.key_missing");
    expect(missing.stderr).toContain("--key");
    expect(missing.code).toBe(2);
    await writeFile(inHome("no-key"), "nothing");
    expect((await verifyLines(lines, ["--key", inHome("no-key")])).stderr).toContain("cli.not_a_key");
    expect((await verifyLines(lines, ["--key", "nothing"])).code).toBe(2);
  });
});
