import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addressAt,
  canonicalAllowedIp,
  canonicalInterfaceAddress,
  contains,
  type Family,
  formatAddress,
  formatPool,
  indexOf,
  type Pool,
  parseAddress,
  parsePool,
  size,
  usableIndexes,
} from "./addresses.ts";

const address = fc.oneof(
  fc.record({ family: fc.constant<Family>(4), value: fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }) }),
  fc.record({ family: fc.constant<Family>(6), value: fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }) }),
  // Sparse ones, with runs of zero groups.
  fc.record({
    family: fc.constant<Family>(6),
    value: fc
      .array(fc.constantFrom(0n, 0n, 1n, 0xffffn), { minLength: 8, maxLength: 8 })
      .map((groups) => groups.reduce<bigint>((value, group) => (value << 16n) | group, 0n)),
  }),
);
const pool: fc.Arbitrary<Pool> = fc.tuple(address, fc.nat(128)).map(([{ family, value }, length]) => {
  const prefixLength = family === 4 ? length % 33 : length;
  const block = size({ family, network: 0n, prefixLength });
  return { family, network: value - (value % block), prefixLength };
});

test("an address survives its text", () => {
  fc.assert(
    fc.property(address, (given) => {
      expect(parseAddress(formatAddress(given))).toEqual(given);
    }),
  );
});

test("a pool survives its text", () => {
  fc.assert(
    fc.property(pool, (given) => {
      expect(parsePool(formatPool(given))).toEqual(given);
    }),
  );
});

test("an index gives an address of the pool, and the address its index", () => {
  fc.assert(
    fc.property(pool, fc.bigInt({ min: 0n, max: 2n ** 128n }), (given, number) => {
      const index = number % size(given);
      const text = addressAt(given, index);
      expect(indexOf(given, text)).toBe(index);
      expect(contains(given, text)).toBe(true);
    }),
  );
});

test("an address just outside the pool is not in it", () => {
  fc.assert(
    fc.property(pool, ({ family, network, prefixLength }) => {
      const given = { family, network, prefixLength };
      const top = 1n << (family === 4 ? 32n : 128n);
      for (const value of [network - 1n, network + size(given)]) {
        if (value >= 0n && value < top) expect(contains(given, formatAddress({ family, value }))).toBe(false);
      }
      expect(contains(given, family === 4 ? "::1" : "10.0.0.1")).toBe(false);
      expect(() => addressAt(given, size(given))).toThrow();
      expect(() => addressAt(given, -1)).toThrow();
    }),
  );
});

test("an IPv6 address reads the same as in a URL", () => {
  fc.assert(
    fc.property(address, ({ family, value }) => {
      // WHATWG serialises IPv4-mapped addresses in hexadecimal, RFC 5952 §5 with dots.
      fc.pre(family === 6 && value >> 32n !== 0xffffn);
      const text = formatAddress({ family, value });
      expect(new URL(`http://[${text}]/`).hostname).toBe(`[${text}]`);
    }),
  );
});

describe("what devices may have", () => {
  test("excludes the network, the node and the IPv4 broadcast address", () => {
    const range = (text: string) => {
      const parsed = parsePool(text);
      const usable = parsed && usableIndexes(parsed);
      return parsed && usable && [addressAt(parsed, usable.first), addressAt(parsed, usable.last)];
    };
    expect(range("10.8.0.0/16")).toEqual(["10.8.0.2", "10.8.255.254"]);
    expect(range("10.8.0.0/30")).toEqual(["10.8.0.2", "10.8.0.2"]);
    expect(range("fd00:8::/112")).toEqual(["fd00:8::2", "fd00:8::ffff"]);
    for (const tooSmall of ["10.8.0.0/31", "10.8.0.0/32", "fd00::/127", "fd00::/128"]) {
      expect(range(tooSmall), tooSmall).toBeUndefined();
    }
  });
});

test.each([
  ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
  ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["0:0:0:0:0:0:0:0", "::"],
  ["1::", "1::"],
  ["::ffff:c000:201", "::ffff:192.0.2.1"],
  ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
])("%s is written %s (RFC 5952)", (text, canonical) => {
  const parsed = parseAddress(text);
  expect(parsed && formatAddress(parsed)).toBe(canonical);
});

test.each([
  "",
  "1.2.3",
  "1.2.3.4.5",
  "01.2.3.4",
  "256.1.1.1",
  "1.2.3.4 ",
  "1.2.3.4\n",
  "0x1.2.3.4",
  ":",
  ":::",
  "1::2::3",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7::8",
  "12345::",
  "fe80::1%eth0",
  "1.2.3.4::",
  "::1.2.3.4:5",
  "::\n",
  "g::",
])("%j is no address", (text) => {
  expect(parseAddress(text)).toBeUndefined();
});

test.each([
  "10.8.0.1/16",
  "10.8.0.0",
  "10.8.0.0/33",
  "10.8.0.0/016",
  "10.8.0.0/",
  "fd00::1/64",
  "fd00::/129",
])("%j is no pool", (text) => {
  const parsed = parsePool(text);
  // A bare address is a pool of one.
  if (text === "10.8.0.0") expect(parsed && size(parsed)).toBe(1n);
  else expect(parsed).toBeUndefined();
});

test("an allowed IP is cut to its prefix, an interface's address is not", () => {
  expect(canonicalAllowedIp("10.8.3.4/16")).toBe("10.8.0.0/16");
  expect(canonicalAllowedIp("10.8.3.4")).toBe("10.8.3.4/32");
  expect(canonicalAllowedIp("FD00::3:4/64")).toBe("fd00::/64");
  expect(canonicalAllowedIp("::/0")).toBe("::/0");
  expect(canonicalAllowedIp("example.net")).toBeUndefined();
  expect(canonicalInterfaceAddress("10.8.3.4/16")).toBe("10.8.3.4/16");
  expect(canonicalInterfaceAddress("FD00::3:4")).toBe("fd00::3:4/128");
});
