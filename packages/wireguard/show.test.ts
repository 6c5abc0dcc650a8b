import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { generatePresharedKey } from "./keys.ts";
import { generateKeyPair } from "./native-keys.ts";
import type { Peer } from "./peer.ts";
import {
  parseAllowedIps,
  parseEndpointPresence,
  parseLatestHandshakes,
  parsePresharedKeys,
  parseTransfer,
  renderPeers,
} from "./show.ts";
import { openTestInterface, wireguardMissing, withWireguard } from "./testing-interface.ts";

const [first, second] = [generateKeyPair(), generateKeyPair()];
const presharedKey = generatePresharedKey();
const peers: Peer[] = [
  { publicKey: first.publicKey, allowedIps: ["10.8.0.2/32", "fd00:8::2/128"], presharedKey },
  { publicKey: second.publicKey, allowedIps: [] },
];

test("each field is read by key", () => {
  const lines = (one: string, other: string) => `${first.publicKey}\t${one}\n${second.publicKey}\t${other}\n`;
  expect(parseTransfer(lines("1\t2", "9007199254740991\t0"))?.get(second.publicKey)).toEqual({
    rxBytes: 9007199254740991,
    txBytes: 0,
  });
  expect(parseLatestHandshakes(lines("0", "1795218023"))?.get(second.publicKey)).toBe(1795218023);
  expect(parseAllowedIps(lines("(none)", "10.8.0.2/32 ::/0"))?.get(second.publicKey)).toEqual([
    "10.8.0.2/32",
    "::/0",
  ]);
  expect(parsePresharedKeys(lines("(none)", presharedKey))?.get(second.publicKey)).toBe(presharedKey);
  expect(parsePresharedKeys("")?.size).toBe(0);
});

test("who has an endpoint is read without the endpoint", () => {
  const text = `${first.publicKey}\t198.18.7.9:4242\n${second.publicKey}\t(none)\n`;
  expect(parseEndpointPresence(Buffer.from(text))).toEqual(new Set([first.publicKey]));
  expect(parseEndpointPresence(Buffer.alloc(0))).toEqual(new Set());
  for (const bad of ["no key\t(none)", first.publicKey, `x${text}`]) {
    expect(parseEndpointPresence(Buffer.from(bad))).toBeUndefined();
  }
});

test.each([
  "no key\t1\t2",
  `${first.publicKey}`,
  `${first.publicKey}\t`,
  `${first.publicKey}\tx\ty`,
  `${first.publicKey}\t192.0.2.1:51820`,
])("%j is no answer", (text) => {
  for (const parse of [parseTransfer, parseLatestHandshakes, parseAllowedIps, parsePresharedKeys]) {
    expect(parse(text)).toBeUndefined();
  }
});

test("no field can bring a line of its own", () => {
  expect(() => renderPeers([{ publicKey: first.publicKey, allowedIps: ["::/0\n[Peer]"] }])).toThrow(
    "allowed IP",
  );
  expect(() => renderPeers([], { listenPort: 1e6 })).toThrow("port");
});

test.skipIf(wireguardMissing)(withWireguard("wg takes the text and shows it again"), async () => {
  const folder = mkdtempSync(join(tmpdir(), "securewave-show-"));
  const open = await openTestInterface();
  const show = (field: string) => execFileSync("wg", ["show", open.name, field], { encoding: "utf8" });
  const apply = (verb: string, text: string) => {
    writeFileSync(join(folder, "peers.conf"), text, { mode: 0o600 });
    execFileSync("wg", [verb, open.name, join(folder, "peers.conf")]);
  };
  try {
    apply("setconf", renderPeers(peers, { privateKey: generateKeyPair().privateKey }));
    const prefixes = parseAllowedIps(show("allowed-ips"));
    expect(prefixes?.get(first.publicKey)?.toSorted()).toEqual(peers[0]?.allowedIps);
    expect(prefixes?.get(second.publicKey)).toEqual([]);
    expect(parsePresharedKeys(show("preshared-keys"))).toEqual(
      new Map([
        [first.publicKey, presharedKey],
        [second.publicKey, null],
      ]),
    );
    expect(parseTransfer(show("transfer"))?.get(first.publicKey)).toEqual({ rxBytes: 0, txBytes: 0 });
    expect(parseLatestHandshakes(show("latest-handshakes"))?.get(first.publicKey)).toBe(0);
    apply("syncconf", renderPeers(peers.slice(0, 1)));
    expect([...(parseTransfer(show("transfer"))?.keys() ?? [])]).toEqual([first.publicKey]);
  } finally {
    await open.close();
    rmSync(folder, { recursive: true });
  }
});
