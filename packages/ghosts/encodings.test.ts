import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { drawGhosts, type Ghost, type Kind } from "./identity.ts";
import { createMatcher } from "./matcher.ts";
import { patternsOf } from "./sought.ts";

const [ghost, other] = drawGhosts(Buffer.from("a seed for tests"), ["ghost-1", "ghost-2"]) as [Ghost, Ghost];
/** With addresses as a service hands them out. */
const pooled: Ghost = { ...ghost, tunnelIpv4: "10.8.0.17", tunnelIpv6: "fd5e:c0de:8::17" };

function kindsIn(content: Buffer | string, who = ghost): Set<Kind> {
  const sought = patternsOf(who);
  const found = new Set<Kind>();
  const stream = createMatcher(sought.map(({ pattern }) => pattern)).begin((index) => {
    const kind = sought[index]?.kind;
    if (kind !== undefined) found.add(kind);
  });
  stream.write(Buffer.from(content));
  stream.end();
  return found;
}

const octets = ghost.ipv4.split(".").map(Number);
const ipv6Hex = ghost.ipv6
  .split(":")
  .map((group) => group.padStart(4, "0"))
  .join("");
const u32 = Buffer.from(octets).readUInt32BE();
const at = new Date(Number((ghost.atMicroseconds ?? 0n) / 1000n));

function sinceEpoch(unit: "postgres" | "seconds" | "milliseconds"): Buffer {
  const microseconds = ghost.atMicroseconds ?? 0n;
  const bytes = Buffer.alloc(8);
  if (unit === "postgres") bytes.writeBigInt64LE(microseconds - BigInt(Date.UTC(2000, 0, 1)) * 1000n);
  if (unit === "seconds") bytes.writeUInt32LE(Number(microseconds / 1_000_000n), 2);
  if (unit === "milliseconds") bytes.writeBigInt64BE(microseconds / 1000n);
  return bytes;
}
const double = (value: number) => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
};

describe("an address is found", () => {
  test.each<[string, Kind, Buffer | string]>([
    ["in a log line", "ipv4", `{"remoteAddress":"${ghost.ipv4}","remotePort":${ghost.port}}`],
    ["as ::ffff: text", "ipv4", `::ffff:${ghost.ipv4}`],
    ["in a URL", "ipv4", `GET /?from=%22${ghost.ipv4}%22 HTTP/1.1`],
    ["as PostgreSQL's inet", "ipv4", Buffer.of(0, 15, 2, 32, ...octets, 0)],
    ["in memory order", "ipv4", Buffer.of(...octets.toReversed())],
    ["as a socket address", "ipv4", Buffer.of(2, 0, ghost.port >> 8, ghost.port & 255, ...octets)],
    ["mapped into IPv6", "ipv4", Buffer.of(0, 0, 0xff, 0xff, ...octets)],
    ["in hexadecimal", "ipv4", Buffer.from(octets).toString("hex")],
    ["in /proc/net", "ipv4", Buffer.from(octets.toReversed()).toString("hex").toUpperCase()],
    ["with colons", "ipv4", octets.map((octet) => octet.toString(16)).join(":")],
    ["as a number", "ipv4", `ip=${u32};`],
    ["reversed", "ipv4", `${octets.toReversed().join(".")}.in-addr.arpa`],
    ["as a host's name", "ipv4", `ip-${octets.join("-")}.example.net`],
    ["in UTF-16", "ipv4", Buffer.from(ghost.ipv4, "utf16le")],
    ["in UTF-16 of the other order", "ipv4", Buffer.from(ghost.ipv4, "utf16le").swap16()],
    ["by its network alone", "ipv4", `${octets.slice(0, 3).join(".")}.0/24`],
    ["as md5", "ipv4", createHash("md5").update(ghost.ipv4).digest("hex")],
    ["as sha1 in base64", "ipv4", createHash("sha1").update(ghost.ipv4).digest("base64")],
    ["as sha256 of its bytes", "ipv4", createHash("sha256").update(Buffer.from(octets)).digest()],
    ["as half a sha256", "ipv4", createHash("sha256").update(ghost.ipv4).digest("hex").slice(0, 32)],
    ["as IPv6", "ipv6", `from [${ghost.ipv6}]:443`],
    ["as IPv6 in a URL", "ipv6", encodeURIComponent(`"${ghost.ipv6}"`)],
    ["as IPv6 in capitals", "ipv6", ghost.ipv6.toUpperCase()],
    ["as IPv6 in full", "ipv6", (ipv6Hex.match(/.{4}/g) ?? []).join(":")],
    ["as IPv6 bytes", "ipv6", Buffer.from(ipv6Hex, "hex")],
    ["as IPv6, its half", "ipv6", `${ghost.ipv6.split(":").slice(0, 4).join(":")}::/64`],
    ["as IPv6 in /proc/net", "ipv6", Buffer.from(ipv6Hex, "hex").swap32().toString("hex").toUpperCase()],
    ["as IPv6, reversed", "ipv6", `${[...ipv6Hex].toReversed().join(".")}.ip6.arpa`],
    ["in the tunnel", "tunnel_ipv4", `AllowedIPs = ${ghost.tunnelIpv4}/32`],
  ])("%s", (_, kind, content) => {
    expect(kindsIn(content)).toContain(kind);
  });

  test.each([0, 1, 2])("within base64, %i bytes behind its beginning", (lead) => {
    const line = Buffer.from(`${"x".repeat(lead)}${ghost.ipv4} and more`);
    expect(kindsIn(line.toString("base64"))).toContain("ipv4");
    expect(kindsIn(line.toString("base64url"))).toContain("ipv4");
  });
});

