import { createFakeDevices } from "@securewave/contracts/testing/fake-devices";
import { createFakeNodes } from "@securewave/contracts/testing/fake-nodes";
import { generateKeyPair, generatePresharedKey, parseConfig } from "@securewave/wireguard";
import { expect, test } from "vitest";
import { renewedConfig } from "./config-of-file.ts";
import { configOf } from "./tunnel-file.ts";

function scene() {
  const nodes = createFakeNodes();
  const [former, present] = [nodes.add("EU-1", "Frankfurt"), nodes.add("EU-2", "Paris")];
  const keys = generateKeyPair();
  const devices = createFakeDevices();
  const before = devices.add("account", "Phone", former, { public_key: keys.publicKey });
  const after = devices.add("account", "Phone", present, { public_key: keys.publicKey });
  return { keys, present, before, after };
}

test("a config is written anew with the private key of the former one, for the server the device is on", () => {
  const { keys, present, before, after } = scene();
  if (!before.tunnel || !after.tunnel) throw new Error("both have tunnels");
  const renewed = parseConfig(renewedConfig(configOf(keys.privateKey, before.tunnel), after));
  expect(renewed?.privateKey).toBe(keys.privateKey);
  expect(renewed?.peer.publicKey).toBe(present.public_key);
  expect(renewed?.peer.presharedKey).toBe(after.tunnel.preshared_key);
});

test("a preshared key that only the device has is taken over", () => {
  const { keys, before, after } = scene();
  if (!before.tunnel || !after.tunnel) throw new Error("both have tunnels");
  const preshared_key = generatePresharedKey();
  const former = configOf(keys.privateKey, { ...before.tunnel, preshared_key });
  const agreed = { ...after, tunnel: { ...after.tunnel, preshared_key: null, preshared_key_agreed: true } };
  expect(parseConfig(renewedConfig(former, agreed))?.peer.presharedKey).toBe(preshared_key);
});

test("what is no config, or that of another key, is refused in words", () => {
  const { before, after } = scene();
  if (!before.tunnel) throw new Error("it has a tunnel");
  expect(() => renewedConfig("[Interface]\n", after)).toThrow("This is not a WireGuard config.");
  const other = configOf(generateKeyPair().privateKey, before.tunnel);
  expect(() => renewedConfig(other, after)).toThrow("another key");
});
