import { createHash } from "node:crypto";
import { invariant } from "@securewave/foundation";
import { parseAddress } from "@securewave/wireguard";
import { base64Of, bothCases, essential, number, type Pattern, raw, text } from "./pattern.ts";

/** Bytes below it are lengths, counts and kinds in every binary file. */
const SMALL_NUMBER = 16;
const SMALL_NUMBER_BITS = 2;

/**
 * An IPv4 address. PostgreSQL's `inet` is family 2 (`PGSQL_AF_INET`, utils/inet.h), prefix length, 4 bytes.
 *
 * @param port where given, socket addresses are looked for too
 */
export function encodingsOfIpv4(address: string, port?: number): Pattern[] {
  const bytes = bytesOf(address);
  const reversed = Buffer.from(bytes).reverse();
  const octets = [...bytes];
  const backwards = octets.toReversed().join(".");
  const mapped = `::ffff:${address}`;
  const hexHalves = `${bytes.toString("hex", 0, 2)}:${bytes.toString("hex", 2)}`;
  const network = `${octets.slice(0, 3).join(".")}.0`;
  const bits = octets.reduce((sum, octet) => sum + (octet < SMALL_NUMBER ? SMALL_NUMBER_BITS : 8), 0);
  return essential([
    number("text", address),
    number("text of its network of 256", network),
    number("reversed", backwards),
    text("reversed PTR", `${backwards}.in-addr.arpa`),
    raw("PTR in a DNS packet", labels([...octets.toReversed().map(String), "in-addr", "arpa"])),
    number("with dashes", octets.join("-")),
    number("with underscores", octets.join("_")),
    number("as a number", String(bytes.readUInt32BE())),
    number("as a number, little endian", String(bytes.readUInt32LE())),
    number("as a signed number", String(bytes.readInt32BE())),
    ...wide("text", address),
    ...bothCases("IPv4-mapped, hexadecimal", hexHalves, 6 + bits),
    raw("inet", Buffer.of(2, 32, ...bytes), 16 + bits),
    raw("IPv4-mapped", Buffer.of(0xff, 0xff, ...bytes), 4 + bits),
    raw("4 bytes", bytes, bits),
    raw("4 bytes, little endian", reversed, bits),
    raw("varint", varint(bytes.readUInt32BE()), 8 + bits),
    raw("numeric", numeric(bytes.readUInt32BE()), 16 + bits),
    ...(port === undefined ? [] : socketAddresses(bytes, port)),
    ...hexOf("4 bytes", bytes, bits),
    ...hexOf("4 bytes, little endian", reversed, bits),
    ...(bits < 32 ? [] : base64Of("4 bytes", bytes)),
    ...base64Of("text", Buffer.from(address)),
    ...hashesOf("text", address),
    ...hashesOf("IPv4-mapped text", mapped),
    ...hashesOf("4 bytes", bytes),
    ...hashesOf("number", String(bytes.readUInt32BE())),
    ...hashesOf("text of its network of 256", network),
    ...(port === undefined ? [] : hashesOf("text with port", `${address}:${port}`)),
  ]);
}

