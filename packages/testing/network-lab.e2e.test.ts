import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { curl, ping, serveHttp, type WebServer } from "./lab-traffic.ts";
import { setForwarding } from "./namespaces.ts";
import {
  createNetworkLab,
  LAB_ADDRESSES,
  labRequirements,
  type NetworkLab,
  NODE_INTERFACES,
} from "./network-lab.ts";
import { forwardPort } from "./port-forward.ts";
import { randomSuffix } from "./random-suffix.ts";
import { run, runOrThrow } from "./run.ts";
import { temporaryDir } from "./temporary.ts";
import { connectWireGuard } from "./wireguard-client.ts";

const lab = labRequirements();

describe.skipIf(!lab.ok)(lab.title("a network lab"), () => {
  let scene: NetworkLab;
  let web: { v4: WebServer; v6: WebServer };

  beforeAll(async () => {
    scene = await createNetworkLab();
    const { internet } = LAB_ADDRESSES;
    web = {
      v4: await serveHttp(scene.internet, internet.v4, 80, "hello over IPv4"),
      v6: await serveHttp(scene.internet, internet.v6, 80, "hello over IPv6"),
    };
  });
  afterAll(async () => {
    await scene.destroy();
  });

  test("the node reaches its three neighbours at once, over IPv4 and IPv6", async () => {
    const { control, customer, internet } = LAB_ADDRESSES;
    for (const neighbour of [control, customer, internet]) {
      expect(await ping(scene.node, neighbour.v4)).toBe(true);
      expect(await ping(scene.node, neighbour.v6)).toBe(true);
    }
  });

  test("without a tunnel a customer reaches nothing behind the node", async () => {
    const answer = await curl(scene.customer, web.v4.url, { timeoutMs: 300 });
    expect(answer.status).toBeUndefined();
    expect(answer.failure).not.toBe("");
    expect(await ping(scene.customer, LAB_ADDRESSES.control.v4, { timeoutMs: 300 })).toBe(false);
  });

  test("a customer's full tunnel carries HTTP through NAT, over IPv4 and IPv6, until it is taken down", async () => {
    const server = await startWireGuardServer(scene.node);
    const client = await connectWireGuard(scene.customer, server.customerConfiguration);
    expect(await curl(scene.customer, web.v4.url)).toMatchObject({ status: 200, body: "hello over IPv4" });
    expect(await curl(scene.customer, web.v6.url)).toMatchObject({ status: 200, body: "hello over IPv6" });
    expect(web.v4.visitors()).toEqual([LAB_ADDRESSES.nodeForInternet.v4]);
    expect(web.v6.visitors()).toEqual([LAB_ADDRESSES.nodeForInternet.v6]);
    expect(await client.dump()).toContain(`${LAB_ADDRESSES.nodeForCustomer.v4}:51820`);
    expect(await client.nameServers()).toEqual(["10.64.0.1", "fd64::1"]);

    await client.down();
    expect(await client.nameServers()).toEqual([]);
    expect(await curl(scene.customer, web.v4.url, { timeoutMs: 300 })).toMatchObject({ status: undefined });
    const links = await runOrThrow("ip", ["-n", scene.customer, "-o", "link"]);
    expect(links.stdout).not.toContain(client.interfaceName);
  });

  test("a configuration that wg-quick refuses leaves nothing behind", async () => {
    await expect(connectWireGuard(scene.customer, "[Interface]\nPrivateKey = no key\n")).rejects.toThrow(
      /wg-quick/,
    );
    const links = await runOrThrow("ip", ["-n", scene.customer, "-o", "link"]);
    expect(links.stdout).not.toContain("wgc-");
  });

  test("a server inside a namespace is reached through a forwarded port", async () => {
    const forward = await forwardPort(scene.internet, { host: LAB_ADDRESSES.internet.v4, port: 80 });
    const response = await fetch(`http://127.0.0.1:${forward.port}/`);
    expect(await response.text()).toBe("hello over IPv4");
    await forward.close();
  });

  test("labs side by side do not meet, and a destroyed one is gone", async () => {
    const [one, two] = await Promise.all([createNetworkLab(), createNetworkLab()]);
    const server = await serveHttp(one.internet, LAB_ADDRESSES.internet.v4, 80, "one");
    expect(await curl(one.node, server.url)).toMatchObject({ body: "one" });
    expect(await curl(two.node, server.url, { timeoutMs: 500 })).toMatchObject({ status: undefined });
    await Promise.all([one.destroy(), two.destroy()]);
    const names = (await run("ip", ["netns", "list"])).stdout;
    for (const name of [one.node, one.internet, two.node, two.control]) expect(names).not.toContain(name);
  });
});

/** A VPN server by hand: wireguard-go, one peer, routing and NAT for both families. */
async function startWireGuardServer(namespace: string): Promise<{ customerConfiguration: string }> {
  const [serverKey, customerKey] = [await makeKey(), await makeKey()];
  const presharedKey = (await runOrThrow("wg", ["genpsk"])).stdout.trim();
  const interfaceName = `wgs-${randomSuffix()}`;
  using dir = temporaryDir("wireguard-server");
  const settingsPath = join(dir.path, "settings");
  const settings = `[Interface]
PrivateKey = ${serverKey.private}
ListenPort = 51820
[Peer]
PublicKey = ${customerKey.public}
PresharedKey = ${presharedKey}
AllowedIPs = 10.64.0.2/32, fd64::2/128
`;
  await writeFile(settingsPath, settings, { mode: 0o600 });
  const here = { namespace };
  await runOrThrow("wireguard-go", [interfaceName], here);
  await runOrThrow("wg", ["setconf", interfaceName, settingsPath], here);
  for (const address of ["10.64.0.1/24", "fd64::1/64"]) {
    await runOrThrow("ip", ["-n", namespace, "addr", "add", address, "dev", interfaceName]);
  }
  await runOrThrow("ip", ["-n", namespace, "link", "set", interfaceName, "up"]);
  await setForwarding(namespace, true);
  const rules = `table inet lab {
  chain postrouting {
    type nat hook postrouting priority srcnat;
    iifname "${interfaceName}" oifname "${NODE_INTERFACES.toInternet}" masquerade
  }
}
`;
  await runOrThrow("nft", ["-f", "-"], { ...here, input: rules });
  const customerConfiguration = `[Interface]
PrivateKey = ${customerKey.private}
Address = 10.64.0.2/32, fd64::2/128
DNS = 10.64.0.1, fd64::1

[Peer]
PublicKey = ${serverKey.public}
PresharedKey = ${presharedKey}
Endpoint = ${LAB_ADDRESSES.nodeForCustomer.v4}:51820
AllowedIPs = 0.0.0.0/0, ::/0
PersistentKeepalive = 25
`;
  return { customerConfiguration };
}

async function makeKey(): Promise<{ private: string; public: string }> {
  const secret = (await runOrThrow("wg", ["genkey"])).stdout.trim();
  return { private: secret, public: (await runOrThrow("wg", ["pubkey"], { input: secret })).stdout.trim() };
}
