import { setImmediate as turn } from "node:timers/promises";
import { formatAddress, parseAddress, parsePool } from "@securewave/wireguard";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createReputation } from "./index.ts";
import { isPublicAddress } from "./public-address.ts";

/** Small spaces of both families, so that networks meet. */
const ipv4 = fc
  .tuple(fc.nat({ max: 255 }), fc.nat({ max: 255 }), fc.integer({ min: 8, max: 32 }))
  .map(([a, b, length]) => ({ address: `203.0.${a}.${b}`, length }));
const ipv6 = fc
  .tuple(fc.nat({ max: 0xffff }), fc.nat({ max: 0xffff }), fc.integer({ min: 16, max: 128 }))
  .map(([a, b, length]) => ({ address: `2001:db8:${a.toString(16)}::${b.toString(16)}`, length }));
const network = fc.oneof(ipv4, ipv6);

function isIn({ address, length }: { address: string; length: number }, probe: string): boolean {
  const [one, other] = [parseAddress(address), parseAddress(probe)];
  if (!one || !other || one.family !== other.family) return false;
  const shift = BigInt((one.family === 4 ? 32 : 128) - length);
  return one.value >> shift === other.value >> shift;
}

describe("lists of networks", () => {
  test("say of every address what a look at each network says", async () => {
    const probe = fc.oneof(ipv4, ipv6).map(({ address }) => address);
    await fc.assert(
      fc.asyncProperty(
        fc.array(network, { maxLength: 40 }),
        fc.array(network, { maxLength: 5 }),
        fc.array(probe, { minLength: 1, maxLength: 30 }),
        async (blocked, allowed, probes) => {
          const reputation = createReputation();
          const text = (all: typeof blocked) =>
            all.map(({ address, length }) => `${address}/${length}`).join("\n");
          await reputation.replace("block", text(blocked));
          await reputation.replace("allow", text(allowed));
          for (const each of [...probes, ...blocked.map(({ address }) => address)]) {
            const isAllowed = allowed.some((one) => isIn(one, each));
            const isBlocked = blocked.some((one) => isIn(one, each));
            expect(reputation.find(each)).toBe(isAllowed ? "allow" : isBlocked ? "block" : undefined);
          }
        },
      ),
    );
  });

  test.each(["203.0.113.0/24", "203.0.113.0/31", "2001:db8::/32", "2001:db8::/64", "0.0.0.0/1", "8000::/1"])(
    "%s ends where it ends",
    async (text) => {
      const reputation = createReputation();
      await reputation.replace("block", text);
      const pool = parsePool(text);
      if (!pool) throw new Error("it is a network");
      const bits = pool.family === 4 ? 32 : 128;
      const last = pool.network + (1n << BigInt(bits - pool.prefixLength)) - 1n;
      const at = (value: bigint) => formatAddress({ family: pool.family, value });
      expect(reputation.find(at(pool.network))).toBe("block");
      expect(reputation.find(at(last))).toBe("block");
      if (pool.network > 0n) expect(reputation.find(at(pool.network - 1n))).toBeUndefined();
      if (last + 1n < 1n << BigInt(bits)) expect(reputation.find(at(last + 1n))).toBeUndefined();
    },
  );

  test("all addresses of a family can be listed, and neighbours become one stretch", async () => {
    const reputation = createReputation();
    await reputation.replace("block", "0.0.0.0/0\n::/0\n");
    for (const address of ["0.0.0.0", "255.255.255.255", "::", "ffff::ffff"])
      expect(reputation.find(address)).toBe("block");
    expect(reputation.size().ranges).toBe(2);
    await reputation.replace("block", "10.0.0.0/25\n10.0.0.128/25\n10.0.0.7\n");
    expect(reputation.size().ranges).toBe(1);
  });

  test("comments, blanks and any line ends are no mistakes; what else is no network is counted", async () => {
    const reputation = createReputation();
    const text = [
      "# a list",
      "203.0.113.0/24 ; with a remark",
      "",
      "  198.51.100.7\t\r",
      "; another",
      "nonsense",
      "203.0.113.0/33",
      "203.0.113.256",
      "2001:db8::/32#x",
      "1.2.3.4/8/8",
      "2001:db8:::/32",
    ].join("\n");
    const report = await reputation.replace("block", text);
    expect(report).toEqual({ networks: 3, badLines: 5, firstBadLine: 6 });
    expect(reputation.find("198.51.100.7")).toBe("block");
    expect(reputation.find("2001:db8::7")).toBe("block");
  });

  test("in pieces of any size a list is the same", async () => {
    const text = "203.0.113.0/24\n# remark\n2001:db8::/32\r\nbad\n198.51.100.7";
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: text.length }), { maxLength: 10 }),
        async (cuts) => {
          const at = [0, ...cuts.sort((a, b) => a - b), text.length];
          const pieces = at.slice(1).map((end, index) => text.slice(at[index], end));
          const report = await createReputation().replace("block", pieces);
          expect(report).toEqual({ networks: 3, badLines: 1, firstBadLine: 4 });
        },
      ),
    );
  });

  test("IPv4 inside IPv6 is found as IPv4", async () => {
    const reputation = createReputation();
    await reputation.replace("block", "203.0.113.0/24");
    expect(reputation.find("::ffff:203.0.113.7")).toBe("block");
    expect(reputation.find("nonsense")).toBeUndefined();
    expect(reputation.find("")).toBeUndefined();
  });
});

