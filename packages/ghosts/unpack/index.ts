import { openTar, openZip } from "./archives.ts";
import type { Opener } from "./opener.ts";
import { openPgDump } from "./pg-dump.ts";
import { isPage, openPages } from "./pg-pages.ts";
import { isWalPage, openWal } from "./pg-wal.ts";
import { openRedisDump } from "./redis-dump.ts";
import { openGzip, openLz4, openZlib, openZstd } from "./streams.ts";

export type { Opener, Opening } from "./opener.ts";
export { readingSink, type Sink } from "./reader.ts";

/** So many bytes tell what a file is. */
export const SNIFF_BYTES = 512;

interface Form {
  readonly name: string;
  readonly is: (head: Buffer) => boolean;
  readonly open: Opener;
}

const starts = (hex: string) => (head: Buffer) => head.toString("hex", 0, hex.length / 2) === hex;
/** RFC 1950 §2.2: method 8, and a check that makes the two bytes a multiple of 31. */
const isZlib = (head: Buffer) =>
  head.length > 8 && head[0] === 0x78 && head.readUInt16BE() % 31 === 0 && (head.readUInt8(1) & 0x20) === 0;

const FORMS: readonly Form[] = [
  { name: "gzip", is: starts("1f8b08"), open: openGzip },
  { name: "zstd", is: starts("28b52ffd"), open: openZstd },
  { name: "lz4", is: starts("04224d18"), open: openLz4 },
  { name: "zip", is: starts("504b0304"), open: openZip },
  { name: "zlib", is: isZlib, open: openZlib },
  { name: "tar", is: (head) => head.toString("latin1", 257, 262) === "ustar", open: openTar },
  { name: "pg_dump", is: (head) => head.toString("latin1", 0, 5) === "PGDMP", open: openPgDump },
  { name: "redis", is: (head) => head.toString("latin1", 0, 5) === "REDIS", open: openRedisDump },
  { name: "wal", is: isWalPage, open: openWal },
  { name: "pages", is: isPage, open: openPages },
];

/** Forms that hide what they hold and that nothing here opens. */
const CLOSED: readonly { readonly name: string; readonly is: (head: Buffer) => boolean }[] = [
  { name: "xz", is: starts("fd377a585a00") },
  { name: "bzip2", is: starts("425a68") },
  { name: "7z", is: starts("377abcaf271c") },
  { name: "rar", is: starts("526172211a07") },
  { name: "encrypted by age", is: (head) => head.toString("latin1", 0, 21) === "age-encryption.org/v1" },
];

/** How to open what begins like this; undefined for what is no package. */
export function formOf(head: Buffer): { readonly name: string; readonly open: Opener } | undefined {
  return FORMS.find(({ is }) => is(head));
}

/** The name of a form that cannot be opened. */
export function closedFormOf(head: Buffer): string | undefined {
  return CLOSED.find(({ is }) => is(head))?.name;
}

/** All that can be opened, for reports. */
export const FORM_NAMES: readonly string[] = FORMS.map(({ name }) => name);
