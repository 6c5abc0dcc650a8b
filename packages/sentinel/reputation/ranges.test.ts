import { canonicalAllowedIp, formatAddress } from "@securewave/wireguard";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isPublicAddress } from "./public-address.ts";
import { createRangesBuilder } from "./ranges.ts";

interface Network {
  readonly family: 4 | 6;
  readonly value: bigint;
  readonly prefixLength: number;
}

const BITS = { 4: 32n, 6: 128n } as const;
const lastOf = (family: 4 | 6) => (1n << BITS[family]) - 1n;

/** Crowded, so that networks touch, overlap and lie at both ends of all addresses. */
const someValue = (family: 4 | 6) =>
  fc.oneof(
    fc.bigInt({ min: 0n, max: lastOf(family) }),
    fc.bigInt({ min: 0n, max: 300n }),
    fc.bigInt({ min: 0n, max: 300n }).map((value) => lastOf(family) - value),
    fc.bigInt({ min: 0n, max: 300n }).map((value) => (1n << (BITS[family] - 1n)) + value),
    fc
      .tuple(fc.nat(127), fc.nat(2))
      .map(([shift, near]) => ((1n << BigInt(shift)) + BigInt(near) - 1n) & lastOf(family)),
  );
const networkOfFamily = (family: 4 | 6): fc.Arbitrary<Network> =>
  fc.record({
    family: fc.constant(family),
    value: someValue(family).filter((value) => family === 4 || value >> 32n !== 0xffffn),
    prefixLength: fc.oneof(
      fc.integer({ min: 0, max: Number(BITS[family]) }),
      fc.integer({ min: Number(BITS[family]) - 9, max: Number(BITS[family]) }),
    ),
  });
const network = fc.oneof(networkOfFamily(4), networkOfFamily(6));
const textOf = ({ family, value, prefixLength }: Network) =>
  `${formatAddress({ family, value })}/${prefixLength}`;
const holds = (network: Network, { family, value }: Network) => {
  const shift = BITS[family] - BigInt(network.prefixLength);
  return network.family === family && network.value >> shift === value >> shift;
};

function rangesOf(networks: readonly Network[]) {
  const builder = createRangesBuilder();
  for (const each of networks) expect(builder.add(textOf(each))).toBe(true);
  return builder.build();
}

describe("a set of networks", () => {
  test("holds exactly the addresses that one of its networks holds", () => {
    fc.assert(
      fc.property(
        fc.array(network, { maxLength: 40 }),
        fc.array(network, { maxLength: 20 }),
        (networks, others) => {
          const ranges = rangesOf(networks);
          for (const probe of [...networks, ...others]) {
            const near = [-1n, 0n, 1n].map((step) => ({
              ...probe,
              value: (probe.value + step) & lastOf(probe.family),
            }));
            for (const address of near.filter(
              ({ family, value }) => family === 4 || value >> 32n !== 0xffffn,
            )) {
              const isHeld = networks.some((each) => holds(each, address));
              expect(ranges.has(formatAddress(address))).toBe(isHeld);
            }
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  test("does not depend on the order in which they came", () => {
    fc.assert(
      fc.property(fc.array(network, { maxLength: 40 }), (networks) => {
        const { count, bytes } = rangesOf(networks);
        expect(rangesOf([...networks].reverse())).toMatchObject({ count, bytes });
      }),
    );
  });

  test.each([
    [["10.0.0.0/25", "10.0.0.128/25"], 1],
    [["10.0.0.0/24", "10.0.0.7", "10.0.0.0/8"], 1],
    [["10.0.0.0/24", "10.0.2.0/24"], 2],
    [["0.0.0.0/1", "128.0.0.0/1"], 1],
    [["255.255.255.255", "0.0.0.0"], 2],
    [["2001:db8::/33", "2001:db8:8000::/33"], 1],
    [["2001:db8::ffff:ffff", "2001:db8::1:0:0"], 1],
    [["ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::"], 2],
    [["::/0", "0.0.0.0/0"], 2],
  ])("%j takes %i stretches", (networks, count) => {
    const builder = createRangesBuilder();
    networks.forEach(builder.add);
    expect(builder.build().count).toBe(count);
  });

  test("sees one address in IPv4 and the same inside IPv6", () => {
    const builder = createRangesBuilder();
    for (const each of ["203.0.113.0/24", "::ffff:198.51.100.0/120"]) builder.add(each);
    const ranges = builder.build();
    for (const address of ["203.0.113.7", "::ffff:203.0.113.7", "198.51.100.9", "::ffff:c633:6409"])
      expect(ranges.has(address), address).toBe(true);
    for (const address of ["203.0.114.0", "::203.0.113.7", "198.51.101.0"])
      expect(ranges.has(address), address).toBe(false);
  });

  test("takes 8 bytes for a stretch of IPv4 and 32 for one of IPv6", () => {
    const builder = createRangesBuilder();
    for (const each of ["10.0.0.1", "10.0.0.3", "2001:db8::1"]) builder.add(each);
    expect(builder.build()).toMatchObject({ count: 3, bytes: 2 * 8 + 32 });
  });
});

describe("the text of a network", () => {
  test("is read as the careful reader reads it, and nothing else is", () => {
    const character = fc.constantFrom(..."0123456789abcdefABCDEF:::...//g %");
    const address = fc.oneof(
      fc.string({ unit: character, maxLength: 40 }),
      someValue(6).map((value) => formatAddress({ family: 6, value })),
      fc
        .array(fc.constantFrom("0", "1", "ffff", "abcd", "", "12345", "1.2.3.4"), { maxLength: 10 })
        .map((all) => all.join(":")),
      fc.array(fc.nat(300), { minLength: 3, maxLength: 5 }).map((all) => all.join(".")),
    );
    fc.assert(
      fc.property(address, (text) => {
        expect(createRangesBuilder().add(text)).toBe(canonicalAllowedIp(text) !== undefined);
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    "1.2.3.4/33",
    "1.2.3.4/-1",
    "1.2.3.4/",
    "1.2.3.4/08",
    "1.2.3.4/8/8",
    "1.2.3.4/+8",
    "::/129",
    "/8",
    "::1/1e1",
  ])("%s is none", (text) => {
    expect(createRangesBuilder().add(text)).toBe(false);
  });
});

describe("public addresses", () => {
  test.each([
    "127.0.0.1",
    "0.0.0.0",
    "10.1.2.3",
    "169.254.169.254",
    "172.31.255.255",
    "192.168.0.1",
    "100.64.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "fd00::1",
    "fe80::1%eth0",
    "ff02::1",
    "localhost",
  ])("%s is none", (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  test.each(["1.1.1.1", "172.32.0.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"])("%s is one", (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });
});