describe("a new list", () => {
  test("takes the old one's place at once and whole, and only when it is read to its end", async () => {
    const reputation = createReputation();
    await reputation.replace("block", "203.0.113.1\n203.0.113.2");
    let goOn = () => {};
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const loading = reputation.replace("block", pieces());
    async function* pieces() {
      yield "203.0.113.3\n";
      await held;
      yield "203.0.113.4\n";
    }
    const found = () => [1, 2, 3, 4].filter((host) => reputation.find(`203.0.113.${host}`));
    await turn();
    expect(found()).toEqual([1, 2]);
    goOn();
    await loading;
    expect(found()).toEqual([3, 4]);
  });

  test("that breaks off leaves the old one", async () => {
    const reputation = createReputation();
    await reputation.replace("block", "203.0.113.1");
    async function* broken() {
      yield "203.0.113.2\n";
      throw new Error("connection lost");
    }
    await expect(reputation.replace("block", broken())).rejects.toThrow("connection lost");
    expect([reputation.find("203.0.113.1"), reputation.find("203.0.113.2")]).toEqual(["block", undefined]);
  });

  test("of 200,000 lines does not hold up other work", async () => {
    const lines = Array.from(
      { length: 200_000 },
      (_, at) => `10.${at >> 12}.${(at >> 4) & 255}.${(at & 15) * 16}/29`,
    );
    const reputation = createReputation();
    const loading = reputation.replace("block", lines.join("\n"));
    let isLoading = true;
    void loading.finally(() => {
      isLoading = false;
    });
    const turnsMs: number[] = [];
    while (isLoading) {
      const startMs = performance.now();
      await turn();
      turnsMs.push(performance.now() - startMs);
    }
    expect((await loading).networks).toBe(200_000);
    expect(turnsMs.length).toBeGreaterThan(40);
    turnsMs.sort((a, b) => a - b);
    expect(turnsMs[Math.floor(turnsMs.length * 0.5)]).toBeLessThan(25);
    expect(turnsMs.at(-1)).toBeLessThan(500); // a busy machine may take one away
  });
});

test.each([
  ["8.8.8.8", true],
  ["2606:4700::1111", true],
  ["127.0.0.1", false],
  ["10.1.2.3", false],
  ["172.16.0.1", false],
  ["172.31.255.255", false],
  ["172.32.0.1", true],
  ["192.168.1.1", false],
  ["169.254.169.254", false],
  ["100.64.0.1", false],
  ["0.0.0.0", false],
  ["224.0.0.1", false],
  ["255.255.255.255", false],
  ["::", false],
  ["::1", false],
  ["::127.0.0.1", false],
  ["::ffff:127.0.0.1", false],
  ["::ffff:8.8.8.8", true],
  ["64:ff9b::7f00:1", false],
  ["2002:7f00:1::", false],
  ["2001:db8::1", false],
  ["fd00::1", false],
  ["fe80::1%eth0", false],
  ["fec0::1", false],
  ["ff02::1", false],
  ["nonsense", false],
])("%s is an address of the internet at large: %s", (address, isPublic) => {
  expect(isPublicAddress(address)).toBe(isPublic);
});
