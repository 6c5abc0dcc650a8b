import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Node } from "@securewave/contracts";
import { NODE_PROTOCOL_VERSION, REFUSALS } from "@securewave/contracts/node-protocol";
import { eventually, run, temporaryDir } from "@securewave/testing";
import { generateKeyPair } from "@securewave/wireguard";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { joinBareAgent } from "./bare-agent.ts";
import { commandAt } from "./cli-program.ts";
import { configOf } from "./device-config.ts";
import type { FleetClient } from "./fleet-client.ts";
import { packetsLostByMoving, packetsLostByRotating } from "./fleet-handovers.ts";
import type { FleetNode } from "./fleet-node.ts";
import { REPLICA_NAMES, type ReplicaName } from "./fleet-replicas.ts";
import {
  type FleetDevice,
  type FleetScene,
  fleetRequirements,
  isFleetPossible,
  openFleetScene,
} from "./fleet-scene.ts";
import { type NodeMachine, startClone } from "./node-agent.ts";
import { logIn, PASSWORD, type Person } from "./people.ts";

/** An agent asks again within two seconds after a first failure, and within fifteen after many. */
const RECONNECTED_WITHIN_MS = 20_000;
const EUROPE_AND_BEYOND = { one: "first", two: "second" } as const;
const PLAN = { name: "Ten", quota_bytes: null, speed_kbit_per_second: 10_000, connections_max: null };

type Both = Readonly<Record<ReplicaName, Person>>;

