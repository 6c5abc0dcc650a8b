import { decodeLzf } from "./codecs.ts";
import { type Opener, readWhole } from "./opener.ts";

/** An LZF string is this byte, the lengths of both forms, and the compressed form (rdb.c, rdbSaveLzfBlob). */
const LZF_STRING = 0xc3;
const TEXT_BYTES_MAX = 64 * 1024 * 1024;

/** A dump of Redis, also that at the head of an append-only file: its compressed strings, one behind the other. */
export const openRedisDump: Opener = async (reader, opening) => {
  const dump = await readWhole(reader, opening);
  if (dump === undefined) return;
  const sink = opening.open("strings");
  for (let at = dump.indexOf(LZF_STRING); at >= 0; at = dump.indexOf(LZF_STRING, at + 1)) {
    const text = stringAt(dump, at + 1);
    if (text === undefined) continue;
    await sink.write(text);
    await sink.write(Buffer.of(0));
  }
  await sink.end();
};

function stringAt(dump: Buffer, at: number): Buffer | undefined {
  const packed = lengthAt(dump, at);
  const plain = packed && lengthAt(dump, packed.end);
  if (plain === undefined || packed === undefined) return undefined;
  const isPlausible = packed.value > 3 && packed.value < plain.value && plain.value <= TEXT_BYTES_MAX;
  if (!isPlausible || plain.end + packed.value > dump.length) return undefined;
  return decodeLzf(dump.subarray(plain.end, plain.end + packed.value), plain.value);
}

/** rdb.h: the two highest bits tell whether 6 bits, 14 bits or 4 bytes follow. */
function lengthAt(dump: Buffer, at: number): { value: number; end: number } | undefined {
  const first = dump[at];
  if (first === undefined || at + 5 > dump.length) return undefined;
  if (first >> 6 === 0) return { value: first & 63, end: at + 1 };
  if (first >> 6 === 1) return { value: ((first & 63) << 8) | (dump[at + 1] ?? 0), end: at + 2 };
  return first === 0x80 ? { value: dump.readUInt32BE(at + 1), end: at + 5 } : undefined;
}
