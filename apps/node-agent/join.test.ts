import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDir } from "@securewave/testing/temporary";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readIdentity } from "./identity.ts";
import { type JoinRequest, joinControlPlane } from "./join.ts";
import { NODE_ID, openTestPlane, type TestPlane } from "./testing-plane.ts";

let plane: TestPlane;
beforeAll(async () => {
  plane = await openTestPlane();
});
const dir = temporaryDir("node-agent");
afterAll(async () => {
  dir.remove();
  await plane.close();
});

function request(folder: string, options: Partial<JoinRequest> = {}): JoinRequest {
  return {
    controlPlane: plane.url,
    token: plane.joinToken,
    endpoint: "vpn1.example.org",
    interfaceName: "sw0",
    stateDir: join(dir.path, folder),
    ...options,
  };
}

test("joining keeps keys that only this user can read, and pins the control plane's", async () => {
  const identity = await joinControlPlane(request("first"));
  expect(identity).toMatchObject({ node_id: NODE_ID, control_plane_key: plane.rawKey, listen_port: null });
  expect(await readIdentity(join(dir.path, "first"))).toEqual(identity);
  expect(statSync(join(dir.path, "first")).mode & 0o777).toBe(0o700);
  expect(statSync(join(dir.path, "first", "node.json")).mode & 0o777).toBe(0o600);
});

test("a second join asks for --replace, and then keeps the key that customers' configurations name", async () => {
  const first = await joinControlPlane(request("second"));
  await expect(joinControlPlane(request("second"))).rejects.toThrow("--replace");
  const second = await joinControlPlane(request("second", { replace: true }));
  expect(second.credential).not.toBe(first.credential);
  expect(second.wireguard_private_key).toBe(first.wireguard_private_key);
});

test("a control plane with another key than the token's is refused and nothing is kept", async () => {
  const token = plane.joinToken.replace(/\..*/, `.${"A".repeat(22)}`);
  await expect(joinControlPlane(request("third", { token }))).rejects.toThrow("another key");
  expect(await readIdentity(join(dir.path, "third"))).toBeUndefined();
});

test("plain http is for this machine only, unless allowed", async () => {
  for (const controlPlane of ["http://192.0.2.1", "http://127.0.0.1.example.org", "ftp://x", "nonsense"]) {
    await expect(joinControlPlane(request("fourth", { controlPlane }))).rejects.toThrow(/https:\/\//);
  }
});

test("a token or an endpoint that is none is refused before anything is sent", async () => {
  await expect(joinControlPlane(request("fifth", { token: "swj_x" }))).rejects.toThrow("token is incomplete");
  for (const endpoint of ["", "a b", "host:0", "host:65536", "[::1", ":51820"]) {
    await expect(joinControlPlane(request("fifth", { endpoint }))).rejects.toThrow("--endpoint");
  }
  for (const endpoint of ["2001:db8::1", "[2001:db8::1]:51821", "192.0.2.1:51822", "host"]) {
    await joinControlPlane(request("fifth", { endpoint, replace: true }));
  }
});

test("a damaged identity stops with what to do", async () => {
  const identity = await joinControlPlane(request("sixth"));
  const path = join(dir.path, "sixth", "node.json");
  const text = readFileSync(path, "utf8");
  for (const damaged of ["", text.slice(0, 100), text.replace(identity.wireguard_private_key, "x")]) {
    writeFileSync(path, damaged);
    await expect(readIdentity(join(dir.path, "sixth"))).rejects.toThrow("damaged");
  }
});
