import { randomInt } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { ApiError } from "@securewave/contracts";
import { eventually, freeTcpPort, temporaryDir } from "@securewave/testing";
import { generateKeyPair } from "@securewave/wireguard";
import { expect, test } from "vitest";
import { killControlPlane, startControlPlane } from "./control-plane.ts";
import { openFakeNode } from "./fake-node.ts";
import { logIn, PASSWORD, type Person, setUpAdmin } from "./people.ts";
import { processesOf } from "./remains.ts";

const KILLS = 50;
const WRITERS = 4;
/** From the first acknowledged write on; a write takes a few milliseconds. */
const KILL_AFTER_MS_MAX = 120;

interface Acknowledged {
  readonly id: string;
  readonly publicKey: string;
}

test(`what was acknowledged survives ${KILLS} kills in the midst of writing`, {
  timeout: 600_000,
}, async () => {
  using dir = temporaryDir("crash");
  const port = await freeTcpPort();
  let plane = await startControlPlane({ dir: dir.path, port });
  const admin = await setUpAdmin(plane.url, plane.setupLink);
  await admin.client.service.changeSettings({ body: { devices_per_account_max: 1000 } });
  const writers = await Promise.all(
    Array.from({ length: WRITERS }, (_, number) => makeWriter(admin, plane.url, number)),
  );
  const node = await openFakeNode(admin, plane.url);
  const acknowledged = new Map<Person, Acknowledged[]>(writers.map((writer) => [writer, []]));

  for (let kill = 1; kill <= KILLS; kill++) {
    const before = count(acknowledged);
    const hasBegun = Promise.withResolvers<void>();
    const writing = writers.map((writer) =>
      writeUntilKilled(writer, acknowledged.get(writer) ?? [], hasBegun.resolve),
    );
    await hasBegun.promise;
    await pause(randomInt(KILL_AFTER_MS_MAX));
    await killControlPlane(plane);
    await Promise.all(writing);
    expect(count(acknowledged)).toBeGreaterThan(before);

    plane = await startControlPlane({ dir: dir.path, port });
    for (const [writer, devices] of acknowledged) await expectToHave(writer, devices.slice(-20));
  }
  for (const [writer, devices] of acknowledged) {
    const kept = await listAll(writer);
    // A device whose answer was lost on the way may be there too.
    expect(devices.filter(({ id, publicKey }) => kept.get(id) !== publicKey)).toEqual([]);
    expect(new Set(kept.values()).size).toBe(kept.size);
  }
  node.close();
  await plane.process.stop();
  await eventually(async () => expect(await processesOf(dir.path)).toEqual([]));
});

async function makeWriter(admin: Person, baseUrl: string, number: number): Promise<Person> {
  const email = `writer-${number}@example.org`;
  await admin.client.accounts.create({ body: { email, password: PASSWORD } });
  return logIn(baseUrl, email);
}

/** Adds devices one after the other, notes those that were acknowledged, and returns when the service is gone. */
async function writeUntilKilled(
  writer: Person,
  acknowledged: Acknowledged[],
  onFirst: () => void,
): Promise<void> {
  for (;;) {
    const { publicKey } = generateKeyPair();
    try {
      const { id } = await writer.client.devices.create({
        body: { name: publicKey.slice(0, 20), public_key: publicKey },
      });
      acknowledged.push({ id, publicKey });
      onFirst();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 0) return;
      // The node has not come back yet.
      if (error.code !== "devices.no_server") throw error;
      await pause(10);
    }
  }
}

async function expectToHave(writer: Person, devices: readonly Acknowledged[]): Promise<void> {
  const shown = await Promise.all(devices.map(({ id }) => writer.client.devices.show({ params: { id } })));
  expect(shown.map(({ public_key }) => public_key)).toEqual(devices.map(({ publicKey }) => publicKey));
}

async function listAll(writer: Person): Promise<Map<string, string>> {
  const kept = new Map<string, string>();
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await writer.client.devices.list({
      query: { limit: 100, ...(cursor !== undefined && { cursor }) },
    });
    for (const { id, public_key } of page.items) kept.set(id, public_key);
    cursor = page.next_cursor;
  }
  return kept;
}

function count(acknowledged: ReadonlyMap<Person, readonly Acknowledged[]>): number {
  return [...acknowledged.values()].reduce((total, devices) => total + devices.length, 0);
}
