import { createManualClock, DAY_MS } from "@securewave/foundation";
import { formatAddress } from "@securewave/wireguard";
import fc from "fast-check";
import { fastify } from "fastify";
import { describe, expect, test } from "vitest";
import { pluginOf } from "../step.ts";
import { createDayKeys, createOriginStep, createOrigins, networkOf, trustedProxies } from "./index.ts";

const NOON_MS = Date.parse("2026-11-20T12:00:00Z");
const open = () => {
  const clock = createManualClock(NOON_MS);
  return { clock, originOf: createOrigins(createDayKeys(clock)) };
};

test("two IPv6 addresses count as one exactly when their first 64 bits are the same, however they are written", () => {
  const far = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n });
  const near = fc.bigInt({ min: 0n, max: (1n << 70n) - 1n });
  fc.assert(
    fc.property(far, fc.oneof(far, near), (a, difference) => {
      const b = a ^ difference;
      fc.pre(a >> 32n !== 0xffffn && b >> 32n !== 0xffffn); // IPv4 inside IPv6
      const inFull = a
        .toString(16)
        .padStart(32, "0")
        .replace(/(.{4})(?=.)/g, "$1:");
      const inShort = formatAddress({ family: 6, value: b });
      expect(networkOf(inFull) === networkOf(inShort)).toBe(a >> 64n === b >> 64n);
    }),
  );
  expect(networkOf("2001::1:2:3:4:5")).not.toBe(networkOf("2001::2:2:3:4:5"));
});

describe("pseudonyms", () => {
  test("are 12 bytes that tell nothing of the address, and the same all day", () => {
    const { clock, originOf } = open();
    const { address, tag } = originOf("203.0.113.7");
    expect(address).toBe("203.0.113.7");
    expect(tag).toMatch(/^[A-Za-z0-9_-]{16}$/);
    clock.advanceSeconds(11 * 3600);
    expect(originOf("::ffff:203.0.113.7").tag).toBe(tag);
    expect(originOf("203.0.113.8").tag).not.toBe(tag);
  });

  test("of one /64 are one, so that a customer with 2^64 addresses is one origin", () => {
    const { originOf } = open();
    expect(originOf("2001:db8::1").tag).toBe(originOf("2001:db8::ffff:1%eth0").tag);
    expect(originOf("2001:db8::1").tag).not.toBe(originOf("2001:db8:0:1::1").tag);
  });

  test("change at midnight (UTC), and the day before is known for one day", () => {
    const { clock, originOf } = open();
    const friday = originOf("203.0.113.7");
    clock.advanceSeconds(12 * 3600);
    const saturday = originOf("203.0.113.7");
    expect(saturday.tag).not.toBe(friday.tag);
    expect(saturday.previousTag).toBe(friday.tag);
    clock.advanceSeconds(24 * 3600);
    const sunday = originOf("203.0.113.7");
    expect(sunday.previousTag).toBe(saturday.tag);
    expect([sunday.tag, sunday.previousTag]).not.toContain(friday.tag);
  });

  test("of two processes are not the same, as keys are made at random", () => {
    expect(open().originOf("203.0.113.7").tag).not.toBe(open().originOf("203.0.113.7").tag);
  });

  test("of everything that is no address are one, so that made-up addresses win nothing", () => {
    const { originOf } = open();
    const tags = ["", "x", "unknown", "999.1.1.1", "a".repeat(5000)].map((text) => originOf(text).tag);
    expect(new Set(tags).size).toBe(1);
    expect(originOf("x").address).toBe("unknown");
  });
});

