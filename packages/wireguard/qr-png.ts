import { crc32, deflateSync } from "node:zlib";
import { QR_BOX_PIXELS, qrMatrix } from "./qr.ts";

/** RFC 2083 §12.11. */
const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const FILTER_NONE = 0;
/** RFC 2083 §6.4: the difference to the row above, so a repeated row is all zeros. */
const FILTER_UP = 2;

/**
 * The code of `qrMatrix` as a PNG image of one bit per pixel, ten pixels per module.
 *
 * Written here because the encoders on npm write eight bits per pixel at the least, eight times the work.
 */
export function qrPng(text: string): Buffer {
  const matrix = qrMatrix(text);
  const side = matrix.length * QR_BOX_PIXELS;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header[8] = 1; // bits per pixel; the other bytes say: greyscale, deflate, adaptive filter, no interlace
  return Buffer.concat([
    PNG_SIGNATURE,
    pngChunk("IHDR", header),
    pngChunk("IDAT", deflateSync(pngRows(matrix), { level: 1 })),
    pngChunk("IEND", Buffer.alloc(0)),
  ]);
}

/** The PNG as a `data:` URL for an `<img>`. */
export function qrPngDataUrl(text: string): string {
  return `data:image/png;base64,${qrPng(text).toString("base64")}`;
}

function pngRows(matrix: readonly (readonly boolean[])[]): Buffer {
  const side = matrix.length * QR_BOX_PIXELS;
  const rowBytes = 1 + Math.ceil(side / 8);
  const rows = Buffer.alloc(rowBytes * side);
  for (const [y, modules] of matrix.entries()) {
    const start = y * QR_BOX_PIXELS * rowBytes;
    rows[start] = FILTER_NONE;
    paintRow(rows.subarray(start + 1, start + rowBytes), modules);
    for (let repeat = 1; repeat < QR_BOX_PIXELS; repeat++) rows[start + repeat * rowBytes] = FILTER_UP;
  }
  return rows;
}

/** Sets white to 1 in a row of zeros, most significant bit first. */
function paintRow(row: Buffer, modules: readonly boolean[]): void {
  let bits = 0;
  let count = 0;
  let at = 0;
  for (const isDark of modules) {
    bits = (bits << QR_BOX_PIXELS) | (isDark ? 0 : (1 << QR_BOX_PIXELS) - 1);
    count += QR_BOX_PIXELS;
    while (count >= 8) {
      count -= 8;
      row[at++] = bits >>> count;
      bits &= (1 << count) - 1;
    }
  }
  if (count > 0) row[at] = bits << (8 - count);
}

function pngChunk(type: string, data: Buffer): Buffer {
  const chunk = Buffer.alloc(12 + data.length);
  chunk.writeUInt32BE(data.length, 0);
  chunk.write(type, 4, "latin1");
  data.copy(chunk, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + data.length)), 8 + data.length);
  return chunk;
}
