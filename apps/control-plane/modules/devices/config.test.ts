import { decodeQr } from "@securewave/testing/browser";
import { requirements } from "@securewave/testing/requirements";
import { parseConfig, publicKeyOf, qrSvg } from "@securewave/wireguard";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { qrPng } from "@securewave/wireguard/qr-png";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codeOf, connectNode, type FakeNode, openTestApp } from "../../testing.ts";

const service = await openTestApp();
afterAll(() => service.close());
let node: FakeNode;
beforeAll(async () => {
  node = await connectNode(service);
});

test("the downloaded config holds the private key of the device's public key and all of its tunnel", async () => {
  const { client, token } = await service.person();
  const device = await client.devices.create({ body: { name: "Zoë's phone" } });
  expect(device.key_origin).toBe("server");
  const answer = await service.send(`/api/vpn/devices/${device.id}/config`, { token });
  expect(answer.headers.get("content-type")).toBe("text/plain; charset=utf-8");
  expect(answer.headers.get("content-disposition")).toBe('attachment; filename="Zoe-s-phone.conf"');
  expect(answer.headers.get("cache-control")).toBe("no-store");
  const config = parseConfig(answer.text);
  expect(config && publicKeyOf(config.privateKey)).toBe(device.public_key);
  expect(config).toMatchObject({
    addresses: device.tunnel?.addresses,
    dns: ["9.9.9.9", "2620:fe::fe"],
    mtu: 1420,
    peer: {
      publicKey: node.identity.publicKey,
      presharedKey: device.tunnel?.preshared_key,
      allowedIps: ["0.0.0.0/0", "::/0"],
      endpoint: { host: "vpn.example.org", port: 51820 },
      persistentKeepaliveSeconds: 25,
    },
  });
  expect((await node.holds(device.public_key)).presharedKey).toBe(config?.peer.presharedKey);
});

const zbar = requirements({ tools: ["zbarimg"] });
describe.skipIf(!zbar.ok)(zbar.title("the QR code"), () => {
  test("is read back as the downloaded config, byte for byte, in all three forms", async () => {
    const { client, token } = await service.person();
    const { id } = await client.devices.create({ body: { name: "Phone" } });
    const config = await client.devices.config({ params: { id } });
    const path = `${service.baseUrl}/api/vpn/devices/${id}/qr`;
    const get = async (format: string) => {
      const response = await fetch(`${path}${format}`, { headers: { authorization: `Bearer ${token}` } });
      return { type: response.headers.get("content-type"), bytes: Buffer.from(await response.arrayBuffer()) };
    };
    const [svg, alsoSvg, png, base64] = [
      await get(""),
      await get("?format=svg"),
      await get("?format=png"),
      await get("?format=base64"),
    ];
    expect([svg.type, png.type, base64.type]).toEqual([
      "image/svg+xml; charset=utf-8",
      "image/png",
      "text/plain; charset=utf-8",
    ]);
    expect(decodeQr(png.bytes)).toBe(config);
    expect(png.bytes.equals(qrPng(config))).toBe(true);
    expect(Buffer.from(base64.bytes.toString(), "base64").equals(png.bytes)).toBe(true);
    expect(svg.bytes.toString()).toBe(qrSvg(config));
    expect(alsoSvg.bytes.equals(svg.bytes)).toBe(true);
    expect(
      await codeOf(service.client(token).devices.qr({ params: { id }, query: { format: "gif" as "png" } })),
    ).toBe("request.invalid");
  });
});

test("the private key of a device that brought its own is nowhere to be had", async () => {
  const { client } = await service.person();
  const { publicKey } = generateKeyPair();
  const { id } = await client.devices.create({ body: { name: "Phone", public_key: publicKey } });
  expect(await codeOf(client.devices.config({ params: { id } }))).toBe("devices.private_key_not_held");
  expect(await codeOf(client.devices.qr({ params: { id } }))).toBe("devices.private_key_not_held");
});

test("a private key that the server made stands sealed in the store, in no encoding readable", async () => {
  const { client } = await service.person();
  const { id } = await client.devices.create({ body: { name: "Phone" } });
  const config = parseConfig(await client.devices.config({ params: { id } }));
  const key = Buffer.from(config?.privateKey ?? "", "base64");
  expect(key).toHaveLength(32);
  const { rows } = await service.database.pool.query("select * from devices where id = $1", [id]);
  const sealed: Buffer = rows[0].sealed_private_key;
  expect(sealed.length).toBeGreaterThan(32);
  const row = Buffer.concat([sealed, Buffer.from(JSON.stringify(rows[0]))]);
  for (const spelling of [key, key.toString("base64"), key.toString("hex"), key.toString("base64url")]) {
    expect(row.includes(spelling)).toBe(false);
  }
});

test("a sealed key moved to another device's row does not open", async () => {
  const { client } = await service.person();
  const [one, two] = await Promise.all(
    ["One", "Two"].map((name) => client.devices.create({ body: { name } })),
  );
  await service.database.pool.query(
    "update devices set sealed_private_key = (select sealed_private_key from devices where id = $1) where id = $2",
    [one?.id, two?.id],
  );
  expect(await codeOf(client.devices.config({ params: { id: two?.id ?? "" } }))).toBe("envelope.unopenable");
});

test("settings decide on resolvers, MTU and keepalive; without resolvers the line is left out", async () => {
  const bare = await openTestApp({
    settings: {
      CLIENT_DNS: "none",
      CLIENT_MTU: "1380",
      CLIENT_KEEPALIVE_SECONDS: "0",
      IP_POOL_V6: "fd00:77::/64",
    },
  });
  await connectNode(bare, { host: "2001:db8::9" });
  const { client } = await bare.person();
  const { id, tunnel } = await client.devices.create({ body: { name: "Phone" } });
  expect(tunnel?.dns).toEqual([]);
  const text = await client.devices.config({ params: { id } });
  expect(text).not.toMatch(/DNS|PersistentKeepalive/);
  expect(text).toContain("Endpoint = [2001:db8::9]:51820");
  expect(text).toContain("Address = 10.8.0.2/32, fd00:77::2/128");
  expect(parseConfig(text)?.mtu).toBe(1380);
  await bare.close();
});
