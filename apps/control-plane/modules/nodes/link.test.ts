import { randomBytes } from "node:crypto";
import { encodeFigures, encodeSettled } from "@securewave/contracts/node-frames";
import { type AgentFrame, REFUSALS } from "@securewave/contracts/node-protocol";
import { eventually } from "@securewave/testing/eventually";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { afterAll, describe, expect, test } from "vitest";
import {
  codeOf,
  connectNode,
  createFakeNode,
  type FakeNode,
  joinNode,
  openAgentSocket,
  openTestApp,
  useJoinToken,
} from "../../testing.ts";

const service = await openTestApp();
afterAll(() => service.close());

/** What a node is told before its peers. */
const INTRODUCTION = ["release", "interface", "tiers", "restrict"];

async function show(node: FakeNode) {
  return (await service.admin()).client.nodes.show({ params: { id: node.identity.id } });
}

async function stateBecomes(node: FakeNode, state: string): Promise<void> {
  await eventually(async () => expect((await show(node)).state).toBe(state), { everyMs: 10 });
}

/** A customer with a device on the node, which has it. */
async function addDevice(node: FakeNode, name = "Phone") {
  const person = await service.person();
  const device = await person.client.devices.create({ body: { name, server_id: node.identity.id } });
  await node.holds(device.public_key);
  const revoke = () => person.client.devices.revoke({ params: { id: device.id } });
  return { person, device, key: device.public_key, revoke };
}

