import { describe, expect, test } from "vitest";
import { parseSentinelUrl } from "./sentinel-url.ts";

describe("the URL of a Redis behind sentinels", () => {
  test("names sentinels, their group, and a log-in whose signs are escaped", () => {
    expect(parseSentinelUrl("redis+sentinel://me:p%40ss%2Fword@one:1,[2001:db8::2]:2,three/vpn")).toEqual({
      sentinels: [
        { host: "one", port: 1 },
        { host: "2001:db8::2", port: 2 },
        { host: "three", port: 26_379 },
      ],
      name: "vpn",
      isTls: false,
      username: "me",
      password: "p@ss/word",
    });
  });

  test("has Redis's own name and port where it says nothing, and TLS where it asks for it", () => {
    expect(parseSentinelUrl("rediss+sentinel://:secret@one")).toEqual({
      sentinels: [{ host: "one", port: 26_379 }],
      name: "mymaster",
      isTls: true,
      username: undefined,
      password: "secret",
    });
  });

  test.each([
    "redis://one:6379",
    "redis+sentinel://",
    "redis+sentinel://one,,two/vpn",
    "redis+sentinel://one:70000/vpn",
    "redis+sentinel://one/vpn/more",
    "redis+sentinel://:%@one/vpn",
    "redis+sentinel://one two/vpn",
  ])("is refused as %s", (url) => {
    expect(parseSentinelUrl(url)).toBeUndefined();
  });
});