/** One scene, in which one thing happens after another; what takes a minute goes on beside the rest. */
describe.skipIf(!isFleetPossible)(fleetRequirements.title("a fleet"), { timeout: 120_000 }, () => {
  let scene: FleetScene;
  let ada: Both;
  let bob: Both;
  /** Ada's, on a node of Europe. */
  let laptop: FleetDevice;
  let client: FleetClient;
  /** Opens the far node's port again. */
  let openFar: () => Promise<void>;

  const nodeNamed = (name: string | undefined): FleetNode => {
    const found = Object.values(scene.nodes).find(({ node }) => node.name === name);
    if (!found) throw new Error(`there is no node ${name}`);
    return found;
  };
  const isState = (state: Node["state"]) => (node: Node) => node.state === state;
  const drain = (node: FleetNode, draining = true) =>
    scene.replicas.first.admin.client.nodes.change({ params: { id: node.node.id }, body: { draining } });

  /** A device that is added at a replica and taken away again. @returns how long its node took to have it, in ms */
  async function addAndRemove(person: Person, node: FleetNode): Promise<number> {
    const { publicKey } = generateKeyPair();
    const body = { name: "Passing", public_key: publicKey, server_id: node.node.id };
    const { id } = await person.client.devices.create({ body });
    const answeredMs = performance.now();
    await node.holds(publicKey);
    const tookMs = performance.now() - answeredMs;
    await person.client.devices.remove({ params: { id } });
    await node.lacks(publicKey);
    return tookMs;
  }

  /** Both replicas know that a device is connected, and bring another one to the same node. */
  async function isWhole(): Promise<void> {
    for (const name of REPLICA_NAMES) {
      const server = await eventually(
        async () => {
          const shown = await ada[name].client.devices.show({ params: { id: laptop.device.id } });
          expect(shown.connection).toMatchObject({ ready: true, connected: true });
          return shown.server;
        },
        { timeoutMs: RECONNECTED_WITHIN_MS },
      );
      expect(await addAndRemove(ada[name], nodeNamed(server?.name))).toBeLessThan(1000);
    }
  }

  async function withoutLoss(act: () => Promise<void>): Promise<void> {
    await using pings = await client.pings();
    await act();
    expect(pings.lostSince(0)).toBe(0);
    expect(pings.answersSince(Date.now() - 500)).toBeGreaterThan(0);
  }

  beforeAll(async () => {
    scene = await openFleetScene();
    [ada, bob] = await Promise.all([scene.addPerson("ada"), scene.addPerson("bob")]);
    laptop = await scene.addDevice(ada.first, "Laptop", scene.nodes.one);
    client = await scene.addClient(laptop.configuration);
    openFar = await scene.nodes.far.closeTunnels();
  }, 180_000);
  afterAll(() => scene?.close());

  test("a device that is added through either replica reaches its node well within a second, whichever holds the node", async ({
    annotate,
  }) => {
    const tookMs: number[] = [];
    for (const [name, holder] of Object.entries(EUROPE_AND_BEYOND)) {
      const node = scene.nodes[name as keyof typeof EUROPE_AND_BEYOND];
      expect(scene.replicas[holder].hasConnection(node.node)).toBe(true);
      for (const person of [ada.first, ada.second]) tookMs.push(await addAndRemove(person, node));
    }
    await annotate(`${tookMs.map(Math.round).join(", ")} ms after the API's answer`);
    for (const ms of tookMs) expect(ms).toBeLessThan(1000);
  });

  describe("a node whose link is dropped", () => {
    let kept: FleetDevice;
    let former: FleetDevice;
    let added: string;
    let carried: FleetClient;
    let mend: () => Promise<void>;
    let linesBefore: number;
    const newLines = () => scene.nodes.near.lines().slice(linesBefore);

    test("serves on, while what its devices are changes without it", async () => {
      const { near } = scene.nodes;
      [kept, former] = (await Promise.all(
        ["Phone", "Tablet"].map((name) => scene.addDevice(bob.first, name, near)),
      )) as [FleetDevice, FleetDevice];
      carried = await scene.addClient(kept.configuration);
      linesBefore = near.lines().length;
      mend = await near.cutOff();
      await using pings = await carried.pings();
      added = generateKeyPair().publicKey;
      const body = { name: "Late", public_key: added, server_id: near.node.id };
      await bob.second.client.devices.create({ body });
      await bob.second.client.devices.revoke({ params: { id: former.device.id } });
      await pause(2000);
      expect(await near.peers()).toContain(former.device.public_key);
      expect(await near.peers()).not.toContain(added);
      expect(pings.lostSince(0)).toBe(0);
    });

    test("holds speeds meanwhile, as the others do: a plan's, in both directions, within five per cent", async ({
      annotate,
    }) => {
      const { admin } = scene.replicas.second;
      const plan = await admin.client.plans.create({ body: PLAN });
      await admin.client.plans.assign({ params: { id: ada.first.accountId }, body: { plan_id: plan.id } });
      const { one } = scene.nodes;
      await eventually(async () => expect(await one.speeds()).toEqual([10_000]), { timeoutMs: 1000 });
      for (const direction of ["down", "up"] as const) {
        const measured = await client.speed(direction, 10_000);
        await annotate(`10 Mbit/s ${direction}: ${Math.round(measured)} kbit/s`);
        expect(Math.abs(measured / 10_000 - 1)).toBeLessThan(0.05);
      }
    });

    test("has what changed once it is back, and nothing was repaired that was right", async () => {
      const { near } = scene.nodes;
      await using pings = await carried.pings();
      await scene.becomes(near, isState("offline"));
      await mend();
      await scene.becomes(near, isState("healthy"));
      await near.holds(added);
      await near.lacks(former.device.public_key);
      expect(await near.peers()).toContain(kept.device.public_key);
      expect(pings.lostSince(0)).toBe(0);
      const applied = newLines().filter((line) => line.includes('"applied"'));
      const sum = (what: string) =>
        applied.reduce((total, line) => total + Number(new RegExp(`"${what}":(\\d+)`).exec(line)?.[1]), 0);
      expect({ upserts: sum("upserts"), removals: sum("removals") }).toEqual({ upserts: 1, removals: 1 });
    });
  });

  test("a plan's speed changes on a live tunnel within a second, and no packet is lost", async ({
    annotate,
  }) => {
    const { one } = scene.nodes;
    await withoutLoss(async () => {
      await changePlan({ speed_kbit_per_second: 20_000 });
      await eventually(async () => expect(await one.speeds()).toEqual([20_000]), {
        timeoutMs: 1000,
        everyMs: 20,
      });
      await pause(500);
    });
    const measured = await client.speed("down", 20_000);
    await annotate(`20 Mbit/s down: ${Math.round(measured)} kbit/s`);
    expect(Math.abs(measured / 20_000 - 1)).toBeLessThan(0.05);
  });

  test("who used up a quota is throttled, or blocked, within a second, and let in again", async () => {
    const { one } = scene.nodes;
    const quota = { quota_bytes: 2 ** 20, throttle_kbit_per_second: 2000 };
    await withoutLoss(async () => {
      await changePlan({ ...quota, on_quota: "throttle" });
      await eventually(async () => expect(await one.speeds()).toEqual([2000]), {
        timeoutMs: 1000,
        everyMs: 20,
      });
      await pause(500);
    });
    await using pings = await client.pings();
    await changePlan({ on_quota: "block" });
    const blockedAt = Date.now();
    await pause(2000);
    expect(pings.lastAnswerAt() - blockedAt).toBeLessThanOrEqual(1000);
    await isLetIn();
    await eventually(() => expect(pings.answersSince(Date.now() - 500)).toBeGreaterThan(0));
  });

  test("a device more than may be connected is blocked within a second", async () => {
    const desktop = await scene.addDevice(ada.first, "Desktop", scene.nodes.one);
    const second = await scene.addClient(desktop.configuration);
    await eventually(
      async () => {
        const params = { id: desktop.device.id };
        expect((await ada.second.client.devices.show({ params })).connection.connected).toBe(true);
      },
      { timeoutMs: RECONNECTED_WITHIN_MS },
    );
    await using here = await client.pings();
    await using there = await second.pings();
    await changePlan({ connections_max: 1 });
    const blockedAt = Date.now();
    await pause(2000);
    const last = [here, there].map((pings) => pings.lastAnswerAt() - blockedAt).sort((a, b) => a - b);
    await ada.first.client.devices.remove({ params: { id: desktop.device.id } });
    await second.close();
    await isLetIn();
    expect(last[0]).toBeLessThanOrEqual(1000);
    expect(last[1]).toBeGreaterThan(1500);
  });

  test("a replica that is killed takes no packet with it, and its nodes come to the other one within seconds", async ({
    annotate,
  }) => {
    const { first, second } = scene.replicas;
    const { one } = scene.nodes;
    await withoutLoss(async () => {
      expect(first.hasConnection(one.node)).toBe(true);
      await first.kill();
      try {
        const killedMs = performance.now();
        await eventually(() => expect(second.hasConnection(one.node)).toBe(true), {
          timeoutMs: RECONNECTED_WITHIN_MS,
        });
        await annotate(
          `its node was with the other one after ${Math.round(performance.now() - killedMs)} ms`,
        );
        // A node is let in before it has said what it holds, and is given no devices until then.
        expect(await eventually(() => addAndRemove(ada.second, one))).toBeLessThan(1000);
      } finally {
        await first.start();
      }
      await isWhole();
    });
  });

  test("PostgreSQL that starts anew costs no packet, and what changes afterwards arrives", async () => {
    await withoutLoss(async () => {
      await scene.postgres.restart();
      await arrivesAgain();
    });
  });

  test("Redis that starts anew, empty, costs no packet, and who is connected is known again", async () => {
    await withoutLoss(async () => {
      await scene.redis.kill();
      await pause(1000);
      await scene.redis.restart();
      await arrivesAgain();
    });
  });

  test("a device moves to another node by one call, and no packet is lost", async () => {
    const { one, two } = scene.nodes;
    expect(await packetsLostByMoving(ada.second, laptop, client, two)).toBe(0);
    // Its former config is good for a while, and serves still.
    expect(await one.peers()).toContain(laptop.device.public_key);
  });

  test("a device gets another key, and no packet is lost", async () => {
    const { two } = scene.nodes;
    const { lost, rotated } = await packetsLostByRotating(ada.first, laptop, client, two);
    expect(lost).toBe(0);
    expect(await two.peers()).toContain(laptop.device.public_key);
    laptop = rotated;
  });

  test("a credential that two machines have works for neither; admins are told, and a fresh join token heals it", async () => {
    const { two } = scene.nodes;
    const { admin } = scene.replicas.first;
    await withoutLoss(async () => {
      const { namespace } = await scene.network.addNode();
      {
        await using clone = await startClone(two, namespace);
        await scene.becomes(
          two,
          ({ state, problem }) => state !== "healthy" && /Two machines/.test(problem ?? ""),
        );
        await eventually(() => {
          for (const copy of [two, clone]) expect(copy.lines().join("\n")).toContain(REFUSALS.cloned);
        });
      }
      await eventually(async () => {
        const subjects = (await scene.lettersTo(admin.email)).map(({ subject }) => subject);
        expect(subjects.filter((subject) => /credential.*EU-Two was copied/.test(subject))).toHaveLength(1);
      });
      const { command } = await admin.client.nodes.renewJoinToken({ params: { id: two.node.id } });
      await two.rejoin(command);
      await scene.becomes(two, isState("healthy"));
      expect(await addAndRemove(ada.second, two)).toBeLessThan(1000);
    });
  });

  test.each([
    ["another of its region", "EU-Two", "EU-One"],
    ["the nearest, where its region has none left", "EU-One", "US-East-1"],
  ])(
    "devices of a node that drains move by themselves to %s; their owner is told, and no packet is lost",
    async (_, from, to) => {
      const [present, next] = [nodeNamed(from), nodeNamed(to)];
      const params = { id: laptop.device.id };
      await using pings = await client.pings();
      await drain(present);
      const moved = await eventually(
        async () => {
          const shown = await ada.second.client.devices.show({ params });
          expect(shown.server?.name).toBe(to);
          return shown;
        },
        { timeoutMs: 30_000 },
      );
      const isFormer = ({ server, public_key }: (typeof moved.retiring)[number]) =>
        server?.name === from && public_key === laptop.device.public_key;
      const former = moved.retiring.find(isFormer);
      expect(Date.parse(former?.valid_until ?? "") - Date.now()).toBeGreaterThan(6 * 86_400_000);
      const letter = await eventually(async () => {
        const found = (await scene.lettersTo("ada@example.org")).filter(({ subject }) =>
          /need their new/.test(subject),
        );
        expect(found).not.toHaveLength(0);
        return found.at(-1);
      });
      expect(letter?.text).toContain(`until the end of ${former?.valid_until}`);
      await next.holds(laptop.device.public_key);
      expect(await present.peers()).toContain(laptop.device.public_key);
      await client.use(configOf(laptop.privateKey, moved));
      await pause(500);
      expect(pings.lostSince(0)).toBe(0);
      await scene.becomes(present, ({ devices, problem }) => devices === 0 && problem === null);
    },
  );

  test("a node whose UDP port is closed is found degraded, is given no devices while others are well, and recovers", async () => {
    const { far } = scene.nodes;
    const placeInAustralia = async () => {
      const { id, server } = await bob.first.client.devices.create({
        body: { name: "Wombat", country: "AU" },
      });
      await bob.first.client.devices.remove({ params: { id } });
      return server?.name;
    };
    const isSilent = ({ state, problem }: Node) =>
      state === "degraded" && /does not answer handshakes/.test(problem ?? "");
    await scene.becomes(far, isSilent, 120_000);
    expect(await placeInAustralia()).not.toBe(far.node.name);
    await openFar();
    await scene.becomes(far, isState("healthy"));
    expect(await placeInAustralia()).toBe(far.node.name);
  });

  test("a node that is removed takes its tunnels down and stays away", async () => {
    const { one } = scene.nodes;
    const params = { id: one.node.id };
    const { admin } = scene.replicas.second;
    await expect(admin.client.nodes.remove({ params })).rejects.toMatchObject({ code: "nodes.still_used" });
    await admin.client.nodes.remove({ params, query: { now: true } });
    expect((await one.agent().exited).code).toBe(78);
    const { code } = await run("ip", ["-n", one.namespace, "link", "show", one.interfaceName]);
    expect(code).not.toBe(0);
    const { stdout: rules } = await run("nft", ["list", "ruleset"], { namespace: one.namespace });
    expect(rules).not.toContain(one.interfaceName);
    expect(await one.status()).toMatchObject({ joined: false, running: false });
    expect(await scene.show(one)).toMatchObject({ state: "removed" });
  });

  test("an agent of another protocol is refused by both versions, which its node's page says, too", async () => {
    const { admin, baseUrl } = scene.replicas.first;
    const agent = await joinBareAgent(admin, baseUrl, "Old");
    const versions = new RegExp(`\\b2\\b.*\\b${NODE_PROTOCOL_VERSION}\\b`);
    expect(await agent.ask(2)).toMatchObject([
      { type: "refused", code: REFUSALS.protocol, detail: expect.stringMatching(versions) },
    ]);
    const { problem } = await admin.client.nodes.show({ params: { id: agent.node.id } });
    expect(problem).toMatch(/speaks protocol 2\b.*update/);
    // The credential was right.
    expect((await agent.ask(NODE_PROTOCOL_VERSION)).map(({ type }) => type)).toContain("snapshot");
  });

  // Nodes have no clock that a test could move, so some seconds stand for the hour: what they do in it is the same.
  test("while the whole service is away tunnels serve, and nodes catch up when it is back", async () => {
    await withoutLoss(async () => {
      await Promise.all([scene.replicas.first.stop(), scene.replicas.second.stop()]);
      await pause(5000);
      await Promise.all([scene.replicas.first.start(), scene.replicas.second.start()]);
      for (const node of [scene.nodes.near, scene.nodes.far]) await scene.becomes(node, isState("healthy"));
      await isWhole();
    });
  });

  // Last: everybody is logged out.
  test("in a breach nodes get other credentials and no packet is lost; who copied a former one is refused", async () => {
    const { near, far } = scene.nodes;
    const { baseUrl, admin } = scene.replicas.first;
    using home = temporaryDir("breach");
    const { securewave, json } = commandAt(() => ({ homeDir: home.path, url: baseUrl }));
    const proved = async (...words: string[]) => {
      const { code, stderr } = await securewave([...words, "--password-stdin"], PASSWORD);
      expect(code, stderr).toBe(0);
    };
    const late = async () => (await json("breach", "status")).waiting.nodes;
    const copied = { ...near, stateDir: join(home.path, "copied") };
    await cp(near.stateDir, copied.stateDir, { recursive: true });
    const linesBefore = near.lines().length;

    await withoutLoss(async () => {
      await proved("login", "--email", admin.email);
      await proved("breach", "start", "A disk was copied", "--yes");
      const looking = ada.second.client.devices.list();
      await expect(looking).rejects.toMatchObject({ code: "request.maintenance" });
      await proved("breach", "rotate", "all", "--yes");
      await eventually(
        async () => {
          for (const { node } of [near, far]) expect(await late()).not.toContain(node.name);
          expect(await credentialOf(near)).not.toBe(await credentialOf(copied));
        },
        { timeoutMs: RECONNECTED_WITHIN_MS },
      );
      // Over the connections that they had.
      expect(near.lines().slice(linesBefore).join("\n")).not.toMatch(/"(disconnected|refused)"/);

      const { namespace } = await scene.network.addNode();
      await using copy = await startClone(copied, namespace);
      await eventually(() => expect(copy.lines().join("\n")).toContain(REFUSALS.unknown));
      // Its own is what it comes back by.
      await near.killAgent();
      await near.startAgent();
      await proved("breach", "rotate", "late_nodes", "--yes");
      expect(await late()).toEqual([]);
      await proved("breach", "close", "--yes");

      const { email } = ada.first;
      const { first, second } = scene.replicas;
      ada = { first: await logIn(first.baseUrl, email), second: await logIn(second.baseUrl, email) };
      await isWhole();
    });
  });

  /** For Ada, whose plan it is. */
  async function changePlan(body: Parameters<Person["client"]["plans"]["change"]>[0]["body"]): Promise<void> {
    const { client: api } = scene.replicas.second.admin;
    const { id } = await api.plans.ofAccount({ params: { id: ada.first.accountId } });
    await api.plans.change({ params: { id }, body });
  }

  /** Ends what keeps Ada out, and has her laptop come back at once. */
  async function isLetIn(): Promise<void> {
    await changePlan({ quota_bytes: null, connections_max: null });
    await scene.nodes.one.holds(laptop.device.public_key);
    await client.use(laptop.configuration);
  }

  /** Waits until a replica serves again, and then whether all is as it was. */
  async function arrivesAgain(): Promise<void> {
    for (const person of [ada.first, ada.second])
      await eventually(() => person.client.devices.list(), { timeoutMs: RECONNECTED_WITHIN_MS });
    await scene.becomes(scene.nodes.one, isState("healthy"));
    await isWhole();
  }
});

async function credentialOf({ stateDir }: Pick<NodeMachine, "stateDir">): Promise<unknown> {
  return JSON.parse(await readFile(join(stateDir, "node.json"), "utf8")).credential;
}