describe("following its desired state", () => {
  test("a new node is told its interface and the whole state, and is healthy when it says that it holds it", async () => {
    const node = await connectNode(service);
    expect(node.frames().slice(0, 5)).toMatchObject([
      { type: "release", agent_version: "0.0.0-test" },
      {
        type: "interface",
        interface: { addresses: ["10.8.0.1/16", "fd5e:c0de:8::1/64"], listen_port: 51820, mtu: 1420 },
      },
      { type: "tiers", speeds: [] },
      { type: "restrict", peers: [] },
      { type: "snapshot", revision: 0, peers: [] },
    ]);
    await stateBecomes(node, "healthy");
    expect(await show(node)).toMatchObject({
      agent_version: "0.0.0-test",
      problem: null,
      applied_revision: 0,
    });
  });

  test("each change is pushed as what changed, in order, and the device is ready when it is applied", async () => {
    const node = await connectNode(service);
    const { key, person, device, revoke } = await addDevice(node);
    await eventually(async () => {
      const { connection } = await person.client.devices.show({ params: { id: device.id } });
      expect(connection).toMatchObject({ ready: true, connected: false });
    });
    const startedMs = performance.now();
    await revoke();
    await node.lacks(key);
    expect(performance.now() - startedMs).toBeLessThan(1000);
    const changes = node.frames().filter(({ type }) => type === "change");
    expect(changes).toMatchObject([
      { type: "change", from: 0, to: 1, upserts: [{ public_key: key }], removals: [] },
      { type: "change", from: 1, to: 2, upserts: [], removals: [key] },
    ]);
    expect(await show(node)).toMatchObject({ revision: 2, devices: 0 });
  });

  test("after a hundred changes at once a node holds exactly what it should", async () => {
    const node = await connectNode(service);
    const people = await Promise.all(Array.from({ length: 20 }, () => service.person()));
    const held = await Promise.all(
      people.map(async ({ client }) => {
        const devices = await Promise.all(
          [1, 2, 3, 4].map((index) =>
            client.devices.create({ body: { name: `D${index}`, server_id: node.identity.id } }),
          ),
        );
        await client.devices.revoke({ params: { id: devices[0]?.id ?? "" } });
        return devices.slice(1).map(({ public_key }) => public_key);
      }),
    );
    await eventually(() => expect(node.revision()).toBe(100));
    expect(Array.from(node.peers, ({ publicKey }) => String(publicKey)).sort()).toEqual(held.flat().sort());
    expect(node.frames().filter(({ type }) => type === "snapshot")).toHaveLength(1);
  });

  test("a node that was away catches up by what it missed", async () => {
    const node = await connectNode(service);
    const before = await addDevice(node);
    const other = await addDevice(node);
    await node.disconnect();
    await before.revoke();
    await other.person.client.devices.change({ params: { id: other.device.id }, body: { name: "New name" } });
    await node.connect();
    await node.lacks(before.key);
    expect(node.frames().map(({ type }) => type)).toEqual([...INTRODUCTION, "change"]);
    expect(node.peers.size).toBe(1);
    await node.disconnect();
    await node.connect();
    await stateBecomes(node, "healthy");
    const change = node.frames().at(-1);
    expect(change, "nothing was missed").toMatchObject({
      type: "change",
      from: 3,
      to: 3,
      upserts: [],
      removals: [],
    });
  });

  test("one whose removals were forgotten meanwhile, or that knows nothing, gets the whole state", async () => {
    const node = await connectNode(service);
    const [one, two, three] = [await addDevice(node), await addDevice(node), await addDevice(node)];
    await eventually(async () => expect((await show(node)).applied_revision).toBe(3));
    await service.app.nodes.prune();
    await node.disconnect();
    await one.revoke();
    // As if it had been seen by a newer connection whose state this one never had.
    await service.database.pool.query("update nodes set pruned_revision = revision where id = $1", [
      node.identity.id,
    ]);
    await service.database.pool.query("delete from peers where is_removed and node_id = $1", [
      node.identity.id,
    ]);
    await node.connect();
    await node.lacks(one.key);
    expect(node.frames().map(({ type }) => type)).toEqual([...INTRODUCTION, "snapshot"]);
    expect(Array.from(node.peers, ({ publicKey }) => publicKey).sort()).toEqual([two.key, three.key].sort());

    const reinstalled = createFakeNode(service, node.identity);
    await reinstalled.connect();
    await reinstalled.holds(two.key);
    expect(reinstalled.peers.hash()).toBe(node.peers.hash());
  });

  test("a change made in the very moment of connecting is not lost", async () => {
    const node = await connectNode(service);
    const person = await service.person();
    await person.client.devices.create({ body: { name: "D", server_id: node.identity.id } });
    for (let round = 0; round < 10; round++) {
      const act = round % 2 ? "on" : "off";
      const admin = await service.admin();
      const change = admin.client.accounts.change({
        params: { id: person.id },
        body: { state: act === "on" ? "active" : "suspended" },
      });
      await Promise.all([node.connect(), change]);
      await eventually(async () => expect(node.peers.size).toBe(act === "on" ? 1 : 0));
    }
  });

  test("the clean-up forgets removals that the node has applied, and no others", async () => {
    const node = await connectNode(service);
    const [one, two] = [await addDevice(node), await addDevice(node)];
    await one.revoke();
    await node.lacks(one.key);
    await eventually(async () => expect((await show(node)).applied_revision).toBe(3));
    await node.disconnect();
    await two.revoke();
    await service.app.nodes.prune();
    const left = async () => {
      const { rows } = await service.database.pool.query("select public_key from peers where node_id = $1", [
        node.identity.id,
      ]);
      return rows.map(({ public_key }) => public_key).sort();
    };
    expect(await left(), "the node is away, so nothing is known").toEqual([one.key, two.key].sort());
    await node.connect();
    await eventually(async () => expect((await show(node)).applied_revision).toBe(4));
    await service.app.nodes.prune();
    expect(await left()).toEqual([]);
  });
});

