import { formatSpeed } from "@securewave/contracts";
import { expect, test } from "vitest";
import { dataOrNone, integerOrNone, limitOf, speed, speedOrNone } from "./limits.ts";

test("amounts of data are read in decimal and binary units, or as none", () => {
  expect(["500GB", "1.5TiB", "1 mib", "2tb", "none"].map(dataOrNone).map(limitOf)).toEqual([
    500e9,
    1.5 * 2 ** 40,
    2 ** 20,
    2e12,
    null,
  ]);
  for (const text of ["", "500", "GB", "0GB", "1kB", "2000TiB", "-1GB", "1e3GB", "NONE"]) {
    expect(() => dataOrNone(text)).toThrow("such as 500GB");
  }
});

test("speeds are read in bits a second and shown in their largest unit", () => {
  const read = speed(64, 40_000_000);
  expect(["64kbit", "1.5mbit", "1 Gbit"].map(read)).toEqual([64, 1500, 1_000_000]);
  for (const text of ["63kbit", "1mb", "1.0005mbit", "mbit", "41gbit"])
    expect(() => read(text)).toThrow("such as");
  expect([64, 1500, 2_500_000].map(formatSpeed)).toEqual(["64 kbit/s", "1.5 Mbit/s", "2.5 Gbit/s"]);
});

test("a number and a speed may be none", () => {
  expect([limitOf(speedOrNone(64, 1000)("none")), speedOrNone(64, 1000)("64kbit")]).toEqual([null, 64]);
  const read = integerOrNone(1, 1000);
  expect([limitOf(read("7")), limitOf(read("none")), limitOf(undefined)]).toEqual([7, null, undefined]);
  expect(() => read("0")).toThrow("from 1 to 1000");
});
