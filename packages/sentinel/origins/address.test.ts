import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalAddress, networkOf } from "./index.ts";

describe("the address of a client", () => {
  test.each([
    ["203.0.113.7", "203.0.113.7", "203.0.113.7"],
    ["203.0.113.7:4711", "203.0.113.7", "203.0.113.7"],
    ["::ffff:203.0.113.7", "203.0.113.7", "203.0.113.7"],
    ["::FFFF:cb00:7107", "203.0.113.7", "203.0.113.7"],
    ["[::ffff:203.0.113.7]:80", "203.0.113.7", "203.0.113.7"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1", "2001:db8::"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"],
    ["[2001:db8::1]", "2001:db8::1", "2001:db8::"],
    ["[2001:db8::1]:4711", "2001:db8::1", "2001:db8::"],
    ["fe80::1%eth0", "fe80::1", "fe80::"],
    ["[fe80::1%25eth0]:80", "fe80::1", "fe80::"],
    ["::ffff:203.0.113.7%eth0", "203.0.113.7", "203.0.113.7"],
    ["::1", "::1", "::"],
  ])("%s is written %s and counts as %s", (seen, address, network) => {
    expect(canonicalAddress(seen)).toBe(address);
    expect(networkOf(seen)).toBe(network);
  });

  test.each([
    "",
    "unknown",
    "_hidden",
    "203.0.113",
    "203.0.113.256",
    "0313.0.113.7",
    "203.0.113.7:",
    "203.0.113.7:123456",
    "[203.0.113.7",
    "2001:db8::1]:80",
    "[2001:db8::1]x",
    "203.0.113.7\r\nx: y",
    "203.0.113.7, 198.51.100.1",
    "localhost",
    `::${"0".repeat(200)}1`,
  ])("%j is no address", (seen) => {
    expect(canonicalAddress(seen)).toBeUndefined();
    expect(networkOf(seen)).toBeUndefined();
  });

  test("two IPv6 addresses count as one exactly when their first 64 bits are the same", () => {
    const group = fc.nat({ max: 0xffff }).map((value) => value.toString(16));
    const half = fc.array(group, { minLength: 3, maxLength: 3 }).map((groups) => `2001:${groups.join(":")}`);
    fc.assert(
      fc.property(half, half, half, half, (network, otherNetwork, host, otherHost) => {
        const one = networkOf(`${network}:${host}`);
        expect(networkOf(`${network}:${otherHost}`)).toBe(one);
        if (network !== otherNetwork) expect(networkOf(`${otherNetwork}:${host}`)).not.toBe(one);
      }),
    );
  });

  test("no text makes it fail", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 150 }), (text) => {
        const address = canonicalAddress(text);
        if (address !== undefined) expect(canonicalAddress(address)).toBe(address);
      }),
    );
  });
});
