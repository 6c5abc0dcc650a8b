import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatAddress } from "./addresses.ts";
import { parseConfig, parseEndpoint, renderConfig, type TunnelConfig } from "./config.ts";
import { generateKeyPair, generatePresharedKey } from "./keys.ts";
import { openTestInterface, wireguardMissing, withWireguard } from "./testing-interface.ts";

const { privateKey } = generateKeyPair();
const server = generateKeyPair();
const presharedKey = generatePresharedKey();
const phone: TunnelConfig = {
  privateKey,
  addresses: ["10.8.0.2/32", "fd00:8::2/128"],
  dns: ["10.8.0.1", "fd00:8::1"],
  mtu: 1420,
  peer: {
    publicKey: server.publicKey,
    presharedKey,
    allowedIps: ["0.0.0.0/0", "::/0"],
    endpoint: { host: "192.0.2.7", port: 51820 },
    persistentKeepaliveSeconds: 25,
  },
};

const ipv4 = fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map((value) => formatAddress({ family: 4, value }));
const ipv6 = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map((value) => formatAddress({ family: 6, value }));
const port = fc.integer({ min: 1, max: 65535 });
const address = fc.oneof(
  ipv4.map((text) => `${text}/32`),
  ipv6.map((text) => `${text}/128`),
);
const list = <Value>(value: fc.Arbitrary<Value>) => fc.array(value, { minLength: 1, maxLength: 4 });
const optional = { noNullPrototype: true };
const peerOf = fc.record(
  {
    publicKey: fc.constant(server.publicKey),
    presharedKey: fc.constant(presharedKey),
    allowedIps: list(address),
    endpoint: fc.record({ host: fc.oneof(ipv4, ipv6, fc.domain()), port }, optional),
    persistentKeepaliveSeconds: port,
  },
  { ...optional, requiredKeys: ["publicKey", "allowedIps", "endpoint"] },
);
const tunnel = fc.record(
  {
    privateKey: fc.constant(privateKey),
    addresses: list(address),
    dns: list(fc.oneof(ipv4, ipv6, fc.domain())),
    mtu: fc.integer({ min: 576, max: 65535 }),
    peer: peerOf,
  },
  { ...optional, requiredKeys: ["privateKey", "addresses", "peer"] },
);

test("a configuration survives its text", () => {
  fc.assert(
    fc.property(tunnel, (given) => {
      expect(parseConfig(renderConfig(given))).toEqual(given);
    }),
  );
});

test("the text is the one that wg-quick(8) describes", () => {
  expect(renderConfig(phone)).toBe(`[Interface]
PrivateKey = ${privateKey}
Address = 10.8.0.2/32, fd00:8::2/128
DNS = 10.8.0.1, fd00:8::1
MTU = 1420

[Peer]
PublicKey = ${server.publicKey}
PresharedKey = ${presharedKey}
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = 192.0.2.7:51820
PersistentKeepalive = 25
`);
});

test("an address without a prefix is one address, and an IPv6 endpoint stands in brackets", () => {
  const text = renderConfig({
    ...phone,
    addresses: ["10.8.0.2", "FD00:8::2"],
    peer: { ...phone.peer, endpoint: { host: "2001:db8::7", port: 51820 } },
  });
  expect(text).toContain("Address = 10.8.0.2/32, fd00:8::2/128\n");
  expect(text).toContain("Endpoint = [2001:db8::7]:51820\n");
});

test("no field can bring a line of its own", () => {
  const evil = "\nPostUp = id";
  const { peer } = phone;
  const attempts: TunnelConfig[] = [
    { ...phone, addresses: [`10.8.0.2/32${evil}`] },
    { ...phone, dns: [`10.8.0.1${evil}`] },
    { ...phone, dns: ["example.net, 10.8.0.1"] },
    { ...phone, dns: ["10.8.0.1 # comment"] },
    { ...phone, mtu: Number.NaN },
    { ...phone, addresses: [] },
    { ...phone, peer: { ...peer, allowedIps: [`::/0${evil}`] } },
    { ...phone, peer: { ...peer, allowedIps: [] } },
    { ...phone, peer: { ...peer, endpoint: { host: `example.net${evil}`, port: 1 } } },
    { ...phone, peer: { ...peer, endpoint: { host: "[::1]:1", port: 1 } } },
    { ...phone, peer: { ...peer, endpoint: { host: "example.net", port: 0 } } },
    { ...phone, peer: { ...peer, persistentKeepaliveSeconds: 1.5 } },
  ];
  for (const attempt of attempts) expect(() => renderConfig(attempt)).toThrow(/each field|a list/);
});