/** An IPv6 address without a run of zeros, as those of ghosts are; its first half, the /64, is looked for alone. */
export function encodingsOfIpv6(address: string): Pattern[] {
  const bytes = bytesOf(address);
  const groups = address.split(":");
  const half = bytes.subarray(0, 8);
  const full = groups.map((group) => group.padStart(4, "0")).join(":");
  const nibbles = [...bytes.toString("hex")].toReversed();
  const words = Buffer.from(bytes).swap32();
  const network = `${groups.slice(0, 4).join(":")}::`;
  return essential([
    ...bothCases("text of its /64", `${groups.slice(0, 4).join(":")}:`, 66),
    ...bothCases("full text of its /64", `${full.slice(0, 19)}:`, 66),
    ...bothCases("text of its second half", groups.slice(4).join(":")),
    ...bothCases("with dashes", groups.slice(0, 4).join("-"), 66),
    text("URL-encoded", groups.slice(0, 4).join("%3A"), 66),
    text("URL-encoded, lower case", groups.slice(0, 4).join("%3a"), 66),
    text("JSON-escaped", groups.slice(0, 4).join("\\u003a"), 66),
    ...bothCases("reversed PTR", nibbles.slice(0, 16).join(".")),
    raw("PTR in a DNS packet", labels(nibbles.slice(0, 16))),
    ...wide("text of its /64", groups.slice(0, 4).join(":")),
    // The first four bytes of a ghost's are the same in all of 2001:db8::/32.
    raw("8 bytes, its /64", half, 48),
    raw("8 bytes, its second half", bytes.subarray(8)),
    raw("backwards", Buffer.from(bytes).reverse().subarray(0, 12)),
    raw("words, little endian", words.subarray(4)),
    number("as a number", BigInt(`0x${bytes.toString("hex")}`).toString()),
    ...hexOf("its /64", half, 48),
    ...hexOf("its second half", bytes.subarray(8)),
    ...bothCases("words, little endian, hexadecimal", words.toString("hex", 4)),
    ...base64Of("16 bytes", bytes),
    ...base64Of("text", Buffer.from(address)),
    ...hashesOf("text", address),
    ...hashesOf("full text", full),
    ...hashesOf("16 bytes", bytes),
    ...hashesOf("text of its /64", network),
    ...hashesOf("text of its /64 with its length", `${network}/64`),
  ]);
}

export function encodingsOfName(name: string): Pattern[] {
  const host = name.split(".")[0] ?? name;
  return essential([
    ...bothCases("text", host),
    text("reversed", [...host].toReversed().join("")),
    ...wide("text", host),
    ...hexOf("text", Buffer.from(host)),
    ...base64Of("text", Buffer.from(name)),
    ...hashesOf("text", name),
    ...hashesOf("text with its last dot", `${name}.`),
  ]);
}

/** A WireGuard key, given in base64. */
export function encodingsOfKey(key: string): Pattern[] {
  const bytes = Buffer.from(key, "base64");
  const stem = key.replace(/=+$/, "");
  return essential([
    raw("32 bytes", bytes.subarray(0, 16)),
    raw("32 bytes, their end", bytes.subarray(16)),
    ...hexOf("32 bytes", bytes.subarray(0, 16)),
    ...base64Of("32 bytes", bytes),
    text("URL-encoded", encodeURIComponent(stem).slice(0, 24), 96),
    text("JSON-escaped", JSON.stringify(stem).replaceAll("/", "\\/").slice(1, 25), 96),
    ...wide("text", stem.slice(0, 16)),
    ...base64Of("text", Buffer.from(key)),
    ...hashesOf("text", key),
    ...hashesOf("32 bytes", bytes),
  ]);
}

/**
 * A count of bytes. As a number of 8 bytes it has no more bits than digits: neighbours of its high bytes are zeros of
 * other numbers, so that it is sought whole only.
 */
export function encodingsOfCount(count: number): Pattern[] {
  const bits = Math.log2(count);
  const integer = Buffer.alloc(8);
  integer.writeBigUInt64LE(BigInt(count));
  const double = Buffer.alloc(8);
  double.writeDoubleLE(count);
  return essential([
    number("text", String(count), bits),
    number("text with commas", count.toLocaleString("en-US"), bits),
    number("text with points", count.toLocaleString("de-DE"), bits),
    ...wide("text", String(count), bits),
    raw("8 bytes, little endian", significant(integer), bits),
    raw("8 bytes, big endian", significant(Buffer.from(integer).reverse()), bits),
    // What follows a small number in 4 bytes is anything.
    ...(count < 2 ** 32 ? [raw("4 bytes, little endian", integer.subarray(0, 4), bits)] : []),
    raw("double, little endian", significant(double), bits),
    raw("double, big endian", significant(Buffer.from(double).reverse()), bits),
    raw("varint", varint(count), bits),
    raw("numeric", numeric(count), bits),
    ...base64Of("text", Buffer.from(String(count))).map((pattern) => ({ ...pattern, bits })),
    ...bothCases("hexadecimal", count.toString(16), bits),
  ]);
}

