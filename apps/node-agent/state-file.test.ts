import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDir } from "@securewave/testing/temporary";
import { afterAll, expect, test, vi } from "vitest";
import { parsePeerSpec } from "./peer-spec.ts";
import { createStateFile, type SavedState } from "./state-file.ts";
import { NODE_ID, peerSpec, TEST_INTERFACE } from "./testing-plane.ts";

const dir = temporaryDir("node-agent");
afterAll(dir.remove);

const state: SavedState = {
  revision: 5,
  interface: TEST_INTERFACE,
  hash: "0".repeat(64),
  speeds: [{ tier: 1, kbit_per_second: 10_000 }],
  peers: Array.from({ length: 1200 }, (_, key) => parsePeerSpec(peerSpec(key, { presharedKey: key }))).filter(
    (peer) => peer !== undefined,
  ),
  tiers: new Map([1, 2, 900].map((key) => [parsedKey(key), key])),
};

function parsedKey(key: number) {
  const peer = parsePeerSpec(peerSpec(key));
  if (peer === undefined) throw new Error("a test peer is a usable one");
  return peer.publicKey;
}

function openFile(name: string, nodeId = NODE_ID) {
  const path = join(dir.path, "folder", name);
  return { path, file: createStateFile({ path, nodeId, onError: () => expect.unreachable() }) };
}

test("what was saved is read back, by this node only, from a file that nobody else can read", async () => {
  const { path, file } = openFile("sw0.json");
  expect(await file.read()).toBeUndefined();
  file.save(() => state);
  await file.flush();
  expect(await openFile("sw0.json").file.read()).toEqual(state);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(dir.path, "folder")).mode & 0o777).toBe(0o700);
  expect(await openFile("sw0.json", `node_${"1".repeat(20)}`).file.read()).toBe("bad");
});

test("many saves make one write, a second later, of the newest state", async () => {
  const { file } = openFile("sw1.json");
  let writes = 0;
  for (let revision = 0; revision < 50; revision++) {
    file.save(() => {
      writes++;
      return { ...state, revision };
    });
  }
  expect(writes).toBe(0);
  await vi.waitFor(
    async () => expect(await openFile("sw1.json").file.read()).toMatchObject({ revision: 49 }),
    {
      timeout: 5000,
      interval: 100,
    },
  );
  expect(writes).toBe(1);
});

test("what an agent saved that knew of no tiers is read as peers without one, of no revision: it asks for the whole", async () => {
  const { path, file } = openFile("sw3.json");
  file.save(() => state);
  await file.flush();
  const { speeds: _, ...saved } = JSON.parse(readFileSync(path, "utf8"));
  const peers = saved.peers.map(({ tier: __, ...peer }: { tier: number }) => peer);
  writeFileSync(path, JSON.stringify({ ...saved, peers }));
  const { speeds: ___, ...rest } = state;
  expect(await openFile("sw3.json").file.read()).toEqual({ ...rest, revision: null, tiers: new Map() });
});

test("a damaged file is set aside and not trusted", async () => {
  const { path, file } = openFile("sw2.json");
  file.save(() => state);
  await file.flush();
  const whole = readFileSync(path, "utf8");
  for (const text of ["", whole.slice(0, -40), whole.replace('"format":1', '"format":2'), "[]", "\0"]) {
    writeFileSync(path, text);
    expect(await openFile("sw2.json").file.read()).toBe("bad");
    expect(readFileSync(`${path}.bad`, "utf8")).toBe(text);
    expect(await openFile("sw2.json").file.read()).toBeUndefined();
  }
});
