import { join } from "node:path";
import type { DeviceWithKeys } from "@securewave/contracts";
import {
  connectWireGuard,
  createNetworkLab,
  eventually,
  forwardPort,
  LAB_ADDRESSES,
  labRequirements,
  type NetworkLab,
  type PortForward,
  ping,
  type TemporaryDir,
  temporaryDir,
} from "@securewave/testing";
import {
  generateKeyPair,
  generatePresharedKey,
  type KeyPair,
  type PresharedKey,
} from "@securewave/wireguard";
import { type Agreement, generateAgreement, openAgreement } from "@securewave/wireguard/agreed-keys";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ControlPlane, dataDirOf, startControlPlane } from "./control-plane.ts";
import { configOf } from "./device-config.ts";
import { joinNode, type NodeMachine } from "./node-agent.ts";
import { type Person, register, setUpAdmin } from "./people.ts";
import { processesOf } from "./remains.ts";

const CONTROL_PORT = 8000;
const CONTROL_URL = `http://${LAB_ADDRESSES.control.v4}:${CONTROL_PORT}`;
/** WireGuard §6.1: a handshake is tried again after REKEY_TIMEOUT, 5 s. */
const PING_TIMEOUT_MS = 8_000;

const lab = labRequirements();

describe.skipIf(!lab.ok)(lab.title("a preshared key that was agreed"), () => {
  let dir: TemporaryDir;
  let scene: NetworkLab;
  let way: PortForward;
  let plane: ControlPlane;
  let node: NodeMachine;
  let customer: Person;

  beforeAll(async () => {
    dir = temporaryDir("agreed-keys");
    scene = await createNetworkLab();
    way = await forwardPort(scene.control, { host: "127.0.0.1", port: CONTROL_PORT });
    const baseUrl = `http://127.0.0.1:${way.port}`;
    plane = await startControlPlane({
      dir: dir.path,
      namespace: scene.control,
      port: CONTROL_PORT,
      env: { PUBLIC_URL: CONTROL_URL },
    });
    const admin = await setUpAdmin(baseUrl, plane.setupLink);
    const endpoint = LAB_ADDRESSES.nodeForCustomer.v4;
    node = await joinNode({ admin, namespace: scene.node, registered: "EU-Lab-1", endpoint });
    customer = await register(baseUrl, "ada@example.org", join(dataDirOf(dir.path), "outbox"));
  });

  afterAll(async () => {
    await plane?.process.stop();
    await node?.[Symbol.asyncDispose]();
    await way?.close();
    await scene?.destroy();
    expect(await processesOf(dir.path)).toEqual([]);
    dir.remove();
  });

  function keyOf({ seed }: Agreement, { id, public_key, ciphertext = "" }: DeviceWithKeys): PresharedKey {
    const key = openAgreement(seed, ciphertext, { deviceId: id, publicKey: public_key });
    if (key === undefined) throw new Error("the answer has no ciphertext");
    return key;
  }

  /** Whether the internet answers through a tunnel of these keys. */
  async function carries({ privateKey }: KeyPair, device: DeviceWithKeys, preshared_key: string | null) {
    const { tunnel } = device;
    if (tunnel === null) throw new Error("the device has no tunnel");
    await eventually(async () => {
      const { connection } = await customer.client.devices.show({ params: { id: device.id } });
      expect(connection.ready).toBe(true);
    });
    const client = await connectWireGuard(
      scene.customer,
      configOf(privateKey, { ...device, tunnel: { ...tunnel, preshared_key } }),
    );
    try {
      return await ping(scene.customer, LAB_ADDRESSES.internet.v4, { timeoutMs: PING_TIMEOUT_MS });
    } finally {
      await client.down();
    }
  }

  test("carries a tunnel, which no other key does; so do the next one and, for a while, the former", async () => {
    const { devices } = customer.client;
    const [keys, agreement] = [generateKeyPair(), generateAgreement()];
    const device = await devices.create({
      body: { name: "Laptop", public_key: keys.publicKey, encapsulation_key: agreement.encapsulationKey },
    });
    const present = keyOf(agreement, device);
    expect(await carries(keys, device, present)).toBe(true);
    expect(await carries(keys, device, null)).toBe(false);
    expect(await carries(keys, device, generatePresharedKey())).toBe(false);

    const [nextKeys, next] = [generateKeyPair(), generateAgreement()];
    const rotated = await devices.rotate({
      params: { id: device.id },
      body: { public_key: nextKeys.publicKey, encapsulation_key: next.encapsulationKey },
    });
    expect(await carries(nextKeys, rotated, keyOf(next, rotated))).toBe(true);
    expect(await carries(keys, device, present)).toBe(true);
  });
});