describe("so are", () => {
  test.each<[string, Kind, Buffer | string]>([
    ["a name", "dns_name", `query[A] ${ghost.dnsName} from 127.0.0.1`],
    ["a name in a DNS packet", "dns_name", Buffer.from(`\x14${ghost.dnsName.replace(".", "\x04")}\0`)],
    ["a key", "public_key", `peer: ${ghost.publicKey}`],
    ["a key in hexadecimal", "public_key", Buffer.from(ghost.publicKey ?? "", "base64").toString("hex")],
    ["a key's bytes", "public_key", Buffer.from(ghost.publicKey ?? "", "base64")],
    ["a key in a URL", "public_key", encodeURIComponent(ghost.publicKey ?? "")],
    ["a count in text", "received_bytes", `received ${ghost.receivedBytes} B`],
    ["a count with commas", "sent_bytes", Number(ghost.sentBytes).toLocaleString("en-US")],
    ["a count as double", "received_bytes", double(ghost.receivedBytes ?? 0)],
    ["a time in a log", "time", at.toISOString()],
    ["a time in SQL", "time", at.toISOString().replace("T", " ").slice(0, 19)],
    ["a time as PostgreSQL stores it", "time", sinceEpoch("postgres")],
    ["a time in seconds", "time", sinceEpoch("seconds")],
    ["a time in milliseconds", "time", sinceEpoch("milliseconds")],
    ["a time in seconds as text", "time", `{"time":${Math.floor(at.getTime() / 1000)}}`],
  ])("%s", (_, kind, content) => {
    expect(kindsIn(content)).toContain(kind);
  });
});

test("a ghost is not mistaken for another, nor a number for a part of a longer one", () => {
  const own = [other.ipv4, other.ipv6, other.dnsName, other.publicKey, other.receivedBytes, other.sentBytes];
  expect(kindsIn(own.join(" "))).toEqual(new Set());
  expect(kindsIn(`1${ghost.receivedBytes} ${ghost.sentBytes}7`)).toEqual(new Set());
});

test.each<[string, Kind, Buffer | string]>([
  ["of IPv4", "tunnel_ipv4", "src=10.8.0.17 dst=10.8.0.1"],
  ["of IPv4, as a hash", "tunnel_ipv4", createHash("md5").update("10.8.0.17").digest("hex")],
  ["of IPv6", "tunnel_ipv6", '"address":"fd5e:c0de:8::17"'],
  ["of IPv6, in /proc/net", "tunnel_ipv6", "src=fd5e:c0de:0008:0000:0000:0000:0000:0017 dport=1"],
  ["of IPv6, in a URL", "tunnel_ipv6", encodeURIComponent("fd5e:c0de:8::17")],
])("an address of a service's pool is found: %s", (_, kind, content) => {
  expect(kindsIn(content, pooled)).toContain(kind);
});

test("neighbours in a pool, its networks, and bytes that are small numbers are nobody's address", () => {
  const others = [
    "10.8.0.1",
    "10.8.0.0/16",
    "10.8.0.170",
    "110.8.0.17",
    "fd5e:c0de:8::/64",
    "fd5e:c0de:8::170",
  ];
  expect(kindsIn(others.join(" "), pooled)).toEqual(new Set());
  expect(kindsIn(Buffer.of(0, 10, 8, 0, 17, 0, 17, 0, 8, 10), pooled)).toEqual(new Set());
});

test("who has the seed draws the same ghosts, and no two of them share anything", () => {
  const names = Array.from({ length: 200 }, (_, index) => `ghost-${index}`);
  const [first, second] = [1, 2].map(() => drawGhosts(Buffer.from("seed"), names));
  expect(first).toEqual(second);
  for (const key of ["ipv4", "ipv6", "dnsName", "publicKey", "receivedBytes", "tunnelIpv4"] as const) {
    expect(new Set(first?.map((one) => one[key])).size).toBe(names.length);
  }
  expect(drawGhosts(Buffer.from("other"), ["ghost-0"])[0]?.ipv6).not.toBe(first?.[0]?.ipv6);
});