describe("lies", () => {
  test("a node that claims a revision it was never sent is cut off, and its device is not called ready", async () => {
    const node = await connectNode(service);
    await addDevice(node);
    await node.connect({ answer: () => undefined });
    node.send({ type: "applied", revision: 1_000_000, hash: node.peers.hash(), failed: [] });
    expect(await node.ended()).toMatchObject({ code: 1008, reason: "nodes.bad_frame" });
    await stateBecomes(node, "offline");
  });

  test("a revision claimed while connecting counts for nothing, now and for the clean-up", async () => {
    const node = await connectNode(service);
    const { person, device } = await addDevice(node);
    await node.disconnect();
    await node.connect({ claim: { revision: Number.MAX_SAFE_INTEGER }, answer: () => undefined });
    await eventually(() => expect(node.frames().at(-1)).toMatchObject({ type: "snapshot", revision: 1 }));
    const { connection } = await person.client.devices.show({ params: { id: device.id } });
    expect(connection.ready).toBe(false);
    await service.app.nodes.prune();
    const { rows } = await service.database.pool.query("select pruned_revision from nodes where id = $1", [
      node.identity.id,
    ]);
    expect(rows[0].pruned_revision).toBe(0);
    await node.connect({ claim: { revision: 1, hash: "f".repeat(64) }, answer: () => undefined });
    expect((await person.client.devices.show({ params: { id: device.id } })).connection.ready).toBe(false);
  });

  test("a node whose hash is wrong is sent the whole; when that does not help it takes no devices and says why", async () => {
    const node = await connectNode(service);
    const { person } = await addDevice(node);
    await node.connect({ answer: (honest) => ({ ...honest, hash: "0".repeat(64) }) });
    await eventually(async () => expect((await show(node)).problem).toContain("Restart its agent"));
    await stateBecomes(node, "degraded");
    const snapshots = () => node.frames().filter(({ type }) => type === "snapshot").length;
    expect(snapshots()).toBe(3);
    const add = person.client.devices.create({ body: { name: "Other", server_id: node.identity.id } });
    expect(await codeOf(add)).toBe("devices.server_unavailable");
    await node.connect();
    await stateBecomes(node, "healthy");
  });

  test("a node that has not said that it holds its state takes no devices", async () => {
    const node = await connectNode(service);
    const { person } = await addDevice(node);
    await node.connect({ answer: () => undefined });
    await stateBecomes(node, "degraded");
    expect((await show(node)).problem).toContain("being brought");
    const add = person.client.devices.create({ body: { name: "Other", server_id: node.identity.id } });
    expect(await codeOf(add)).toBe("devices.server_unavailable");
    await node.connect();
    await stateBecomes(node, "healthy");
  });

  test("devices that could not be applied make the node degraded, until they are", async () => {
    const node = await connectNode(service);
    await node.connect({
      answer: (honest) => ({ ...honest, failed: Array.from(node.peers, ({ publicKey }) => publicKey) }),
    });
    await stateBecomes(node, "healthy");
    const { revoke } = await addDevice(node);
    await stateBecomes(node, "degraded");
    expect((await show(node)).problem).toContain("1 devices could not be applied");
    await revoke();
    await stateBecomes(node, "healthy");
  });

  test.each([
    ["no JSON", "{"],
    ["another type", JSON.stringify({ type: "snapshot", revision: 1, peers: [] })],
    [
      "a second proof",
      JSON.stringify({
        type: "proof",
        signature: "A".repeat(86),
        revision: 1,
        hash: "0".repeat(64),
        agent_version: "",
        implementation: "kernel",
      }),
    ],
    ["slots of another roster", JSON.stringify({ type: "slots", number: 4_000, peers: [] })],
    [
      "a roster without what is settled",
      JSON.stringify({
        type: "roster",
        incarnation: "A".repeat(22),
        number: 9,
        batch: 0,
        peers: [generateKeyPair().publicKey],
        settled: "",
      }),
    ],
    ["figures cut short", randomFigures().subarray(0, -1)],
    ["a prototype", '{"type":"resync","reason":"x","__proto__":{"admin":true}}'],
    ["a binary frame", randomBytes(64)],
  ])("%s ends the connection, and the node may come back", async (_, content) => {
    const node = await connectNode(service);
    node.socket().send(content);
    expect(await node.ended()).toMatchObject({ code: 1008 });
    await stateBecomes(node, "offline");
    await node.connect();
    await stateBecomes(node, "healthy");
  });

  test("a frame above the limit ends the connection and nothing else", async () => {
    const node = await connectNode(service);
    node.socket().send("x".repeat(25 * 1024 * 1024));
    expect((await node.ended()).code).toBe(1009);
    await node.connect();
    await stateBecomes(node, "healthy");
  });

  test("what was said before counts for nothing when it is said again", async () => {
    const node = await connectNode(service);
    const { key, revoke } = await addDevice(node);
    node.report([{ public_key: key, received_bytes: 5, sent_bytes: 5 }]);
    const applied = (revision: number, hash: string): AgentFrame => ({
      type: "applied",
      revision,
      hash,
      failed: [],
    });
    const before = applied(1, node.peers.hash());
    await revoke();
    await node.lacks(key);
    await eventually(async () => expect((await show(node)).applied_revision).toBe(2));
    node.send(before);
    await eventually(async () => expect((await show(node)).applied_revision).toBe(1));
    node.send(applied(2, node.peers.hash()));
    await eventually(async () => expect((await show(node)).applied_revision).toBe(2));

    const none = new Float64Array(0);
    const { incarnation } = node.counting();
    const settled = encodeSettled({ received: none, sent: none });
    node.send({ type: "roster", incarnation, number: 0, batch: 0, peers: [], settled });
    node.report([{ public_key: key, received_bytes: 6, sent_bytes: 6 }], "I have said it");
    await stateBecomes(node, "degraded");
    expect(await show(node)).toMatchObject({ quarantined: false });
    await node.connect();
    await stateBecomes(node, "healthy");
  });

  test("no clock matters: neither the service's, which jumps, nor the node's, which is never asked", async () => {
    const own = await openTestApp();
    const node = await connectNode(own);
    for (const days of [400, -800, 400]) {
      own.clock.advanceSeconds(days * 86_400);
      await node.connect({ claim: { revision: node.revision() } });
      await eventually(() =>
        expect(node.frames().at(-1)).toMatchObject({ type: "change", from: 0, to: 0, upserts: [] }),
      );
    }
    const admin = await own.admin();
    expect(await admin.client.nodes.show({ params: { id: node.identity.id } })).toMatchObject({
      state: "healthy",
    });
    await own.close();
  });

  test("a node that reports peers of another node makes nobody connected", async () => {
    const [node, liar] = [await connectNode(service), await connectNode(service)];
    const { person, device, key } = await addDevice(node);
    liar.report([{ public_key: key, received_bytes: 5, sent_bytes: 5 }], "seen");
    await stateBecomes(liar, "degraded");
    expect((await person.client.devices.show({ params: { id: device.id } })).connection.connected).toBe(
      false,
    );
    node.report([{ public_key: key }], "seen");
    await stateBecomes(node, "degraded");
    expect((await person.client.devices.show({ params: { id: device.id } })).connection.connected).toBe(true);
    liar.report([]);
    await stateBecomes(liar, "healthy");
    expect((await person.client.devices.show({ params: { id: device.id } })).connection.connected).toBe(true);
  });

  test("a node that asks for the whole state over and over is not sent it without bounds", async () => {
    const node = await connectNode(service, { answer: () => undefined });
    const person = await service.person();
    for (let time = 0; time < 200; time++) node.send({ type: "resync", reason: "again" });
    node.report([], "I have asked");
    await stateBecomes(node, "degraded");
    expect(node.frames().filter(({ type }) => type === "snapshot").length).toBeLessThan(5);
    expect(await codeOf(person.client.servers.list())).toBe("ok");
  });
});

