import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { invariant } from "@securewave/foundation";
import { generateKeyPair, parseConfig, publicKeyOf } from "@securewave/wireguard";
import { expect, test } from "vitest";
import { useService } from "../testing/service.ts";

const service = useService();
const stored = (name: string) => service.api().state.tunnels.devices.find((device) => device.name === name);
const file = (name: string) => join(service.home().dir, name);
const read = async (name: string) => parseConfig(await readFile(file(name), "utf8"));

/** A device whose key was made here, with its file. */
async function addPhone(options = "") {
  await service.run(`devices add Phone --out ${file("phone.conf")}${options}`);
  const config = await read("phone.conf");
  invariant(config, "the device has a configuration");
  return config;
}

test("a new key is made here, its private half goes into the file alone, and the former config works on", async () => {
  const former = await addPhone();
  const ran = await service.run(`devices rotate Phone --file ${file("phone.conf")} --json`);
  expect(ran.json()).toMatchObject({
    config_path: file("phone.conf"),
    device: { key_version: 2, retiring: [{ valid_until: "2026-11-27" }] },
  });
  const config = await read("phone.conf");
  invariant(config, "the device has a configuration");
  expect(config.privateKey).not.toBe(former.privateKey);
  expect(publicKeyOf(config.privateKey)).toBe(stored("Phone")?.public_key);
  expect(config.addresses).not.toEqual(former.addresses);
  expect(JSON.stringify(ran.json())).not.toContain(config.privateKey);
  expect((await stat(file("phone.conf"))).mode & 0o777).toBe(0o600);
});

test("a new file is made, or the config goes to standard output, and the day of the former one is said", async () => {
  await addPhone();
  const ran = await service.run(`devices rotate Phone --out ${file("new.conf")}`);
  expect(ran.stdout).toContain(
    "Phone has its key number 2. The former configuration works until the end of 2026-11-27 (UTC).",
  );
  expect(await read("new.conf")).toBeDefined();
  const { stdout } = await service.run("devices rotate Phone --out -");
  expect(parseConfig(stdout)).toBeDefined();
});

test("no key is made that then has nowhere to go", async () => {
  const former = await addPhone();
  for (const line of [
    `devices rotate Phone --out ${file("phone.conf")}`,
    `devices rotate Phone --file ${file("none.conf")}`,
  ]) {
    expect((await service.run(line)).code).toBe(1);
    expect(stored("Phone")?.key_version).toBe(1);
  }
  await service.run("devices add Other --server-keys");
  const other = await service.run(`devices rotate Other --file ${file("phone.conf")}`);
  expect(other.stderr).toContain("cli.other_device");
  expect(await read("phone.conf")).toEqual(former);
});

test("a key that was made elsewhere gets a configuration without the private one", async () => {
  await addPhone();
  const { publicKey } = generateKeyPair();
  const { stdout, code } = await service.run(`devices rotate Phone --public-key ${publicKey}`);
  expect(code).toBe(0);
  expect(stored("Phone")?.public_key).toBe(publicKey);
  expect(stdout).toContain("PrivateKey = <the private key of this public key>\n");
  expect(stdout).toContain(`Address = ${stored("Phone")?.tunnel?.addresses[0]}`);
});

test("where the service made the key it makes the next one, and gives the configuration", async () => {
  await service.run("devices add Tablet --server-keys");
  const ran = await service.run("devices rotate Tablet");
  expect(ran.stdout).toContain('devices config "Tablet"');
  expect(stored("Tablet")).toMatchObject({ key_version: 2, key_origin: "server" });
  await service.run(`devices rotate Tablet --out ${file("tablet.conf")}`);
  expect((await read("tablet.conf"))?.privateKey).toBe(stored("Tablet")?.privateKey);
});

test("a preshared key is agreed without going over the network, and both sides have the same", async () => {
  const config = await addPhone(" --agree");
  expect(config.peer.presharedKey).toBeDefined();
  expect(config.peer.presharedKey).toBe(stored("Phone")?.agreedKey);
  expect(stored("Phone")?.tunnel?.preshared_key).toBeNull();
  expect((await service.run("devices show Phone")).stdout).toMatch(/Preshared key\s+agreed by ML-KEM-1024\n/);
});

test("who has agreed a preshared key once agrees the next one too, and keeps it when moving", async () => {
  const former = await addPhone(" --server us-e --agree");
  await service.run(`devices rotate Phone --file ${file("phone.conf")}`);
  const rotated = await read("phone.conf");
  expect(rotated?.peer.presharedKey).toBe(stored("Phone")?.agreedKey);
  expect(rotated?.peer.presharedKey).not.toBe(former.peer.presharedKey);
  const { publicKey } = generateKeyPair();
  const elsewhere = await service.run(`devices rotate Phone --public-key ${publicKey}`);
  expect(elsewhere.stdout).toContain(`PresharedKey = ${stored("Phone")?.agreedKey}\n`);
  const weaker = await service.run("devices rotate Phone --server-keys");
  expect(weaker.stderr).toContain("devices.agreement_needed");
});

test("a moved device keeps the preshared key that it agreed", async () => {
  const former = await addPhone(" --server us-e --agree");
  await service.run(`devices move Phone --to us-w --file ${file("phone.conf")}`);
  const moved = await read("phone.conf");
  expect(moved?.peer.endpoint.host).toBe("us-west-1.securewave.example");
  expect(moved?.peer.presharedKey).toBe(former.peer.presharedKey);
});

test("options that do not go together, and keys that are none, are wrong usage", async () => {
  await addPhone();
  const { publicKey } = generateKeyPair();
  for (const line of [
    "devices rotate Phone --server-keys --agree",
    `devices rotate Phone --server-keys --public-key ${publicKey}`,
    `devices rotate Phone --public-key ${publicKey} --file ${file("phone.conf")}`,
    `devices rotate Phone --out - --file ${file("phone.conf")}`,
    "devices rotate Phone --public-key abc",
    "devices add Other --server-keys --agree",
    "devices rotation Phone often",
    "devices rotation Phone 0",
  ])
    expect([line, (await service.run(line)).code]).toEqual([line, 2]);
  expect(stored("Phone")?.key_version).toBe(1);
});

test("how often a key is changed is set for each device", async () => {
  await addPhone();
  expect((await service.run("devices rotation Phone 30")).stdout).toContain("2026-12-20");
  expect((await service.run("devices rotation Phone never")).stdout).toContain("never changed");
  expect(stored("Phone")?.rotation_days).toBe(0);
  expect((await service.run("devices rotation Phone default --json")).json()).toMatchObject({
    rotation_days: null,
    next_rotation_on: "2027-02-18",
  });
});
