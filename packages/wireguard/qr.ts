import { invariant } from "@securewave/foundation";
import { encodeQR } from "qr";

/** Modules of white around the code: ISO/IEC 18004 §5.3.8. */
export const QR_BORDER_MODULES = 4;
/** Pixels of an image per module. */
export const QR_BOX_PIXELS = 10;
/** ISO/IEC 18004 table 7: version 40 at error correction level L. */
export const QR_TEXT_BYTES_MAX = 2953;

/**
 * The modules of a QR code with error correction level L, true for dark, the border of four included.
 *
 * The mask is the one of eight with the lowest penalty, as the standard asks.
 */
export function qrMatrix(text: string): boolean[][] {
  invariant(new TextEncoder().encode(text).length <= QR_TEXT_BYTES_MAX, "the text fits into a QR code");
  return encodeQR(text, "raw", { ecc: "low", border: QR_BORDER_MODULES });
}

/** The code as an SVG image of ten pixels per module: one path that strokes each row's dark runs. */
export function qrSvg(text: string): string {
  const matrix = qrMatrix(text);
  const side = matrix.length;
  const pixels = side * QR_BOX_PIXELS;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${pixels}" height="${pixels}" viewBox="0 0 ${side} ${side}" ` +
    `shape-rendering="crispEdges"><rect width="${side}" height="${side}" fill="#fff"/>` +
    `<path stroke="#000" d="${qrPath(matrix)}"/></svg>`
  );
}

/** The SVG as a `data:` URL for an `<img>`. */
export function qrSvgDataUrl(text: string): string {
  return `data:image/svg+xml;base64,${btoa(qrSvg(text))}`;
}

/** The texts of the runs are ready: making them took a third of the time. */
const GAPS = runTexts((length) => `m${length} 0`);
const DARKS = runTexts((length) => `h${length}`);

function runTexts(textOf: (length: number) => string): readonly string[] {
  return Array.from({ length: 177 + 2 * QR_BORDER_MODULES + 1 }, (_, length) => textOf(length));
}

function qrPath(matrix: readonly (readonly boolean[])[]): string {
  let path = "";
  for (let y = 0; y < matrix.length; y++) path += rowPath(matrix[y] ?? [], y);
  return path;
}

/** A stroke of width 1 lies half a module to either side of its line. */
function rowPath(row: readonly boolean[], y: number): string {
  let path = "";
  let end = 0;
  let x = 0;
  while (x < row.length) {
    if (!row[x]) {
      x++;
      continue;
    }
    const start = x;
    while (row[x]) x++;
    path += `${GAPS[start - end]}${DARKS[x - start]}`;
    end = x;
  }
  return path === "" ? "" : `M0 ${y}.5${path}`;
}