describe("keys of the day", () => {
  test("stand from midnight to midnight, as one object", () => {
    const clock = createManualClock(NOON_MS);
    const dayKeys = createDayKeys(clock);
    const friday = dayKeys.read();
    expect(friday).toMatchObject({ day: "2026-11-20", current: { length: 32 }, previous: { length: 32 } });
    clock.advanceSeconds(12 * 3600 - 1);
    expect(dayKeys.read()).toBe(friday);
    clock.advanceSeconds(1);
    expect(dayKeys.read()).toMatchObject({ day: "2026-11-21", previous: friday.current });
  });

  test("that nobody asked for in time are gone", () => {
    const clock = createManualClock(NOON_MS);
    const dayKeys = createDayKeys(clock);
    const { current } = dayKeys.read();
    clock.advanceSeconds((2 * DAY_MS) / 1000);
    expect(dayKeys.read().previous).not.toEqual(current);
  });

  test("a clock that is set back over midnight does not change them", () => {
    const clock = createManualClock(NOON_MS);
    const dayKeys = createDayKeys(clock);
    const before = dayKeys.read();
    clock.advanceSeconds(-13 * 3600);
    expect(dayKeys.read()).toBe(before);
  });
});

describe("X-Forwarded-For", () => {
  async function addressSeen(proxies: string[], peer: string, forwarded?: string): Promise<string> {
    const app = fastify({ trustProxy: trustedProxies(proxies) });
    app.decorateRequest("origin");
    app.register(pluginOf("origins", createOriginStep(open().originOf)));
    app.get("/", async ({ origin }) => origin.address);
    const headers = forwarded === undefined ? {} : { "x-forwarded-for": forwarded };
    const answer = await app.inject({ url: "/", remoteAddress: peer, headers });
    await app.close();
    return answer.body;
  }
  const PROXIES = ["10.0.0.0/8", "2001:db8:1::/48"];

  test.each([
    ["without a proxy, the peer", [], "203.0.113.7", undefined, "203.0.113.7"],
    ["X-Forwarded-For spoofing without a proxy: the peer", [], "203.0.113.7", "198.51.100.1", "203.0.113.7"],
    ["spoofing by a peer that is no proxy: the peer", PROXIES, "203.0.113.7", "198.51.100.1", "203.0.113.7"],
    ["a trusted proxy's client", PROXIES, "10.0.0.1", "198.51.100.1", "198.51.100.1"],
    [
      "a client that puts an address in front: the one the proxy saw",
      PROXIES,
      "10.0.0.1",
      "1.1.1.1, 198.51.100.1",
      "198.51.100.1",
    ],
    [
      "a client that puts a proxy's address in front: the one the proxy saw",
      PROXIES,
      "10.0.0.1",
      "10.0.0.9, 198.51.100.1",
      "198.51.100.1",
    ],
    [
      "a chain of proxies: the nearest hop that is none",
      PROXIES,
      "10.0.0.1",
      "1.1.1.1, 198.51.100.1, 2001:db8:1::5",
      "198.51.100.1",
    ],
    [
      "a client that sends what is no address: the one the proxy saw",
      PROXIES,
      "10.0.0.1",
      "evil, , 198.51.100.1",
      "198.51.100.1",
    ],
    ["a proxy on a socket of both families", PROXIES, "::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"],
    ["a proxy that writes ports", PROXIES, "10.0.0.1", "198.51.100.1:50123", "198.51.100.1"],
    ["a proxy that is asked directly", PROXIES, "10.0.0.1", undefined, "10.0.0.1"],
  ])("%s is the origin", async (_, proxies, peer, forwarded, expected) => {
    expect(await addressSeen(proxies, peer, forwarded)).toBe(expected);
  });

  test("a list of proxies is checked before the server starts, and cannot be everybody", () => {
    expect(trustedProxies([])).toBe(false);
    expect(trustedProxies(PROXIES)).toEqual(PROXIES);
    for (const wrong of [
      "",
      "loopback",
      "10.0.0.0/33",
      "10.0.0",
      "proxy.example.org",
      "1.2.3.4/8/8",
      "0.0.0.0/0",
      "::/0",
    ])
      expect(() => trustedProxies([wrong]), wrong).toThrow(TypeError);
  });
});
