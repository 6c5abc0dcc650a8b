import fc from "fast-check";
import { expect, test } from "vitest";
import { configFileName, tunnelName } from "./tunnel-name.ts";

test("every name becomes one that all WireGuard apps accept", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: "grapheme" })), (name) => {
      expect(tunnelName(name)).toMatch(/^[a-zA-Z0-9_=+.-]{1,15}$/);
      expect(tunnelName(name)).toMatch(/^[a-zA-Z0-9].*[a-zA-Z0-9]$|^[a-zA-Z0-9]$/);
      expect(tunnelName(tunnelName(name))).toBe(tunnelName(name));
    }),
  );
});

test.each([
  ["securewave-phone", "securewave-phon.conf"],
  ["Zoë's iPhone", "Zoe-s-iPhone.conf"],
  ["../../etc/passwd", "etc-passwd.conf"],
  ["-rf", "rf.conf"],
  ["日本", "securewave.conf"],
  ["con", "vpn-con.conf"],
  ["laptop", "laptop.conf"],
])("%j is saved as %s", (name, fileName) => {
  expect(configFileName(name)).toBe(fileName);
});
