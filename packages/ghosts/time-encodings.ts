import { essential, number, type Pattern, raw, text } from "./pattern.ts";

/** PostgreSQL counts from 2000-01-01 (`POSTGRES_EPOCH_JDATE`, datatype/timestamp.h). */
const POSTGRES_EPOCH_SECONDS = 946_684_800n;
const MICROSECONDS = 1_000_000n;

/**
 * An instant, to the second and finer. Where clocks run and other times are near, chance is counted by the
 * microseconds of a year, not by the length of the pattern.
 */
export function encodingsOfTime(atMicroseconds: bigint): Pattern[] {
  const milliseconds = atMicroseconds / 1000n;
  const seconds = atMicroseconds / MICROSECONDS;
  const fraction = String(atMicroseconds % MICROSECONDS).padStart(6, "0");
  const iso = new Date(Number(milliseconds)).toISOString();
  const [day = "", time = ""] = iso.slice(0, 19).split("T");
  return essential([
    text("ISO 8601", `${day}T${time}`),
    text("SQL", `${day} ${time}`),
    text("ISO 8601, basic", `${day.replaceAll("-", "")}T${time.replaceAll(":", "")}`),
    text("microseconds of its second", `${time}.${fraction}`),
    text("HTTP", new Date(Number(milliseconds)).toUTCString().slice(5, 25)),
    number("microseconds since 1970", String(atMicroseconds)),
    number("milliseconds since 1970", String(milliseconds)),
    number("seconds since 1970", String(seconds)),
    number("seconds since 1970 with a fraction", `${seconds}.${fraction.slice(0, 3)}`),
    ...binary("microseconds since 2000", atMicroseconds - POSTGRES_EPOCH_SECONDS * MICROSECONDS, 50),
    ...binary("microseconds since 1970", atMicroseconds, 50),
    ...binary("milliseconds since 1970", milliseconds, 40),
    ...binary("nanoseconds since 1970", atMicroseconds * 1000n, 60),
    raw("seconds since 1970, 4 bytes, little endian", fourBytes(seconds).reverse(), 30),
    raw("seconds since 1970, 4 bytes, big endian", fourBytes(seconds), 30),
    ...doubles("seconds since 1970", Number(atMicroseconds) / 1e6, 50),
    ...doubles("milliseconds since 1970", Number(milliseconds), 40),
    raw("UUIDv7", uuidTime(milliseconds), 40),
    text(
      "UUIDv7, text",
      uuidTime(milliseconds)
        .toString("hex")
        .replace(/^(.{8})/, "$1-"),
      44,
    ),
  ]);
}

function binary(unit: string, value: bigint, bits: number): Pattern[] {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return [
    raw(`${unit}, little endian`, bytes, bits),
    raw(`${unit}, big endian`, Buffer.from(bytes).reverse(), bits),
  ];
}

function doubles(unit: string, value: number, bits: number): Pattern[] {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return [
    raw(`${unit}, double`, bytes, bits),
    raw(`${unit}, double, big endian`, Buffer.from(bytes).reverse(), bits),
  ];
}

function fourBytes(seconds: bigint): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(Number(seconds));
  return bytes;
}

/** RFC 9562 §5.7: the first 48 bits are milliseconds. */
function uuidTime(milliseconds: bigint): Buffer {
  return Buffer.from(milliseconds.toString(16).padStart(12, "0"), "hex");
}
