import { createFakeDevices } from "@securewave/contracts/testing/fake-devices";
import { createFakeNodes } from "@securewave/contracts/testing/fake-nodes";
import { generateKeyPair } from "@securewave/wireguard";
import { expect, test } from "vitest";
import { formerKeyUntil, formerServerUntil } from "./former-days.ts";

test("of several former configs the day of the one that works longest is said", () => {
  const nodes = createFakeNodes();
  const [one, other] = [nodes.add("EU-1", "Frankfurt"), nodes.add("EU-2", "Paris")];
  const device = createFakeDevices().add("account", "Phone", other);
  expect([formerKeyUntil(device), formerServerUntil(device, one.id)]).toEqual([undefined, undefined]);
  const { publicKey } = generateKeyPair();
  device.retiring = [
    { public_key: publicKey, server: one, valid_until: "2026-11-21" },
    { public_key: publicKey, server: other, valid_until: "2026-11-27" },
  ];
  expect(formerKeyUntil(device)).toBe("2026-11-27");
  expect(formerServerUntil(device, one.id)).toBe("2026-11-21");
});
