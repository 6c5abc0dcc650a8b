import { setTimeout as sleep } from "node:timers/promises";
import {
  connectWireGuard,
  createNetwork,
  eventually,
  labRequirements,
  type Network,
  run,
  startProcess,
  type WireGuardClient,
} from "@securewave/testing";
import { parsePublicKey } from "@securewave/wireguard";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parsePeerSpec } from "./peer-spec.ts";
import { createShaper, type Limit } from "./shaping.ts";
import { linksOf } from "./shaping-commands.ts";
import { createSpeeds, type Speeds } from "./speeds.ts";

const lab = labRequirements(["tc", "nft", "iperf3"]);
const MTU = 1420;
const DATAGRAM_BYTES = 1200;
/** Of each packet: UDP in IPv4 and in IPv6. */
const HEADER_BYTES = { 4: 28, 6: 48 };
const NODE = { 4: "10.8.0.1", 6: "fd00::1" };
type Family = 4 | 6;

interface Customer {
  readonly namespace: string;
  readonly key: string;
  readonly addresses: readonly [string, string];
}

describe.skipIf(!lab.ok)(lab.title("devices held to a speed"), () => {
  let network: Network;
  let node: string;
  let tunnel: WireGuardClient;
  /** The one that is limited, and a neighbour who is not. */
  let ann: Customer;
  let bob: Customer;
  let commands: string[] = [];
  const shaperOf = (interfaceName: string) =>
    createShaper({
      interfaceName,
      run: (program, args, options = {}) => {
        if (program !== "ip") commands.push(options.input ?? args.join(" "));
        return run(program, args, { namespace: node, ...(options.input && { input: options.input }) });
      },
    });
  let shaper: ReturnType<typeof createShaper>;

  const limitOf = ({ addresses }: Customer, kbitPerSecond: number): Limit => ({ addresses, kbitPerSecond });
  const limitAnn = (kbitPerSecond: number) => shaper.apply(new Map([[ann.key, limitOf(ann, kbitPerSecond)]]));

  beforeAll(async () => {
    network = createNetwork();
    node = await network.addNamespace("node");
    const keys = generateKeyPair();
    const customers = [];
    for (const [index, role] of ["ann", "bob"].entries()) {
      const namespace = await network.addNamespace(role);
      const net = `198.51.${index}`;
      await network.connect(namespace, node, { v4: [`${net}.10/24`, `${net}.1/24`] });
      const own = generateKeyPair();
      const addresses = [`10.${8 + index}.3.7/32`, `fd00::${index + 1}:307/128`] as const;
      customers.push({ namespace, key: own.publicKey, addresses, privateKey: own.privateKey, net });
    }
    const peers = customers.map(
      ({ key, addresses }) => `[Peer]\nPublicKey = ${key}\nAllowedIPs = ${addresses.join(", ")}`,
    );
    tunnel = await connectWireGuard(
      node,
      `[Interface]\nPrivateKey = ${keys.privateKey}\nListenPort = 51820\nMTU = ${MTU}\nAddress = ${NODE[4]}/7, ${NODE[6]}/64\n${peers.join("\n")}\n`,
    );
    for (const { namespace, privateKey, addresses, net } of customers) {
      await connectWireGuard(
        namespace,
        `[Interface]\nPrivateKey = ${privateKey}\nMTU = ${MTU}\nAddress = ${addresses.join(", ")}\n[Peer]\nPublicKey = ${keys.publicKey}\nEndpoint = ${net}.1:51820\nAllowedIPs = 10.8.0.0/16, fd00::/64\n`,
      );
    }
    const [first, second] = customers;
    if (!first || !second) throw new Error("both customers are there");
    [ann, bob] = [first, second];
    for (const [namespace, port] of [
      [node, "5201"],
      [node, "5202"],
      [ann.namespace, "5201"],
      [bob.namespace, "5201"],
    ] as const) {
      const args = ["-s", "-p", port, "--forceflush"];
      await startProcess({ command: "iperf3", args, namespace, readyWhen: /listening/ });
    }
    shaper = shaperOf(tunnel.interfaceName);
  });
  afterAll(async () => network?.destroy());
  beforeEach(() => {
    commands = [];
  });

  /**
   * In kbit/s, as the tunnel carries it, by the end that receives. Of datagrams, sent faster than any limit: in so short
   * a time TCP shows how it recovers from its first losses more than how fast the line is.
   */
  async function speedOf(
    customer: Customer,
    direction: "down" | "up",
    family: Family,
    port = "5201",
  ): Promise<number> {
    const own = customer.addresses[family === 4 ? 0 : 1].split("/")[0] ?? "";
    const [namespace, sender] = direction === "down" ? [customer.namespace, NODE[family]] : [node, own];
    const sending = ["-u", "-b", "30M", "-l", `${DATAGRAM_BYTES}`];
    const args = ["-R", "-c", sender, "-p", port, ...sending, "-t", "2", "-O", "1", "-J"];
    const { stdout } = await run("iperf3", args, { namespace });
    const { bytes, seconds } = JSON.parse(stdout).end.sum_received;
    const share = (DATAGRAM_BYTES + HEADER_BYTES[family]) / DATAGRAM_BYTES;
    return (bytes * share * 0.008) / seconds;
  }

  function expectNear(measured: number, kbitPerSecond: number): void {
    expect(measured / kbitPerSecond).toBeGreaterThan(0.9);
    expect(measured / kbitPerSecond).toBeLessThan(1.1);
  }

  /** How many of so many pings, a hundredth of a second apart, found no answer while something was done. */
  async function lostPings(count: number, meanwhile: () => Promise<void>): Promise<number> {
    const pings = run("ping", ["-n", "-i", "0.01", "-c", String(count), NODE[4]], {
      namespace: ann.namespace,
    });
    await meanwhile();
    const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec((await pings).stdout) ?? [];
    expect(Number(sent)).toBe(count);
    return Number(sent) - Number(received);
  }

  test("a limited device has its speed in each direction, over IPv4 and IPv6; its neighbour notices nothing", async () => {
    await limitAnn(3000);
    expectNear(await speedOf(ann, "down", 4), 3000);
    expectNear(await speedOf(ann, "up", 6), 3000);
    expect(await speedOf(bob, "down", 6)).toBeGreaterThan(9000);
    expect(await speedOf(bob, "up", 4)).toBeGreaterThan(9000);
  });

  test("two limited devices each have their own speed at the same time, whatever is sent to them", async () => {
    await shaper.apply(
      new Map([
        [ann.key, limitOf(ann, 1000)],
        [bob.key, limitOf(bob, 12_000)],
      ]),
    );
    const speeds = await Promise.all([speedOf(ann, "down", 4), speedOf(bob, "down", 6, "5202")]);
    expectNear(speeds[0], 1000);
    expectNear(speeds[1], 12_000);
  });

  test("a change acts on a live tunnel, and neither it nor lifting the limit loses a packet", async () => {
    await limitAnn(2000);
    const lost = await lostPings(150, async () => {
      for (const speed of [4000, 500, 6000, 1000]) await limitAnn(speed);
      await shaper.apply(new Map());
      await limitAnn(6000);
      await shaper.change(new Map([[ann.key, undefined]]));
      await shaper.change(new Map([[ann.key, limitOf(ann, 6000)]]));
    });
    expect(lost).toBe(0);
    expectNear(await speedOf(ann, "down", 4), 6000);
  });

  test("the same limits again are no work", async () => {
    await limitAnn(6000);
    commands = [];
    await limitAnn(6000);
    await limitAnn(6000);
    expect(commands).toEqual([]);
  });

  test("thousands of other limits leave a device its own", async () => {
    const limits = new Map([[ann.key, limitOf(ann, 3000)]]);
    for (let index = 0; index < 3000; index++) {
      const ending = [20 + Math.floor(index / 250), index % 250];
      const addresses = [`10.10.${ending.join(".")}/32`, `fd00::5:${(index + 0x1000).toString(16)}/128`];
      limits.set(`other ${index}`, { addresses, kbitPerSecond: 1000 + index });
    }
    await shaper.apply(limits);
    expectNear(await speedOf(ann, "down", 6), 3000);
    expectNear(await speedOf(ann, "up", 4), 3000);
    await limitAnn(3000);
    expect(await classes()).toBe(2);
  });

  const queueLink = (direction: "down" | "up", shard = 0) =>
    linksOf(tunnel.interfaceName).queueLink(direction, shard);
  const classes = async () => {
    const devices = [queueLink("down"), queueLink("up")];
    const shown = await Promise.all(
      devices.map((device) => run("tc", ["class", "show", "dev", device], { namespace: node })),
    );
    return shown.flatMap(({ stdout }) => stdout.split("\n").filter((line) => line.startsWith("class ")))
      .length;
  };
  const counted = async () => {
    const { stdout } = await run("tc", ["-s", "class", "show", "dev", queueLink("down")], {
      namespace: node,
    });
    return Number(/Sent (\d+) bytes/.exec(stdout)?.[1]);
  };

  test("what the kernel counted for a device can be forgotten; its limit stays", async () => {
    await run("ping", ["-n", "-c", "1", NODE[4]], { namespace: ann.namespace });
    expect(await counted()).toBeGreaterThan(0);
    await shaper.forget([ann.key, "one that is not there"]);
    expect(await counted()).toBe(0);
    expectNear(await speedOf(ann, "up", 6), 3000);
  });

  test("an agent that starts anew takes over what the one before it left", async () => {
    shaper = shaperOf(tunnel.interfaceName);
    await limitAnn(4000);
    expect(await classes()).toBe(2);
    expectNear(await speedOf(ann, "up", 4), 4000);
  });

  test("what the kernel refuses is said without an address, and the next attempt begins from nothing", async () => {
    await run("tc", ["qdisc", "del", "dev", queueLink("down"), "root"], { namespace: node });
    const failure = await limitAnn(5000).catch((error: Error) => error.message);
    expect(failure).toMatch(/^Speed limits could not be set: the kernel refused “class change”/);
    expect(failure).not.toContain("10.8.");
    await limitAnn(5000);
    expectNear(await speedOf(ann, "down", 4), 5000);
  });

  test("a network in place of an address is refused", async () => {
    const wide = { addresses: ["10.0.0.0/8"], kbitPerSecond: 1000 };
    await expect(shaper.apply(new Map([["wide", wide]]))).rejects.toThrow("a network in place of an address");
    await limitAnn(5000);
  });

  describe("by tiers and throttles", () => {
    let speeds: Speeds;
    let attempts = 0;

    beforeAll(async () => {
      const peers = [ann, bob].map(({ key, addresses }) => {
        const peer = parsePeerSpec({ public_key: key, preshared_key: null, allowed_ips: [...addresses] });
        if (!peer) throw new Error("both are usable peers");
        return peer;
      });
      speeds = createSpeeds({
        shaper,
        peerOf: (key) => peers.find(({ publicKey }) => publicKey === key),
        tierOf: (key) => (key === ann.key ? 1 : 2),
        wantedKeys: () => peers.map(({ publicKey }) => publicKey),
        onAttempt: () => attempts++,
      });
      await settled(() => {
        speeds.takeTiers(tiersOf(3000, 9000));
        speeds.interfaceUp("adopted");
      });
    });

    const tiersOf = (...speedsOfTiers: number[]) =>
      speedsOfTiers.map((kbit_per_second, index) => ({ tier: index + 1, kbit_per_second }));
    const throttleAnn = (kbitPerSecond?: number) => {
      const key = parsePublicKey(ann.key);
      speeds.takeThrottles(new Map(key && kbitPerSecond ? [[key, kbitPerSecond]] : []));
    };
    const settled = async (act: () => void) => {
      const before = attempts;
      act();
      await eventually(() => expect(attempts).toBeGreaterThan(before), { everyMs: 10 });
      expect(speeds.problem).toBeNull();
    };

    test("devices of two tiers have two speeds at the same time", async () => {
      const both = await Promise.all([speedOf(ann, "down", 4), speedOf(bob, "down", 6, "5202")]);
      expectNear(both[0], 3000);
      expectNear(both[1], 9000);
    });

    test("a tier whose speed changes under a live tunnel loses no packet, and leaves the other tier alone", async () => {
      commands = [];
      const lost = await lostPings(150, async () => {
        for (const speed of [6000, 2000, 4000]) {
          await settled(() => speeds.takeTiers(tiersOf(speed, 9000)));
          await sleep(300);
        }
      });
      expect(lost).toBe(0);
      expect(commands.join("\n").match(/class change/g)).toHaveLength(6);
      expectNear(await speedOf(ann, "up", 4), 4000);
    });

    test("a throttle below the tier's speed holds until it is lifted, one above it is no limit", async () => {
      await settled(() => throttleAnn(1000));
      expectNear(await speedOf(ann, "down", 6), 1000);
      expectNear(await speedOf(ann, "up", 4), 1000);
      await settled(() => throttleAnn());
      expectNear(await speedOf(ann, "down", 4), 4000);
      commands = [];
      await settled(() => throttleAnn(20_000));
      expect(commands).toEqual([]);
    });
  });

  test("afterwards nothing is left", async () => {
    await shaper.remove();
    const { stdout: queues } = await run("tc", ["qdisc", "show"], { namespace: node });
    expect(queues).not.toMatch(/htb|bfifo/);
    const { stdout: links } = await run("ip", ["-brief", "link", "show", "type", "ifb"], { namespace: node });
    expect(links).toBe("");
    const { stdout: rules } = await run("nft", ["list", "ruleset"], { namespace: node });
    expect(rules).toBe("");
    expect(await speedOf(ann, "up", 6)).toBeGreaterThan(9000);
  });

  test("where there is no interface there is nothing to take away, and limits wait", async () => {
    const absent = shaperOf("swnone");
    await absent.apply(new Map());
    await expect(absent.apply(new Map([[ann.key, limitOf(ann, 1000)]]))).rejects.toThrow("not there");
  });
});
