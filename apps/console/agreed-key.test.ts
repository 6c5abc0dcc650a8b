import { agreePresharedKey } from "@securewave/wireguard/agreed-keys";
import { expect, test } from "vitest";
import { beginAgreement } from "./agreed-key.ts";

const binding = { deviceId: "device_1", publicKey: "EWavBmOKtyL0qbFrUaAL8kv2VDJ4FC+P2d6mpEaNTh0=" };

test("the page agrees with the service's OpenSSL on the same preshared key, each time another one", () => {
  const keys = new Set<string>();
  for (let round = 0; round < 5; round++) {
    const agreement = beginAgreement();
    const agreed = agreePresharedKey(agreement.encapsulationKey, binding);
    if (!agreed) throw new Error("the encapsulation key was refused");
    const { deviceId, publicKey } = binding;
    const presharedKey = agreement.presharedKey(agreed.ciphertext, deviceId, publicKey);
    expect(presharedKey).toBe(agreed.presharedKey);
    keys.add(presharedKey);
  }
  expect(keys.size).toBe(5);
});

test("an answer that was changed on the way, or is for another device, gives another key", () => {
  const agreement = beginAgreement();
  const agreed = agreePresharedKey(agreement.encapsulationKey, binding);
  if (!agreed) throw new Error("the encapsulation key was refused");
  const { ciphertext, presharedKey } = agreed;
  const changed = `${ciphertext.startsWith("A") ? "B" : "A"}${ciphertext.slice(1)}`;
  expect(agreement.presharedKey(changed, binding.deviceId, binding.publicKey)).not.toBe(presharedKey);
  expect(agreement.presharedKey(ciphertext, "device_2", binding.publicKey)).not.toBe(presharedKey);
});