test("a configuration written by hand is read", () => {
  const text = `# my phone\r\n[interface]\r\nprivatekey=${privateKey}\r\nAddress = 10.8.0.2/32 # v4\r\nAddress=fd00:8::2\r\n
    [PEER]
    Endpoint = 192.0.2.7:51820
    PersistentKeepalive = off
    AllowedIPs = 0.0.0.0/0,::/0
    PublicKey=${server.publicKey}`;
  expect(parseConfig(text)).toEqual({
    privateKey,
    addresses: ["10.8.0.2/32", "fd00:8::2/128"],
    peer: {
      publicKey: server.publicKey,
      allowedIps: ["0.0.0.0/0", "::/0"],
      endpoint: { host: "192.0.2.7", port: 51820 },
    },
  });
});

test("text with a line missing, malformed, foreign or given twice is no configuration", () => {
  const good = renderConfig(phone);
  const required = ["[Interface]", "PrivateKey", "Address", "[Peer]", "PublicKey", "AllowedIPs", "Endpoint"];
  for (const line of required) {
    expect(
      parseConfig(good.replaceAll(new RegExp(`^${line.replace("[", "\\[")}.*\n`, "gm"), "")),
      line,
    ).toBeUndefined();
  }
  for (const key of [
    "PrivateKey",
    "Address",
    "DNS",
    "MTU",
    "PublicKey",
    "PresharedKey",
    "AllowedIPs",
    "Endpoint",
  ]) {
    expect(parseConfig(good.replace(`${key} = `, `${key} = ?`)), key).toBeUndefined();
  }
  expect(parseConfig(`${good}PostUp = id\n`)).toBeUndefined();
  expect(parseConfig(good.replace("MTU = 1420", "PostUp = id"))).toBeUndefined();
  expect(parseConfig(good.replace("MTU = 1420", "MTU = 1420\nMTU = 1400"))).toBeUndefined();
  expect(parseConfig(`${good}\n[Peer]\n`)).toBeUndefined();
  expect(parseConfig(good + "#".repeat(65536))).toBeUndefined();
});

test("no text makes the parser throw", () => {
  fc.assert(fc.property(fc.string(), (text) => void parseConfig(text)));
  fc.assert(
    fc.property(fc.nat(), fc.string({ maxLength: 3 }), (at, inserted) => {
      const good = renderConfig(phone);
      const index = at % good.length;
      void parseConfig(good.slice(0, index) + inserted + good.slice(index + 1));
    }),
  );
});

test.each([
  "",
  "host",
  "host:",
  "host:0",
  "host:65536",
  "::1:51820",
  "[::1]",
  "[1.2.3.4]:1",
  "1.2.3:1",
  "-a:1",
  "a_b:1",
])("%j is no endpoint", (text) => {
  expect(parseEndpoint(text)).toBeUndefined();
});

test.skipIf(wireguardMissing)(withWireguard("wg-quick and wg accept the text unchanged"), async () => {
  const folder = mkdtempSync(join(tmpdir(), "securewave-config-"));
  const open = await openTestInterface();
  try {
    const path = join(folder, "phone.conf");
    writeFileSync(path, renderConfig(phone), { mode: 0o600 });
    const stripped = execFileSync("wg-quick", ["strip", path], { encoding: "utf8" });
    expect(stripped).not.toMatch(/Address|DNS|MTU/);
    writeFileSync(path, stripped);
    execFileSync("wg", ["setconf", open.name, path]);
    const [peer] = (await open.uapi.get()).peers;
    expect(peer).toMatchObject({ publicKey: server.publicKey, presharedKey, persistentKeepaliveSeconds: 25 });
    expect(peer?.allowedIps.toSorted()).toEqual(["0.0.0.0/0", "::/0"]);
  } finally {
    await open.close();
    rmSync(folder, { recursive: true });
  }
});