describe("connections that end", () => {
  test("a second connection of the same node replaces the first, whose words count no more", async () => {
    const node = await connectNode(service);
    const { person, device, key } = await addDevice(node);
    const former = node.socket();
    const formerEnded = node.ended();
    former.pause(); // it does not see that it was replaced
    const twin = createFakeNode(service, node.identity);
    await twin.connect();
    await twin.holds(key);
    await stateBecomes(twin, "healthy");
    former.send(JSON.stringify({ type: "slots", number: 2, peers: [key] }));
    former.send(randomFigures());
    former.send(JSON.stringify({ type: "condition", problem: "I am the real one" }));
    former.send("rubbish");
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await show(twin)).toMatchObject({ state: "healthy", problem: null });
    expect((await person.client.devices.show({ params: { id: device.id } })).connection.connected).toBe(
      false,
    );
    former.resume();
    expect(await formerEnded).toMatchObject({ code: 1008, reason: "replaced" });
    await stateBecomes(twin, "healthy");
  });

  test("a node that is gone before its state was read is not called healthy", async () => {
    const own = await openTestApp();
    const node = createFakeNode(own, await joinNode(own));
    const locker = await own.database.pool.connect();
    await locker.query("begin; lock table peers in access exclusive mode");
    const connecting = node.connect().catch(() => undefined);
    await eventually(async () => {
      const { rows } = await locker.query(
        "select from pg_locks where not granted and relation = 'peers'::regclass",
      );
      expect(rows).toHaveLength(1);
    });
    node.socket().terminate();
    await node.ended();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await locker.query("commit");
    await new Promise((resolve) => setTimeout(resolve, 100));
    const admin = await own.admin();
    expect(await admin.client.nodes.show({ params: { id: node.identity.id } })).toMatchObject({
      state: "offline",
    });
    await node.connect();
    await connecting;
    locker.release();
    await own.close();
  });

  test("a node that holds devices cannot be removed; an empty one can, and is cut off at once", async () => {
    const admin = await service.admin();
    const node = await connectNode(service);
    const { revoke } = await addDevice(node);
    const params = { id: node.identity.id };
    expect(await codeOf(admin.client.nodes.remove({ params }))).toBe("nodes.not_empty");
    await revoke();
    await admin.client.nodes.remove({ params });
    expect(await node.ended()).toMatchObject({ code: 1008, reason: REFUSALS.removed });
    expect(node.frames().at(-1)).toMatchObject({ type: "refused", code: REFUSALS.removed });
    await expect(node.connect()).rejects.toThrow(REFUSALS.removed);
    expect(await node.ended()).toMatchObject({ code: 1008, reason: REFUSALS.removed });
  });

  test("a node that joins anew ends the connection of its former credential", async () => {
    const admin = await service.admin();
    const node = await connectNode(service);
    const { key } = await addDevice(node);
    const { join_token } = await admin.client.nodes.renewJoinToken({ params: { id: node.identity.id } });
    expect(node.socket().readyState).toBe(node.socket().OPEN);
    const renewed = createFakeNode(service, await useJoinToken(service, join_token));
    expect(await node.ended()).toMatchObject({ code: 1008, reason: "replaced" });
    await renewed.connect();
    await renewed.holds(key);
    await stateBecomes(renewed, "healthy");
  });

  test("a node that says it cannot serve is degraded until it can", async () => {
    const node = await connectNode(service);
    node.report([], "There is no tun device.");
    await stateBecomes(node, "degraded");
    expect((await show(node)).problem).toBe("There is no tun device.");
    node.report([]);
    await stateBecomes(node, "healthy");
  });

  test("the service stops within seconds, also with a node that does not answer", async () => {
    const own = await openTestApp();
    const [node, deaf] = [await connectNode(own), await connectNode(own)];
    deaf.socket().pause();
    const silent = await openAgentSocket(own);
    silent.pause();
    const startedMs = performance.now();
    await own.close();
    expect(performance.now() - startedMs).toBeLessThan(20_000); // the WebSocket itself would wait for 30 s
    expect(await node.ended()).toMatchObject({ code: 1001 });
    deaf.socket().terminate();
    silent.terminate();
  });
});

/** A report of one slot. */
function randomFigures(): Uint8Array {
  const [received, sent] = [new Float64Array([5]), new Float64Array([7])];
  return encodeFigures({ kind: "report", roster: 2, sequence: 1, received, sent, ages: new Uint8Array([1]) });
}