/** Without zeros at its ends, down to 4 bytes: files are full of zeros, and each would have to be looked at. */
function significant(bytes: Buffer): Buffer {
  let [start, end] = [0, bytes.length];
  while (end - start > 4 && bytes[end - 1] === 0) end--;
  while (end - start > 4 && bytes[start] === 0) start++;
  return bytes.subarray(start, end);
}

/** What is known of who connects: address and port as the system calls have them. @see netinet/in.h */
function socketAddresses(bytes: Buffer, port: number): Pattern[] {
  const [high, low] = [port >> 8, port & 255];
  return [
    raw("socket address", Buffer.of(high, low, ...bytes)),
    raw("address and port", Buffer.of(...bytes, high, low)),
    raw("address and port, little endian", Buffer.of(...bytes, low, high)),
  ];
}

export function hexOf(what: string, bytes: Buffer, bits = 8 * bytes.length): Pattern[] {
  const pairs = [...bytes].map((byte) => byte.toString(16).padStart(2, "0"));
  const separated = (name: string, between: string, lead = "") =>
    bothCases(`hexadecimal of ${what}, ${name}`, lead + pairs.join(between), bits);
  return [
    ...bothCases(`hexadecimal of ${what}`, pairs.join(""), bits),
    ...separated("with colons", ":"),
    ...separated("with spaces", " "),
    ...separated("with dashes", "-"),
    ...separated("with commas", ","),
    ...separated("URL-encoded", "%"),
    ...separated("escaped", "\\x"),
    ...separated("as numbers", ", 0x"),
  ];
}

/**
 * Unsalted hashes: who knows the form can try all addresses. A beginning of 10 bytes stands for the whole and for what
 * was cut off behind it.
 */
export function hashesOf(what: string, value: string | Uint8Array): Pattern[] {
  return ["md5", "sha1", "sha256"].flatMap((algorithm) => {
    const hash = createHash(algorithm).update(value).digest().subarray(0, 10);
    const name = `${algorithm} of ${what}`;
    const [base64] = base64Of(name, hash);
    return [
      raw(name, hash),
      ...bothCases(`${name}, hexadecimal`, hash.toString("hex"), 80),
      ...(base64 === undefined ? [] : [base64]),
    ];
  });
}

/** UTF-16 in both orders, without the byte that an order adds at an end. */
export function wide(what: string, value: string, bits?: number): Pattern[] {
  const little = Buffer.from(value, "utf16le");
  const found = text(what, value, bits);
  return [{ ...found, isNumber: false, encoding: `UTF-16 of ${what}`, bytes: little.subarray(0, -1) }];
}

/** Names as RFC 1035 §3.1 writes them, each label behind its length. */
function labels(parts: readonly string[]): Buffer {
  return Buffer.concat(parts.map((part) => Buffer.concat([Buffer.of(part.length), Buffer.from(part)])));
}

/** Protocol Buffers' and others' number of variable length, seven bits a byte, the low ones first. */
export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.of(...bytes, Number(rest));
}

/** The digits of PostgreSQL's `numeric` and of numbers in `jsonb`: base 10,000, 2 bytes each (utils/adt/numeric.c). */
export function numeric(value: number): Buffer {
  const digits: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 10_000)) digits.unshift(rest % 10_000);
  const bytes = Buffer.alloc(2 * digits.length);
  for (const [at, digit] of digits.entries()) bytes.writeUInt16LE(digit, 2 * at);
  return bytes;
}

export function bytesOf(address: string): Buffer {
  const parsed = parseAddress(address);
  invariant(parsed !== undefined, "a ghost has addresses");
  const digits = parsed.value.toString(16).padStart(parsed.family === 4 ? 8 : 32, "0");
  return Buffer.from(digits, "hex");
}
